#include "coordinator/group/reconciliation.h"

#include <algorithm>
#include <set>
#include <utility>

namespace arus::coordinator {
namespace {

// Whether the member still has any of them, as far as anybody knows.
bool still_owns(const ReconciliationInput& input, const OwnedPartitions& revoked) {
  if (input.reported == nullptr) return true;
  for (const auto& topic : *input.reported) {
    for (const auto partition : topic.partitions) {
      if (find_partition(revoked, topic.topic, partition) != nullptr) return true;
    }
  }
  return false;
}

CurrentAssignment moved(const ReconciliationInput& input, MemberState state, std::int32_t epoch,
                        OwnedPartitions assigned, OwnedPartitions pending) {
  return {.epoch = epoch,
          .previous_epoch = input.current.epoch,
          .state = state,
          .assigned = std::move(assigned),
          .pending_revocation = std::move(pending)};
}

// The epoch stays; only topics that the member does not subscribe to any more are taken.
CurrentAssignment without_unsubscribed(const ReconciliationInput& input) {
  const CurrentAssignment& current = input.current;
  OwnedPartitions assigned;
  OwnedPartitions pending = current.pending_revocation;
  for (const auto& topic : current.assigned) {
    (input.is_subscribed(topic.topic) ? assigned : pending).push_back(topic);
  }
  if (assigned.size() == current.assigned.size()) return current;
  pending = normalized(std::move(pending));
  if (still_owns(input, pending)) {
    return moved(input, MemberState::unrevoked_partitions, current.epoch, std::move(assigned),
                 std::move(pending));
  }
  return moved(input, current.state, current.epoch, std::move(assigned),
               current.pending_revocation);
}

// What a full step does with the partitions of all topics.
struct Sorted {
  OwnedPartitions kept;
  OwnedPartitions revoked;
  PartitionSet given;
  bool unreleased = false;
};

void sort_topic(const ReconciliationInput& input, const Uuid& topic, Sorted& sorted) {
  static const std::vector<std::int32_t> none;
  const TopicPartitions* const wanted =
      input.is_subscribed(topic) ? find_topic(input.target, topic) : nullptr;
  const auto& target = wanted == nullptr ? none : wanted->partitions;
  OwnedTopic kept{topic, {}};
  OwnedTopic revoked{topic, {}};
  TopicPartitions given{topic, {}};
  if (const OwnedTopic* const owned = find_topic(input.current.assigned, topic)) {
    for (const auto& one : owned->partitions) {
      const bool keeps = std::ranges::binary_search(target, one.partition);
      (keeps ? kept : revoked).partitions.push_back(one);
    }
  }
  for (const auto partition : target) {
    if (find_partition(input.current.assigned, topic, partition) != nullptr) continue;
    // What this member has not given up yet is free for it.
    if (input.is_owned_by_other(topic, partition)) {
      sorted.unreleased = true;
    } else {
      given.partitions.push_back(partition);
    }
  }
  if (!kept.partitions.empty()) sorted.kept.push_back(std::move(kept));
  if (!revoked.partitions.empty()) sorted.revoked.push_back(std::move(revoked));
  if (!given.partitions.empty()) sorted.given.push_back(std::move(given));
}

CurrentAssignment towards_target(const ReconciliationInput& input, std::int32_t epoch) {
  std::set<Uuid> topics;
  for (const auto& topic : input.target) topics.insert(topic.topic);
  for (const auto& topic : input.current.assigned) topics.insert(topic.topic);
  Sorted sorted;
  for (const auto& topic : topics) sort_topic(input, topic, sorted);
  if (!sorted.revoked.empty() && still_owns(input, sorted.revoked)) {
    return moved(input, MemberState::unrevoked_partitions, epoch, std::move(sorted.kept),
                 std::move(sorted.revoked));
  }
  OwnedPartitions assigned = std::move(sorted.kept);
  for (const auto& topic : sorted.given) {
    auto& into = assigned.emplace_back(OwnedTopic{topic.topic, {}}).partitions;
    for (const auto partition : topic.partitions) into.push_back({partition, input.target_epoch});
  }
  return moved(input, sorted.unreleased ? MemberState::unreleased_partitions : MemberState::stable,
               input.target_epoch, normalized(std::move(assigned)), {});
}

}  // namespace

CurrentAssignment reconcile(const ReconciliationInput& input) {
  const CurrentAssignment& current = input.current;
  switch (current.state) {
    case MemberState::stable:
      if (current.epoch != input.target_epoch) return towards_target(input, current.epoch);
      return input.subscription_changed ? without_unsubscribed(input) : current;
    case MemberState::unrevoked_partitions:
      if (still_owns(input, current.pending_revocation)) {
        return input.subscription_changed ? without_unsubscribed(input) : current;
      }
      return towards_target(input, current.epoch);
    case MemberState::unreleased_partitions:
      return towards_target(input, current.epoch);
    case MemberState::unknown:
      return towards_target(input, input.target_epoch);
  }
  return current;
}

}  // namespace arus::coordinator
