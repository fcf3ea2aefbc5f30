// XXH3, 64 bits, seed 0: a fast hash that is not for secrets.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace arus {

// The published XXH3_64bits of `bytes`. Kafka stores hashes of topic metadata made with it.
[[nodiscard]] std::uint64_t xxh3_64(ByteView bytes);

}  // namespace arus
