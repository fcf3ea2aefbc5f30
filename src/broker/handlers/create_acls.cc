// CreateAcls: adds access rules.
#include "protocol/api/create_acls.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::CreateAclsRequest;
using protocol::CreateAclsResponse;

CreateAclsResponse failed(const CreateAclsRequest& request, const Error& error) {
  CreateAclsResponse response;
  for (std::size_t i = 0; i < request.creations.size(); ++i) {
    response.results.push_back({.error_code = error.code, .error_message = message_of(error)});
  }
  return response;
}

CreateAclsResponse refuse(const CreateAclsRequest& request, ErrorCode code) {
  return failed(request, {code, {}, 0});
}

env::Task<CreateAclsResponse> handle(CreateAclsRequest request, Context& context) {
  if (!context.authorization().enabled()) {
    co_return failed(
        request, {ErrorCode::security_disabled, "No authorizer is configured on this broker", 0});
  }
  const auto caller = context.caller(default_timeout_ms);
  auto answer = co_await context.controller().create_acls(caller, request);
  if (!answer) co_return failed(request, answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> create_acls_handler() {
  return net::make_handler<CreateAclsRequest, Context>(
      handle, net::needs_cluster<CreateAclsRequest>(security::AclOperation::alter, refuse));
}

}  // namespace arus::broker
