// The classic protocol spoken to a consumer group, and groups that change their protocol while
// their members run (KIP-848).
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "coordinator/group/classic_group.h"
#include "coordinator/group/classic_groups.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/consumer_group_records.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/consumer_protocol.h"

namespace arus::coordinator {
namespace {

using JoinRequest = protocol::JoinGroupRequest;
using JoinResponse = protocol::JoinGroupResponse;
using SyncRequest = protocol::SyncGroupRequest;
using SyncResponse = protocol::SyncGroupResponse;
using LeaveRequest = protocol::LeaveGroupRequest;
using LeaveResponse = protocol::LeaveGroupResponse;

const LogComponent consumer_migration_log("coordinator.group");

// From here on a new dynamic member gets its id first, and joins with it.
constexpr std::int16_t id_first_version = 4;

const std::string& first_protocol(const MemberMetadata::Classic& classic) {
  static const std::string none;
  return classic.supported_protocols.empty() ? none : classic.supported_protocols.front().name;
}

template <class Protocols>
MemberMetadata::Classic classic_of(std::int32_t session_timeout_ms, const Protocols& protocols) {
  MemberMetadata::Classic classic;
  classic.session_timeout_ms = session_timeout_ms;
  for (const auto& one : protocols) {
    auto& into = classic.supported_protocols.emplace_back();
    into.name = one.name;
    into.metadata = one.metadata;
  }
  return classic;
}

MemberMetadata joined_metadata(MemberMetadata metadata, const GroupCaller& caller,
                               const JoinRequest& request,
                               const protocol::ConsumerProtocolSubscription& subscription) {
  if (request.group_instance_id) metadata.instance_id = request.group_instance_id;
  if (subscription.rack_id && !subscription.rack_id->empty()) {
    metadata.rack_id = subscription.rack_id;
  }
  if (request.rebalance_timeout_ms != -1) {
    metadata.rebalance_timeout_ms = request.rebalance_timeout_ms;
  }
  metadata.topic_names = subscription.topics;
  std::ranges::sort(metadata.topic_names);
  const auto repeated = std::ranges::unique(metadata.topic_names);
  metadata.topic_names.erase(repeated.begin(), repeated.end());
  // The classic protocol has no expressions.
  metadata.topic_regex.clear();
  metadata.client_id = caller.client_id;
  metadata.client_host = caller.client_host;
  metadata.classic = classic_of(request.session_timeout_ms, request.protocols);
  return metadata;
}

// Whether the classic members have one of these protocols in common.
bool supports(const ConsumerGroup& group, const JoinRequest& request) {
  if (request.protocol_type != consumer_protocol_type || request.protocols.empty()) return false;
  return std::ranges::any_of(request.protocols, [&](const auto& offered) {
    return std::ranges::all_of(group.members(), [&](const auto& one) {
      const auto& classic = one.second->metadata().classic;
      return !classic || std::ranges::any_of(classic->supported_protocols, [&](const auto& known) {
        return known.name == offered.name;
      });
    });
  });
}

}  // namespace

// Upgrade.

Result<> ConsumerGroups::check_upgrade(const ClassicGroup& group) const {
  const MigrationPolicy policy = surroundings_.settings.migration_policy;
  const char* why = nullptr;
  if (policy != MigrationPolicy::upgrade && policy != MigrationPolicy::bidirectional) {
    why = "online upgrade is disabled";
  } else if (!group.uses_consumer_protocol()) {
    why = "the group does not use the consumer embedded protocol";
  } else if (group.members().size() >
             static_cast<std::size_t>(surroundings_.settings.consumer_max_size)) {
    why = "the group size exceeds the consumer group maximum size";
  }
  if (why == nullptr) return {};
  return fail(ErrorCode::group_id_not_found,
              fmt::format("Cannot upgrade classic group {} to consumer group because {}.",
                          group.id(), why));
}

namespace {

// A classic member as one of a consumer group that is in the same epoch.
Result<ConsumerMemberParts> converted(const ClassicMember& member, const ClassicGroup& group,
                                      const metadata::MetadataImage& image) {
  const auto refused = [&](const char* why) {
    return fail(ErrorCode::group_id_not_found,
                fmt::format("Cannot upgrade classic group {} to consumer group because {}",
                            group.id(), why));
  };
  if (member.protocols().empty()) return refused("the embedded consumer protocol is malformed.");
  const std::string& protocol = group.protocol_name().value_or(member.protocols().front().name);
  const auto subscription = read_subscription(member.metadata(protocol).view());
  const auto assignment = read_assignment(member.assignment().view());
  if (!subscription || !assignment) {
    return refused("the embedded consumer protocol is malformed.");
  }
  if (assignment->user_data && !assignment->user_data->empty()) {
    return refused(
        "an unsupported custom assignor is in use. Please refer to the documentation or switch to "
        "a default assignor before re-attempting the upgrade.");
  }
  ConsumerMemberParts parts;
  parts.id = member.id();
  MemberMetadata& metadata = parts.metadata;
  metadata.instance_id = member.instance_id();
  if (subscription->rack_id && !subscription->rack_id->empty()) {
    metadata.rack_id = subscription->rack_id;
  }
  metadata.client_id = member.client_id();
  metadata.client_host = member.client_host();
  metadata.topic_names = subscription->topics;
  std::ranges::sort(metadata.topic_names);
  metadata.rebalance_timeout_ms = member.rebalance_timeout_ms();
  metadata.classic = classic_of(member.session_timeout_ms(), member.protocols());
  parts.current.epoch = group.generation();
  parts.current.previous_epoch = group.generation();
  for (const auto& topic : by_id(assignment->assigned_partitions, image)) {
    auto& into = parts.current.assigned.emplace_back(OwnedTopic{topic.topic, {}}).partitions;
    for (const auto partition : topic.partitions) into.push_back({partition, group.generation()});
  }
  return parts;
}

}  // namespace

Result<ConsumerGroup*> ConsumerGroups::upgrade(Turn& turn, ClassicGroup& group) {
  namespace records = consumer_records;
  std::vector<ConsumerMemberParts> members;
  for (const auto& [id, member] : group.members()) {
    auto parts = converted(*member, group, *surroundings_.image);
    if (!parts) {
      consumer_migration_log.warning("{}", parts.error().message);
      return std::unexpected(std::move(parts).error());
    }
    members.push_back(std::move(*parts));
  }
  const std::string id = group.id();
  const std::int32_t generation = group.generation();
  // Whoever waits joins again, and then it is this group that it joins.
  group.answer_waiting(turn, ErrorCode::rebalance_in_progress);
  group.append_tombstones(turn);

  for (const auto& member : members) {
    turn.append(records::member(id, member.id, member.metadata));
  }
  auto& made = *groups_.find_as<ConsumerGroup>(id);
  turn.append(records::epoch(
      id, generation,
      coordinator::metadata_hash(made.subscribed_topics(), *surroundings_.image, topic_hashes_)));
  for (const auto& member : members) {
    turn.append(records::target(id, member.id, partitions_of(member.current.assigned)));
  }
  turn.append(records::target_epoch(id, generation, 0));
  for (const auto& member : members) {
    turn.append(records::current(id, member.id, member.current));
    arm_session(turn, *made.member(member.id));
  }
  consumer_migration_log.info("Classic group {} is a consumer group from now on", id);
  return &made;
}

// Downgrade.

bool ConsumerGroups::may_downgrade(const ConsumerGroup& group, std::size_t members) const {
  const MigrationPolicy policy = surroundings_.settings.migration_policy;
  if (policy != MigrationPolicy::downgrade && policy != MigrationPolicy::bidirectional) {
    consumer_migration_log.info("Group {} stays a consumer group: downgrades are disabled",
                                group.id());
    return false;
  }
  if (members > static_cast<std::size_t>(surroundings_.settings.max_size)) {
    consumer_migration_log.info(
        "Group {} stays a consumer group: it is too large for a classic one", group.id());
    return false;
  }
  return true;
}

void ConsumerGroups::downgrade(Turn& turn, ConsumerGroup& group, std::string_view why) {
  const auto id = std::string(group.id());
  ClassicGroupParts parts;
  parts.generation = group.epoch();
  parts.protocol_type = consumer_protocol_type;
  parts.state_since_ms = turn.wall_ms();
  for (const auto& [member_id, member] : group.members()) {
    const MemberMetadata& metadata = member->metadata();
    ClassicMemberParts into;
    into.member_id = member_id;
    into.instance_id = metadata.instance_id;
    into.client_id = metadata.client_id;
    into.client_host = metadata.client_host;
    into.rebalance_timeout_ms = metadata.rebalance_timeout_ms;
    into.session_timeout_ms = metadata.classic->session_timeout_ms;
    for (const auto& one : metadata.classic->supported_protocols) {
      into.protocols.push_back({one.name, own_copy(one.metadata.view())});
    }
    const std::int16_t version =
        into.protocols.empty() ? 0 : protocol_version_of(into.protocols.front().metadata.view());
    into.assignment = write_assignment(group.target_of(member_id), *surroundings_.image, version);
    parts.members.push_back(std::move(into));
  }
  group.append_tombstones(turn);
  classic_.take_over(turn, std::make_unique<ClassicGroup>(id, std::move(parts)), why);
  consumer_migration_log.info("Consumer group {} is a classic group from now on: {}", id, why);
}

// Requests of classic members.

void ConsumerGroups::classic_join(Turn& turn, const GroupCaller& caller, JoinRequest request,
                                  Reply<JoinResponse> reply) {
  const std::string asked_as = request.member_id;
  auto answer = join_classic(turn, caller, request);
  if (!answer) {
    JoinResponse refused;
    refused.error_code = answer.error().code;
    refused.member_id = asked_as;
    turn.answer<JoinResponse>(std::move(reply), std::move(refused));
    return;
  }
  // It has replaced the last member of the consumer protocol, and joins what came of the group.
  if (groups_.find_as<ClassicGroup>(request.group_id) != nullptr) {
    request.member_id = answer->member_id;
    classic_.join(turn, caller, std::move(request), std::move(reply));
    return;
  }
  turn.answer<JoinResponse>(std::move(reply), std::move(*answer));
}

Result<JoinResponse> ConsumerGroups::join_classic(Turn& turn, const GroupCaller& caller,
                                                  const JoinRequest& request) {
  const GroupSettings& settings = surroundings_.settings;
  if (request.session_timeout_ms < settings.min_session_timeout_ms ||
      request.session_timeout_ms > settings.max_session_timeout_ms) {
    return fail(ErrorCode::invalid_session_timeout);
  }
  auto& group = *groups_.find_as<ConsumerGroup>(request.group_id);
  const bool is_new = request.member_id.empty();
  const std::string id = is_new ? new_member_id() : request.member_id;
  if (group.member(id) == nullptr) ARUS_TRY(check_room(group.members().size()));
  if (!supports(group, request)) return fail(ErrorCode::inconsistent_group_protocol);
  JoinResponse response;
  response.member_id = id;
  if (is_new && !request.group_instance_id && caller.api_version >= id_first_version) {
    response.error_code = ErrorCode::member_id_required;
    return response;
  }
  const auto subscription = read_subscription(request.protocols.front().metadata.view());
  if (!subscription) return fail(ErrorCode::unknown_server_error, subscription.error().message);

  ConsumerMember* member = group.member(id);
  ConsumerMember* replaced = nullptr;
  bool downgrades = false;
  if (request.group_instance_id) {
    ConsumerMember* const existing = group.static_member(*request.group_instance_id);
    downgrades = existing != nullptr && !existing->uses_classic_protocol() &&
                 group.all_classic_but(existing) && may_downgrade(group, group.members().size());
    if (is_new) {
      replaced = existing;
    } else {
      const auto found = find_static(group, *request.group_instance_id, id);
      if (!found) return std::unexpected(found.error());
      member = *found;
    }
  }

  const ConsumerMember* const known = replaced != nullptr ? replaced : member;
  const MemberMetadata before = known == nullptr ? MemberMetadata{} : known->metadata();
  const MemberMetadata after = joined_metadata(before, caller, request, *subscription);
  ARUS_TRY(check_metadata(&group, before, after));

  if (replaced != nullptr) member = &replace_member(turn, group, *replaced, id);
  store_metadata(turn, request.group_id, member, id, after);
  ConsumerMember& joined = *group.member(id);
  SubscriptionChange change = update_subscription(turn, group, before, after, {});
  change.bumps_epoch = change.changed;
  update_epoch(turn, group, change);
  if (downgrades) {
    downgrade(turn, group, "its last member of the consumer protocol was replaced");
    return response;
  }
  update_target(turn, group);
  const PartitionSet owned = by_id(subscription->owned_partitions, *surroundings_.image);
  reconcile_member(turn, joined, change.changed, &owned);
  timers_.disarm(joined.rebalance());
  arm_session(turn, joined);
  arm(turn, joined.sync(), after.rebalance_timeout_ms);

  response.generation_id = joined.current().epoch;
  response.protocol_type = std::string(consumer_protocol_type);
  response.protocol_name = first_protocol(*after.classic);
  return response;
}

Result<ConsumerMember*> ConsumerGroups::find_classic(
    const ConsumerGroup& group, const std::string& member_id,
    const std::optional<std::string>& instance_id) const {
  auto member =
      instance_id ? find_static(group, *instance_id, member_id) : group.known_member(member_id);
  if (!member) return member;
  if (!(*member)->uses_classic_protocol()) {
    return fail(ErrorCode::unknown_member_id,
                fmt::format("Member {} does not use the classic protocol.", (*member)->id()));
  }
  return member;
}

void ConsumerGroups::arm_join_if_absent(Turn& turn, ConsumerMember& member) {
  if (!member.rebalance().armed()) {
    arm(turn, member.rebalance(), member.metadata().rebalance_timeout_ms);
  }
}

void ConsumerGroups::classic_sync(Turn& turn, const GroupCaller& caller, SyncRequest request,
                                  Reply<SyncResponse> reply) {
  static_cast<void>(caller);
  auto answer = sync_classic(turn, request);
  if (answer) {
    turn.answer<SyncResponse>(std::move(reply), std::move(*answer));
    return;
  }
  SyncResponse refused;
  refused.error_code = answer.error().code;
  turn.answer<SyncResponse>(std::move(reply), std::move(refused));
}

Result<SyncResponse> ConsumerGroups::sync_classic(Turn& turn, const SyncRequest& request) {
  const auto* const group = groups_.find_as<ConsumerGroup>(request.group_id);
  if (group == nullptr) return fail(ErrorCode::unknown_member_id);
  const auto found = find_classic(*group, request.member_id, request.group_instance_id);
  if (!found) return std::unexpected(found.error());
  ConsumerMember& member = **found;
  const CurrentAssignment& current = member.current();
  if (request.generation_id != current.epoch) return fail(ErrorCode::illegal_generation);
  const std::string& protocol = first_protocol(*member.metadata().classic);
  if ((request.protocol_type && *request.protocol_type != consumer_protocol_type) ||
      (request.protocol_name && *request.protocol_name != protocol)) {
    return fail(ErrorCode::inconsistent_group_protocol);
  }
  // A member that has to give partitions up has joined already, and joins again when it has.
  if (group->epoch() > current.epoch && current.state != MemberState::unrevoked_partitions) {
    arm_join_if_absent(turn, member);
    return fail(ErrorCode::rebalance_in_progress);
  }
  timers_.disarm(member.sync());
  arm_session(turn, member);
  SyncResponse response;
  response.protocol_type = std::string(consumer_protocol_type);
  response.protocol_name = protocol;
  const auto& protocols = member.metadata().classic->supported_protocols;
  const std::int16_t version =
      protocols.empty() ? 0 : protocol_version_of(protocols.front().metadata.view());
  response.assignment =
      write_assignment(partitions_of(current.assigned), *surroundings_.image, version);
  return response;
}

void ConsumerGroups::classic_heartbeat(Turn& turn, const protocol::HeartbeatRequest& request,
                                       Reply<protocol::HeartbeatResponse> reply) {
  const auto outcome = beat_classic(turn, request);
  protocol::HeartbeatResponse response;
  if (!outcome) response.error_code = outcome.error().code;
  turn.answer<protocol::HeartbeatResponse>(std::move(reply), std::move(response));
}

Result<> ConsumerGroups::beat_classic(Turn& turn, const protocol::HeartbeatRequest& request) {
  const auto* const group = groups_.find_as<ConsumerGroup>(request.group_id);
  if (group == nullptr) return fail(ErrorCode::unknown_member_id);
  const auto found = find_classic(*group, request.member_id, request.group_instance_id);
  if (!found) return std::unexpected(found.error());
  ConsumerMember& member = **found;
  const CurrentAssignment& current = member.current();
  if (request.generation_id != current.epoch) return fail(ErrorCode::illegal_generation);
  arm_session(turn, member);
  const auto waits_for_others = [&] {
    for (const auto& topic : group->target_of(member.id())) {
      for (const auto partition : topic.partitions) {
        const ConsumerMember* const owner = group->owner(topic.topic, partition);
        if (owner != nullptr && owner != &member) return true;
      }
    }
    return false;
  };
  // It is to join again: for a new epoch, to say that it has given partitions up, or to get what
  // others have given up.
  if (current.epoch < group->epoch() || current.state == MemberState::unrevoked_partitions ||
      (current.state == MemberState::unreleased_partitions && !waits_for_others())) {
    arm_join_if_absent(turn, member);
    return fail(ErrorCode::rebalance_in_progress);
  }
  return {};
}

void ConsumerGroups::classic_leave(Turn& turn, const GroupCaller& caller,
                                   const LeaveRequest& request, Reply<LeaveResponse> reply) {
  static_cast<void>(caller);
  auto& group = *groups_.find_as<ConsumerGroup>(request.group_id);
  LeaveResponse response;
  std::vector<const ConsumerMember*> leaving;
  for (const auto& identity : request.members) {
    auto& into = response.members.emplace_back();
    into.member_id = identity.member_id;
    into.group_instance_id = identity.group_instance_id;
    // An administrator names the instance only.
    std::string id = identity.member_id;
    if (id.empty() && identity.group_instance_id) {
      const auto* const existing = group.static_member(*identity.group_instance_id);
      if (existing != nullptr) id = existing->id();
    }
    const auto member = find_classic(group, id, identity.group_instance_id);
    if (!member) {
      into.error_code = member.error().code;
      continue;
    }
    into.member_id = (*member)->id();
    if (std::ranges::find(leaving, *member) == leaving.end()) leaving.push_back(*member);
  }
  fence(turn, group, std::move(leaving));
  turn.answer<LeaveResponse>(std::move(reply), std::move(response));
}

}  // namespace arus::coordinator
