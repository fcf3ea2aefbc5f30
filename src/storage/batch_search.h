// Finds where whole batches go on behind damage.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"
#include "storage/batch_scanner.h"

namespace arus::storage {

// The first batch of format 2 that begins at `from` or later in the file's first `to` bytes, has a
// right checksum and offsets in [least, limit); nothing where there is none. Looks at each byte:
// for files that are known to be damaged. Blocking.
[[nodiscard]] Result<std::optional<BatchHeader>> find_whole_batch(env::File& file,
                                                                  std::int64_t from,
                                                                  std::int64_t to, Offset least,
                                                                  Offset limit);

}  // namespace arus::storage
