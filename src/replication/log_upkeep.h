// Keeps the logs of one loop in shape while nobody asks for it: docs/internals/retention.md.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/topic_partition.h"
#include "config/topic_config.h"
#include "env/environment.h"
#include "metrics/metrics.h"
#include "replication/partition.h"
#include "storage/retention.h"

namespace arus::replication {

class LoopPartitions;

// Series that the loops share.
struct UpkeepMetrics {
  explicit UpkeepMetrics(metrics::Registry& registry);
  metrics::Counter& removed_segments;
  metrics::Counter& removed_bytes;
  metrics::Counter& retention_failures;
  metrics::Counter& compactions;
  metrics::Counter& compaction_moved_bytes;
  metrics::Counter& compaction_freed_bytes;
  metrics::Counter& compaction_failures;
  metrics::Gauge& uncleanable;
  metrics::Counter& scrubbed_bytes;
  metrics::Gauge& damaged_batches;
  metrics::Gauge& damaged_partitions;
};

struct UpkeepSettings {
  std::int64_t initial_delay_ms = 30'000;                 // log.initial.task.delay.ms
  std::int64_t retention_check_interval_ms = 300'000;     // log.retention.check.interval.ms
  std::size_t compaction_bytes = std::size_t{128} << 20;  // of memory, for all loops together
  metrics::Registry* metrics = nullptr;                   // nothing is counted without
};

// The keys log.cleaner.*, and that of the scrub, as the newest image has them; sizes and rates are
// of all loops together.
struct CleanerSettings {
  bool enabled = true;
  std::int64_t backoff_ms = 15'000;
  std::int64_t dedupe_buffer_bytes = 134'217'728;
  double load_factor = 0.9;
  double bytes_per_second = 0;                      // 0: no limit
  std::int64_t scrub_bytes_per_second = 8'388'608;  // 0: no scrub
};
[[nodiscard]] CleanerSettings make_cleaner_settings(const config::Layers& layers);

// Visits the loop's partitions one after the other, in the background class, and yields between
// them. An error of one partition is logged and counted, and is tried again: retention at the next
// round, compaction after a pause that doubles.
// Owner: its loop.
class LogUpkeep {
 public:
  LogUpkeep(LoopPartitions& partitions, const UpkeepSettings& settings);

  // On the loop, once.
  void start();
  // The partition is no longer here.
  void forget(const TopicIdPartition& id);
  // What is under way ends soon; completes when it has.
  env::Task<void> stop();

 private:
  env::Task<void> run_retention();
  env::Task<void> retain_all();
  // What was on disk at the start and nobody has asked for yet.
  env::Task<void> open_all();
  env::Task<void> retain(Partition& partition, std::optional<std::int64_t> now_ms);
  env::Task<void> run_compaction();
  // The dirtiest partition that is due; nothing when none is.
  env::Task<std::shared_ptr<Partition>> find_dirtiest(std::int64_t now_ms);
  env::Task<void> compact(Partition& partition, const CleanerSettings& settings,
                          std::int64_t now_ms);
  // Once after the start: what nobody reads is compared with its checksums.
  env::Task<void> run_scrub();
  env::Task<void> scrub(Partition& partition);
  env::Task<Result<storage::ScrubbedPiece>> scrub_piece(Partition& partition);
  void note_damage(const Partition& partition);
  void note_failure(const Partition& partition, const Error& error);
  void note_success(const Partition& partition);
  // False once it is to stop.
  env::Task<bool> pause(std::int64_t milliseconds);

  LoopPartitions& partitions_;
  const UpkeepSettings settings_;
  metrics::Registry uncounted_;
  UpkeepMetrics metrics_;
  // Partitions that could not be compacted, and when they are tried again.
  struct Uncleanable {
    env::TimePoint again{};
    env::Duration pause{};
  };
  std::unordered_map<TopicIdPartition, Uncleanable> uncleanable_;
  std::unordered_map<TopicIdPartition, std::size_t> damaged_;  // batches, where there are any
  storage::ClockWatch clock_watch_;
  env::Event stopped_;
  env::Gate gate_;
  bool all_opened_ = false;
  bool stopping_ = false;
};

}  // namespace arus::replication
