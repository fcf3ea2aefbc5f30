// One line on a terminal that says how far a transfer is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/console.h"
#include "env/time.h"

namespace arus::cli {

// Redraws itself on standard error a few times a second, only where that is a terminal.
class Progress {
 public:
  static constexpr auto redraw_every = env::milliseconds(250);

  Progress(Console& console, bool quiet, env::TimePoint now)
      : console_(console), shown_(!quiet && console.err_is_terminal()), began_(now), drawn_(now) {}

  void add(std::int64_t records, std::size_t bytes, env::TimePoint now);
  // The last line, "1,000 records (1.2 MB) sent in 3.1 s".
  void finish(env::TimePoint now, std::string_view verb);
  [[nodiscard]] std::int64_t records() const { return records_; }

 private:
  [[nodiscard]] std::string line(env::TimePoint now, std::string_view verb) const;

  Console& console_;
  bool shown_;
  env::TimePoint began_;
  env::TimePoint drawn_;
  std::int64_t records_ = 0;
  std::uint64_t bytes_ = 0;
};

// "1.2 MB", in powers of ten.
std::string size_text(std::uint64_t bytes);
// "1,234,567".
std::string count_text(std::int64_t count);

}  // namespace arus::cli
