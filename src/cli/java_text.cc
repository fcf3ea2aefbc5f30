#include "cli/java_text.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

namespace arus::cli {
namespace {

// The shortest digits that read back as the same number, placed as Java places them.
template <class Decimal>
std::string placed(Decimal value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char buffer[64];
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), std::chars_format::scientific);
  static_cast<void>(error);  // 64 characters hold every number
  const std::string text(buffer, end);
  const auto e = text.find('e');
  std::string digits = text.substr(0, e);
  if (const auto point = digits.find('.'); point != std::string::npos) digits.erase(point, 1);
  const int exponent = std::stoi(text.substr(e + 1));
  std::string result = value < 0 ? "-" : "";
  if (exponent < -3 || exponent >= 7) {
    const std::string fraction = digits.size() > 1 ? digits.substr(1) : "0";
    return result + fmt::format("{}.{}E{}", digits[0], fraction, exponent);
  }
  if (exponent < 0) {
    return result + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  const std::string fraction = digits.substr(whole);
  return result + digits.substr(0, whole) + "." + (fraction.empty() ? "0" : fraction);
}

}  // namespace

std::string java_double(double value) { return placed(value); }
std::string java_float(float value) { return placed(value); }

}  // namespace arus::cli
