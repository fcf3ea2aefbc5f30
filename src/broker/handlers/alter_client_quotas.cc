// AlterClientQuotas: sets and removes quotas of users, client ids and addresses.
#include "protocol/api/alter_client_quotas.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using Request = protocol::AlterClientQuotasRequest;
using Response = protocol::AlterClientQuotasResponse;

constexpr std::int32_t timeout_ms = 30'000;  // the request has none of its own

Response failed(const Request& request, const Error& error) {
  Response response;
  for (const auto& entry : request.entries) {
    auto& result = response.entries.emplace_back();
    result.error_code = error.code;
    result.error_message = message_of(error);
    for (const auto& part : entry.entity) {
      result.entity.push_back({.entity_type = part.entity_type, .entity_name = part.entity_name});
    }
  }
  return response;
}

Response refuse(const Request& request, ErrorCode code) { return failed(request, {code, {}, 0}); }

env::Task<Response> handle(Request request, Context& context) {
  const auto caller = context.caller(timeout_ms);
  auto answer = co_await context.controller().alter_client_quotas(caller, request);
  if (!answer) co_return failed(request, answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> alter_client_quotas_handler() {
  return net::make_handler<Request, Context>(
      handle, net::needs_cluster<Request>(security::AclOperation::alter_configs, refuse));
}

}  // namespace arus::broker
