// UpdateFeatures: finalizes feature levels.
#include "protocol/api/update_features.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::UpdateFeaturesRequest;
using protocol::UpdateFeaturesResponse;

env::Task<UpdateFeaturesResponse> handle(UpdateFeaturesRequest request, Context& context) {
  const auto caller = context.caller(request.timeout_ms);
  auto answer = co_await context.controller().update_features(caller, std::move(request));
  if (!answer) co_return failed_as_whole<UpdateFeaturesResponse>(answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> update_features_handler() {
  return net::make_handler<UpdateFeaturesRequest, Context>(
      handle, net::needs_cluster<UpdateFeaturesRequest>(
                  security::AclOperation::alter,
                  refused_as_whole<UpdateFeaturesResponse, UpdateFeaturesRequest>));
}

}  // namespace arus::broker
