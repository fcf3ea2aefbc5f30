// What checking does with batches, whatever file they stand in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"
#include "record/batch.h"
#include "record/compression.h"
#include "storage/batch_scanner.h"
#include "storage/verify.h"

namespace arus::storage {

// Of what is read at once: checkpoints, snapshots and the like.
inline constexpr std::int64_t most_small_file_bytes = std::int64_t{64} << 20;

// Where the offsets of the batches in a file end. Blocking.
[[nodiscard]] Result<Offset> find_batches_end(env::FileSystem& files, const std::string& path,
                                              Offset base);

// Whether the checksum of a batch in a file is right, without having more than a piece of it in
// memory. Blocking.
[[nodiscard]] Result<bool> checksum_matches(env::File& file, const BatchHeader& batch);

struct CheckedRecords {
  std::int64_t count = 0;
  std::optional<std::string> why;  // what is wrong, where something is
};
// Reads every record of the batch, decompressing it.
[[nodiscard]] CheckedRecords check_records(const record::BatchView& batch,
                                           record::CodecScratch& scratch);

struct CheckedBatchFile {
  std::int64_t size_bytes = 0;
  std::int64_t batches = 0;
  std::int64_t records = 0;
  std::optional<Finding> damage;  // an error; what a start does is for the caller to say
};
// A snapshot of the metadata, or a bootstrap checkpoint: whole from its header to its footer.
[[nodiscard]] CheckedBatchFile check_batch_file(env::FileSystem& files, const std::string& path,
                                                record::CodecScratch& scratch);

}  // namespace arus::storage
