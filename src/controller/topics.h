// Creating, growing and deleting topics.
#pragma once

#include "controller/decision.h"
#include "protocol/api/create_partitions.h"
#include "protocol/api/create_topics.h"
#include "protocol/api/delete_topics.h"

namespace arus::controller {

Result<Decision<protocol::CreateTopicsResponse>> create_topics(
    const DecisionContext& context, const protocol::CreateTopicsRequest& request);
// TOPIC_DELETION_DISABLED as a whole with delete.topic.enable=false.
Result<Decision<protocol::DeleteTopicsResponse>> delete_topics(
    const DecisionContext& context, const protocol::DeleteTopicsRequest& request);
Result<Decision<protocol::CreatePartitionsResponse>> create_partitions(
    const DecisionContext& context, const protocol::CreatePartitionsRequest& request);

}  // namespace arus::controller
