// Adding and removing access rules.
#pragma once

#include "controller/decision.h"
#include "protocol/api/create_acls.h"
#include "protocol/api/delete_acls.h"

namespace arus::controller {

// SECURITY_DISABLED as a whole where no authorizer is configured.
Result<Decision<protocol::CreateAclsResponse>> create_acls(
    const DecisionContext& context, const protocol::CreateAclsRequest& request);
Result<Decision<protocol::DeleteAclsResponse>> delete_acls(
    const DecisionContext& context, const protocol::DeleteAclsRequest& request);

}  // namespace arus::controller
