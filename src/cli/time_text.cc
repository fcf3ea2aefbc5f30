#include "cli/time_text.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <optional>

namespace arus::cli {
namespace {

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::int64_t max_duration_days = 1'000'000'000;

// Eats text from the front; every step says whether it found what it wanted.
class TextScanner {
 public:
  explicit TextScanner(std::string_view text) : left_(text) {}

  [[nodiscard]] bool at_end() const { return left_.empty(); }
  bool take(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  // Digits, at least one and at most `digits`.
  std::optional<std::int64_t> number(std::size_t digits = 18) {
    std::size_t count = 0;
    while (count < left_.size() && left_[count] >= '0' && left_[count] <= '9') ++count;
    if (count == 0 || count > digits) return std::nullopt;
    std::int64_t value = 0;
    std::from_chars(left_.data(), left_.data() + count, value);
    left_.remove_prefix(count);
    return value;
  }
  std::optional<std::int64_t> signed_number() {
    const bool negative = take('-');
    if (!negative) take('+');
    const auto value = number();
    if (!value) return std::nullopt;
    return negative ? -*value : *value;
  }
  char letter() {
    if (left_.empty()) return 0;
    char c = left_.front();
    left_.remove_prefix(1);
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return c;
  }
  [[nodiscard]] bool looking_at(char c) const { return left_.starts_with(c); }

 private:
  std::string_view left_;
};

std::unexpected<Error> no_date(std::string_view text) {
  const std::size_t time = std::min(text.find('T'), text.size());
  const bool zone = text.find_first_of("+-Z", time) != std::string_view::npos;
  return fail(ErrorCode::invalid_timestamp,
              fmt::format("Unparseable date: \"{}{}\"", text, zone ? "" : "Z"));
}

std::optional<std::int64_t> scan_date(TextScanner& in) {
  const auto year = in.number(9);
  if (!year || !in.take('-')) return std::nullopt;
  const auto month = in.number(2);
  if (!month || !in.take('-')) return std::nullopt;
  const auto day = in.number(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year > 9999) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * day_ms;
}

// Hours and minutes; whether seconds and their fraction must be there is the caller's rule.
std::optional<std::int64_t> scan_time(TextScanner& in, bool whole) {
  const auto hour = in.number(2);
  if (!hour || *hour > 23 || !in.take(':')) return std::nullopt;
  const auto minute = in.number(2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t time = *hour * hour_ms + *minute * minute_ms;
  if (!in.take(':')) return whole ? std::nullopt : std::optional(time);
  const auto second = in.number(2);
  if (!second || *second > 59) return std::nullopt;
  time += *second * second_ms;
  if (!in.take('.')) return whole ? std::nullopt : std::optional(time);
  const auto fraction = in.number(3);
  if (!fraction) return std::nullopt;
  return time + *fraction;
}

// "", "Z", "+01", "+0130", "+01:30": how far the text's clock is ahead of UTC.
std::optional<std::int64_t> scan_zone(TextScanner& in) {
  if (in.at_end()) return 0;
  if (in.take('Z')) return in.at_end() ? std::optional<std::int64_t>(0) : std::nullopt;
  const bool behind = in.looking_at('-');
  if (!in.take('+') && !in.take('-')) return std::nullopt;
  auto hours = in.number(4);
  std::int64_t minutes = 0;
  if (!hours) return std::nullopt;
  if (*hours > 99) {
    minutes = *hours % 100;
    hours = *hours / 100;
  } else if (in.take(':')) {
    const auto rest = in.number(2);
    if (!rest) return std::nullopt;
    minutes = *rest;
  }
  if (!in.at_end() || *hours > 23 || minutes > 59) return std::nullopt;
  const std::int64_t ahead = *hours * hour_ms + minutes * minute_ms;
  return behind ? -ahead : ahead;
}

Result<std::int64_t> parse_iso(std::string_view text, bool whole) {
  TextScanner in{text};
  const auto date = scan_date(in);
  if (!date) return no_date(text);
  if (!whole && in.at_end()) return *date;
  if (!in.take('T') && (whole || !in.take(' '))) return no_date(text);
  const auto time = scan_time(in, whole);
  if (!time) return no_date(text);
  const auto zone = scan_zone(in);
  if (!zone) return no_date(text);
  return *date + *time - *zone;
}

std::unexpected<Error> no_duration() {
  return fail(ErrorCode::invalid_timestamp, "Text cannot be parsed to a Duration");
}

}  // namespace

Result<std::int64_t> parse_date_time(std::string_view text) {
  if (text.find('T') == std::string_view::npos) {
    return fail(ErrorCode::invalid_timestamp,
                "Error parsing timestamp. It does not contain a 'T' according to ISO8601 format");
  }
  return parse_iso(text, true);
}

Result<std::int64_t> parse_moment(std::string_view text) {
  TextScanner in{text};
  if (const auto number = in.number(); number && in.at_end()) return *number;
  auto parsed = parse_iso(text, false);
  if (parsed) return parsed;
  return fail(
      ErrorCode::invalid_request,
      fmt::format("{} is no time: write 2026-11-24T10:00:00Z, or milliseconds since 1970", text));
}

Result<std::int64_t> parse_duration(std::string_view text) {
  TextScanner in{text};
  const bool negative = in.take('-');
  if (!negative) in.take('+');
  if (in.letter() != 'P') return no_duration();
  struct Unit {
    char letter;
    bool of_time;
    std::int64_t ms;
  };
  constexpr Unit units[] = {
      {'D', false, day_ms}, {'H', true, hour_ms}, {'M', true, minute_ms}, {'S', true, second_ms}};
  std::size_t next = 0;
  bool time = false;
  bool any = false;
  std::int64_t total = 0;
  while (!in.at_end()) {
    if (!time && (in.looking_at('T') || in.looking_at('t'))) {
      in.letter();
      time = true;
      if (in.at_end()) return no_duration();
      continue;
    }
    const bool minus = in.looking_at('-');
    const auto number = in.signed_number();
    if (!number) return no_duration();
    std::int64_t fraction_ms = 0;
    bool fraction = false;
    if (in.take('.') || in.take(',')) {
      fraction = true;
      // Nanoseconds at most; what is below a millisecond is cut.
      std::int64_t scale = 100;
      for (int digits = 0; digits < 9; ++digits) {
        TextScanner one = in;
        const char digit = one.letter();
        if (digit < '0' || digit > '9') break;
        in = one;
        fraction_ms += (digit - '0') * scale;
        scale /= 10;
      }
    }
    const char letter = in.letter();
    while (next < std::size(units) && units[next].letter != letter) ++next;
    if (next == std::size(units) || units[next].of_time != time || (fraction && letter != 'S') ||
        std::abs(*number) > max_duration_days) {
      return no_duration();
    }
    total += *number * units[next++].ms + (minus ? -fraction_ms : fraction_ms);
    any = true;
  }
  if (!any) return no_duration();
  return negative ? -total : total;
}

std::string duration_text(std::int64_t ms) {
  if (ms < 0) return "-" + duration_text(-ms);
  if (ms > 0 && ms < second_ms) return fmt::format("{} ms", ms);
  if (ms < minute_ms) return fmt::format("{} s", ms / second_ms);
  if (ms < hour_ms) {
    return fmt::format("{} min {} s", ms / minute_ms, ms % minute_ms / second_ms);
  }
  if (ms < day_ms) return fmt::format("{} h {} min", ms / hour_ms, ms % hour_ms / minute_ms);
  return fmt::format("{} d {} h", ms / day_ms, ms % day_ms / hour_ms);
}

std::string moment_text(std::int64_t ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds(ms)};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  const std::int64_t time = (moment - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time / hour_ms, time % hour_ms / minute_ms, time % minute_ms / second_ms,
                     time % second_ms);
}

}  // namespace arus::cli
