#include "base/crc32.h"

#include <array>

namespace arus {
namespace {

constexpr std::uint32_t polynomial = 0xedb88320U;  // bits reversed

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1U) != 0 ? polynomial : 0U);
    }
    table[byte] = value;
  }
  return table;
}

constexpr auto table = make_table();

}  // namespace

// A byte at a time is enough: only logs of formats that nobody writes any more carry it.
std::uint32_t crc32(ByteView bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  for (const std::uint8_t byte : bytes) crc = (crc >> 8) ^ table[(crc ^ byte) & 0xffU];
  return ~crc;
}

}  // namespace arus
