// Appending what a transaction writes: its coordinator has to know of each partition first.
#pragma once

#include <string>
#include <vector>

#include "base/topic_partition.h"
#include "broker/context.h"
#include "replication/append.h"

namespace arus::broker {

// Appends `items`, which belong to a transaction and lie in the partitions `names`, in the same
// order. A partition that the transaction does not write to yet is asked for, or from version 12 of
// Produce on added, at the transaction's coordinator before. Results in the order of the items.
env::Task<std::vector<replication::AppendResult>> append_in_transaction(
    const Context& context, std::string transactional_id,
    std::vector<replication::AppendItem> items, std::vector<TopicPartition> names,
    replication::AppendRequest request);

}  // namespace arus::broker
