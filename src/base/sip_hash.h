// SipHash-2-4 with 128 bits: a keyed hash whose collisions nobody can choose without the key.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace arus {

using SipKey = std::array<std::uint8_t, 16>;

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

// The published function; low and high are its first and second eight bytes, little-endian.
[[nodiscard]] Hash128 sip_hash_128(const SipKey& key, ByteView bytes);

}  // namespace arus
