// Checking and compressing batches where that takes longer than a loop may.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "env/environment.h"
#include "record/compression.h"
#include "record/recompress.h"
#include "record/validator.h"

namespace arus::replication {

// What may be decompressed on the loop itself: some tenths of a millisecond with the slowest codec.
// What turns out to be larger goes to the pool and begins again.
inline constexpr std::size_t loop_compressed_bytes = std::size_t{16} << 10;
inline constexpr std::size_t loop_plain_bytes = std::size_t{128} << 10;

// The batches of one loop on the pool, within the loop's share of the decompression budget.
//
// Holds: the codec states and windows under way need at most `budget_bytes` together, by what the
// frames' headers claim, or there is only one at work. Owner: its loop.
class BatchWork {
 public:
  BatchWork(env::Pool& pool, std::size_t budget_bytes) : pool_(pool), budget_bytes_(budget_bytes) {}

  // Whether the batch is small enough to be tried on the loop with options limited by on_loop().
  [[nodiscard]] static bool fits_loop(ByteView records);
  [[nodiscard]] static record::ValidationOptions on_loop(record::ValidationOptions options);
  // Whether a refusal says only that on_loop() was too narrow.
  [[nodiscard]] static bool too_much_for_loop(const record::Validation& outcome, ByteView records);

  // `partition` is options.partition, kept for as long as it takes.
  env::Task<record::Validation> validate(Slice records, record::ValidationOptions options,
                                         std::string partition);
  env::Task<Result<Bytes>> recompress(Slice batch, record::RecompressOptions options);

 private:
  struct Tools {
    record::CodecScratch scratch;
    record::BatchValidator validator{scratch};
  };
  env::Task<std::unique_ptr<Tools>> begin(std::size_t bytes);
  void end(std::unique_ptr<Tools> tools, std::size_t bytes);

  env::Pool& pool_;
  std::size_t budget_bytes_;
  std::size_t used_bytes_ = 0;
  std::vector<std::unique_ptr<Tools>> idle_;
  env::Event freed_;
};

}  // namespace arus::replication
