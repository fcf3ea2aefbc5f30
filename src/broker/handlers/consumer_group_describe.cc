// ConsumerGroupDescribe: members, epochs and assignments of consumer groups.
#include "protocol/api/consumer_group_describe.h"

#include <algorithm>
#include <set>
#include <utility>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::ConsumerGroupDescribeRequest;
using protocol::ConsumerGroupDescribeResponse;
using Group = ConsumerGroupDescribeResponse::DescribedGroup;
using security::AclOperation;
using security::ResourceType;

constexpr std::string_view protocol_name = "consumer";
constexpr const char* hidden_topics =
    "The described group uses topics that the client is not authorized to describe.";

Group failed(std::string id, const Error& error) {
  Group group;
  group.group_id = std::move(id);
  group.error_code = error.code;
  group.error_message = message_of(error);
  return group;
}

std::set<std::string_view> topics_of(const Group& group) {
  std::set<std::string_view> topics;
  for (const auto& member : group.members) {
    topics.insert(member.subscribed_topic_names.begin(), member.subscribed_topic_names.end());
    for (const auto* const assignment : {&member.assignment, &member.target_assignment}) {
      for (const auto& topic : assignment->topic_partitions) topics.insert(topic.topic_name);
    }
  }
  return topics;
}

bool may_see_all(const net::Authorization& may, const Group& group) {
  return std::ranges::all_of(topics_of(group), [&](std::string_view topic) {
    return may.allows_topic(AclOperation::describe, topic);
  });
}

env::Task<Group> describe(std::string id, Context& context) {
  const net::Authorization& may = context.authorization();
  if (!may.allows(AclOperation::describe, ResourceType::group, id)) {
    co_return failed(std::move(id), {ErrorCode::group_authorization_failed, {}, 0});
  }
  if (id.empty()) co_return failed(std::move(id), {ErrorCode::invalid_group_id, {}, 0});
  auto group = co_await context.groups().ask<Group>(
      id, [id](coordinator::GroupMachine& machine, coordinator::Turn& turn,
               coordinator::Reply<Group> reply) {
        machine.describe_consumer_group(turn, id, std::move(reply));
      });
  if (!group) co_return failed(std::move(id), group.error());
  if (group->error_code != ErrorCode::none) co_return std::move(*group);
  if (!may_see_all(may, *group)) {
    co_return failed(std::move(id), {ErrorCode::topic_authorization_failed, hidden_topics, 0});
  }
  co_return std::move(*group);
}

env::Task<ConsumerGroupDescribeResponse> handle(ConsumerGroupDescribeRequest request,
                                                Context& context) {
  ConsumerGroupDescribeResponse response;
  const auto protocols = context.config()->list("group.coordinator.rebalance.protocols");
  const bool served = std::ranges::find(protocols, protocol_name) != protocols.end();
  for (auto& id : request.group_ids) {
    if (!served) {
      response.groups.push_back(failed(std::move(id), {ErrorCode::unsupported_version, {}, 0}));
      continue;
    }
    Group group = co_await describe(std::move(id), context);
    if (request.include_authorized_operations && group.error_code == ErrorCode::none) {
      group.authorized_operations =
          context.authorization().operations(ResourceType::group, group.group_id);
    }
    response.groups.push_back(std::move(group));
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> consumer_group_describe_handler() {
  return net::make_handler<ConsumerGroupDescribeRequest, Context>(
      handle, net::checked_in_handler<ConsumerGroupDescribeRequest>(
                  "which topics a group uses is found out first"));
}

}  // namespace arus::broker
