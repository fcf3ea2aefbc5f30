// How fast old data may be read beside flushes that somebody waits for.
#pragma once

#include <cstddef>

#include "env/time.h"

namespace arus::storage {

// A disk that is read as fast as it can makes the flushes of acknowledgements wait, some disks for
// tens of milliseconds at a time. So a flush that takes twice as long as hardly any takes without
// such reads halves the rate, which then grows again slowly, and beyond all bounds: a disk
// whose flushes do not suffer is read as fast as it can be.
//
// Holds: a rate is never set below `least_bytes_per_s`, and a read never rests for longer than
// `longest_rest`. It decides and waits for nothing itself. Owner: one loop, for one directory.
class ColdReadPace {
 public:
  static constexpr double least_bytes_per_s = 32e6;
  static constexpr env::Duration longest_rest = env::seconds{1};
  static constexpr env::Duration least_slow_flush = env::milliseconds{1};
  static constexpr int slow_factor = 2;  // times what a flush hardly ever takes without reads

  // A flush that somebody waited for.
  void flushed(env::Duration took, env::TimePoint now);
  // So much was read from the disk; until when the reader has to rest.
  [[nodiscard]] env::TimePoint rest_until(std::size_t bytes, env::TimePoint now);

  [[nodiscard]] bool limited() const { return limited_; }
  [[nodiscard]] double bytes_per_s() const { return bytes_per_s_; }
  [[nodiscard]] env::Duration usual_flush() const { return usual_; }

 private:
  // One stall delays several flushes: they count as one.
  static constexpr env::Duration between_cuts = env::milliseconds{250};
  // Flushes so long after a read are not its fault.
  static constexpr env::Duration aftermath = env::milliseconds{200};
  static constexpr double growth_per_s = 1.1;
  static constexpr double unlimited_from = 2e9;

  void grow(env::TimePoint now);
  void cut(env::TimePoint now);

  bool limited_ = false;
  double bytes_per_s_ = 0;     // while limited
  env::TimePoint grown_at_{};  // up to when growth has been counted
  env::TimePoint free_at_{};   // when what was read so far is paid for
  env::TimePoint cut_at_{};
  env::TimePoint last_read_{};
  bool any_read_ = false;
  // The rate of late, measured over at least `between_cuts`.
  env::TimePoint measured_from_{};
  double measured_bytes_ = 0;
  double measured_rate_ = 0;
  env::Duration usual_{};  // of a hundred flushes about one takes longer
};

}  // namespace arus::storage
