// Appending the markers that end transactions to partitions of one loop.
#pragma once

#include <cstdint>
#include <vector>

#include "env/task.h"
#include "replication/loop_partitions.h"

namespace arus::replication {

struct MarkerItem {
  TopicIdPartition id;
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = -1;
  std::int32_t coordinator_epoch = -1;
  bool committed = false;
  std::int16_t transaction_version = 0;  // of the transaction, as the coordinator's record says
};

struct MarkerRequest {
  env::TimePoint deadline = env::never;
};

struct MarkerResult {
  ErrorCode error = ErrorCode::none;
};

// On the loop of `partitions`. `none` for a marker that is durable and visible;
// INVALID_PRODUCER_EPOCH and TRANSACTION_COORDINATOR_FENCED for one that comes from the past.
env::Task<std::vector<MarkerResult>> append_markers(LoopPartitions& partitions,
                                                    std::vector<MarkerItem> items,
                                                    MarkerRequest request);

}  // namespace arus::replication
