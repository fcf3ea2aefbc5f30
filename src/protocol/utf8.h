// Whether text is well-formed UTF-8 (RFC 3629).
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace arus::protocol {

// True for well-formed text: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] inline bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto* const end = at + text.size();
  while (at != end) {
    if (*at < 0x80) {
      ++at;
      continue;
    }
    int more;
    std::uint32_t point;
    std::uint32_t least;
    if ((*at & 0xe0) == 0xc0) {
      more = 1, point = *at & 0x1fU, least = 0x80;
    } else if ((*at & 0xf0) == 0xe0) {
      more = 2, point = *at & 0x0fU, least = 0x800;
    } else if ((*at & 0xf8) == 0xf0) {
      more = 3, point = *at & 0x07U, least = 0x10000;
    } else {
      return false;
    }
    if (end - at <= more) return false;
    for (int i = 1; i <= more; ++i) {
      if ((at[i] & 0xc0) != 0x80) return false;
      point = point << 6 | (at[i] & 0x3fU);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    at += more + 1;
  }
  return true;
}

}  // namespace arus::protocol
