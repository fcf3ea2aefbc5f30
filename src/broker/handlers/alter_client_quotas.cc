// AlterClientQuotas: sets and removes quotas of users, client ids and addresses.
#include "protocol/api/alter_client_quotas.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::AlterClientQuotasRequest;
using protocol::AlterClientQuotasResponse;

AlterClientQuotasResponse failed(const AlterClientQuotasRequest& request, const Error& error) {
  AlterClientQuotasResponse response;
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

AlterClientQuotasResponse refuse(const AlterClientQuotasRequest& request, ErrorCode code) {
  return failed(request, {code, {}, 0});
}

env::Task<AlterClientQuotasResponse> handle(AlterClientQuotasRequest request, Context& context) {
  const auto caller = context.caller(default_timeout_ms);
  auto answer = co_await context.controller().alter_client_quotas(caller, request);
  if (!answer) co_return failed(request, answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> alter_client_quotas_handler() {
  return net::make_handler<AlterClientQuotasRequest, Context>(
      handle,
      net::needs_cluster<AlterClientQuotasRequest>(security::AclOperation::alter_configs, refuse));
}

}  // namespace arus::broker
