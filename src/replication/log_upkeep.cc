#include "replication/log_upkeep.h"

#include "base/log.h"
#include "replication/loop_partitions.h"

namespace arus::replication {
namespace {

const LogComponent log_lines{"replication.upkeep"};

// Suspends here, continues behind everything that clients wait for, and stays in that class.
class EnterBackground {
 public:
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) const {
    env::Loop::current()->post([handle] { handle.resume(); }, env::Priority::background);
  }
  void await_resume() const {}
};

}  // namespace

UpkeepMetrics::UpkeepMetrics(metrics::Registry& registry)
    : removed_segments(registry.counter("arus_log_retention_removed_segments_total",
                                        "Segments that retention has taken away.")),
      removed_bytes(registry.counter("arus_log_retention_removed_bytes_total",
                                     "Bytes of segments that retention has taken away.")),
      retention_failures(registry.counter("arus_log_retention_failures_total",
                                          "Partitions that retention failed for, once a round.")) {}

LogUpkeep::LogUpkeep(LoopPartitions& partitions, const UpkeepSettings& settings)
    : partitions_(partitions),
      settings_(settings),
      metrics_(settings.metrics != nullptr ? *settings.metrics : uncounted_) {}

void LogUpkeep::start() {
  clock_watch_.look(partitions_.environment().clock());
  env::spawn(gate_, run_retention());
}

env::Task<void> LogUpkeep::stop() {
  stopping_ = true;
  stopped_.notify_all();
  co_await gate_.close();
}

env::Task<bool> LogUpkeep::pause(std::int64_t milliseconds) {
  constexpr std::int64_t longest = std::int64_t{365} * 24 * 3'600'000;
  const env::TimePoint deadline =
      partitions_.loop().refresh_now() + env::milliseconds(std::min(milliseconds, longest));
  while (!stopping_ && partitions_.loop().refresh_now() < deadline) {
    co_await stopped_.wait_until(deadline);
  }
  co_return !stopping_;
}

env::Task<void> LogUpkeep::run_retention() {
  co_await EnterBackground{};
  std::int64_t delay_ms = settings_.initial_delay_ms;
  while (co_await pause(delay_ms)) {
    co_await retain_all();
    delay_ms = settings_.retention_check_interval_ms;
  }
}

env::Task<void> LogUpkeep::retain_all() {
  const auto now_ms = clock_watch_.look(partitions_.environment().clock());
  if (!now_ms) {
    log_lines.warning(
        "The wall clock has jumped by {} s; nothing is deleted for its age before it has run "
        "evenly for a while",
        clock_watch_.jumped_ms() / 1'000);
  }
  for (const TopicIdPartition& id : partitions_.unopened()) {
    if (stopping_) co_return;
    if (const auto partition = partitions_.find(id))
      static_cast<void>(co_await (*partition)->opened());
    co_await env::yield();
  }
  for (const auto& partition : partitions_.all()) {
    if (stopping_) co_return;
    if (partition->is_open() && !partition->closed()) co_await retain(*partition, now_ms);
    co_await env::yield();
  }
}

env::Task<void> LogUpkeep::retain(Partition& partition, std::optional<std::int64_t> now_ms) {
  const Partition::Use use(partition);
  const auto removed = co_await partition.log().apply_retention(now_ms);
  if (!removed) {
    metrics_.retention_failures.add();
    log_lines.warning("{}: retention: {}", partition.name().to_string(), removed.error().message);
    co_return;
  }
  if (removed->count == 0) co_return;
  metrics_.removed_segments.add(removed->count);
  metrics_.removed_bytes.add(static_cast<std::uint64_t>(removed->size_bytes));
  log_lines.info("{}: retention takes {} segments of {} bytes; the log begins at {}",
                 partition.name().to_string(), removed->count, removed->size_bytes,
                 partition.log().log_start().value());
}

}  // namespace arus::replication
