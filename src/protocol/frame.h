// The frame on the wire: an int32 with the number of bytes behind it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/writer.h"

namespace arus::protocol {

inline constexpr std::size_t frame_length_bytes = 4;

// Whether a claimed length may be believed at all.
[[nodiscard]] inline bool is_frame_length(std::int32_t length, std::int32_t limit_bytes) {
  return length >= 0 && length <= limit_bytes;
}

// A whole frame: the length, then what was written. Large slices stay shared.
[[nodiscard]] inline Chain make_frame(Writer&& out) { return out.take_frame(); }

}  // namespace arus::protocol
