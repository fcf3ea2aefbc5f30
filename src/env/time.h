// Durations and points in time. Timeouts are monotonic; wall time only stamps records.
#pragma once

#include <chrono>
#include <cstdint>

namespace arus::env {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr TimePoint never = TimePoint::max();

// Clocks of the machine or of the simulation. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  // Milliseconds since 1970, as record timestamps count; may jump either way.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
};

}  // namespace arus::env
