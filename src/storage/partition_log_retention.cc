// Taking away what is too old or too much.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "storage/log_search.h"
#include "storage/partition_log.h"
#include "storage/retention.h"

namespace arus::storage {

namespace {

const LogComponent partition_log_retention_log{"storage.retention"};

constexpr env::Duration future_warning_interval = std::chrono::hours{1};
constexpr env::Duration flush_patience = env::seconds(30);

std::int64_t to_milliseconds(env::Duration duration) {
  return std::chrono::duration_cast<env::milliseconds>(duration).count();
}

}  // namespace

// The oldest segment whose age is to be looked up, unless one before it is too young already.
const Segment* PartitionLog::find_unknown_age(std::int64_t now_ms, Offset from,
                                              std::int64_t enough_ms) const {
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
    if (segments_[i + 1]->base_offset() <= from) continue;
    const auto newest_ms = segments_[i]->newest_ms();
    if (!newest_ms) return segments_[i].get();
    if (now_ms - *newest_ms <= enough_ms) break;
  }
  return nullptr;
}

env::Task<Result<>> PartitionLog::learn_ages(std::int64_t now_ms, Offset from,
                                             std::int64_t enough_ms) {
  env::FileSystem& files = host_->environment.files();
  for (;;) {
    const auto hold = co_await file_latch_.share();
    const Segment* const unknown = find_unknown_age(now_ms, from, enough_ms);
    if (unknown == nullptr) break;
    const Offset base = unknown->base_offset();
    SegmentView facts = view(*unknown);
    const auto largest = co_await env::run_on(
        host_->pool, [&files, &facts] { return find_largest_timestamp(files, facts); },
        env::Priority::background);
    if (!largest) co_return fail(largest.error());
    Segment* const segment = segment_at(base);
    if (segment == nullptr) continue;
    const auto settled_for = host_->port->loop().now() - segment->settled_at();
    segment->note_newest(largest->timestamp_ms >= 0 ? largest->timestamp_ms
                                                    : now_ms - to_milliseconds(settled_for));
  }
  co_return Result<>{};
}

void PartitionLog::warn_of_future(std::optional<std::int64_t> newest_ms,
                                  std::optional<std::int64_t> now_ms) {
  if (!newest_ms || !now_ms || *newest_ms <= *now_ms || config_->retention_ms < 0) return;
  const env::TimePoint now = host_->port->loop().now();
  if (now < next_future_warning_) return;
  next_future_warning_ = now + future_warning_interval;
  partition_log_retention_log.warning(
      "{}: a timestamp lies {} s in the future, its segment stays until then", name_.to_string(),
      (*newest_ms - *now_ms) / 1'000);
}

// Where the log shall begin; closes the newest segment when all of it shall go.
Offset PartitionLog::find_retained_start(std::optional<std::int64_t> now_ms) {
  if (!config_->cleanup_delete || segments_.empty()) return log_start_;
  std::vector<AgingSegment> aging;
  aging.reserve(segments_.size());
  for (const auto& segment : segments_) {
    aging.push_back({segment->base_offset(), segment->size_bytes(), segment->newest_ms()});
  }
  warn_of_future(aging.front().newest_ms, now_ms);
  const std::size_t expired = count_expired(aging, log_end_, visible_end(),
                                            {.retention_ms = config_->retention_ms,
                                             .retention_bytes = config_->retention_bytes,
                                             .now_ms = now_ms});
  if (expired == segments_.size()) close_newest();
  return std::max(log_start_, segments_[expired]->base_offset());
}

// The file of the new segment is made at once: a log without any would begin at 0.
void PartitionLog::close_newest() {
  roll();
  host_->port->write(segments_.back()->tail()->log, 0, {});
}

// After a recovery its point may be ahead of a segment that ends there and of its snapshot, which
// are made later.
env::Task<Result<>> PartitionLog::wait_for_flush_below(Offset offset) {
  const env::TimePoint deadline = host_->port->loop().now() + flush_patience;
  const auto is_flushed = [this, offset] {
    const bool waits = !background_syncs_.empty() && background_syncs_.front().end <= offset;
    return recovery_point_ >= offset && !waits;
  };
  while (!is_flushed() && !failure_) {
    if (!co_await background_synced_.wait_until(deadline)) {
      co_return fail(ErrorCode::request_timed_out,
                     fmt::format("Segments of {} below {} are not flushed yet", name_.to_string(),
                                 offset.value()));
    }
  }
  if (failure_) co_return fail(*failure_);
  co_return Result<>{};
}

env::Task<Result<RemovedSegments>> PartitionLog::apply_retention(
    std::optional<std::int64_t> now_ms) {
  if (failure_) co_return fail(*failure_);
  const RemovedSegments before = removed_;
  if (config_->cleanup_delete && config_->retention_ms >= 0 && now_ms) {
    ARUS_CO_TRY(co_await learn_ages(*now_ms, log_start_, config_->retention_ms));
    if (failure_) co_return fail(*failure_);
  }
  const Offset start = find_retained_start(now_ms);
  if (start > log_start_) {
    // The producers of what goes must be found in a snapshot.
    ARUS_CO_TRY(co_await wait_for_flush_below(start));
    ARUS_CO_TRY(co_await advance_log_start(start));
  }
  // A stop may have come between moving the start and taking the files away.
  co_await change_latch_.pass();
  drop_segments_below(log_start_);
  co_return RemovedSegments{.count = removed_.count - before.count,
                            .size_bytes = removed_.size_bytes - before.size_bytes};
}

}  // namespace arus::storage
