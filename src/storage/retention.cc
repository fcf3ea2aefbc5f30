#include "storage/retention.h"

#include <cstdlib>

namespace arus::storage {

namespace {

bool is_too_old(const AgingSegment& segment, const RetentionLimits& limits) {
  return limits.retention_ms >= 0 && limits.now_ms && segment.newest_ms &&
         *segment.newest_ms < *limits.now_ms &&
         *limits.now_ms - *segment.newest_ms > limits.retention_ms;
}

}  // namespace

std::size_t count_expired(std::span<const AgingSegment> segments, Offset log_end,
                          Offset high_watermark, const RetentionLimits& limits) {
  const auto may_go = [&](std::size_t i) {
    const bool last = i + 1 == segments.size();
    const Offset end = last ? log_end : segments[i + 1].base_offset;
    return end <= high_watermark && !(last && segments[i].size_bytes == 0);
  };
  std::size_t count = 0;
  while (count < segments.size() && may_go(count) && is_too_old(segments[count], limits)) ++count;
  if (limits.retention_bytes < 0) return count;
  std::int64_t excess_bytes = -limits.retention_bytes;
  for (const AgingSegment& segment : segments.subspan(count)) excess_bytes += segment.size_bytes;
  while (count < segments.size() && may_go(count) && excess_bytes >= segments[count].size_bytes) {
    excess_bytes -= segments[count++].size_bytes;
  }
  return count;
}

std::optional<std::int64_t> ClockWatch::look(const env::Clock& clock) {
  const Look here{clock.wall_ms(), clock.now()};
  jumped_ms_ = 0;
  if (before_) {
    const auto passed = std::chrono::duration_cast<env::milliseconds>(here.now - before_->now);
    const std::int64_t jump = here.wall_ms - before_->wall_ms - passed.count();
    if (std::abs(jump) > tolerance_ms) jumped_ms_ = jump;
  }
  before_ = here;
  if (jumped_ms_ != 0) return std::nullopt;
  return here.wall_ms;
}

}  // namespace arus::storage
