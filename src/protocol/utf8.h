// Whether text is well-formed UTF-8 (RFC 3629).
#pragma once

#include <string_view>

namespace arus::protocol {

// True for well-formed text: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace arus::protocol
