#include "client/offset_calls.h"

#include <fmt/core.h>

#include <algorithm>

#include "client/consumer_protocol.h"
#include "protocol/api/offset_commit.h"
#include "protocol/api/offset_fetch.h"

namespace arus::client {
namespace {

// From the next version on, topics are named by id only, which is another question.
constexpr std::int16_t last_version_with_names = 9;
constexpr std::int16_t first_version_of_many_groups = 8;  // of OffsetFetch: several groups at once

std::unexpected<Error> failure(ErrorCode code, const std::string& what) {
  return fail(code, fmt::format("{}: {}", what, error_name(code)));
}

protocol::OffsetFetchRequest fetch_request(const GroupMetadata& member,
                                           const std::optional<std::set<TopicPartition>>& names,
                                           bool require_stable, std::int16_t version) {
  protocol::OffsetFetchRequest request;
  request.require_stable = require_stable;
  if (version < first_version_of_many_groups) {
    request.group_id = member.group_id;
    request.topics.reset();
    if (!names) return request;
    request.topics.emplace();
    by_topic(
        *names, [&](const std::string& topic) { request.topics->emplace_back().name = topic; },
        [&](std::int32_t index) { request.topics->back().partition_indexes.push_back(index); });
    return request;
  }
  auto& group = request.groups.emplace_back();
  group.group_id = member.group_id;
  if (!member.member_id.empty() && version >= 9) {
    group.member_id = member.member_id;
    group.member_epoch = member.generation;
  }
  group.topics.reset();
  if (!names) return request;
  group.topics.emplace();
  by_topic(
      *names, [&](const std::string& topic) { group.topics->emplace_back().name = topic; },
      [&](std::int32_t index) { group.topics->back().partition_indexes.push_back(index); });
  return request;
}

void take_topics(const auto& topics, GroupAdmin::Offsets& offsets) {
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      const TopicPartition name{topic.name, partition.partition_index};
      if (partition.error_code != ErrorCode::none) {
        offsets.insert_or_assign(name, failure(partition.error_code, name.to_string()));
      } else if (partition.committed_offset < 0) {
        offsets.insert_or_assign(name, std::optional<CommittedOffset>{});
      } else {
        offsets.insert_or_assign(
            name, std::optional(CommittedOffset{Offset{partition.committed_offset},
                                                LeaderEpoch{partition.committed_leader_epoch},
                                                partition.metadata.value_or("")}));
      }
    }
  }
}

// The first inner failure that another try may cure.
template <class Outcomes>
std::optional<ErrorCode> passing_failure(const Outcomes& outcomes) {
  for (const auto& [name, outcome] : outcomes) {
    if (!outcome && may_ask_again(outcome.error().code)) return outcome.error().code;
  }
  return std::nullopt;
}

}  // namespace

env::Task<Result<GroupAdmin::Offsets>> fetch_offsets_once(
    Cluster& cluster, Coordinator& coordinator, GroupMetadata member,
    std::optional<std::set<TopicPartition>> partitions, bool require_stable,
    env::TimePoint deadline) {
  using protocol::OffsetFetchRequest;
  auto broker = co_await coordinator.find(deadline);
  if (!broker) co_return fail(std::move(broker).error());
  auto connection = co_await cluster.connect(Route::coordinator(*broker), deadline);
  if (!connection) {
    coordinator.note(connection.error().code);
    co_return fail(std::move(connection).error());
  }
  const auto version = (*connection)
                           ->negotiate(OffsetFetchRequest::api_key, OffsetFetchRequest::min_version,
                                       last_version_with_names);
  if (!version) co_return fail(version.error());
  if (*version < 7) require_stable = false;  // an older broker has nothing that is not stable
  const env::TimePoint limit =
      std::min(deadline, cluster.now() + cluster.options().request_timeout);
  auto answer = co_await (*connection)
                    ->ask(fetch_request(member, partitions, require_stable, *version), limit,
                          last_version_with_names);
  if (!answer) {
    coordinator.note(answer.error().code);
    co_return fail(std::move(answer).error());
  }
  GroupAdmin::Offsets offsets;
  ErrorCode code = answer->error_code;
  take_topics(answer->topics, offsets);
  for (const auto& group : answer->groups) {
    if (group.group_id != member.group_id) continue;
    code = group.error_code;
    take_topics(group.topics, offsets);
  }
  coordinator.note(code);
  if (code != ErrorCode::none) {
    co_return failure(code, fmt::format("The offsets of the group {}", member.group_id));
  }
  co_return offsets;
}

env::Task<Result<GroupAdmin::Outcomes<TopicPartition>>> commit_offsets_once(
    Cluster& cluster, Coordinator& coordinator, GroupMetadata member,
    std::map<TopicPartition, CommittedOffset> offsets, env::TimePoint deadline) {
  protocol::OffsetCommitRequest request;
  request.group_id = member.group_id;
  request.generation_id_or_member_epoch = member.generation;
  request.member_id = member.member_id;
  request.group_instance_id = member.instance_id;
  for (const auto& [name, offset] : offsets) {
    if (request.topics.empty() || request.topics.back().name != name.topic) {
      request.topics.emplace_back().name = name.topic;
    }
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition_index = name.partition;
    partition.committed_offset = offset.offset.value();
    partition.committed_leader_epoch = offset.leader_epoch.value();
    partition.committed_metadata = offset.metadata;
  }
  auto answer = co_await coordinator.ask_once(std::move(request), cluster.options().request_timeout,
                                              deadline, last_version_with_names);
  if (!answer) co_return fail(std::move(answer).error());
  GroupAdmin::Outcomes<TopicPartition> outcomes;
  for (const auto& [name, offset] : offsets) {
    outcomes.emplace(name, fail(ErrorCode::corrupt_message, "The answer does not mention it"));
  }
  for (const auto& topic : answer->topics) {
    for (const auto& partition : topic.partitions) {
      const TopicPartition name{topic.name, partition.partition_index};
      coordinator.note(partition.error_code);
      if (partition.error_code == ErrorCode::none) {
        outcomes.insert_or_assign(name, Result<>{});
      } else {
        outcomes.insert_or_assign(name, failure(partition.error_code, name.to_string()));
      }
    }
  }
  co_return outcomes;
}

env::Task<Result<GroupAdmin::Offsets>> fetch_offsets(
    Cluster& cluster, Coordinator& coordinator, GroupMetadata member,
    std::optional<std::set<TopicPartition>> partitions, bool require_stable,
    env::TimePoint deadline) {
  for (int attempt = 0;; ++attempt) {
    auto offsets = co_await fetch_offsets_once(cluster, coordinator, member, partitions,
                                               require_stable, deadline);
    const bool passes =
        offsets ? passing_failure(*offsets).has_value() : may_ask_again(offsets.error().code);
    if (!passes || cluster.now() >= deadline || coordinator.abandoned()) co_return offsets;
    co_await cluster.back_off(attempt, deadline);
  }
}

env::Task<Result<GroupAdmin::Outcomes<TopicPartition>>> commit_offsets(
    Cluster& cluster, Coordinator& coordinator, GroupMetadata member,
    std::map<TopicPartition, CommittedOffset> offsets, env::TimePoint deadline) {
  for (int attempt = 0;; ++attempt) {
    auto outcomes = co_await commit_offsets_once(cluster, coordinator, member, offsets, deadline);
    const bool passes =
        outcomes ? passing_failure(*outcomes).has_value() : may_ask_again(outcomes.error().code);
    if (!passes || cluster.now() >= deadline || coordinator.abandoned()) co_return outcomes;
    co_await cluster.back_off(attempt, deadline);
  }
}

}  // namespace arus::client
