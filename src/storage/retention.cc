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

std::int64_t ClockWatch::jump_to(const Look& here) const {
  if (!before_) return 0;
  const auto passed = std::chrono::duration_cast<env::milliseconds>(here.now - before_->now);
  const std::int64_t jump_ms = here.wall_ms - before_->wall_ms - passed.count();
  return std::abs(jump_ms) > tolerance_ms ? jump_ms : 0;
}

std::optional<std::int64_t> ClockWatch::look(const env::Clock& clock) {
  const Look here{clock.wall_ms(), clock.now()};
  jumped_ms_ = jump_to(here);
  before_ = here;
  if (jumped_ms_ != 0) return std::nullopt;
  return here.wall_ms;
}

std::optional<std::int64_t> ClockWatch::peek(const env::Clock& clock) const {
  const Look here{clock.wall_ms(), clock.now()};
  if (jumped_ms_ != 0 || jump_to(here) != 0) return std::nullopt;
  return here.wall_ms;
}

}  // namespace arus::storage
