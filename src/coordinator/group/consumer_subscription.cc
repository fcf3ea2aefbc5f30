// What follows when a member of a consumer group changes, comes or goes: expressions, epochs,
// targets, and the member's next step.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "coordinator/group/assignors/assignor.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/consumer_group_records.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/reconciliation.h"
#include "coordinator/group/target_assignment.h"
#include "coordinator/group/topic_regex.h"

namespace arus::coordinator {
namespace {

const LogComponent subscription_log("coordinator.group");

// All expressions of a group are matched again together, at most this often.
constexpr std::int64_t min_resolve_interval_ms = 10'000;

void append_member_tombstones(Turn& turn, const std::string& group, const std::string& member) {
  turn.append(consumer_records::current_tombstone(group, member));
  turn.append(consumer_records::target_tombstone(group, member));
  turn.append(consumer_records::member_tombstone(group, member));
}

}  // namespace

ConsumerMember& ConsumerGroups::replace_member(Turn& turn, ConsumerGroup& group,
                                               const ConsumerMember& old,
                                               const std::string& new_id) {
  const auto group_id = std::string(group.id());
  // Of a member that is gone once its tombstones are there.
  const auto old_id = std::string(old.id());
  const auto metadata = MemberMetadata(old.metadata());
  CurrentAssignment current = old.current();
  current.epoch = joining_epoch;
  current.previous_epoch = joining_epoch;
  const auto target = PartitionSet(group.target_of(old_id));
  append_member_tombstones(turn, group_id, old_id);
  turn.append(consumer_records::member(group_id, new_id, metadata));
  turn.append(consumer_records::target(group_id, new_id, target));
  turn.append(consumer_records::current(group_id, new_id, current));
  return *group.member(new_id);
}

void ConsumerGroups::store_metadata(Turn& turn, const std::string& group,
                                    const ConsumerMember* member, const std::string& member_id,
                                    const MemberMetadata& metadata) {
  if (member == nullptr || member->metadata() != metadata) {
    turn.append(consumer_records::member(group, member_id, metadata));
  }
}

ConsumerGroups::SubscriptionChange ConsumerGroups::update_subscription(
    Turn& turn, ConsumerGroup& group, const MemberMetadata& before, const MemberMetadata& after,
    const MayDescribe& may_describe) {
  SubscriptionChange change;
  const bool names_changed = before.topic_names != after.topic_names;
  const bool regex_changed = before.topic_regex != after.topic_regex;
  change.changed = names_changed || regex_changed;
  change.bumps_epoch = names_changed;
  bool has_new_regex = false;
  if (regex_changed) {
    if (!before.topic_regex.empty() && group.subscribers_of_regex(before.topic_regex) == 0) {
      turn.append(consumer_records::regex_tombstone(group.id(), before.topic_regex));
    }
    if (after.topic_regex.empty()) {
      change.bumps_epoch = true;
    } else if (group.subscribers_of_regex(after.topic_regex) == 1) {
      has_new_regex = true;
    } else if (group.resolved_regexes().contains(after.topic_regex)) {
      change.bumps_epoch = true;
    }
  }
  if (may_describe && must_resolve(turn, group, has_new_regex)) {
    change.resolved = true;
    change.bumps_epoch = resolve_regexes(turn, group, may_describe) || change.bumps_epoch;
  }
  return change;
}

bool ConsumerGroups::must_resolve(const Turn& turn, const ConsumerGroup& group,
                                  bool has_new_regex) const {
  if (group.regex_subscribers().empty()) return false;
  std::int64_t last_ms = -1;
  std::int64_t last_version = -1;
  for (const auto& [regex, resolved] : group.resolved_regexes()) {
    last_ms = std::max(last_ms, resolved.timestamp_ms);
    last_version = std::max(last_version, resolved.version);
  }
  if (last_ms >= 0 && turn.wall_ms() <= last_ms + min_resolve_interval_ms) return false;
  return has_new_regex || group.regex_subscribers().size() != group.resolved_regexes().size() ||
         last_version < topics_version_ ||
         turn.wall_ms() > last_ms + surroundings_.settings.consumer_regex_refresh_interval_ms;
}

bool ConsumerGroups::resolve_regexes(Turn& turn, ConsumerGroup& group,
                                     const MayDescribe& may_describe) {
  const auto& image = *surroundings_.image;
  std::vector<std::string> regexes;
  for (const auto& [regex, subscribers] : group.regex_subscribers()) regexes.push_back(regex);
  bool changed = false;
  for (const auto& regex : regexes) {
    const auto before = group.resolved_regexes().find(regex);
    ResolvedRegex resolved{.topics = matching_topics(regex, image, may_describe),
                           .version = image.offset.value(),
                           .timestamp_ms = turn.wall_ms()};
    changed = changed ||
              (before == group.resolved_regexes().end() ? !resolved.topics.empty()
                                                        : before->second.topics != resolved.topics);
    turn.append(consumer_records::regex(group.id(), regex, resolved));
  }
  return changed;
}

void ConsumerGroups::update_epoch(Turn& turn, ConsumerGroup& group,
                                  const SubscriptionChange& change) {
  if (!change.bumps_epoch && !change.resolved && !group.metadata_expired) return;
  const std::int64_t hash =
      metadata_hash(group.subscribed_topics(), *surroundings_.image, topic_hashes_);
  if (change.bumps_epoch || group.epoch() == 0 || hash != group.metadata_hash()) {
    turn.append(consumer_records::epoch(group.id(), group.epoch() + 1, hash));
  }
  group.metadata_expired = false;
  if (group.has_partition_metadata_record()) {
    turn.append(consumer_records::partition_metadata_tombstone(group.id()));
  }
}

void ConsumerGroups::update_target(Turn& turn, ConsumerGroup& group) {
  if (group.epoch() <= group.assignment_epoch()) return;
  // Many members that come at one time are assigned together.
  const std::int64_t last_ms = group.assignment_timestamp_ms();
  const std::int64_t next_ms = last_ms + assignment_interval_ms(group.id());
  if (last_ms > 0 && turn.wall_ms() >= last_ms && turn.wall_ms() < next_ms) return;
  Assignor assignor = find_assignor(group.preferred_assignor().value_or(default_assignor()));
  if (assignor == nullptr) assignor = find_assignor(default_assignor());
  if (assignor == nullptr) assignor = assign_uniformly;
  for (const auto& [id, target] : changed_targets(group, *surroundings_.image, assignor)) {
    turn.append(consumer_records::target(group.id(), id, target));
  }
  turn.append(consumer_records::target_epoch(group.id(), group.epoch(), turn.wall_ms()));
}

bool ConsumerGroups::reconcile_member(Turn& turn, ConsumerMember& member, bool subscription_changed,
                                      const PartitionSet* reported) {
  ConsumerGroup& group = member.group();
  if (!subscription_changed && member.current().reconciled_to(group.assignment_epoch())) {
    return false;
  }
  const auto& image = *surroundings_.image;
  const MemberMetadata& metadata = member.metadata();
  const auto regex = group.resolved_regexes().find(metadata.topic_regex);
  CurrentAssignment next =
      reconcile({.current = member.current(),
                 .target_epoch = group.assignment_epoch(),
                 .target = group.target_of(member.id()),
                 .reported = reported,
                 .subscription_changed = subscription_changed,
                 .is_subscribed =
                     [&](const Uuid& topic) {
                       const auto* const name = image.topic_names.find(topic);
                       if (name == nullptr) return false;
                       return std::ranges::binary_search(metadata.topic_names, *name) ||
                              (regex != group.resolved_regexes().end() &&
                               std::ranges::binary_search(regex->second.topics, *name));
                     },
                 .is_owned_by_other =
                     [&](const Uuid& topic, std::int32_t partition) {
                       const ConsumerMember* const owner = group.owner(topic, partition);
                       return owner != nullptr && owner != &member;
                     }});
  if (next == member.current()) return false;
  const bool moved = next.assigned != member.current().assigned;
  turn.append(consumer_records::current(group.id(), member.id(), next));
  // Classic members have deadlines for joining and for syncing instead.
  if (member.uses_classic_protocol()) return moved;
  if (next.state == MemberState::unrevoked_partitions) {
    member.rebalance_epoch = next.epoch;
    arm(turn, member.rebalance(), metadata.rebalance_timeout_ms);
  } else {
    timers_.disarm(member.rebalance());
  }
  return moved;
}

void ConsumerGroups::fence(Turn& turn, ConsumerGroup& group,
                           std::vector<const ConsumerMember*> members) {
  if (members.empty()) return;
  const std::string group_id = group.id();
  std::vector<std::string> ids;
  std::vector<std::string> regexes;
  for (const auto* const member : members) {
    ids.push_back(member->id());
    if (!member->metadata().topic_regex.empty()) regexes.push_back(member->metadata().topic_regex);
  }
  std::ranges::sort(regexes);
  const auto repeated = std::ranges::unique(regexes);
  regexes.erase(repeated.begin(), repeated.end());

  for (const auto& id : ids) append_member_tombstones(turn, group_id, id);
  for (const auto& regex : regexes) {
    if (group.subscribers_of_regex(regex) == 0) {
      turn.append(consumer_records::regex_tombstone(group_id, regex));
    }
  }
  if (group.has_members() && group.classic_members() == group.members().size() &&
      may_downgrade(group, group.members().size())) {
    downgrade(turn, group, "its last member of the consumer protocol has left");
    return;
  }
  const std::int64_t hash =
      metadata_hash(group.subscribed_topics(), *surroundings_.image, topic_hashes_);
  turn.append(consumer_records::epoch(group_id, group.epoch() + 1, hash));
  subscription_log.debug("Group {} is in epoch {} without {} of its members", group_id,
                         group.epoch(), ids.size());
}

}  // namespace arus::coordinator
