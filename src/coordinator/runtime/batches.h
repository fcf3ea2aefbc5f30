// Between records and the batches that hold them in the log.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "coordinator/runtime/machine.h"
#include "record/builder.h"

namespace arus::coordinator {

// A batch that is ready to be appended.
struct BuiltBatch {
  Bytes bytes;
  std::size_t first = 0;  // of the records it was made from
  std::size_t count = 0;
};

// The records in as few batches as `limit_bytes` allows, counted before compression, in their
// order. RECORD_LIST_TOO_LARGE where one record does not fit by itself.
[[nodiscard]] Result<std::vector<BuiltBatch>> build_batches(std::span<const Record> records,
                                                            const record::BatchOptions& options,
                                                            std::int64_t timestamp_ms,
                                                            std::size_t limit_bytes,
                                                            record::CodecScratch& scratch);

// What replay_batches() has met.
struct Replayed {
  Offset next;  // behind the last whole batch
  std::size_t records = 0;
  std::size_t skipped = 0;  // those that could not be read
};

// Applies whole batches as they stand in the log: records with their producer where they belong to
// a transaction, and the markers that end one. Batches below `from` are passed over. What cannot
// be read is logged under `name` and skipped. CORRUPT_MESSAGE where the batches themselves are
// damaged.
[[nodiscard]] Result<Replayed> replay_batches(ByteView batches, Offset from, Machine& machine,
                                              record::CodecScratch& scratch,
                                              const std::string& name);

}  // namespace arus::coordinator
