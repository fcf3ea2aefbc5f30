// Makes record batches of format 2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "record/batch_format.h"
#include "record/compression.h"
#include "record/control.h"
#include "record/record.h"

namespace arus::record {

struct BatchOptions {
  Offset base_offset{0};
  LeaderEpoch leader_epoch = no_leader_epoch;
  Compression compression = Compression::none;
  std::optional<std::int32_t> level;  // the codec's fallback without
  TimestampType timestamp_type = TimestampType::create_time;
  std::int64_t log_append_time_ms = no_timestamp;  // the max timestamp with log_append_time
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = no_producer_epoch;
  std::int32_t base_sequence = no_sequence;
  bool transactional = false;
  bool control = false;
  // Deltas count from the first record's timestamp, or from this one where it is given.
  std::optional<std::int64_t> base_timestamp_ms;
  bool delete_horizon = false;  // base_timestamp_ms is one
  // At least the last record's; a batch that lost its last records to compaction keeps its own.
  std::optional<std::int32_t> last_offset_delta;
};

// Collects records and makes one batch of them; after build() or reset() it begins anew with the
// same buffer's capacity gone (build) or kept (reset). Offsets ascend strictly. The plain size of
// a batch never exceeds 2^31-1 bytes: ask has_room() before appending what a user gave. Not
// thread-safe.
class BatchBuilder {
 public:
  explicit BatchBuilder(const BatchOptions& options = {});

  // At the next offset.
  void append(std::int64_t timestamp_ms, std::optional<ByteView> key, std::optional<ByteView> value,
              std::span<const Header> headers = {});
  // At this offset, which is greater than the last one and not below the base offset.
  void append_at(Offset offset, std::int64_t timestamp_ms, std::optional<ByteView> key,
                 std::optional<ByteView> value, std::span<const Header> headers = {});

  [[nodiscard]] std::int32_t count() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] Offset base_offset() const { return options_.base_offset; }
  [[nodiscard]] Offset next_offset() const { return next_offset_; }
  // What build() would give without compression, to the byte.
  [[nodiscard]] std::size_t size_bytes() const { return bytes_.size(); }
  // Whether one more record like this keeps the plain size within `limit_bytes`.
  [[nodiscard]] bool has_room(std::size_t limit_bytes, std::optional<ByteView> key,
                              std::optional<ByteView> value,
                              std::span<const Header> headers = {}) const;

  // Sequence numbers are often known only when a batch is sent.
  void set_producer(ProducerId id, std::int16_t epoch, std::int32_t base_sequence);

  // The batch, with its checksum. Without records: a header alone, as compaction leaves it; its
  // last_offset_delta must then be given.
  [[nodiscard]] Bytes build(CodecScratch& scratch);
  [[nodiscard]] Bytes build();  // with a scratch of its own where it compresses
  void reset(const BatchOptions& options);

 private:
  void write_header(MutableByteView batch) const;

  BatchOptions options_;
  Bytes bytes_;  // room for the header, then the plain records
  std::int32_t count_ = 0;
  Offset next_offset_;
  std::int64_t base_timestamp_ms_ = no_timestamp;
  std::int64_t max_timestamp_ms_ = no_timestamp;
};

// The bytes that a record takes at most in a batch, whatever its deltas are.
[[nodiscard]] std::size_t max_record_bytes(std::optional<ByteView> key,
                                           std::optional<ByteView> value,
                                           std::span<const Header> headers = {});

// A batch of one control record. `value` holds its int16 version and body.
[[nodiscard]] Bytes build_control_batch(BatchOptions options, ControlType type, ByteView value,
                                        std::int64_t timestamp_ms);
// The marker that ends a transaction; `options` names producer, epoch and place.
[[nodiscard]] Bytes build_end_transaction(BatchOptions options, bool committed,
                                          std::int32_t coordinator_epoch,
                                          std::int64_t timestamp_ms);

}  // namespace arus::record
