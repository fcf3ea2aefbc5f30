// Parts of a text with a separator between them. fmt::join would bring the whole of fmt into each
// unit that has one.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace arus {

// `parts` are numbers or texts.
template <class Parts>
std::string joined(const Parts& parts, std::string_view separator) {
  std::string text;
  bool first = true;
  for (const auto& part : parts) {
    if (!first) text += separator;
    first = false;
    if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(part)>>) {
      text += std::to_string(part);
    } else {
      text += part;
    }
  }
  return text;
}

}  // namespace arus
