// CRC-32 of gzip and zlib, the checksum of messages of formats 0 and 1.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace arus {

[[nodiscard]] std::uint32_t crc32(ByteView bytes, std::uint32_t seed = 0);

}  // namespace arus
