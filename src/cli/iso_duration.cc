#include "cli/iso_duration.h"

#include <charconv>
#include <cstdint>

namespace arus::cli {
namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;
constexpr std::int64_t max_seconds = INT64_MAX / nanoseconds_per_second;

}  // namespace

std::optional<env::Duration> parse_iso_duration(std::string_view text) {
  struct Unit {
    char letter;
    bool of_time;  // stands behind the T
    std::int64_t seconds;
  };
  constexpr Unit units[] = {
      {'D', false, 86'400}, {'H', true, 3'600}, {'M', true, 60}, {'S', true, 1}};
  if (!text.starts_with('P') && !text.starts_with('p')) return std::nullopt;
  text.remove_prefix(1);
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  bool in_time = false;
  bool any = false;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    if (!in_time && (text.front() == 'T' || text.front() == 't')) {
      in_time = true;
      any = false;  // something has to follow
      text.remove_prefix(1);
      continue;
    }
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    bool fraction = false;
    if (text.starts_with('.')) {
      fraction = true;
      text.remove_prefix(1);
      std::int64_t worth = nanoseconds_per_second / 10;
      for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; worth /= 10) {
        if (worth == 0) return std::nullopt;
        nanoseconds += (text.front() - '0') * worth;
        text.remove_prefix(1);
      }
    }
    if (text.empty()) return std::nullopt;
    const char letter =
        text.front() >= 'a' ? static_cast<char>(text.front() - 'a' + 'A') : text.front();
    text.remove_prefix(1);
    while (next_unit < std::size(units) &&
           (units[next_unit].letter != letter || units[next_unit].of_time != in_time)) {
      ++next_unit;
    }
    if (next_unit == std::size(units) || (fraction && letter != 'S')) return std::nullopt;
    const std::int64_t worth = units[next_unit++].seconds;
    if (number > (max_seconds - seconds) / worth) return std::nullopt;
    seconds += number * worth;
    any = true;
  }
  if (!any) return std::nullopt;
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds);
}

}  // namespace arus::cli
