// For the generated sources: what no version, or not this one, has a place for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/encoder.h"

namespace arus::protocol {

[[nodiscard]] inline bool too_long(const std::string& text) { return text.size() > max_text_bytes; }
[[nodiscard]] inline bool too_long(const std::optional<std::string>& text) {
  return text && too_long(*text);
}
[[nodiscard]] bool too_long(const std::vector<std::string>& texts);
[[nodiscard]] bool too_long(const std::optional<std::vector<std::string>>& texts);

// The first field in a struct, in several, or in none, that `version` cannot say; null for none.
template <class T>
[[nodiscard]] const char* first_unsayable(const T& value, std::int16_t version) {
  return value.unsayable(version);
}
template <class T>
[[nodiscard]] const char* first_unsayable(const std::optional<T>& value, std::int16_t version);
template <class T>
[[nodiscard]] const char* first_unsayable(const std::vector<T>& items, std::int16_t version) {
  for (const T& item : items) {
    if (const char* field = item.unsayable(version)) return field;
  }
  return nullptr;
}
template <class T>
const char* first_unsayable(const std::optional<T>& value, std::int16_t version) {
  return value ? first_unsayable(*value, version) : nullptr;
}

}  // namespace arus::protocol
