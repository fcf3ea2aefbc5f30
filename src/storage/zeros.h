// What a power cut leaves of bytes that were never flushed, and what makes a lap void.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace arus::storage {

// Also where there are none.
[[nodiscard]] inline bool only_zeros(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace arus::storage
