// OffsetFetch: how far groups have come; one group until version 7, many from version 8 on, and
// topics by id from version 10 on.
#include "protocol/api/offset_fetch.h"

#include <utility>
#include <vector>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/topic_lookup.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"
#include "env/loop.h"

namespace arus::broker {
namespace {

using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;
using Group = OffsetFetchRequest::OffsetFetchRequestGroup;
using Topics = OffsetFetchRequest::OffsetFetchRequestTopics;
using GroupAnswer = OffsetFetchResponse::OffsetFetchResponseGroup;
using FetchedTopic = OffsetFetchResponse::OffsetFetchResponseTopics;
using security::AclOperation;
using security::ResourceType;

constexpr std::int16_t group_errors_from_version = 2;
constexpr std::int16_t many_groups_from_version = 8;
constexpr std::int16_t fetched_topic_ids_from_version = 10;
constexpr std::int64_t no_committed_offset = -1;

FetchedTopic refused(const Topics& topic, ErrorCode code) {
  FetchedTopic answer;
  answer.name = topic.name;
  answer.topic_id = topic.topic_id;
  for (const std::int32_t index : topic.partition_indexes) {
    auto& partition = answer.partitions.emplace_back();
    partition.partition_index = index;
    partition.committed_offset = no_committed_offset;
    partition.error_code = code;
  }
  return answer;
}

// The oldest version has no place for an error of the whole group.
GroupAnswer failed(const Group& group, ErrorCode code, std::int16_t version) {
  GroupAnswer answer;
  answer.group_id = group.group_id;
  if (version >= group_errors_from_version) {
    answer.error_code = code;
  } else if (group.topics) {
    for (const Topics& topic : *group.topics) answer.topics.push_back(refused(topic, code));
  }
  return answer;
}

// Consumers before 3.9 do not look for the coordinator again, as they should, on the other code.
ErrorCode told(ErrorCode code) {
  return code == ErrorCode::coordinator_not_available ? ErrorCode::not_coordinator : code;
}

// Takes out the topics that the caller may not see or that do not exist; their answers.
std::vector<FetchedTopic> take_refused(const Context& context, std::vector<Topics>& topics) {
  std::vector<FetchedTopic> answers;
  std::vector<Topics> kept;
  const auto image = context.image();
  for (Topics& topic : topics) {
    if (context.version() >= fetched_topic_ids_from_version) {
      const auto found = image->topic(topic.topic_id);
      if (!found) {
        answers.push_back(refused(topic, ErrorCode::unknown_topic_id));
        continue;
      }
      topic.name = found->name;
    }
    if (context.authorization().allows_topic(AclOperation::describe, topic.name)) {
      kept.push_back(std::move(topic));
    } else {
      answers.push_back(refused(topic, ErrorCode::topic_authorization_failed));
    }
  }
  topics = std::move(kept);
  return answers;
}

// Of all topics of a group, those that the caller may see and that the version can name.
void keep_visible(const Context& context, std::vector<FetchedTopic>& topics) {
  const auto image = context.image();
  std::erase_if(topics, [&](FetchedTopic& topic) {
    if (!context.authorization().allows_topic(AclOperation::describe, topic.name)) return true;
    if (context.version() < fetched_topic_ids_from_version) return false;
    const auto found = image->topic(topic.name);
    if (found) topic.topic_id = found->id;
    return !found;
  });
}

env::Task<GroupAnswer> fetch_group(const Context& context, Group group, bool require_stable) {
  const std::int16_t version = context.version();
  if (!context.authorization().allows(AclOperation::describe, ResourceType::group,
                                      group.group_id)) {
    co_return failed(group, ErrorCode::group_authorization_failed, version);
  }
  const bool all_topics = !group.topics.has_value();
  std::vector<FetchedTopic> refusals;
  if (!all_topics) refusals = take_refused(context, *group.topics);
  auto given = co_await context.groups().ask<GroupAnswer>(
      group.group_id,
      [group, require_stable](coordinator::GroupMachine& machine, coordinator::Turn& turn,
                              coordinator::Reply<GroupAnswer> reply) mutable {
        machine.fetch_offsets(turn, std::move(group), require_stable, std::move(reply));
      });
  if (!given) co_return failed(group, told(given.error().code), version);
  if (given->error_code != ErrorCode::none) co_return failed(group, given->error_code, version);
  if (all_topics) {
    keep_visible(context, given->topics);
  } else {
    for (FetchedTopic& refusal : refusals) given->topics.push_back(std::move(refusal));
  }
  co_return std::move(*given);
}

env::Task<void> fetch_into(const Context* context, Group group, bool require_stable,
                           GroupAnswer* answer) {
  *answer = co_await fetch_group(*context, std::move(group), require_stable);
}

// The one group of the versions before 8, in the form of the later ones.
Group only_group(OffsetFetchRequest& request) {
  Group group;
  group.group_id = std::move(request.group_id);
  group.topics = std::nullopt;
  if (!request.topics) return group;
  group.topics.emplace();
  for (auto& topic : *request.topics) {
    auto& entry = group.topics->emplace_back();
    entry.name = std::move(topic.name);
    entry.partition_indexes = std::move(topic.partition_indexes);
  }
  return group;
}

void write_only_group(GroupAnswer group, OffsetFetchResponse& response) {
  response.error_code = group.error_code;
  for (auto& topic : group.topics) {
    auto& entry = response.topics.emplace_back();
    entry.name = std::move(topic.name);
    for (auto& partition : topic.partitions) {
      auto& one = entry.partitions.emplace_back();
      one.partition_index = partition.partition_index;
      one.committed_offset = partition.committed_offset;
      one.committed_leader_epoch = partition.committed_leader_epoch;
      one.metadata = std::move(partition.metadata);
      one.error_code = partition.error_code;
    }
  }
}

env::Task<OffsetFetchResponse> handle(OffsetFetchRequest request, Context& context) {
  OffsetFetchResponse response;
  if (context.version() < many_groups_from_version) {
    write_only_group(co_await fetch_group(context, only_group(request), request.require_stable),
                     response);
    co_return response;
  }
  // Side by side: each waits for what its partition has under way.
  response.groups.resize(request.groups.size());
  env::Gate gate;
  for (std::size_t i = 0; i < request.groups.size(); ++i) {
    env::spawn(gate, fetch_into(&context, std::move(request.groups[i]), request.require_stable,
                                &response.groups[i]));
  }
  co_await gate.close();
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> offset_fetch_handler() {
  return net::make_handler<OffsetFetchRequest, Context>(
      handle,
      net::checked_in_handler<OffsetFetchRequest>("each group by itself, then each of its topics"));
}

}  // namespace arus::broker
