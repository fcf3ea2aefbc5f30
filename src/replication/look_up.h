// Looking up offsets: by name, by timestamp, by leader epoch.
#pragma once

#include <cstdint>
#include <vector>

#include "env/task.h"
#include "replication/loop_partitions.h"

namespace arus::replication {

// What ListOffsets asks for instead of a timestamp.
inline constexpr std::int64_t latest_offset = -1;
inline constexpr std::int64_t earliest_offset = -2;
inline constexpr std::int64_t max_timestamp_offset = -3;
inline constexpr std::int64_t earliest_local_offset = -4;
inline constexpr std::int64_t latest_tiered_offset = -5;            // nothing is tiered
inline constexpr std::int64_t earliest_pending_upload_offset = -6;  // nor waits for it

struct OffsetLookup {
  TopicIdPartition id;
  std::int32_t current_epoch = -1;
  std::int64_t timestamp = 0;  // milliseconds since 1970, or one of the above
};
struct OffsetLookupOptions {
  bool committed = false;  // nothing beyond the last stable offset
};
// Without an error but with offset −1: nothing was found.
struct OffsetLookupResult {
  ErrorCode error = ErrorCode::none;
  storage::TimestampedOffset found;
};
env::Task<std::vector<OffsetLookupResult>> look_up_offsets(LoopPartitions& partitions,
                                                           std::vector<OffsetLookup> lookups,
                                                           OffsetLookupOptions options);

struct EpochLookup {
  TopicIdPartition id;
  std::int32_t current_epoch = -1;
  std::int32_t epoch = -1;
};
struct NoOptions {};
struct EpochLookupResult {
  ErrorCode error = ErrorCode::none;
  storage::EpochEnd end;
};
env::Task<std::vector<EpochLookupResult>> look_up_epochs(LoopPartitions& partitions,
                                                         std::vector<EpochLookup> lookups,
                                                         NoOptions options);

}  // namespace arus::replication
