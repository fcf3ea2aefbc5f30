#include "protocol/utf8.h"

#include <cstdint>
#include <cstring>

namespace arus::protocol {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080ULL;

bool continues(std::uint8_t byte) { return (byte & 0xc0U) == 0x80U; }

// The size of the character that begins at `at`, which is no ASCII; 0 when it is malformed.
std::size_t character_size(const std::uint8_t* at, std::size_t left) {
  const std::uint8_t first = at[0];
  if (first < 0xc2 || first > 0xf4) return 0;  // a continuation, overlong, or beyond U+10FFFF
  const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (left < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!continues(at[i])) return 0;
  }
  const std::uint8_t second = at[1];
  if (first == 0xe0 && second < 0xa0) return 0;  // overlong
  if (first == 0xed && second > 0x9f) return 0;  // a surrogate
  if (first == 0xf0 && second < 0x90) return 0;  // overlong
  if (first == 0xf4 && second > 0x8f) return 0;  // beyond U+10FFFF
  return size;
}

}  // namespace

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t left = text.size();
  while (left > 0) {
    // Names are nearly always ASCII: eight at a time.
    std::uint64_t eight;
    while (left >= sizeof eight && (std::memcpy(&eight, at, sizeof eight), true) &&
           (eight & high_bits) == 0) {
      at += sizeof eight;
      left -= sizeof eight;
    }
    if (left == 0) break;
    const std::size_t size = *at < 0x80 ? 1 : character_size(at, left);
    if (size == 0) return false;
    at += size;
    left -= size;
  }
  return true;
}

}  // namespace arus::protocol
