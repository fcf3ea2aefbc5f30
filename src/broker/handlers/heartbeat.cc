// Heartbeat: keeps a member of a classic group alive, or tells it to join again.
#include "protocol/api/heartbeat.h"

#include <utility>

#include "broker/handlers/group_caller.h"
#include "broker/handlers/handlers.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;

HeartbeatResponse answered(ErrorCode code) {
  HeartbeatResponse response;
  response.error_code = code;
  return response;
}

env::Task<HeartbeatResponse> handle(HeartbeatRequest request, Context& context) {
  if (request.group_id.empty()) co_return answered(ErrorCode::invalid_group_id);
  const std::string group = request.group_id;
  auto alive = co_await context.groups().ask<HeartbeatResponse>(
      group, [caller = group_caller(context), request = std::move(request)](
                 coordinator::GroupMachine& machine, coordinator::Turn& turn,
                 coordinator::Reply<HeartbeatResponse> reply) mutable {
        machine.heartbeat(turn, caller, std::move(request), std::move(reply));
      });
  if (alive) co_return std::move(*alive);
  // Sessions begin when the group is loaded: until then everybody is alive.
  const ErrorCode code = alive.error().code;
  co_return answered(code == ErrorCode::coordinator_load_in_progress ? ErrorCode::none : code);
}

}  // namespace

std::unique_ptr<net::Handler> heartbeat_handler() {
  return net::make_handler<HeartbeatRequest, Context>(handle,
                                                      needs_group_to_read<HeartbeatRequest>());
}

}  // namespace arus::broker
