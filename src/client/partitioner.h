// Which partition a record goes to, as Java's producer chooses it.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace arus::client {

// MurmurHash2 of 32 bits with the seed that Kafka's clients share.
[[nodiscard]] std::uint32_t murmur2(ByteView bytes);

// Records with the same key go to the same partition, in every language's client.
[[nodiscard]] std::int32_t partition_for_key(ByteView key, std::int32_t partition_count);

// Records without a key stay with one partition until a batch's worth of bytes has gone there, and
// then move to another one by chance (KIP-794).
class StickyPartition {
 public:
  // `random` is a fresh random number; used only when it is time to move.
  [[nodiscard]] std::int32_t choose(std::int32_t partition_count, std::size_t record_bytes,
                                    std::size_t batch_bytes, std::uint64_t random);

 private:
  std::int32_t partition_ = -1;
  std::size_t bytes_ = 0;
};

}  // namespace arus::client
