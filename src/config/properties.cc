#include "config/properties.h"

#include <fmt/core.h>

namespace arus::config {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void append_utf8(std::uint32_t code, std::string& out) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

// Cuts a text into logical lines: comments and empty lines left out, continuations joined.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
  }

  // The next logical line, or false at the end.
  bool next(std::string& line, int& number) {
    line.clear();
    std::string_view natural;
    do {
      if (!natural_line(natural)) return false;
      natural = without_leading_blanks(natural);
    } while (natural.empty() || natural.front() == '#' || natural.front() == '!');
    number = line_number_;
    for (;;) {
      const bool goes_on = ends_in_odd_backslashes(natural);
      line += natural.substr(0, natural.size() - (goes_on ? 1 : 0));
      if (!goes_on || !natural_line(natural)) return true;
      natural = without_leading_blanks(natural);
    }
  }

 private:
  bool natural_line(std::string_view& line) {
    if (rest_.empty()) return false;
    ++line_number_;
    const std::size_t end = rest_.find_first_of("\r\n");
    line = rest_.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ = {};
      return true;
    }
    const bool both = rest_.substr(end).starts_with("\r\n");
    rest_.remove_prefix(end + (both ? 2 : 1));
    return true;
  }
  static std::string_view without_leading_blanks(std::string_view line) {
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    return line;
  }
  static bool ends_in_odd_backslashes(std::string_view line) {
    std::size_t count = 0;
    while (count < line.size() && line[line.size() - 1 - count] == '\\') ++count;
    return count % 2 == 1;
  }

  std::string_view rest_;
  int line_number_ = 0;
};

Result<std::uint32_t> read_hex4(std::string_view text) {
  if (text.size() < 4) return fail(ErrorCode::invalid_config, "\\u needs four hexadecimal digits");
  std::uint32_t code = 0;
  for (const char c : text.substr(0, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return fail(ErrorCode::invalid_config, "\\u needs four hexadecimal digits");
    code = code * 16 + static_cast<std::uint32_t>(digit);
  }
  return code;
}

// Reads the four digits at the front of `text`, and those of a second half where it needs one.
Result<> read_unicode(std::string_view& text, std::string& out) {
  auto code = read_hex4(text);
  if (!code) return fail(code.error());
  text.remove_prefix(4);
  if (*code >= 0xd800 && *code < 0xdc00 && text.starts_with("\\u")) {
    const auto low = read_hex4(text.substr(2));
    if (low && *low >= 0xdc00 && *low < 0xe000) {
      *code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
      text.remove_prefix(6);
    }
  }
  if (*code >= 0xd800 && *code < 0xe000) {
    return fail(ErrorCode::invalid_config, "\\u names half of a character");
  }
  append_utf8(*code, out);
  return {};
}

Result<std::string> unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\' || text.empty()) {
      out += c;
      continue;
    }
    const char escape = text.front();
    text.remove_prefix(1);
    switch (escape) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u':
        ARUS_TRY(read_unicode(text, out));
        break;
      default:
        out += escape;
    }
  }
  return out;
}

// Where the key ends: at the first separator that is not escaped.
std::size_t key_length(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '=' || line[i] == ':' || is_blank(line[i])) {
      return i;
    }
  }
  return line.size();
}

std::string_view value_part(std::string_view rest) {
  bool separator = false;
  while (!rest.empty()) {
    const bool sign = rest.front() == '=' || rest.front() == ':';
    if (!is_blank(rest.front()) && (!sign || separator)) break;
    separator = separator || sign;
    rest.remove_prefix(1);
  }
  return rest;
}

void append_escaped(std::string_view text, bool is_key, std::string& out) {
  bool leading = true;
  // At the beginning of a file it would be skipped.
  if (is_key && text.starts_with(byte_order_mark)) out += '\\';
  for (const char c : text) {
    switch (c) {
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (c == '\\' || (c == ' ' && (is_key || leading)) ||
            (is_key && std::string_view("=:#!").contains(c))) {
          out += '\\';
        }
        out += c;
    }
    leading = leading && c == ' ';
  }
}

}  // namespace

Result<ConfigMap> parse_properties(std::string_view text) {
  ConfigMap properties;
  Lines lines(text);
  std::string line;
  int number = 0;
  while (lines.next(line, number)) {
    const std::size_t length = key_length(line);
    const auto key = unescaped(std::string_view(line).substr(0, length));
    auto value = unescaped(value_part(std::string_view(line).substr(length)));
    if (!key || !value) {
      const Error& error = key ? value.error() : key.error();
      return fail(ErrorCode::invalid_config, fmt::format("Line {}: {}", number, error.message));
    }
    if (key->empty()) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("Line {}: There is no key before the separator", number));
    }
    properties[*key] = *std::move(value);
  }
  return properties;
}

std::string write_properties(const ConfigMap& properties) {
  std::string text;
  for (const auto& [key, value] : properties) {
    append_escaped(key, true, text);
    text += '=';
    append_escaped(value, false, text);
    text += '\n';
  }
  return text;
}

Result<> apply_override(ConfigMap& properties, std::string_view key_value) {
  const std::size_t equals = key_value.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(ErrorCode::invalid_config,
                fmt::format("An override is written key=value, not '{}'", key_value));
  }
  properties[std::string(key_value.substr(0, equals))] = key_value.substr(equals + 1);
  return {};
}

}  // namespace arus::config
