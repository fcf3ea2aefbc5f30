#include "protocol/print.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/base64.h"
#include "base/json.h"

namespace arus::protocol {
namespace {

// As Java prints a double: at least one digit behind the point, and an exponent for what is below
// a thousandth or from ten million on.
std::string java_double(double value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  const double size = std::fabs(value);
  if (value == 0 || (size >= 1e-3 && size < 1e7)) {
    std::string text = fmt::format("{}", value);
    return text.find('.') == std::string::npos ? text + ".0" : text;
  }
  // The shortest digits that read as the same number.
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                 std::chars_format::scientific);
  std::string text(digits.data(), end.ptr);
  const std::size_t e = text.find('e');
  int exponent = 0;
  const std::size_t sign = text[e + 1] == '+' ? 1 : 0;
  std::from_chars(text.data() + e + 1 + sign, text.data() + text.size(), exponent);
  text.resize(e);
  if (text.find('.') == std::string::npos) text += ".0";
  return text + 'E' + std::to_string(exponent);
}

}  // namespace

void MessagePrinter::key(std::string_view name) {
  if (text_.back() != '{') text_ += ',';
  text_ += '"';
  text_ += name;
  text_ += "\":";
}

void MessagePrinter::value(bool content) { text_ += content ? "true" : "false"; }
void MessagePrinter::value(std::int64_t content) { text_ += std::to_string(content); }
void MessagePrinter::value(double content) { text_ += java_double(content); }
void MessagePrinter::value(const Uuid& content) { text_ += '"' + content.to_string() + '"'; }
void MessagePrinter::value(const std::string& content) { text_ += json_text(content); }
void MessagePrinter::value(const Slice& content) {
  text_ += '"' + encode_base64(content.view()) + '"';
}

}  // namespace arus::protocol
