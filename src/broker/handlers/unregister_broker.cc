// UnregisterBroker: forgets a broker that is gone for good.
#include "protocol/api/unregister_broker.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::UnregisterBrokerRequest;
using protocol::UnregisterBrokerResponse;

env::Task<UnregisterBrokerResponse> handle(UnregisterBrokerRequest request, Context& context) {
  const auto caller = context.caller(default_timeout_ms);
  auto answer = co_await context.controller().unregister_broker(caller, std::move(request));
  if (!answer) co_return failed_as_whole<UnregisterBrokerResponse>(answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> unregister_broker_handler() {
  return net::make_handler<UnregisterBrokerRequest, Context>(
      handle, net::needs_cluster<UnregisterBrokerRequest>(
                  security::AclOperation::alter,
                  refused_as_whole<UnregisterBrokerResponse, UnregisterBrokerRequest>));
}

}  // namespace arus::broker
