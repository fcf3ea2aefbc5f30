// DeleteAcls: removes the access rules that match filters.
#include "protocol/api/delete_acls.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::DeleteAclsRequest;
using protocol::DeleteAclsResponse;

DeleteAclsResponse failed(const DeleteAclsRequest& request, const Error& error) {
  DeleteAclsResponse response;
  for (std::size_t i = 0; i < request.filters.size(); ++i) {
    response.filter_results.push_back(
        {.error_code = error.code, .error_message = message_of(error)});
  }
  return response;
}

DeleteAclsResponse refuse(const DeleteAclsRequest& request, ErrorCode code) {
  return failed(request, {code, {}, 0});
}

env::Task<DeleteAclsResponse> handle(DeleteAclsRequest request, Context& context) {
  if (!context.authorization().enabled()) {
    co_return failed(
        request, {ErrorCode::security_disabled, "No authorizer is configured on this broker", 0});
  }
  const auto caller = context.caller(default_timeout_ms);
  auto answer = co_await context.controller().delete_acls(caller, request);
  if (!answer) co_return failed(request, answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> delete_acls_handler() {
  return net::make_handler<DeleteAclsRequest, Context>(
      handle, net::needs_cluster<DeleteAclsRequest>(security::AclOperation::alter, refuse));
}

}  // namespace arus::broker
