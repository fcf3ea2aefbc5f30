#include "replication/look_up.h"

#include <memory>
#include <optional>

#include "replication/late_reads.h"
#include "replication/patience.h"

namespace arus::replication {
namespace {

// The partition, led here and open.
env::Task<Result<std::shared_ptr<Partition>>> leader_of(LoopPartitions& partitions,
                                                        TopicIdPartition id,
                                                        std::int32_t current_epoch,
                                                        env::TimePoint deadline) {
  auto partition = partitions.find(id);
  if (!partition) co_return partition;
  ARUS_CO_TRY((*partition)->check_leader(current_epoch));
  if (!(*partition)->is_open()) ARUS_CO_TRY(co_await (*partition)->opened(deadline));
  co_return partition;
}

env::TimePoint deadline_from_now() { return env::Loop::current()->now() + disk_patience; }

using Found = std::optional<storage::TimestampedOffset>;

env::Task<void> search(std::shared_ptr<DiskRead<Found>> read, std::int64_t timestamp, Offset end) {
  const Partition::Use use(read->partition());
  storage::Log& log = read->partition().log();
  read->finish(timestamp == max_timestamp_offset ? co_await log.find_max_timestamp(end)
                                                 : co_await log.find_timestamp(timestamp, end));
}

env::Task<Result<storage::TimestampedOffset>> look_up(LateReads& late_reads,
                                                      std::shared_ptr<Partition> partition,
                                                      const OffsetLookup& lookup, bool committed,
                                                      env::TimePoint deadline) {
  const storage::Log& log = partition->log();
  const Offset end = committed ? partition->last_stable_offset() : partition->high_watermark();
  storage::TimestampedOffset found;
  switch (lookup.timestamp) {
    case latest_offset:
      found.offset = end;
      found.leader_epoch = log.latest_epoch();
      co_return found;
    case earliest_offset:
    case earliest_local_offset:
      found.offset = log.log_start();
      found.leader_epoch = log.epoch_of(found.offset);
      co_return found;
    case latest_tiered_offset:
    case earliest_pending_upload_offset:
      co_return found;
    default:
      break;
  }
  const Partition::Use use(*partition);
  ARUS_CO_TRY(co_await late_reads.wait_for_room(lookup.id, deadline));
  ARUS_CO_TRY(partition->check_leader(lookup.current_epoch));
  if (env::Loop::current()->now() >= deadline) co_return slow_disk();
  const auto read = std::make_shared<DiskRead<Found>>(late_reads, partition);
  env::spawn_detached(search(read, lookup.timestamp, end));
  const auto hit = co_await read->wait_until(deadline);
  if (!hit) co_return std::unexpected(std::move(hit).error());
  if (*hit && (*hit)->offset < end) found = **hit;
  co_return found;
}

}  // namespace

env::Task<std::vector<OffsetLookupResult>> look_up_offsets(LoopPartitions& partitions,
                                                           std::vector<OffsetLookup> lookups,
                                                           OffsetLookupOptions options) {
  std::vector<OffsetLookupResult> results(lookups.size());
  const env::TimePoint deadline = deadline_from_now();
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    const auto partition =
        co_await leader_of(partitions, lookups[i].id, lookups[i].current_epoch, deadline);
    if (!partition) {
      results[i].error = partition.error().code;
      continue;
    }
    const auto found = co_await look_up(partitions.late_reads(), *partition, lookups[i],
                                        options.committed, deadline);
    if (found) {
      results[i].found = *found;
    } else {
      results[i].error = found.error().code;
    }
  }
  co_return results;
}

env::Task<std::vector<EpochLookupResult>> look_up_epochs(LoopPartitions& partitions,
                                                         std::vector<EpochLookup> lookups,
                                                         NoOptions options) {
  static_cast<void>(options);
  std::vector<EpochLookupResult> results(lookups.size());
  const env::TimePoint deadline = deadline_from_now();
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    const auto partition =
        co_await leader_of(partitions, lookups[i].id, lookups[i].current_epoch, deadline);
    if (partition) {
      results[i].end = (*partition)->log().end_of_epoch(LeaderEpoch{lookups[i].epoch});
    } else {
      results[i].error = partition.error().code;
    }
  }
  co_return results;
}

}  // namespace arus::replication
