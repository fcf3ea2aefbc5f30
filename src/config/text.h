// Small pieces of text work that parsing of settings needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace arus::config {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Without what Java's String.trim takes off: everything up to and including the space.
std::string_view trimmed(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
// Split at each separator, parts as they are; one empty part for empty text.
std::vector<std::string_view> split(std::string_view text, char separator);
// A LIST value: split at commas, white space around them taken off; nothing for empty text.
std::vector<std::string> split_list(std::string_view text);
// The whole text as a decimal number.
bool read_integer(std::string_view text, std::int64_t& value);
// Whether a port number stands behind the last colon.
bool ends_in_port(std::string_view address);

}  // namespace arus::config
