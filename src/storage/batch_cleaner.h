// What compaction leaves of one batch: docs/internals/compaction.md.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/record.h"
#include "storage/batch_scanner.h"
#include "storage/offset_map.h"
#include "storage/transaction_filter.h"

namespace arus::storage {

// The last word of a producer in a log: its last data, or, where a marker came behind, that one.
struct LastOfProducer {
  std::optional<Offset> last_data_offset;
  std::int16_t epoch = -1;
};

// What one round goes by. Times in milliseconds.
struct CleaningRules {
  Offset mapped_end;  // below it the map knows the newest record of each key
  std::int64_t now_ms = 0;
  std::int64_t delete_retention_ms = 0;
  std::unordered_map<ProducerId, LastOfProducer> producers;
};

enum class BatchFate : std::uint8_t { kept, changed, dropped };

struct CleanedBatch {
  BatchFate fate = BatchFate::dropped;
  Bytes bytes;  // of a changed one
  std::int64_t max_timestamp_ms = record::no_timestamp;
};

// Is given the batches of a log in order. Reads only. Not thread-safe.
class BatchCleaner {
 public:
  BatchCleaner(const CleaningRules& rules, const OffsetMap& map, TransactionFilter& transactions)
      : rules_(rules), map_(map), transactions_(transactions) {}

  // `bytes` hold the batch. With `keep_end` it stays at least as a header, because offsets end with
  // it. CORRUPT_MESSAGE or INVALID_RECORD where the batch is damaged.
  [[nodiscard]] Result<CleanedBatch> clean(const BatchHeader& header, ByteView bytes,
                                           bool keep_end);

 private:
  // What applies to all records of the batch.
  struct Verdict {
    bool discard_records = false;
    bool empty_transaction = false;  // a marker that nothing is left to mark for
    bool last_of_producer = false;
    bool horizon_over = false;
  };
  struct Survivors {
    std::int32_t records = 0;
    std::int32_t kept = 0;
    bool tombstones = false;
    Offset first;
  };
  [[nodiscard]] bool is_last_of_producer(const BatchHeader& header) const;
  [[nodiscard]] Result<Verdict> judge(const BatchHeader& header, const record::BatchView& batch);
  [[nodiscard]] bool keeps(const Verdict& verdict, const record::BatchView& batch,
                           const record::RecordView& record) const;
  [[nodiscard]] Result<Survivors> count(const Verdict& verdict, const record::BatchView& batch);
  [[nodiscard]] Result<Bytes> rewrite(const Verdict& verdict, const Survivors& survivors,
                                      const record::BatchView& batch, bool set_horizon);
  [[nodiscard]] static Bytes empty(const record::BatchView& batch);

  const CleaningRules& rules_;
  const OffsetMap& map_;
  TransactionFilter& transactions_;
  record::CodecScratch scratch_;
};

}  // namespace arus::storage
