// Reading only what is in memory.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/bytes.h"
#include "env/file_range.h"

namespace arus::env {

[[nodiscard]] Residency residency_of(int descriptor, std::int64_t offset, std::int64_t length);

// Reads what is in memory from `offset` on, without giving the disk any work; −EAGAIN when nothing
// is, else another −errno or a count. Of a range of which only a part is there it reads no further
// than the first page: whoever asks for all has then lost nothing. `resident` is what
// residency_of() said of the range. `buffer` is not empty.
[[nodiscard]] ::ssize_t read_resident(int descriptor, MutableByteView buffer, std::int64_t offset,
                                      Residency resident);

}  // namespace arus::env
