// From one generation of a classic group to the next, and what happens when somebody is missing.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "coordinator/group/classic_group.h"
#include "coordinator/group/classic_groups.h"

namespace arus::coordinator {
namespace {

const LogComponent log("coordinator.group.classic");

// How many ids a line of the log names.
constexpr std::size_t max_names_in_log = 8;

std::string named(const std::vector<std::string>& ids) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), max_names_in_log); ++i) {
    if (i > 0) text += ", ";
    text += "'" + ids[i] + "'";
  }
  if (ids.size() > max_names_in_log) {
    text += fmt::format(" and {} more", ids.size() - max_names_in_log);
  }
  return text;
}

}  // namespace

void ClassicGroups::arm(Turn& turn, Timer& timer, std::int32_t timeout_ms) {
  timers_.arm(timer, turn.now() + env::milliseconds(std::max(timeout_ms, 0)));
}

void ClassicGroups::arm_session(Turn& turn, ClassicMember& member) {
  arm(turn, member, member.session_timeout_ms());
}

void ClassicGroups::rebalance_or_complete(Turn& turn, ClassicGroup& group,
                                          std::string_view reason) {
  if (group.state() == ClassicState::preparing_rebalance) {
    maybe_complete_join(turn, group);
  } else {
    prepare_rebalance(turn, group, reason);
  }
}

void ClassicGroups::prepare_rebalance(Turn& turn, ClassicGroup& group, std::string_view reason) {
  if (group.state() == ClassicState::completing_rebalance) {
    for (const auto& [id, member] : group.members()) group.set_assignment(*member, {});
    answer_syncs(turn, group, ErrorCode::rebalance_in_progress);
  }
  group.clear_owed_syncs();
  timers_.disarm(group.phase_);
  group.move_to(ClassicState::preparing_rebalance, turn.wall_ms());
  log.debug("Group '{}' rebalances after generation {}: {}", group.id(), group.generation(),
            reason);
  if (group.initial_rebalance_) {
    // More members are likely to come. Each that does makes it wait once more, all in all no
    // longer than a rebalance may take.
    group.initial_delay_ms_ = surroundings_.settings.initial_rebalance_delay_ms;
    group.initial_remaining_ms_ =
        std::max(group.rebalance_timeout_ms() - group.initial_delay_ms_, 0);
    arm(turn, group.phase_, group.initial_delay_ms_);
  } else if (group.all_joined()) {
    complete_join(turn, group);
  } else {
    arm(turn, group.phase_, group.rebalance_timeout_ms());
  }
}

void ClassicGroups::maybe_complete_join(Turn& turn, ClassicGroup& group) {
  if (group.state() != ClassicState::preparing_rebalance) return;
  if (group.initial_rebalance_ || !group.all_joined()) return;
  complete_join(turn, group);
}

void ClassicGroups::complete_join(Turn& turn, ClassicGroup& group) {
  timers_.disarm(group.phase_);
  std::vector<std::string> missing;
  for (auto next = group.members().begin(); next != group.members().end();) {
    ClassicMember& member = *(next++)->second;
    // A static member may come back for as long as its session lasts.
    if (member.awaits_join() || member.is_static()) continue;
    missing.push_back(member.id());
    group.remove(member);
  }
  if (!missing.empty()) {
    log.info("Group '{}' goes on without {}, which did not rejoin in time", group.id(),
             named(missing));
  }
  if (!group.elect_joined_leader() && !group.members().empty()) {
    // Only static members, and none of them is here: wait until their sessions end.
    group.initial_remaining_ms_ = 0;
    arm(turn, group.phase_, group.rebalance_timeout_ms());
    return;
  }
  group.begin_generation(turn.wall_ms());
  if (group.state() == ClassicState::empty) {
    turn.append(group.record());
    return;
  }
  for (const auto& [id, member] : group.members()) {
    group.answer_join(turn, *member, joined(group, *member));
    arm_session(turn, *member);
    group.set_new(*member, false);
    group.set_owes_sync(*member, true);
  }
  arm(turn, group.phase_, group.rebalance_timeout_ms());
}

void ClassicGroups::extend_initial_rebalance(Turn& turn, ClassicGroup& group) {
  if (!group.member_added_ || group.initial_remaining_ms_ == 0) {
    complete_join(turn, group);
    return;
  }
  group.member_added_ = false;
  const std::int32_t remaining = group.initial_remaining_ms_;
  group.initial_remaining_ms_ = std::max(remaining - group.initial_delay_ms_, 0);
  group.initial_delay_ms_ = std::min(surroundings_.settings.initial_rebalance_delay_ms, remaining);
  arm(turn, group.phase_, group.initial_delay_ms_);
}

void ClassicGroups::phase_expired(Turn& turn, ClassicGroup& group) {
  switch (group.state()) {
    case ClassicState::empty:
      return;
    case ClassicState::preparing_rebalance:
      if (group.initial_rebalance_) {
        extend_initial_rebalance(turn, group);
      } else {
        complete_join(turn, group);
      }
      return;
    case ClassicState::completing_rebalance:
    case ClassicState::stable:
      expire_syncs(turn, group);
      return;
  }
}

// Members that have joined and never asked for their assignment: their partitions would stay
// unread.
void ClassicGroups::expire_syncs(Turn& turn, ClassicGroup& group) {
  if (group.owed_syncs_ == 0) return;
  std::vector<std::string> missing;
  for (auto next = group.members().begin(); next != group.members().end();) {
    ClassicMember& member = *(next++)->second;
    if (!member.owes_sync()) continue;
    missing.push_back(member.id());
    group.remove(member);
  }
  log.info("Group '{}' goes on without {}, which did not ask for an assignment in time", group.id(),
           named(missing));
  prepare_rebalance(turn, group, "members did not ask for their assignment in time");
}

void ClassicGroups::remove_member(Turn& turn, ClassicGroup& group, ClassicMember& member) {
  // Who is still there joins anew.
  group.answer_join(turn, member, {.error_code = ErrorCode::unknown_member_id});
  group.answer_sync(turn, member, {.error_code = ErrorCode::unknown_member_id});
  group.remove(member);
}

void ClassicGroups::session_expired(Turn& turn, ClassicGroup& group, ClassicMember& member) {
  // Who waits for an answer of ours cannot send heartbeats. A new member may wait too long, though:
  // nobody knows whether its client is still there.
  const bool waits = member.awaits_join() || member.awaits_sync();
  if (!member.is_new() && waits) return;
  log.info("Group '{}': the session of member '{}' has ended", group.id(), member.id());
  const std::string reason = fmt::format("the session of member '{}' has ended", member.id());
  remove_member(turn, group, member);
  switch (group.state()) {
    case ClassicState::stable:
    case ClassicState::completing_rebalance:
      rebalance_or_complete(turn, group, reason);
      return;
    case ClassicState::preparing_rebalance:
      if (group.all_joined()) complete_join(turn, group);
      return;
    case ClassicState::empty:
      return;
  }
}

void ClassicGroups::pending_expired(Turn& turn, ClassicGroup& group, PendingMember& member) {
  group.remove_pending(member.id());
  if (group.state() == ClassicState::preparing_rebalance && group.all_joined()) {
    complete_join(turn, group);
  }
}

}  // namespace arus::coordinator
