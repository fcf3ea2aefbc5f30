// Moving the start of partitions: DeleteRecords.
#pragma once

#include <cstdint>
#include <vector>

#include "env/task.h"
#include "replication/loop_partitions.h"

namespace arus::replication {

// Everything below this instead of an offset: the high watermark.
inline constexpr std::int64_t delete_to_high_watermark = -1;

struct Deletion {
  TopicIdPartition id;
  std::int64_t offset = 0;  // the first one that stays
};
struct DeletionOptions {
  env::TimePoint deadline = env::never;
};
// The low watermark is the smallest log start of the replicas; −1 with an error.
struct DeletionResult {
  ErrorCode error = ErrorCode::none;
  Offset low_watermark = no_offset;
};

// Completes when a restart would find the new starts. POLICY_VIOLATION where a topic is only
// compacted, OFFSET_OUT_OF_RANGE beyond the high watermark. An offset at or below the log start
// changes nothing. What is not done at the deadline is REQUEST_TIMED_OUT and goes on.
env::Task<std::vector<DeletionResult>> delete_records(LoopPartitions& partitions,
                                                      std::vector<Deletion> deletions,
                                                      DeletionOptions options);

}  // namespace arus::replication
