// ConsumerGroupHeartbeat: joins a consumer group, keeps up with it, and leaves it (KIP-848).
#include "protocol/api/consumer_group_heartbeat.h"

#include <algorithm>
#include <utility>

#include "broker/handlers/group_caller.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;
using security::AclOperation;
using security::ResourceType;

constexpr std::string_view consumer_protocol_name = "consumer";

ConsumerGroupHeartbeatResponse refused(ErrorCode code) {
  return failed_as_whole<ConsumerGroupHeartbeatResponse>(Error{code, {}, 0});
}

void check_consumer_group_heartbeat(ConsumerGroupHeartbeatRequest& request,
                                    const net::Context& context,
                                    net::Refusals<ConsumerGroupHeartbeatResponse>& refusals) {
  const net::Authorization& may = context.authorization();
  if (!may.allows(AclOperation::read, ResourceType::group, request.group_id)) {
    refusals.whole(refused(ErrorCode::group_authorization_failed));
    return;
  }
  if (!request.subscribed_topic_names) return;
  for (const auto& topic : *request.subscribed_topic_names) {
    if (may.allows_topic(AclOperation::describe, topic)) continue;
    refusals.whole(refused(ErrorCode::topic_authorization_failed));
    return;
  }
}

env::Task<ConsumerGroupHeartbeatResponse> handle(ConsumerGroupHeartbeatRequest request,
                                                 Context& context) {
  const auto protocols = context.config()->list("group.coordinator.rebalance.protocols");
  if (std::ranges::find(protocols, consumer_protocol_name) == protocols.end()) {
    co_return refused(ErrorCode::unsupported_version);
  }
  const auto assignors = context.config()->list("group.consumer.assignors");
  const auto form = coordinator::check_heartbeat(request, context.version(), assignors);
  if (!form) co_return failed_as_whole<ConsumerGroupHeartbeatResponse>(form.error());

  const std::string group = request.group_id;
  // The context outlives the answer, which this waits for.
  const net::Authorization* const may = &context.authorization();
  auto beaten = co_await context.groups().ask<ConsumerGroupHeartbeatResponse>(
      group, [caller = group_caller(context), request = std::move(request), may](
                 coordinator::GroupMachine& machine, coordinator::Turn& turn,
                 coordinator::Reply<ConsumerGroupHeartbeatResponse> reply) mutable {
        machine.consumer_group_heartbeat(
            turn, caller, std::move(request),
            [may](std::string_view topic) {
              return may->allows_topic(AclOperation::describe, topic, net::Audit::quiet);
            },
            std::move(reply));
      });
  if (!beaten) co_return failed_as_whole<ConsumerGroupHeartbeatResponse>(beaten.error());
  co_return std::move(*beaten);
}

}  // namespace

std::unique_ptr<net::Handler> consumer_group_heartbeat_handler() {
  return net::make_handler<ConsumerGroupHeartbeatRequest, Context>(
      handle, net::Checks<ConsumerGroupHeartbeatRequest>(check_consumer_group_heartbeat));
}

}  // namespace arus::broker
