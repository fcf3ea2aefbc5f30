#include "config/config_key.h"

#include <charconv>
#include <cmath>

#include "base/joined.h"
#include "config/text.h"
#include "config/value_rules.h"

namespace arus::config {
namespace {

constexpr std::string_view integer_name(Type type) {
  return type == Type::int16 ? "SHORT" : type == Type::int32 ? "INT" : "LONG";
}

std::optional<std::int64_t> parse_integer(std::string_view text, Type type) {
  if (text.starts_with('+')) text.remove_prefix(text.size() > 1 && text[1] == '-' ? 0 : 1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (type == Type::int16 && (value < INT16_MIN || value > INT16_MAX)) return std::nullopt;
  if (type == Type::int32 && (value < INT32_MIN || value > INT32_MAX)) return std::nullopt;
  return value;
}

// What Java's Double.parseDouble takes, but for hexadecimal.
std::optional<double> parse_decimal(std::string_view text) {
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  double value = 0;
  if (text == "Infinity") {
    value = HUGE_VAL;
  } else if (text == "NaN") {
    value = NAN;
  } else {
    if (text.ends_with('d') || text.ends_with('D') || text.ends_with('f') || text.ends_with('F')) {
      text.remove_suffix(1);
    }
    const bool begins_well = !text.empty() && (text.front() == '.' || is_digit(text.front()));
    if (!begins_well) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) {
      return std::nullopt;
    }
    if (error == std::errc::result_out_of_range) {
      // Too large or too small to tell apart from infinity or zero: the exponent's sign says which.
      value = text.find("e-") != text.npos || text.find("E-") != text.npos ? 0 : HUGE_VAL;
    }
  }
  return negative ? -value : value;
}

Result<Value> parse_boolean(const ConfigKey& key, std::string_view original,
                            std::string_view text) {
  const std::string lower = to_lower(text);
  if (lower == "true") return true;
  if (lower == "false") return false;
  return invalid_value(key, original, "Expected value to be either true or false");
}

Result<Value> parse_type(const ConfigKey& key, std::string_view original) {
  const std::string_view text = trimmed(original);
  switch (key.type) {
    case Type::boolean:
      return parse_boolean(key, original, text);
    case Type::int16:
    case Type::int32:
    case Type::int64:
      if (const auto value = parse_integer(text, key.type)) return *value;
      return invalid_value(key, original,
                           "Not a number of type " + std::string(integer_name(key.type)));
    case Type::float64:
      if (const auto value = parse_decimal(text)) return *value;
      return invalid_value(key, original, "Not a number of type DOUBLE");
    case Type::list:
      return split_list(text);
    case Type::class_name:
      if (!text.empty()) return std::string(text);
      return invalid_value(key, original, "Class  could not be found.");
    case Type::string:
    case Type::password:
    case Type::unknown:
      break;
  }
  return std::string(text);
}

// As Java's Double.toString: the shortest digits that read back, with a point, and an exponent
// outside [0.001, 10,000,000).
std::string decimal_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  const double size = std::fabs(value);
  const bool plain = size >= 1e-3 && size < 1e7;
  char buffer[64];
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, value, format);
  std::string text(buffer, written.ptr);
  if (plain) return text.contains('.') ? text : text + ".0";
  const std::size_t e = text.find('e');
  std::string digits = text.substr(0, e);
  if (!digits.contains('.')) digits += ".0";
  std::int64_t exponent = 0;
  const char* from = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(from, text.data() + text.size(), exponent);
  return digits + "E" + std::to_string(exponent);
}

}  // namespace

std::string_view type_name(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::string:
      return "STRING";
    case Type::int16:
    case Type::int32:
    case Type::int64:
      return integer_name(type);
    case Type::float64:
      return "DOUBLE";
    case Type::list:
      return "LIST";
    case Type::class_name:
      return "CLASS";
    case Type::password:
      return "PASSWORD";
    case Type::unknown:
      break;
  }
  return "UNKNOWN";
}

Result<Value> ConfigKey::parse(std::string_view text) const {
  auto value = parse_type(*this, text);
  if (!value) return value;
  ARUS_TRY(check_rule(*this, *value));
  return value;
}

std::optional<std::string> to_text(const Value& value) {
  struct Writer {
    std::optional<std::string> operator()(std::monostate) const { return std::nullopt; }
    std::optional<std::string> operator()(bool v) const { return v ? "true" : "false"; }
    std::optional<std::string> operator()(std::int64_t v) const { return std::to_string(v); }
    std::optional<std::string> operator()(double v) const { return decimal_text(v); }
    std::optional<std::string> operator()(const std::string& v) const { return v; }
    std::optional<std::string> operator()(const List& v) const { return joined(v, ","); }
  };
  return std::visit(Writer{}, value);
}

}  // namespace arus::config
