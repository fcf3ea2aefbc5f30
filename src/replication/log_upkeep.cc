#include "replication/log_upkeep.h"

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "config/lookup.h"
#include "replication/background.h"
#include "replication/loop_partitions.h"

namespace arus::replication {
namespace {

const LogComponent log_upkeep_log{"replication.upkeep"};

constexpr env::Duration first_failure_pause = std::chrono::minutes{1};
constexpr env::Duration longest_failure_pause = std::chrono::hours{1};

// Read at once by the scrub; and how long it rests where it is switched off.
constexpr std::int64_t scrub_piece_bytes = std::int64_t{1} << 20;
constexpr std::int64_t scrub_off_pause_ms = 60'000;

}  // namespace

UpkeepMetrics::UpkeepMetrics(metrics::Registry& registry)
    : removed_segments(registry.counter("arus_log_retention_removed_segments_total",
                                        "Segments that retention has taken away.")),
      removed_bytes(registry.counter("arus_log_retention_removed_bytes_total",
                                     "Bytes of segments that retention has taken away.")),
      retention_failures(registry.counter("arus_log_retention_failures_total",
                                          "Partitions that retention failed for, once a round.")),
      compactions(registry.counter("arus_log_compactions_total", "Rounds of compaction.")),
      compaction_moved_bytes(registry.counter("arus_log_compaction_moved_bytes_total",
                                              "Bytes that compaction has read and written.")),
      compaction_freed_bytes(registry.counter("arus_log_compaction_freed_bytes_total",
                                              "Bytes that compaction has made logs smaller by.")),
      compaction_failures(registry.counter("arus_log_compaction_failures_total",
                                           "Rounds of compaction that failed.")),
      uncleanable(registry.gauge("arus_log_uncleanable_partitions",
                                 "Partitions whose last round of compaction failed.")),
      scrubbed_bytes(registry.counter("arus_log_scrubbed_bytes_total",
                                      "Bytes of stored batches that the scrub has compared.")),
      damaged_batches(registry.gauge("arus_log_damaged_batches",
                                     "Damaged batches that readers and the scrub have met.")),
      damaged_partitions(registry.gauge("arus_log_damaged_partitions",
                                        "Partitions in which damaged batches were met.")) {}

CleanerSettings make_cleaner_settings(const config::Layers& layers) {
  const auto integer = [&](std::string_view key) {
    return std::get<std::int64_t>(config::broker_value(key, layers));
  };
  const auto decimal = [&](std::string_view key) {
    return std::get<double>(config::broker_value(key, layers));
  };
  CleanerSettings settings{
      .enabled = std::get<bool>(config::broker_value("log.cleaner.enable", layers)),
      .backoff_ms = integer("log.cleaner.backoff.ms"),
      .dedupe_buffer_bytes = integer("log.cleaner.dedupe.buffer.size"),
      .load_factor = decimal("log.cleaner.io.buffer.load.factor"),
      .bytes_per_second = decimal("log.cleaner.io.max.bytes.per.second"),
      .scrub_bytes_per_second = integer("arus.scrub.bytes.per.second")};
  if (settings.bytes_per_second >= std::numeric_limits<double>::max())
    settings.bytes_per_second = 0;
  return settings;
}

LogUpkeep::LogUpkeep(LoopPartitions& partitions, const UpkeepSettings& settings)
    : partitions_(partitions),
      settings_(settings),
      metrics_(settings.metrics != nullptr ? *settings.metrics : uncounted_) {}

void LogUpkeep::start() {
  clock_watch_.look(partitions_.environment().clock());
  env::spawn(gate_, run_retention());
  env::spawn(gate_, run_compaction());
  env::spawn(gate_, run_scrub());
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
    log_upkeep_log.warning(
        "The wall clock has jumped by {} s; nothing is deleted for its age before it has run "
        "evenly for a while",
        clock_watch_.jumped_ms() / 1'000);
  }
  if (!std::exchange(all_opened_, true)) co_await open_all();
  for (const auto& partition : partitions_.open_ones(false)) {
    if (stopping_) co_return;
    if (!partition->closed()) co_await retain(*partition, now_ms);
    co_await env::yield();
  }
}

env::Task<void> LogUpkeep::open_all() {
  for (const TopicIdPartition& id : partitions_.unopened()) {
    if (stopping_) co_return;
    const auto partition = partitions_.find(id);
    if (partition) static_cast<void>(co_await (*partition)->opened());
    co_await env::yield();
  }
}

env::Task<void> LogUpkeep::retain(Partition& partition, std::optional<std::int64_t> now_ms) {
  const Partition::Use use(partition);
  note_damage(partition);
  const auto removed = co_await partition.log().apply_retention(now_ms);
  if (!removed) {
    metrics_.retention_failures.add();
    log_upkeep_log.warning("{}: retention: {}", partition.name().to_string(),
                           removed.error().message);
    co_return;
  }
  if (removed->count == 0) co_return;
  metrics_.removed_segments.add(removed->count);
  metrics_.removed_bytes.add(static_cast<std::uint64_t>(removed->size_bytes));
  log_upkeep_log.info("{}: retention takes {} segments of {} bytes; the log begins at {}",
                      partition.name().to_string(), removed->count, removed->size_bytes,
                      partition.log().log_start().value());
}

// Kafka's cleaner does not wait for log.initial.task.delay.ms; but a start has better things to do.
env::Task<void> LogUpkeep::run_compaction() {
  co_await EnterBackground{};
  std::int64_t delay_ms =
      std::min(settings_.initial_delay_ms, partitions_.cleaner_settings().backoff_ms);
  while (co_await pause(delay_ms)) {
    const CleanerSettings settings = partitions_.cleaner_settings();
    // At least a turn of the loop lies between two rounds.
    delay_ms = std::max<std::int64_t>(settings.backoff_ms, 1);
    if (!settings.enabled) continue;
    // By a wrong clock tombstones would go too early.
    const auto now_ms = clock_watch_.peek(partitions_.environment().clock());
    if (!now_ms) continue;
    const auto partition = co_await find_dirtiest(*now_ms);
    if (partition == nullptr || stopping_) continue;
    co_await compact(*partition, settings, *now_ms);
    delay_ms = 1;
  }
}

env::Task<std::shared_ptr<Partition>> LogUpkeep::find_dirtiest(std::int64_t now_ms) {
  std::shared_ptr<Partition> dirtiest;
  double highest_ratio = -1;
  for (const auto& partition : partitions_.open_ones(true)) {
    if (stopping_) break;
    if (partition->closed()) continue;
    const auto failed = uncleanable_.find(partition->id());
    if (failed != uncleanable_.end() && partitions_.loop().now() < failed->second.again) continue;
    const Partition::Use use(*partition);
    const auto need = co_await partition->log().find_compaction_need(now_ms);
    if (!need) {
      note_failure(*partition, need.error());
    } else if (need->due && need->dirty_ratio() > highest_ratio) {
      highest_ratio = need->dirty_ratio();
      dirtiest = partition;
    }
  }
  co_return dirtiest;
}

env::Task<void> LogUpkeep::compact(Partition& partition, const CleanerSettings& settings,
                                   std::int64_t now_ms) {
  if (partition.closed()) co_return;
  const Partition::Use use(partition);
  const std::size_t loops = partitions_.environment().loop_count();
  const auto memory =
      static_cast<std::size_t>(std::max<std::int64_t>(settings.dedupe_buffer_bytes, 0));
  const auto outcome = co_await partition.log().compact(
      {.now_ms = now_ms,
       .map_bytes = std::min(memory, settings_.compaction_bytes) / loops,
       .map_load_factor = settings.load_factor,
       .bytes_per_second = settings.bytes_per_second / static_cast<double>(loops),
       .stopped = [this, &partition] { return stopping_ || partition.closed(); }});
  if (!outcome) {
    note_failure(partition, outcome.error());
    co_return;
  }
  metrics_.compaction_moved_bytes.add(static_cast<std::uint64_t>(outcome->moved_bytes));
  metrics_.compaction_freed_bytes.add(
      static_cast<std::uint64_t>(std::max<std::int64_t>(outcome->freed_bytes, 0)));
  if (!outcome->finished) co_return;
  note_success(partition);
  metrics_.compactions.add();
  log_upkeep_log.info("{}: compaction replaced {} segments and freed {} bytes",
                      partition.name().to_string(), outcome->replaced_segments,
                      outcome->freed_bytes);
}

env::Task<void> LogUpkeep::run_scrub() {
  co_await EnterBackground{};
  if (!co_await pause(settings_.initial_delay_ms)) co_return;
  co_await open_all();
  for (const auto& partition : partitions_.open_ones(false)) {
    if (!partition->closed()) co_await scrub(*partition);
    if (stopping_) co_return;
    co_await env::yield();
  }
}

env::Task<void> LogUpkeep::scrub(Partition& partition) {
  while (!stopping_ && !partition.closed()) {
    const std::int64_t rate = partitions_.cleaner_settings().scrub_bytes_per_second;
    if (rate == 0) {
      co_await pause(scrub_off_pause_ms);
      continue;
    }
    const auto piece = co_await scrub_piece(partition);
    if (!piece) {
      log_upkeep_log.warning("{}: scrub: {}", partition.name().to_string(), piece.error().message);
      co_return;
    }
    metrics_.scrubbed_bytes.add(static_cast<std::uint64_t>(piece->size_bytes));
    if (piece->finished) co_return;
    const auto loops = static_cast<std::int64_t>(partitions_.environment().loop_count());
    co_await pause(piece->size_bytes * loops * 1'000 / rate + 1);
  }
}

// The partition may be closed between two pieces, which may be long.
env::Task<Result<storage::ScrubbedPiece>> LogUpkeep::scrub_piece(Partition& partition) {
  const Partition::Use use(partition);
  auto piece = co_await partition.log().scrub(scrub_piece_bytes);
  note_damage(partition);
  co_return piece;
}

void LogUpkeep::note_damage(const Partition& partition) {
  const std::size_t found = partition.log().damaged_batches();
  if (found == 0) return;
  std::size_t& known = damaged_[partition.id()];
  if (known == 0) metrics_.damaged_partitions.add(1);
  metrics_.damaged_batches.add(static_cast<std::int64_t>(found - known));
  known = found;
}

void LogUpkeep::note_failure(const Partition& partition, const Error& error) {
  const auto [failed, first] = uncleanable_.try_emplace(partition.id());
  if (first) metrics_.uncleanable.add(1);
  Uncleanable& entry = failed->second;
  entry.pause = first ? first_failure_pause : std::min(entry.pause * 2, longest_failure_pause);
  entry.again = partitions_.loop().refresh_now() + entry.pause;
  metrics_.compaction_failures.add();
  log_upkeep_log.error(
      "{}: compaction failed and is tried again in {} s: {}", partition.name().to_string(),
      std::chrono::duration_cast<env::seconds>(entry.pause).count(), error.message);
}

void LogUpkeep::note_success(const Partition& partition) {
  if (uncleanable_.erase(partition.id()) > 0) metrics_.uncleanable.add(-1);
}

void LogUpkeep::forget(const TopicIdPartition& id) {
  if (uncleanable_.erase(id) > 0) metrics_.uncleanable.add(-1);
  if (const auto damaged = damaged_.extract(id)) {
    metrics_.damaged_partitions.add(-1);
    metrics_.damaged_batches.add(-static_cast<std::int64_t>(damaged.mapped()));
  }
}

}  // namespace arus::replication
