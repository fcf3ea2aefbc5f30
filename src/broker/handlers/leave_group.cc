// LeaveGroup: members leave a classic group at once, from version 3 on several, and static ones by
// their instance ids.
#include "protocol/api/leave_group.h"

#include <utility>

#include "broker/handlers/group_caller.h"
#include "broker/handlers/handlers.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;

constexpr std::int16_t members_from_version = 3;

LeaveGroupResponse failed(ErrorCode code) {
  LeaveGroupResponse response;
  response.error_code = code;
  return response;
}

env::Task<LeaveGroupResponse> handle(LeaveGroupRequest request, Context& context) {
  if (request.group_id.empty()) co_return failed(ErrorCode::invalid_group_id);
  const bool is_single = context.version() < members_from_version;
  if (is_single) {
    request.members.clear();
    request.members.push_back({.member_id = std::exchange(request.member_id, {})});
  }
  const std::string group = request.group_id;
  auto left = co_await context.groups().ask<LeaveGroupResponse>(
      group, [caller = group_caller(context), request = std::move(request)](
                 coordinator::GroupMachine& machine, coordinator::Turn& turn,
                 coordinator::Reply<LeaveGroupResponse> reply) mutable {
        machine.leave_group(turn, caller, std::move(request), std::move(reply));
      });
  if (!left) co_return failed(left.error().code);
  if (!is_single) co_return std::move(*left);
  const bool one_answer = left->error_code == ErrorCode::none && left->members.size() == 1;
  co_return failed(one_answer ? left->members.front().error_code : left->error_code);
}

}  // namespace

std::unique_ptr<net::Handler> leave_group_handler() {
  return net::make_handler<LeaveGroupRequest, Context>(handle,
                                                       needs_group_to_read<LeaveGroupRequest>());
}

}  // namespace arus::broker
