// CRC-32C (Castagnoli, RFC 3720): the checksum of record batches and of our own files.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace arus {

// The checksum of `bytes`, or, with the checksum of what stands before them as `seed`, of both.
// Uses the fastest way that this processor has; the choice is made once, when the process starts.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes, std::uint32_t seed = 0);

// One way to compute it; all agree on every input.
struct Crc32cMethod {
  std::string_view name;
  bool available;  // on this processor
  std::uint32_t (*compute)(ByteView bytes, std::uint32_t seed);
};

// For tests and benchmarks: every method that this build contains.
[[nodiscard]] std::span<const Crc32cMethod> crc32c_methods();
// The one that crc32c() uses.
[[nodiscard]] std::string_view crc32c_method_name();

}  // namespace arus
