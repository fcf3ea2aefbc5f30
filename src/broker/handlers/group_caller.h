// Who sent a request to a group coordinator.
#pragma once

#include <string>

#include "broker/context.h"
#include "coordinator/group/group_settings.h"
#include "net/handler.h"

namespace arus::broker {

[[nodiscard]] inline coordinator::GroupCaller group_caller(const Context& context) {
  return {.client_id = context.client_id().value_or(std::string()),
          .client_host = "/" + context.host(),
          .api_version = context.version()};
}

// READ on the group that a request names, or the whole of it is refused with its code.
template <class Request>
net::Checks<Request> needs_group_to_read() {
  using Response = typename Request::Response;
  return net::Checks<Request>(
      [](Request& request, const net::Context& context, net::Refusals<Response>& refusals) {
        const bool allowed = context.authorization().allows(
            security::AclOperation::read, security::ResourceType::group, request.group_id);
        if (allowed) return;
        Response response;
        response.error_code = ErrorCode::group_authorization_failed;
        refusals.whole(std::move(response));
      });
}

}  // namespace arus::broker
