// ElectLeaders: moves leadership to the preferred replicas, or out of the in-sync set.
#include "protocol/api/elect_leaders.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::ElectLeadersRequest;
using protocol::ElectLeadersResponse;

env::Task<ElectLeadersResponse> handle(ElectLeadersRequest request, Context& context) {
  const auto caller = context.caller(request.timeout_ms);
  auto answer = co_await context.controller().elect_leaders(caller, std::move(request));
  if (!answer) co_return failed_as_whole<ElectLeadersResponse>(answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> elect_leaders_handler() {
  return net::make_handler<ElectLeadersRequest, Context>(
      handle, net::needs_cluster<ElectLeadersRequest>(
                  security::AclOperation::alter,
                  refused_as_whole<ElectLeadersResponse, ElectLeadersRequest>));
}

}  // namespace arus::broker
