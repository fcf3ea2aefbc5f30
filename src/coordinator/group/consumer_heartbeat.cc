// ConsumerGroupHeartbeat: joins, keeps up, and leaves.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "coordinator/group/assignors/assignor.h"
#include "coordinator/group/classic_group.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/consumer_group_records.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/topic_regex.h"

namespace arus::coordinator {
namespace {

using Heartbeat = protocol::ConsumerGroupHeartbeatRequest;
using Response = protocol::ConsumerGroupHeartbeatResponse;

// From here on clients choose their member ids.
constexpr std::int16_t client_chooses_id_version = 1;

bool is_blank(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

std::unexpected<Error> invalid(std::string why) {
  return fail(ErrorCode::invalid_request, std::move(why));
}

std::unexpected<Error> fenced(std::string_view than, std::int32_t received, std::int32_t known) {
  return fail(ErrorCode::fenced_member_epoch,
              fmt::format("The consumer group member has a {} member epoch ({}) than the one known "
                          "by the group coordinator ({}). The member must abandon all its "
                          "partitions and rejoin.",
                          than, received, known));
}

PartitionSet reported_partitions(const std::vector<Heartbeat::TopicPartitions>& topics) {
  PartitionSet set;
  set.reserve(topics.size());
  for (const auto& topic : topics) set.push_back({topic.topic_id, topic.partitions});
  return normalized(std::move(set));
}

// Whether the member says that it owns only what it was assigned. Silence proves nothing.
bool owns_only_assigned(const Heartbeat& request, const CurrentAssignment& current) {
  if (!request.topic_partitions) return false;
  for (const auto& topic : *request.topic_partitions) {
    if (find_topic(current.assigned, topic.topic_id) == nullptr) return false;
    for (const auto partition : topic.partitions) {
      if (find_partition(current.assigned, topic.topic_id, partition) == nullptr) return false;
    }
  }
  return true;
}

Result<> check_epoch(const ConsumerMember& member, const Heartbeat& request) {
  const std::int32_t received = request.member_epoch;
  const CurrentAssignment& current = member.current();
  // Who was fenced begins again with 0.
  if (received == joining_epoch || received == current.epoch) return {};
  if (received > current.epoch) return fenced("greater", received, current.epoch);
  // The answer with the newer epoch may have been lost.
  if (received == current.previous_epoch && owns_only_assigned(request, current)) return {};
  return fenced("smaller", received, current.epoch);
}

// The usual heartbeat, for which nothing is copied.
bool says_nothing_new(const MemberMetadata& metadata, const GroupCaller& caller,
                      const Heartbeat& request) {
  return !request.subscribed_topic_names && !request.subscribed_topic_regex &&
         !request.server_assignor && !request.rack_id && request.rebalance_timeout_ms == -1 &&
         (!request.instance_id || request.instance_id == metadata.instance_id) &&
         metadata.client_id == caller.client_id && metadata.client_host == caller.client_host &&
         !metadata.classic;
}

std::size_t stored_bytes(const MemberMetadata& metadata) {
  std::size_t bytes = metadata.topic_regex.size() + metadata.client_id.size() +
                      metadata.instance_id.value_or("").size() +
                      metadata.rack_id.value_or("").size();
  for (const auto& topic : metadata.topic_names) bytes += topic.size() + sizeof(std::int32_t);
  if (metadata.classic) {
    for (const auto& one : metadata.classic->supported_protocols) {
      bytes += one.name.size() + one.metadata.size();
    }
  }
  return bytes;
}

MemberMetadata updated(MemberMetadata metadata, const GroupCaller& caller,
                       const Heartbeat& request) {
  if (request.instance_id) metadata.instance_id = request.instance_id;
  if (request.rack_id) metadata.rack_id = request.rack_id;
  if (request.rebalance_timeout_ms != -1) {
    metadata.rebalance_timeout_ms = request.rebalance_timeout_ms;
  }
  if (request.server_assignor) metadata.server_assignor = request.server_assignor;
  if (request.subscribed_topic_names) {
    metadata.topic_names = *request.subscribed_topic_names;
    std::ranges::sort(metadata.topic_names);
    const auto repeated = std::ranges::unique(metadata.topic_names);
    metadata.topic_names.erase(repeated.begin(), repeated.end());
  }
  if (request.subscribed_topic_regex) metadata.topic_regex = *request.subscribed_topic_regex;
  metadata.client_id = caller.client_id;
  metadata.client_host = caller.client_host;
  metadata.classic.reset();
  return metadata;
}

Response::Assignment assignment_of(const CurrentAssignment& current) {
  Response::Assignment assignment;
  for (const auto& topic : partitions_of(current.assigned)) {
    auto& into = assignment.topic_partitions.emplace_back();
    into.topic_id = topic.topic;
    into.partitions = topic.partitions;
  }
  return assignment;
}

}  // namespace

Result<> check_heartbeat(const Heartbeat& request, std::int16_t api_version,
                         std::span<const std::string> assignors) {
  const std::int32_t epoch = request.member_epoch;
  const bool needs_id =
      api_version >= client_chooses_id_version || epoch > 0 || epoch == leaving_epoch;
  if (needs_id && is_blank(request.member_id)) return invalid("MemberId can't be empty.");
  if (is_blank(request.group_id)) return invalid("GroupId can't be empty.");
  if (request.instance_id && is_blank(*request.instance_id)) {
    return invalid("InstanceId can't be empty.");
  }
  if (request.rack_id && is_blank(*request.rack_id)) return invalid("RackId can't be empty.");
  if (epoch == joining_epoch) {
    if (request.rebalance_timeout_ms == -1) {
      return invalid("RebalanceTimeoutMs must be provided in first request.");
    }
    if (!request.topic_partitions || !request.topic_partitions->empty()) {
      return invalid("TopicPartitions must be empty when (re-)joining.");
    }
    // Empty ones are fine: a member without topics is a member.
    if (!request.subscribed_topic_names && !request.subscribed_topic_regex) {
      return invalid(
          "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when "
          "(re-)joining.");
    }
  } else if (epoch == static_leaving_epoch) {
    if (is_blank(request.member_id)) return invalid("MemberId can't be empty.");
    if (!request.instance_id) return invalid("InstanceId can't be null.");
  } else if (epoch < static_leaving_epoch) {
    return invalid(
        fmt::format("MemberEpoch is {}, but must be greater than or equal to -2.", epoch));
  }
  if (!request.server_assignor) return {};
  std::string supported;
  for (const auto& configured : assignors) {
    if (assignor_name(configured) == *request.server_assignor) return {};
    supported += (supported.empty() ? "" : ", ") + std::string(assignor_name(configured));
  }
  return fail(ErrorCode::unsupported_assignor,
              fmt::format("ServerAssignor {} is not supported. Supported assignors: {}.",
                          *request.server_assignor, supported));
}

void ConsumerGroups::heartbeat(Turn& turn, const GroupCaller& caller, Heartbeat request,
                               const MayDescribe& may_describe, Reply<Response> reply) {
  const bool leaves =
      request.member_epoch == leaving_epoch || request.member_epoch == static_leaving_epoch;
  turn.answer<Response>(std::move(reply),
                        leaves ? leave(turn, request) : beat(turn, caller, request, may_describe));
}

std::string ConsumerGroups::new_member_id() {
  while (true) {
    constexpr std::uint64_t version_bits = 0xF000;
    constexpr std::uint64_t variant_bits = 0xC000'0000'0000'0000;
    const std::uint64_t high = (surroundings_.random() & ~version_bits) | 0x4000;
    const std::uint64_t low = (surroundings_.random() & ~variant_bits) | 0x8000'0000'0000'0000;
    std::string text = Uuid::of_halves(high, low).to_string();
    // Kafka's ids never look like an option of a command.
    if (!text.starts_with('-')) return text;
  }
}

Result<> ConsumerGroups::check_room(std::size_t members) const {
  const auto most = static_cast<std::size_t>(surroundings_.settings.consumer_max_size);
  if (members < most) return {};
  return fail(
      ErrorCode::group_max_size_reached,
      fmt::format("The consumer group has reached its maximum capacity of {} members.", most));
}

// The group that exists or is made of a classic one; null for one that the first record makes.
// Whatever is refused is refused before a classic group is given up.
Result<ConsumerGroup*> ConsumerGroups::group_for(Turn& turn, const Heartbeat& request,
                                                 const std::string& member_id) {
  Group* const existing = groups_.find(request.group_id);
  const bool joins = request.member_epoch == joining_epoch;
  if (existing == nullptr) {
    if (joins) return nullptr;
    return fail(ErrorCode::group_id_not_found,
                fmt::format("Consumer group {} not found.", request.group_id));
  }
  if (auto* const group = dynamic_cast<ConsumerGroup*>(existing)) {
    if (group->member(member_id) == nullptr) ARUS_TRY(check_room(group->members().size()));
    return group;
  }
  auto* const classic = dynamic_cast<ClassicGroup*>(existing);
  if (classic == nullptr || !joins) {
    return fail(ErrorCode::group_id_not_found,
                fmt::format("Group {} is not a consumer group.", request.group_id));
  }
  if (request.subscribed_topic_regex && !request.subscribed_topic_regex->empty()) {
    ARUS_TRY(check_regex(*request.subscribed_topic_regex));
  }
  if (classic->state() == ClassicState::empty) {
    classic->append_tombstones(turn);
    // A group that was never anything but a place for offsets has no record to delete.
    if (groups_.find(request.group_id) != nullptr) groups_.erase(request.group_id);
    return nullptr;
  }
  ARUS_TRY(check_upgrade(*classic));
  if (classic->member(member_id) == nullptr) {
    ARUS_TRY(check_room(classic->members().size()));
  }
  return upgrade(turn, *classic);
}

Result<ConsumerMember*> ConsumerGroups::find_static(const ConsumerGroup& group,
                                                    const std::string& instance_id,
                                                    const std::string& member_id) const {
  ConsumerMember* const member = group.static_member(instance_id);
  if (member == nullptr) {
    return fail(ErrorCode::unknown_member_id,
                fmt::format("Instance id {} is unknown.", instance_id));
  }
  if (member->id() != member_id) {
    return fail(ErrorCode::fenced_instance_id,
                fmt::format("Static member {} with instance id {} was fenced by member {}.",
                            member_id, instance_id, member->id()));
  }
  return member;
}

Result<ConsumerGroups::Found> ConsumerGroups::find_member(const ConsumerGroup& group,
                                                          const Heartbeat& request,
                                                          const std::string& member_id) const {
  const bool joins = request.member_epoch == joining_epoch;
  if (!request.instance_id) {
    ConsumerMember* const member = group.member(member_id);
    if (member == nullptr && !joins) return std::unexpected(group.known_member(member_id).error());
    if (member != nullptr) ARUS_TRY(check_epoch(*member, request));
    return Found{.member = member};
  }
  if (joins) {
    ConsumerMember* const existing = group.static_member(*request.instance_id);
    if (existing == nullptr) return Found{.member = group.member(member_id)};
    // Of two members that speak this protocol the new one waits until the old one has left.
    if (!existing->uses_classic_protocol() && existing->current().epoch != static_leaving_epoch) {
      return fail(ErrorCode::unreleased_instance_id,
                  fmt::format("Static member {} with instance id {} cannot join the group because "
                              "the instance id is owned by {} member.",
                              member_id, *request.instance_id, existing->id()));
    }
    return Found{.replaced = existing};
  }
  const auto member = find_static(group, *request.instance_id, member_id);
  if (!member) return std::unexpected(member.error());
  ARUS_TRY(check_epoch(**member, request));
  return Found{.member = *member};
}

// Null for a group that is to be made.
Result<> ConsumerGroups::check_metadata(const ConsumerGroup* group, const MemberMetadata& before,
                                        const MemberMetadata& after) const {
  if (stored_bytes(after) > max_member_bytes) {
    return fail(ErrorCode::unknown_server_error,
                fmt::format("What a member says about itself must not be larger than {} bytes.",
                            max_member_bytes));
  }
  if (after.topic_regex == before.topic_regex || after.topic_regex.empty()) return {};
  if (group != nullptr && group->subscribers_of_regex(after.topic_regex) > 0) return {};
  return check_regex(after.topic_regex);
}

Result<Response> ConsumerGroups::beat(Turn& turn, const GroupCaller& caller,
                                      const Heartbeat& request, const MayDescribe& may_describe) {
  const std::string id = request.member_id.empty() ? new_member_id() : request.member_id;
  const auto existing = group_for(turn, request, id);
  if (!existing) return std::unexpected(existing.error());
  Found found;
  if (*existing != nullptr) {
    auto searched = find_member(**existing, request, id);
    if (!searched) return std::unexpected(searched.error());
    found = *searched;
  }
  std::optional<PartitionSet> reported;
  if (request.topic_partitions) reported = reported_partitions(*request.topic_partitions);
  const ConsumerMember* const known = found.member != nullptr ? found.member : found.replaced;
  if (known != nullptr && known->current().state == MemberState::unknown &&
      (!reported || !reported->empty())) {
    return fail(ErrorCode::fenced_member_epoch,
                "The consumer group member is in a unknown state. The member must abandon all its "
                "partitions and rejoin.");
  }
  MemberMetadata before;
  MemberMetadata after;
  const bool changes =
      found.member == nullptr || !says_nothing_new(found.member->metadata(), caller, request);
  if (changes) {
    if (known != nullptr) before = known->metadata();
    after = updated(before, caller, request);
    ARUS_TRY(check_metadata(*existing, before, after));
  }

  // Nothing is refused from here on.
  if (found.replaced != nullptr) {
    found.member = &replace_member(turn, **existing, *found.replaced, id);
  }
  if (changes) store_metadata(turn, request.group_id, found.member, id, after);
  ConsumerGroup& group = *groups_.find_as<ConsumerGroup>(request.group_id);
  ConsumerMember& member = *group.member(id);
  const SubscriptionChange change = update_subscription(
      turn, group, changes ? before : member.metadata(), member.metadata(), may_describe);
  update_epoch(turn, group, change);
  update_target(turn, group);
  const bool moved =
      reconcile_member(turn, member, change.changed, reported ? &*reported : nullptr);
  arm_session(turn, member);

  Response response;
  response.member_id = id;
  response.member_epoch = member.current().epoch;
  response.heartbeat_interval_ms = next_heartbeat_ms(turn, group);
  const bool is_full = request.rebalance_timeout_ms != -1 && request.topic_partitions &&
                       (request.subscribed_topic_names || request.subscribed_topic_regex);
  if (request.member_epoch == joining_epoch || is_full || moved) {
    response.assignment = assignment_of(member.current());
  }
  return response;
}

Result<Response> ConsumerGroups::leave(Turn& turn, const Heartbeat& request) {
  auto* const group = groups_.find_as<ConsumerGroup>(request.group_id);
  if (group == nullptr) {
    return fail(ErrorCode::group_id_not_found,
                groups_.find(request.group_id) == nullptr
                    ? fmt::format("Group {} not found.", request.group_id)
                    : fmt::format("Group {} is not a consumer group.", request.group_id));
  }
  Response response;
  response.member_id = request.member_id;
  response.member_epoch = request.member_epoch;
  if (!request.instance_id) {
    const auto member = group->known_member(request.member_id);
    if (!member) return std::unexpected(member.error());
    fence(turn, *group, {*member});
    return response;
  }
  const auto found = find_static(*group, *request.instance_id, request.member_id);
  if (!found) return std::unexpected(found.error());
  ConsumerMember& member = **found;
  if (request.member_epoch == leaving_epoch) {
    fence(turn, *group, {&member});
    return response;
  }
  // Its place and its partitions wait for the instance to come back, for as long as its session.
  CurrentAssignment current = member.current();
  current.epoch = static_leaving_epoch;
  current.pending_revocation.clear();
  turn.append(consumer_records::current(group->id(), member.id(), current));
  return response;
}

}  // namespace arus::coordinator
