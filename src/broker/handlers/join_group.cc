// JoinGroup: makes the caller a member of a classic group; answered when all others have joined.
#include "protocol/api/join_group.h"

#include <utility>

#include "broker/handlers/group_caller.h"
#include "broker/handlers/handlers.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using security::AclOperation;
using security::ResourceType;

constexpr std::int16_t rebalance_timeout_from_version = 1;
constexpr std::int16_t null_protocol_from_version = 7;

// No protocol is null where that can be said, and empty before.
JoinGroupResponse as_of(std::int16_t version, JoinGroupResponse response) {
  if (version < null_protocol_from_version) {
    if (!response.protocol_name) response.protocol_name.emplace();
  } else if (response.protocol_name && response.protocol_name->empty()) {
    response.protocol_name.reset();
  }
  return response;
}

JoinGroupResponse failed(std::int16_t version, ErrorCode code, std::string member_id = {}) {
  JoinGroupResponse response;
  response.error_code = code;
  response.member_id = std::move(member_id);
  return as_of(version, std::move(response));
}

void check_join_group(JoinGroupRequest& request, const net::Context& context,
                      net::Refusals<JoinGroupResponse>& refusals) {
  if (context.authorization().allows(AclOperation::read, ResourceType::group, request.group_id)) {
    return;
  }
  refusals.whole(failed(context.version(), ErrorCode::group_authorization_failed));
}

env::Task<JoinGroupResponse> handle(JoinGroupRequest request, Context& context) {
  if (request.group_id.empty()) {
    co_return failed(context.version(), ErrorCode::invalid_group_id, request.member_id);
  }
  if (context.version() < rebalance_timeout_from_version) {
    request.rebalance_timeout_ms = request.session_timeout_ms;
  }
  const std::string group = request.group_id;
  auto joined = co_await context.groups().ask<JoinGroupResponse>(
      group, [caller = group_caller(context), request = std::move(request)](
                 coordinator::GroupMachine& machine, coordinator::Turn& turn,
                 coordinator::Reply<JoinGroupResponse> reply) mutable {
        machine.join_group(turn, caller, std::move(request), std::move(reply));
      });
  if (!joined) co_return failed(context.version(), joined.error().code);
  co_return as_of(context.version(), std::move(*joined));
}

}  // namespace

std::unique_ptr<net::Handler> join_group_handler() {
  return net::make_handler<JoinGroupRequest, Context>(
      handle, net::Checks<JoinGroupRequest>(check_join_group));
}

}  // namespace arus::broker
