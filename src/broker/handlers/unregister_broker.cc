// UnregisterBroker: forgets a broker that is gone for good.
#include "protocol/api/unregister_broker.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using Request = protocol::UnregisterBrokerRequest;
using Response = protocol::UnregisterBrokerResponse;

constexpr std::int32_t timeout_ms = 30'000;  // the request has none of its own
env::Task<Response> handle(Request request, Context& context) {
  const auto caller = context.caller(timeout_ms);
  auto answer = co_await context.controller().unregister_broker(caller, std::move(request));
  if (!answer) co_return failed_as_whole<Response>(answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> unregister_broker_handler() {
  return net::make_handler<Request, Context>(
      handle, net::needs_cluster<Request>(security::AclOperation::alter,
                                          refused_as_whole<Response, Request>));
}

}  // namespace arus::broker
