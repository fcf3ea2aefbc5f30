#include <fmt/core.h>

#include <algorithm>

#include "base/joined.h"
#include "cli/group_view.h"

namespace arus::cli {
namespace {

std::vector<TopicPartition> without(const std::vector<TopicPartition>& all,
                                    const std::vector<TopicPartition>& taken_away) {
  std::vector<TopicPartition> left;
  std::ranges::set_difference(all, taken_away, std::back_inserter(left));
  return left;
}

std::string names_of(const std::vector<TopicPartition>& partitions) {
  constexpr std::size_t shown = 5;
  std::vector<std::string> names;
  for (const auto& name : partitions) {
    if (names.size() == shown) {
      names.push_back(fmt::format("{} more", partitions.size() - shown));
      break;
    }
    names.push_back(name.to_string());
  }
  return joined(names, ", ");
}

// Who is to get something of these partitions.
std::vector<std::string> waiting_for(const client::GroupDescription& group,
                                     const std::vector<TopicPartition>& partitions) {
  std::vector<std::string> ids;
  for (const auto& member : group.members) {
    std::vector<TopicPartition> wanted;
    std::ranges::set_intersection(member.target_assignment, partitions, std::back_inserter(wanted));
    if (!wanted.empty()) ids.push_back(member.id);
  }
  return ids;
}

std::optional<std::string> why_consumer_member(const client::GroupDescription& group,
                                               const client::GroupMember& member) {
  const auto to_give_up = without(member.assignment, member.target_assignment);
  if (!to_give_up.empty()) {
    const auto waiting = waiting_for(group, to_give_up);
    return fmt::format("has to give up {} and has not confirmed it{}{}", names_of(to_give_up),
                       waiting.empty() ? "" : "; waiting for it: ", joined(waiting, ", "));
  }
  if (member.epoch >= group.assignment_epoch) return std::nullopt;
  // What it is to get and another still has is the other's fault.
  const auto to_get = without(member.target_assignment, member.assignment);
  for (const auto& other : group.members) {
    if (other.id == member.id) continue;
    std::vector<TopicPartition> kept;
    std::ranges::set_intersection(other.assignment, to_get, std::back_inserter(kept));
    if (!kept.empty()) return std::nullopt;
  }
  return fmt::format(
      "is at epoch {} and has not taken up epoch {}: {}", member.epoch, group.assignment_epoch,
      member.classic.value_or(false) ? "it has not joined again" : "its heartbeat is awaited");
}

std::vector<Holdup> consumer_holdups(const client::GroupDescription& group) {
  std::vector<Holdup> holdups;
  if (group.assignment_epoch < group.group_epoch) {
    holdups.push_back({"", fmt::format("the coordinator computes the assignment of epoch {}; the "
                                       "members have that of epoch {}",
                                       group.group_epoch, group.assignment_epoch)});
  }
  for (const auto& member : group.members) {
    if (auto why = why_consumer_member(group, member)) {
      holdups.push_back({member.id, std::move(*why)});
    }
  }
  return holdups;
}

std::vector<Holdup> classic_holdups(const client::GroupDescription& group) {
  std::vector<Holdup> holdups;
  if (group.state == "CompletingRebalance") {
    holdups.push_back({"",
                       "all members have joined; the one that leads has not sent the "
                       "assignment"});
    return holdups;
  }
  if (group.state != "PreparingRebalance") return holdups;
  // A coordinator that shows what joined members brought shows who has not joined. Kafka's does
  // not, but the assignment of the generation before is there: who has none is new, and has joined.
  const bool told = std::ranges::any_of(
      group.members, [](const client::GroupMember& member) { return !member.metadata.empty(); });
  std::vector<std::string> late;
  for (const auto& member : group.members) {
    if (told ? member.metadata.empty() : !member.assignment_data.empty()) late.push_back(member.id);
  }
  if (told || late.size() == 1) {
    for (auto& id : late) holdups.push_back({std::move(id), "has not joined again"});
  } else if (!late.empty()) {
    holdups.push_back(
        {"", fmt::format("some of these have not joined again; the coordinator does not say which: "
                         "{}",
                         joined(late, ", "))});
  }
  if (holdups.empty() && !group.members.empty()) {
    holdups.push_back({"",
                       "members have joined; more are waited for until the rebalance delay or "
                       "the rebalance timeout is over"});
  }
  return holdups;
}

}  // namespace

std::vector<Holdup> find_holdups(const client::GroupDescription& group) {
  return group.classic ? classic_holdups(group) : consumer_holdups(group);
}

}  // namespace arus::cli
