// Client quotas and SCRAM credentials: kept for clusters that enforce them.
#pragma once

#include "controller/decision.h"
#include "protocol/api/alter_client_quotas.h"
#include "protocol/api/alter_user_scram_credentials.h"

namespace arus::controller {

Result<Decision<protocol::AlterClientQuotasResponse>> alter_client_quotas(
    const DecisionContext& context, const protocol::AlterClientQuotasRequest& request);
Result<Decision<protocol::AlterUserScramCredentialsResponse>> alter_user_scram_credentials(
    const DecisionContext& context, const protocol::AlterUserScramCredentialsRequest& request);

}  // namespace arus::controller
