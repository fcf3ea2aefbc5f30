#include "client/group_admin.h"

#include <fmt/core.h>

#include <algorithm>

#include "client/consumer_protocol.h"
#include "client/coordinator_calls.h"
#include "protocol/api/consumer_group_describe.h"
#include "protocol/api/delete_groups.h"
#include "protocol/api/describe_groups.h"
#include "protocol/api/leave_group.h"
#include "protocol/api/list_groups.h"

namespace arus::client {
namespace {

std::unexpected<Error> failure(ErrorCode code, const std::optional<std::string>& message,
                               std::string_view what) {
  return fail(code, message && !message->empty() ? *message
                                                 : fmt::format("{}: {}", what, error_name(code)));
}

std::optional<std::int32_t> operations_of(std::int32_t bits) {
  return bits == INT32_MIN ? std::nullopt : std::optional(bits);
}

Bytes bytes_of(const Slice& slice) { return {slice.view().begin(), slice.view().end()}; }

GroupDescription describe(const protocol::DescribeGroupsResponse::DescribedGroup& from) {
  GroupDescription group;
  group.id = from.group_id;
  group.protocol_type = from.protocol_type;
  group.state = from.group_state;
  group.assignor = from.protocol_data;
  group.authorized_operations = operations_of(from.authorized_operations);
  for (const auto& one : from.members) {
    GroupMember& member = group.members.emplace_back();
    member.id = one.member_id;
    member.instance_id = one.group_instance_id;
    member.client_id = one.client_id;
    member.client_host = one.client_host;
    member.metadata = bytes_of(one.member_metadata);
    member.assignment_data = bytes_of(one.member_assignment);
    if (from.protocol_type != consumer_protocol_type) continue;
    if (auto assignment = decode_assignment(one.member_assignment)) {
      member.assignment = std::move(assignment->partitions);
      std::ranges::sort(member.assignment);
    }
    if (auto subscription = decode_subscription(one.member_metadata)) {
      member.subscribed_topics = std::move(subscription->topics);
      member.rack = std::move(subscription->rack);
    }
  }
  std::ranges::sort(group.members, {}, &GroupMember::id);
  return group;
}

std::vector<TopicPartition> names_of(
    const protocol::ConsumerGroupDescribeResponse::Assignment& assignment) {
  std::vector<TopicPartition> names;
  for (const auto& topic : assignment.topic_partitions) {
    for (const std::int32_t index : topic.partitions) names.push_back({topic.topic_name, index});
  }
  std::ranges::sort(names);
  return names;
}

GroupDescription describe(const protocol::ConsumerGroupDescribeResponse::DescribedGroup& from) {
  GroupDescription group;
  group.id = from.group_id;
  group.classic = false;
  group.protocol_type = consumer_protocol_type;
  group.state = from.group_state;
  group.assignor = from.assignor_name;
  group.group_epoch = from.group_epoch;
  group.assignment_epoch = from.assignment_epoch;
  group.authorized_operations = operations_of(from.authorized_operations);
  for (const auto& one : from.members) {
    GroupMember& member = group.members.emplace_back();
    member.id = one.member_id;
    member.instance_id = one.instance_id;
    member.rack = one.rack_id;
    member.client_id = one.client_id;
    member.client_host = one.client_host;
    member.assignment = names_of(one.assignment);
    member.subscribed_topics = one.subscribed_topic_names;
    member.subscribed_regex = one.subscribed_topic_regex;
    member.epoch = one.member_epoch;
    member.target_assignment = names_of(one.target_assignment);
    if (one.member_type >= 0) member.classic = one.member_type == 0;
  }
  std::ranges::sort(group.members, {}, &GroupMember::id);
  return group;
}

// Takes the described groups of an answer of either API.
auto take_descriptions(Cluster& cluster) {
  return [&cluster](const auto& answer, BrokerId coordinator, auto& outcomes) {
    for (const auto& group : answer.groups) {
      const auto found = outcomes.find(group.group_id);
      if (found == outcomes.end()) continue;
      if (group.error_code != ErrorCode::none) {
        found->second = failure(group.error_code, group.error_message,
                                fmt::format("The group {}", group.group_id));
        continue;
      }
      GroupDescription description = describe(group);
      const auto broker = cluster.brokers().find(coordinator);
      if (broker != cluster.brokers().end()) description.coordinator = broker->second;
      found->second = std::move(description);
    }
  };
}

}  // namespace

env::Task<Result<GroupListing>> GroupAdmin::list_groups(std::vector<std::string> states,
                                                        std::vector<std::string> types,
                                                        env::TimePoint deadline) {
  GroupListing listing;
  ARUS_CO_TRY(co_await cluster_.refresh(deadline));
  std::map<std::string, ListedGroup> groups;
  const auto brokers = cluster_.brokers();
  for (const auto& [id, broker] : brokers) {
    protocol::ListGroupsRequest request;
    request.states_filter = states;
    request.types_filter = types;
    for (int attempt = 0;; ++attempt) {
      auto answer = co_await cluster_.ask_once(request, Route::one(id),
                                               cluster_.options().request_timeout, deadline);
      const ErrorCode code = answer ? answer->error_code : answer.error().code;
      if (code == ErrorCode::none) {
        for (auto& group : answer->groups) {
          groups.try_emplace(group.group_id, ListedGroup{group.group_id, group.protocol_type,
                                                         group.group_state, group.group_type, id});
        }
        break;
      }
      if (may_ask_again(code) && cluster_.now() < deadline) {
        co_await cluster_.back_off(attempt, deadline);
        continue;
      }
      listing.failures.push_back(
          answer ? Error{code, fmt::format("Broker {} does not list its groups: {}", id.value(),
                                           error_name(code))}
                 : answer.error());
      break;
    }
  }
  if (listing.failures.size() == brokers.size() && !brokers.empty()) {
    co_return fail(listing.failures.front());
  }
  for (auto& [id, group] : groups) listing.groups.push_back(std::move(group));
  co_return listing;
}

env::Task<Result<GroupAdmin::Outcomes<std::string, GroupDescription>>>
GroupAdmin::describe_classic_groups(std::set<std::string> ids, bool authorized_operations,
                                    env::TimePoint deadline) {
  const auto make = [&](const std::vector<std::string>& groups) {
    protocol::DescribeGroupsRequest request;
    request.groups = groups;
    request.include_authorized_operations = authorized_operations;
    return request;
  };
  co_return co_await ask_coordinators<GroupDescription>(cluster_, CoordinatorType::group,
                                                        std::move(ids), true, deadline, make,
                                                        take_descriptions(cluster_));
}

env::Task<Result<GroupAdmin::Outcomes<std::string, GroupDescription>>> GroupAdmin::describe_groups(
    std::set<std::string> ids, bool authorized_operations, env::TimePoint deadline) {
  const auto make = [&](const std::vector<std::string>& groups) {
    protocol::ConsumerGroupDescribeRequest request;
    request.group_ids = groups;
    request.include_authorized_operations = authorized_operations;
    return request;
  };
  auto outcomes = co_await ask_coordinators<GroupDescription>(cluster_, CoordinatorType::group,
                                                              std::move(ids), true, deadline, make,
                                                              take_descriptions(cluster_));
  if (!outcomes) co_return outcomes;
  std::set<std::string> classic;
  for (const auto& [id, outcome] : *outcomes) {
    if (!outcome && (outcome.error().code == ErrorCode::group_id_not_found ||
                     outcome.error().code == ErrorCode::unsupported_version)) {
      classic.insert(id);
    }
  }
  if (classic.empty()) co_return outcomes;
  auto others =
      co_await describe_classic_groups(std::move(classic), authorized_operations, deadline);
  if (!others) co_return others;
  for (auto& [id, outcome] : *others) outcomes->insert_or_assign(id, std::move(outcome));
  co_return outcomes;
}

env::Task<Result<GroupAdmin::Outcomes<std::string>>> GroupAdmin::delete_groups(
    std::set<std::string> ids, env::TimePoint deadline) {
  const auto make = [](const std::vector<std::string>& groups) {
    protocol::DeleteGroupsRequest request;
    request.groups_names = groups;
    return request;
  };
  const auto take = [](const protocol::DeleteGroupsResponse& answer, BrokerId, auto& outcomes) {
    for (const auto& result : answer.results) {
      const auto found = outcomes.find(result.group_id);
      if (found == outcomes.end()) continue;
      if (result.error_code == ErrorCode::none) {
        found->second = Result<>{};
      } else {
        found->second =
            failure(result.error_code, std::nullopt, fmt::format("The group {}", result.group_id));
      }
    }
  };
  co_return co_await ask_coordinators<void>(cluster_, CoordinatorType::group, std::move(ids), true,
                                            deadline, make, take);
}

env::Task<Result<GroupAdmin::Outcomes<std::string>>> GroupAdmin::remove_members(
    std::string group, std::vector<MemberToRemove> members, std::string reason,
    env::TimePoint deadline) {
  protocol::LeaveGroupRequest request;
  request.group_id = group;
  for (const auto& member : members) {
    request.members.push_back(
        {.member_id = member.member_id, .group_instance_id = member.instance_id, .reason = reason});
  }
  Coordinator coordinator{cluster_, CoordinatorType::group, group};
  auto answer = co_await coordinator.ask(std::move(request), deadline,
                                         [](const auto& answered) { return answered.error_code; });
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->error_code != ErrorCode::none) {
    co_return failure(answer->error_code, std::nullopt, fmt::format("The group {}", group));
  }
  Outcomes<std::string> outcomes;
  for (const auto& member : answer->members) {
    const std::string& key = member.group_instance_id && !member.group_instance_id->empty()
                                 ? *member.group_instance_id
                                 : member.member_id;
    outcomes.insert_or_assign(key, member.error_code == ErrorCode::none
                                       ? Result<>{}
                                       : Result<>{failure(member.error_code, std::nullopt,
                                                          fmt::format("The member {}", key))});
  }
  co_return outcomes;
}

}  // namespace arus::client
