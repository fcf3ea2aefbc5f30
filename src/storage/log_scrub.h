// Looks for damage in batches that nobody has read since the start.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "env/file.h"
#include "storage/log_reader.h"

namespace arus::storage {

struct ScrubbedBatches {
  std::int64_t next = 0;         // where the next piece begins
  std::int64_t verified_to = 0;  // the new value of verified_bytes
  std::vector<Error> damage;     // CORRUPT_MESSAGE with file, position and offset
};

// Compares the checksums of the batches from `from`, a boundary, on: about `max_bytes` of them, up
// to where this process has written itself. A batch with a wrong checksum is passed over; where the
// next one cannot be found, the rest of the segment is. What was not in the page cache before does
// not stay there. Blocking: for the pool.
[[nodiscard]] Result<ScrubbedBatches> scrub_batches(env::FileSystem& files,
                                                    const SegmentView& segment, std::int64_t from,
                                                    std::int64_t max_bytes);

}  // namespace arus::storage
