#include "cli/progress.h"

#include <fmt/core.h>

namespace arus::cli {

std::string size_text(std::uint64_t bytes) {
  constexpr std::string_view units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1000 && unit + 1 < std::size(units)) {
    size /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, units[unit]);
}

std::string count_text(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string Progress::line(env::TimePoint now, std::string_view verb) const {
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double rate = seconds > 0 ? static_cast<double>(records_) / seconds : 0;
  return fmt::format("{} records ({}) {} in {:.1f} s, {}/s", count_text(records_),
                     size_text(bytes_), verb, seconds, count_text(static_cast<std::int64_t>(rate)));
}

void Progress::add(std::int64_t records, std::size_t bytes, env::TimePoint now) {
  records_ += records;
  bytes_ += bytes;
  if (!shown_ || now - drawn_ < redraw_every) return;
  drawn_ = now;
  console_.print_error("\r\x1b[K{}", line(now, "so far"));
}

void Progress::finish(env::TimePoint now, std::string_view verb) {
  if (shown_) console_.print_error("\r\x1b[K{}\n", line(now, verb));
}

}  // namespace arus::cli
