#include "client/partitioner.h"

#include <algorithm>

namespace arus::client {
namespace {

constexpr std::uint32_t seed = 0x9747b28c;
constexpr std::uint32_t multiplier = 0x5bd1e995;
constexpr int rotation = 24;

}  // namespace

std::uint32_t murmur2(ByteView bytes) {
  std::uint32_t hash = seed ^ static_cast<std::uint32_t>(bytes.size());
  const std::size_t whole = bytes.size() / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4) {
    std::uint32_t word = static_cast<std::uint32_t>(bytes[i]) |
                         static_cast<std::uint32_t>(bytes[i + 1]) << 8 |
                         static_cast<std::uint32_t>(bytes[i + 2]) << 16 |
                         static_cast<std::uint32_t>(bytes[i + 3]) << 24;
    word *= multiplier;
    word ^= word >> rotation;
    word *= multiplier;
    hash *= multiplier;
    hash ^= word;
  }
  const std::size_t left = bytes.size() - whole;
  for (std::size_t i = left; i > 0; --i) {
    hash ^= static_cast<std::uint32_t>(bytes[whole + i - 1]) << (8 * (i - 1));
  }
  if (left > 0) hash *= multiplier;
  hash ^= hash >> 13;
  hash *= multiplier;
  hash ^= hash >> 15;
  return hash;
}

std::int32_t partition_for_key(ByteView key, std::int32_t partition_count) {
  // The sign bit is masked off, not negated: that is what every client agrees on.
  const auto positive = static_cast<std::int32_t>(murmur2(key) & 0x7fffffffU);
  return positive % partition_count;
}

std::int32_t StickyPartition::choose(std::int32_t partition_count, std::size_t record_bytes,
                                     std::size_t batch_bytes, std::uint64_t random) {
  if (partition_ < 0 || partition_ >= partition_count || bytes_ >= batch_bytes) {
    partition_ = static_cast<std::int32_t>(
        random % static_cast<std::uint64_t>(std::max(partition_count, 1)));
    bytes_ = 0;
  }
  bytes_ += record_bytes;
  return partition_;
}

}  // namespace arus::client
