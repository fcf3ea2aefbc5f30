// Keeps the logs of one loop in shape while nobody asks for it: docs/internals/retention.md.
#pragma once

#include <cstdint>
#include <memory>

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
};

struct UpkeepSettings {
  std::int64_t initial_delay_ms = 30'000;              // log.initial.task.delay.ms
  std::int64_t retention_check_interval_ms = 300'000;  // log.retention.check.interval.ms
  metrics::Registry* metrics = nullptr;                // nothing is counted without
};

// Visits the loop's partitions one after the other, in the background class, and yields between
// them. An error of one partition is logged and counted, and the next round tries it again.
// Owner: its loop.
class LogUpkeep {
 public:
  LogUpkeep(LoopPartitions& partitions, const UpkeepSettings& settings);

  // On the loop, once.
  void start();
  // What is under way ends soon; completes when it has.
  env::Task<void> stop();

 private:
  env::Task<void> run_retention();
  env::Task<void> retain_all();
  env::Task<void> retain(Partition& partition, std::optional<std::int64_t> now_ms);
  // False once it is to stop.
  env::Task<bool> pause(std::int64_t milliseconds);

  LoopPartitions& partitions_;
  const UpkeepSettings settings_;
  metrics::Registry uncounted_;
  UpkeepMetrics metrics_;
  storage::ClockWatch clock_watch_;
  env::Event stopped_;
  env::Gate gate_;
  bool stopping_ = false;
};

}  // namespace arus::replication
