#include "coordinator/group/consumer_groups.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/log.h"
#include "coordinator/group/assignors/assignor.h"
#include "coordinator/group/classic_group.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/consumer_group_records.h"
#include "protocol/record/consumer_group_current_member_assignment_key.h"
#include "protocol/record/consumer_group_member_metadata_key.h"
#include "protocol/record/consumer_group_metadata_key.h"
#include "protocol/record/consumer_group_metadata_value.h"
#include "protocol/record/consumer_group_partition_metadata_key.h"
#include "protocol/record/consumer_group_partition_metadata_value.h"
#include "protocol/record/consumer_group_regular_expression_key.h"
#include "protocol/record/consumer_group_regular_expression_value.h"
#include "protocol/record/consumer_group_target_assignment_member_key.h"
#include "protocol/record/consumer_group_target_assignment_metadata_key.h"
#include "protocol/record/consumer_group_target_assignment_metadata_value.h"

namespace arus::coordinator {
namespace {

using Described = protocol::ConsumerGroupDescribeResponse;

const LogComponent consumer_groups_log("coordinator.group");

constexpr std::int8_t classic_member_type = 0;
constexpr std::int8_t consumer_member_type = 1;

// After the end of a session its group knows of it, and members do not come all at once.
constexpr std::int32_t news_delay_ms = 10;
constexpr std::uint64_t news_spread_ms = 90;

// Maps of settings are looked up by strings, which are not made anew each time.
const std::string session_timeout_key = "consumer.session.timeout.ms";
const std::string heartbeat_interval_key = "consumer.heartbeat.interval.ms";
const std::string assignment_interval_key = "consumer.assignment.interval.ms";

// Topics that are gone have no name, and are left out.
Described::Assignment described(const PartitionSet& set, const metadata::MetadataImage& image) {
  Described::Assignment assignment;
  for (const auto& topic : set) {
    const auto* const name = image.topic_names.find(topic.topic);
    if (name == nullptr) continue;
    auto& into = assignment.topic_partitions.emplace_back();
    into.topic_id = topic.topic;
    into.topic_name = *name;
    into.partitions = topic.partitions;
  }
  return assignment;
}

// Calls apply(group, key, value) for a record of a group; `value` is nothing for a tombstone. A
// tombstone of a group that is not there has no effect.
template <class Key, class Value, class GroupFor, class Apply>
Result<bool> replay_record(const ReplayedRecord& record, const Groups& groups, GroupFor group_for,
                           Apply apply) {
  auto key = protocol::decode_coordinator_key<Key>(record.key);
  if (!key) return std::unexpected(std::move(key).error());
  if (!record.value) {
    if (auto* const group = groups.find_as<ConsumerGroup>(key->group_id)) {
      apply(*group, *key, std::optional<Value>{});
    }
    return true;
  }
  auto value = protocol::decode_coordinator_value<Value>(*record.value);
  if (!value) return std::unexpected(std::move(value).error());
  auto group = group_for(key->group_id);
  if (!group) return std::unexpected(std::move(group).error());
  apply(**group, *key, std::optional<Value>(std::move(*value)));
  return true;
}

}  // namespace

ConsumerGroups::ConsumerGroups(GroupSurroundings& surroundings, Groups& groups, Timers& timers,
                               ClassicGroups& classic)
    : surroundings_(surroundings), groups_(groups), timers_(timers), classic_(classic) {}

ConsumerGroups::~ConsumerGroups() = default;

Described::DescribedGroup ConsumerGroups::describe(const ConsumerGroup& group) const {
  const auto& image = *surroundings_.image;
  Described::DescribedGroup answer;
  answer.group_id = group.id();
  answer.group_state = group.state_name();
  answer.group_epoch = group.epoch();
  answer.assignment_epoch = group.assignment_epoch();
  answer.assignor_name = group.preferred_assignor().value_or(default_assignor());
  for (const auto& [id, member] : group.members()) {
    const MemberMetadata& metadata = member->metadata();
    auto& into = answer.members.emplace_back();
    into.member_id = id;
    into.instance_id = metadata.instance_id;
    into.rack_id = metadata.rack_id;
    into.member_epoch = member->current().epoch;
    into.client_id = metadata.client_id;
    into.client_host = metadata.client_host;
    into.subscribed_topic_names = metadata.topic_names;
    into.subscribed_topic_regex = metadata.topic_regex;
    into.assignment = described(partitions_of(member->current().assigned), image);
    into.target_assignment = described(group.target_of(id), image);
    into.member_type = metadata.classic ? classic_member_type : consumer_member_type;
  }
  return answer;
}

// Replay.

Result<ConsumerGroup*> ConsumerGroups::group_for_replay(const std::string& id) {
  Group* const existing = groups_.find(id);
  if (auto* const group = dynamic_cast<ConsumerGroup*>(existing)) return group;
  const auto* const classic = dynamic_cast<const ClassicGroup*>(existing);
  // A place for offsets was made when the first offset was read, and gives way.
  if (existing != nullptr && (classic == nullptr || !classic->is_simple())) {
    return fail(ErrorCode::unknown_server_error, "Group " + id + " is not a consumer group");
  }
  Group& made = groups_.put(std::make_unique<ConsumerGroup>(id, *this));
  return static_cast<ConsumerGroup*>(&made);
}

Result<bool> ConsumerGroups::replay(std::int16_t type, const ReplayedRecord& record) {
  namespace records = consumer_records;
  using namespace protocol;
  const auto group_for = [this](const std::string& id) { return group_for_replay(id); };
  switch (type) {
    case ConsumerGroupMetadataKey::record_key:
      return replay_record<ConsumerGroupMetadataKey, ConsumerGroupMetadataValue>(
          record, groups_, group_for, [this](ConsumerGroup& group, const auto& key, auto value) {
            if (value) {
              group.set_epoch(value->epoch, value->metadata_hash);
            } else {
              groups_.erase(key.group_id);
            }
          });
    case ConsumerGroupPartitionMetadataKey::record_key:
      return replay_record<ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue>(
          record, groups_, group_for, [](ConsumerGroup& group, const auto&, const auto& value) {
            group.set_has_partition_metadata(value.has_value());
          });
    case ConsumerGroupMemberMetadataKey::record_key:
      return replay_record<ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue>(
          record, groups_, group_for, [](ConsumerGroup& group, const auto& key, auto value) {
            if (value) {
              group.set_metadata(key.member_id, records::metadata_of(std::move(*value)));
            } else {
              group.erase_member(key.member_id);
            }
          });
    case ConsumerGroupTargetAssignmentMetadataKey::record_key:
      return replay_record<ConsumerGroupTargetAssignmentMetadataKey,
                           ConsumerGroupTargetAssignmentMetadataValue>(
          record, groups_, group_for, [](ConsumerGroup& group, const auto&, const auto& value) {
            group.set_assignment_epoch(value ? value->assignment_epoch : -1,
                                       value ? value->assignment_timestamp : 0);
          });
    case ConsumerGroupTargetAssignmentMemberKey::record_key:
      return replay_record<ConsumerGroupTargetAssignmentMemberKey,
                           ConsumerGroupTargetAssignmentMemberValue>(
          record, groups_, group_for, [](ConsumerGroup& group, const auto& key, const auto& value) {
            if (value) {
              group.set_target(key.member_id, records::target_of(*value));
            } else {
              group.erase_target(key.member_id);
            }
          });
    case ConsumerGroupCurrentMemberAssignmentKey::record_key:
      return replay_record<ConsumerGroupCurrentMemberAssignmentKey,
                           ConsumerGroupCurrentMemberAssignmentValue>(
          record, groups_, group_for, [](ConsumerGroup& group, const auto& key, const auto& value) {
            if (value) {
              group.set_current(key.member_id, records::current_of(*value));
            } else {
              group.erase_current(key.member_id);
            }
          });
    case ConsumerGroupRegularExpressionKey::record_key:
      return replay_record<ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue>(
          record, groups_, group_for, [](ConsumerGroup& group, const auto& key, auto value) {
            if (!value) {
              group.erase_regex(key.regular_expression);
              return;
            }
            std::ranges::sort(value->topics);
            group.set_regex(key.regular_expression, {.topics = std::move(value->topics),
                                                     .version = value->version,
                                                     .timestamp_ms = value->timestamp});
          });
    default:
      return false;
  }
}

void ConsumerGroups::loaded(Turn& turn) {
  topics_version_ = surroundings_.image->offset.value();
  std::vector<ConsumerGroup*> groups;
  groups_.for_each([&](Group& group) {
    if (group.kind() == GroupKind::consumer) groups.push_back(static_cast<ConsumerGroup*>(&group));
  });
  // Timers of one deadline fire in the order in which they were armed.
  std::ranges::sort(groups, {}, [](const ConsumerGroup* group) { return group->id(); });
  for (auto* const group : groups) {
    for (const auto& [id, member] : group->members()) {
      arm_session(turn, *member);
      if (member->uses_classic_protocol() ||
          member->current().state != MemberState::unrevoked_partitions) {
        continue;
      }
      member->rebalance_epoch = member->current().epoch;
      arm(turn, member->rebalance(), member->metadata().rebalance_timeout_ms);
    }
  }
}

void ConsumerGroups::on_image(Turn& turn, const metadata::MetadataDelta& delta) {
  static_cast<void>(turn);
  const auto& image = *surroundings_.image;
  std::set<std::string, std::less<>> changed;
  for (const auto& id : delta.created_or_changed_topics) {
    if (const auto* const name = image.topic_names.find(id)) changed.insert(*name);
  }
  if (!changed.empty()) topics_version_ = image.offset.value();
  for (const auto& topic : delta.deleted_topics) changed.insert(topic.name);
  if (changed.empty()) return;
  for (const auto& name : changed) topic_hashes_.erase(name);
  groups_.for_each([&](Group& group) {
    if (group.kind() != GroupKind::consumer) return;
    auto& consumers = static_cast<ConsumerGroup&>(group);
    if (consumers.metadata_expired) return;
    const auto subscribed = consumers.subscribed_topics();
    consumers.metadata_expired = std::ranges::any_of(
        subscribed, [&](std::string_view topic) { return changed.contains(topic); });
  });
}

// Timers.

void ConsumerMember::MemberTimer::fire(Turn& turn) {
  ConsumerGroups& decisions = member_.group().decisions();
  // The member, and this timer in it, may be gone afterwards.
  switch (kind_) {
    case Kind::session:
      return decisions.session_expired(turn, member_);
    case Kind::rebalance:
      return decisions.rebalance_expired(turn, member_);
    case Kind::sync:
      return decisions.sync_expired(turn, member_);
  }
}

void ConsumerGroups::arm(Turn& turn, Timer& timer, std::int32_t timeout_ms) {
  timers_.arm(timer, turn.now() + env::milliseconds(std::max(timeout_ms, 0)));
}

void ConsumerGroups::arm_session(Turn& turn, ConsumerMember& member) {
  const auto& classic = member.metadata().classic;
  const std::int32_t timeout_ms =
      classic ? classic->session_timeout_ms : session_timeout_ms(member.group().id());
  arm(turn, member.session(), timeout_ms);
  member.group().note_heard(member, turn.now() + env::milliseconds(timeout_ms));
}

std::int32_t ConsumerGroups::next_heartbeat_ms(const Turn& turn, const ConsumerGroup& group) const {
  const std::int32_t usual_ms = heartbeat_interval_ms(group.id());
  const ConsumerMember* const silent = group.longest_silent();
  if (silent == nullptr) return usual_ms;
  const auto left =
      std::chrono::duration_cast<env::milliseconds>(silent->session_end() - turn.now());
  const auto left_ms = std::max<std::int64_t>(left.count(), 0);
  if (left_ms >= usual_ms) return usual_ms;
  const std::int64_t silent_ms = session_timeout_ms(group.id()) - left_ms;
  if (silent_ms <= usual_ms + usual_ms / 4) return usual_ms;
  const auto apart = static_cast<std::int32_t>(surroundings_.random() % news_spread_ms);
  return static_cast<std::int32_t>(left_ms) + news_delay_ms + apart;
}

void ConsumerGroups::session_expired(Turn& turn, ConsumerMember& member) {
  consumer_groups_log.info("Member {} of group {} is removed: its session has expired", member.id(),
                           member.group().id());
  fence(turn, member.group(), {&member});
}

void ConsumerGroups::rebalance_expired(Turn& turn, ConsumerMember& member) {
  if (!member.uses_classic_protocol() &&
      (member.current().state != MemberState::unrevoked_partitions ||
       member.current().epoch != member.rebalance_epoch)) {
    return;
  }
  consumer_groups_log.info(
      "Member {} of group {} is removed: it did not {} within its rebalance timeout", member.id(),
      member.group().id(),
      member.uses_classic_protocol() ? "join again" : "give up its partitions");
  fence(turn, member.group(), {&member});
}

void ConsumerGroups::sync_expired(Turn& turn, ConsumerMember& member) {
  consumer_groups_log.info(
      "Member {} of group {} is removed: it did not ask for its assignment in time", member.id(),
      member.group().id());
  fence(turn, member.group(), {&member});
}

// Settings.

std::int32_t ConsumerGroups::group_setting(std::string_view group, const std::string& key,
                                           std::int32_t fallback, std::int32_t least,
                                           std::int32_t most) const {
  const auto& configs =
      surroundings_.image->configs({metadata::ConfigResourceType::group, std::string(group)});
  const auto found = configs.find(key);
  if (found == configs.end()) return fallback;
  std::int32_t value = 0;
  const char* const end = found->second.data() + found->second.size();
  const auto [stopped, error] = std::from_chars(found->second.data(), end, value);
  if (error != std::errc{} || stopped != end) return fallback;
  // The bounds of the broker may have moved since it was set.
  return std::max(least, std::min(value, most));
}

std::int32_t ConsumerGroups::session_timeout_ms(std::string_view group) const {
  const GroupSettings& settings = surroundings_.settings;
  return group_setting(group, session_timeout_key, settings.consumer_session_timeout_ms,
                       settings.consumer_min_session_timeout_ms,
                       settings.consumer_max_session_timeout_ms);
}

std::int32_t ConsumerGroups::heartbeat_interval_ms(std::string_view group) const {
  const GroupSettings& settings = surroundings_.settings;
  return group_setting(group, heartbeat_interval_key, settings.consumer_heartbeat_interval_ms,
                       settings.consumer_min_heartbeat_interval_ms,
                       settings.consumer_max_heartbeat_interval_ms);
}

std::int32_t ConsumerGroups::assignment_interval_ms(std::string_view group) const {
  return group_setting(group, assignment_interval_key,
                       surroundings_.settings.consumer_assignment_interval_ms, 0, INT32_MAX);
}

std::string_view ConsumerGroups::default_assignor() const {
  const auto& assignors = surroundings_.settings.consumer_assignors;
  return assignors.empty() ? "uniform" : assignor_name(assignors.front());
}

}  // namespace arus::coordinator
