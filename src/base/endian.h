// Big-endian integers at any address.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

namespace arus {

template <std::integral T>
[[nodiscard]] inline T load_big(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof value > 1 && std::endian::native == std::endian::little) {
    value = std::byteswap(value);
  }
  return value;
}

template <std::integral T>
inline void store_big(std::uint8_t* to, T value) {
  if constexpr (sizeof value > 1 && std::endian::native == std::endian::little) {
    value = std::byteswap(value);
  }
  std::memcpy(to, &value, sizeof value);
}

}  // namespace arus
