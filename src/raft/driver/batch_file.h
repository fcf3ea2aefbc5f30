// Reads a file of record batches from its front.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "env/file.h"
#include "record/batch.h"

namespace arus::raft {

// What a reading found. The rest of the file behind `valid_bytes` is no whole batch with a right
// checksum.
struct BatchFileEnd {
  std::int64_t valid_bytes = 0;
  std::int64_t file_bytes = 0;
};

// Told of every batch; an error ends the reading with it.
using BatchVisitor = std::function<Result<>(const record::BatchView&)>;

// No batch of the metadata log is larger than this; Kafka's own limit is 8 MiB.
inline constexpr std::size_t max_metadata_batch_bytes = std::size_t{64} << 20;

// Checks the checksum of each batch. Blocking.
Result<BatchFileEnd> read_batches(env::File& file, const BatchVisitor& visit);

}  // namespace arus::raft
