#include "env/environment.h"

namespace arus::env {

std::uint64_t Random::next() {
  std::uint64_t value = 0;
  fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  ARUS_ASSERT(bound > 0);
  // Values of the last, incomplete run of `bound` are drawn again.
  const std::uint64_t usable = UINT64_MAX - UINT64_MAX % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value < usable) return value % bound;
  }
}

std::string Address::to_string() const {
  const bool bracketed = host.contains(':');
  return (bracketed ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace arus::env
