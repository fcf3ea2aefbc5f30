// What the partitions of one loop know of their producers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "env/task.h"
#include "replication/loop_partitions.h"
#include "storage/producer_state.h"

namespace arus::replication {

struct ProducersRequest {};
struct PartitionProducers {
  Error error{ErrorCode::none, {}, 0};
  std::vector<storage::ProducerEntry> entries;  // ascending by producer id
};
// On the loop of `partitions`: one result for each partition, in order. Only leaders answer.
env::Task<std::vector<PartitionProducers>> describe_producers(LoopPartitions& partitions,
                                                              std::vector<TopicIdPartition> ids,
                                                              ProducersRequest request);

}  // namespace arus::replication
