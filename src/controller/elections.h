// Leaders and replicas: elections on demand, reassignments, brokers that leave for good.
#pragma once

#include "controller/decision.h"
#include "protocol/api/alter_partition_reassignments.h"
#include "protocol/api/elect_leaders.h"
#include "protocol/api/list_partition_reassignments.h"
#include "protocol/api/unregister_broker.h"

namespace arus::controller {

Result<Decision<protocol::ElectLeadersResponse>> elect_leaders(
    const DecisionContext& context, const protocol::ElectLeadersRequest& request);
Result<Decision<protocol::AlterPartitionReassignmentsResponse>> alter_partition_reassignments(
    const DecisionContext& context, const protocol::AlterPartitionReassignmentsRequest& request);
Result<Decision<protocol::ListPartitionReassignmentsResponse>> list_partition_reassignments(
    const DecisionContext& context, const protocol::ListPartitionReassignmentsRequest& request);
Result<Decision<protocol::UnregisterBrokerResponse>> unregister_broker(
    const DecisionContext& context, const protocol::UnregisterBrokerRequest& request);

}  // namespace arus::controller
