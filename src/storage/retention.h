// What of a log is too old or too much. Decisions only: docs/internals/retention.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/ids.h"
#include "env/time.h"

namespace arus::storage {

// A segment as retention sees it.
struct AgingSegment {
  Offset base_offset;
  std::int64_t size_bytes = 0;
  // What its age counts from: its largest timestamp. Nothing where that is not known.
  std::optional<std::int64_t> newest_ms;
};

struct RetentionLimits {
  std::int64_t retention_ms = -1;      // negative: for ever
  std::int64_t retention_bytes = -1;   // negative: no limit
  std::optional<std::int64_t> now_ms;  // nothing: the clock is not believed
};

// How many of the oldest segments go: all those that are too old, then those without which the log
// still holds retention_bytes. Segments ascend, the last one ends at `log_end`; one that reaches
// beyond the high watermark stays, and so does an empty last one.
[[nodiscard]] std::size_t count_expired(std::span<const AgingSegment> segments, Offset log_end,
                                        Offset high_watermark, const RetentionLimits& limits);

// Notices that the wall clock was set: deleting by a wrong time cannot be taken back. Owner: one
// task.
class ClockWatch {
 public:
  static constexpr std::int64_t tolerance_ms = 60'000;

  // The wall clock's time, or nothing where it went otherwise than the monotonic one since the look
  // before. The first look has nothing to compare with.
  std::optional<std::int64_t> look(const env::Clock& clock);
  // The same without taking note: also nothing while the look before noticed a jump.
  [[nodiscard]] std::optional<std::int64_t> peek(const env::Clock& clock) const;
  // How far it had jumped at the last look; 0 where it had not.
  [[nodiscard]] std::int64_t jumped_ms() const { return jumped_ms_; }

 private:
  struct Look {
    std::int64_t wall_ms;
    env::TimePoint now;
  };
  [[nodiscard]] std::int64_t jump_to(const Look& here) const;

  std::optional<Look> before_;
  std::int64_t jumped_ms_ = 0;
};

}  // namespace arus::storage
