// SyncGroup: takes the leader's assignments, and tells every member of a classic group its own.
#include "protocol/api/sync_group.h"

#include <utility>

#include "broker/handlers/group_caller.h"
#include "broker/handlers/handlers.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;
using security::AclOperation;
using security::ResourceType;

constexpr std::int16_t protocol_from_version = 5;

SyncGroupResponse failed(ErrorCode code) {
  SyncGroupResponse response;
  response.error_code = code;
  return response;
}

void check_sync_group(SyncGroupRequest& request, const net::Context& context,
                      net::Refusals<SyncGroupResponse>& refusals) {
  const bool names_protocol = request.protocol_type && request.protocol_name;
  if (context.version() >= protocol_from_version && !names_protocol) {
    refusals.whole(failed(ErrorCode::inconsistent_group_protocol));
    return;
  }
  if (context.authorization().allows(AclOperation::read, ResourceType::group, request.group_id)) {
    return;
  }
  refusals.whole(failed(ErrorCode::group_authorization_failed));
}

env::Task<SyncGroupResponse> handle(SyncGroupRequest request, Context& context) {
  if (request.group_id.empty()) co_return failed(ErrorCode::invalid_group_id);
  const std::string group = request.group_id;
  auto synced = co_await context.groups().ask<SyncGroupResponse>(
      group, [caller = group_caller(context), request = std::move(request)](
                 coordinator::GroupMachine& machine, coordinator::Turn& turn,
                 coordinator::Reply<SyncGroupResponse> reply) mutable {
        machine.sync_group(turn, caller, std::move(request), std::move(reply));
      });
  if (!synced) co_return failed(synced.error().code);
  co_return std::move(*synced);
}

}  // namespace

std::unique_ptr<net::Handler> sync_group_handler() {
  return net::make_handler<SyncGroupRequest, Context>(
      handle, net::Checks<SyncGroupRequest>(check_sync_group));
}

}  // namespace arus::broker
