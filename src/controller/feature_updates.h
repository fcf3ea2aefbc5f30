// Raising and lowering the levels of features.
#pragma once

#include "controller/decision.h"
#include "protocol/api/update_features.h"

namespace arus::controller {

// All updates or none: the first that cannot be is the answer's error.
Result<Decision<protocol::UpdateFeaturesResponse>> update_features(
    const DecisionContext& context, const protocol::UpdateFeaturesRequest& request);

}  // namespace arus::controller
