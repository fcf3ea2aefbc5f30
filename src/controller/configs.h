// Changing settings of topics, brokers, groups and client-metrics subscriptions.
#pragma once

#include "controller/decision.h"
#include "protocol/api/alter_configs.h"
#include "protocol/api/incremental_alter_configs.h"

namespace arus::controller {

// Broker loggers are the broker's own and do not come here.
Result<Decision<protocol::IncrementalAlterConfigsResponse>> incremental_alter_configs(
    const DecisionContext& context, const protocol::IncrementalAlterConfigsRequest& request);
// The old API: what is not named is removed.
Result<Decision<protocol::AlterConfigsResponse>> alter_configs(
    const DecisionContext& context, const protocol::AlterConfigsRequest& request);

}  // namespace arus::controller
