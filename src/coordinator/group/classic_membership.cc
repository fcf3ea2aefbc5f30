// What joins, leaves and waits: the soft state of a classic group.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "coordinator/group/classic_group.h"
#include "coordinator/group/classic_groups.h"

namespace arus::coordinator {

void ClassicGroup::PhaseTimer::fire(Turn& turn) { group_.decisions_->phase_expired(turn, group_); }

void ClassicGroup::hold(std::size_t more, std::size_t less) {
  held_bytes_ = held_bytes_ + more - less;
  if (decisions_ != nullptr) decisions_->held_bytes_ = decisions_->held_bytes_ + more - less;
}

void ClassicGroup::count_protocols(const ClassicMember& member, bool more) {
  for (const auto& protocol : member.protocols()) {
    const auto at = std::ranges::lower_bound(offered_, protocol.name, {}, &Offered::name);
    const bool is_known = at != offered_.end() && at->name == protocol.name;
    if (more) {
      is_known ? void(++at->members) : void(offered_.insert(at, {protocol.name, 1}));
    } else if (--at->members == 0) {
      offered_.erase(at);
    }
  }
}

bool ClassicGroup::all_offer(std::string_view protocol) const {
  const auto at = std::ranges::lower_bound(offered_, protocol, {}, &Offered::name);
  const bool is_known = at != offered_.end() && at->name == protocol;
  return (is_known ? at->members : 0) == members_.size();
}

ClassicMember& ClassicGroup::add(ClassicMemberParts parts) {
  auto made = std::make_unique<ClassicMember>(*this, std::move(parts));
  ClassicMember& member = *made;
  remove_pending(member.id());
  const bool is_first = members_.emplace(member.id(), std::move(made)).second;
  ARUS_ASSERT(is_first);
  if (member.is_static()) {
    const bool is_known = !static_members_.emplace(*member.instance_id(), &member).second;
    ARUS_ASSERT(!is_known);
  }
  if (leader_ == nullptr) leader_ = &member;
  count_protocols(member, true);
  hold(member.held_bytes(), 0);
  return member;
}

void ClassicGroup::remove(ClassicMember& member) {
  count_protocols(member, false);
  hold(0, member.held_bytes());
  if (member.awaits_join()) --awaiting_join_;
  set_owes_sync(member, false);
  if (member.is_static()) static_members_.erase(*member.instance_id());
  const bool led = is_leader(member);
  members_.erase(member.id());
  if (led) leader_ = members_.empty() ? nullptr : members_.begin()->second.get();
}

ClassicMember& ClassicGroup::rename(ClassicMember& member, std::string new_id) {
  auto node = members_.extract(member.id());
  ARUS_ASSERT(!node.empty());
  hold(new_id.size(), member.id().size());
  member.parts_.member_id = std::move(new_id);
  node.key() = member.id();
  const bool is_unique = members_.insert(std::move(node)).inserted;
  ARUS_ASSERT(is_unique);
  return member;
}

void ClassicGroup::update(ClassicMember& member, std::vector<ClassicProtocol> protocols,
                          std::int32_t rebalance_timeout_ms, std::int32_t session_timeout_ms) {
  count_protocols(member, false);
  const std::size_t before = member.held_bytes();
  member.parts_.protocols = std::move(protocols);
  hold(member.held_bytes(), before);
  count_protocols(member, true);
  member.parts_.rebalance_timeout_ms = rebalance_timeout_ms;
  member.parts_.session_timeout_ms = session_timeout_ms;
}

PendingMember& ClassicGroup::add_pending(std::string id) {
  auto made = std::make_unique<PendingMember>(*this, std::move(id));
  PendingMember& pending = *made;
  hold(pending.held_bytes(), 0);
  pending_.emplace(pending.id(), std::move(made));
  return pending;
}

void ClassicGroup::remove_pending(std::string_view id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  hold(0, found->second->held_bytes());
  pending_.erase(found);
}

void ClassicGroup::set_assignment(ClassicMember& member, Slice assignment) {
  member.parts_.assignment = std::move(assignment);
}

Reply<protocol::JoinGroupResponse> ClassicGroup::take_join(ClassicMember& member) {
  if (member.awaits_join()) --awaiting_join_;
  return std::move(member.join_);
}

Reply<protocol::SyncGroupResponse> ClassicGroup::take_sync(ClassicMember& member) {
  return std::move(member.sync_);
}

void ClassicGroup::await_join(Turn& turn, ClassicMember& member,
                              Reply<protocol::JoinGroupResponse> reply) {
  // Whoever asked before with the same id has given up, or there are two of them.
  answer_join(turn, member, {.error_code = ErrorCode::unknown_member_id});
  member.join_ = std::move(reply);
  ++awaiting_join_;
}

void ClassicGroup::await_sync(Turn& turn, ClassicMember& member,
                              Reply<protocol::SyncGroupResponse> reply) {
  answer_sync(turn, member, {.error_code = ErrorCode::rebalance_in_progress});
  member.sync_ = std::move(reply);
}

void ClassicGroup::answer_join(Turn& turn, ClassicMember& member,
                               protocol::JoinGroupResponse response) {
  if (!member.awaits_join()) return;
  turn.answer(take_join(member), Result<protocol::JoinGroupResponse>(std::move(response)));
}

void ClassicGroup::answer_sync(Turn& turn, ClassicMember& member,
                               protocol::SyncGroupResponse response) {
  if (!member.awaits_sync()) return;
  turn.answer(take_sync(member), Result<protocol::SyncGroupResponse>(std::move(response)));
}

void ClassicGroup::answer_waiting(Turn& turn, ErrorCode error) {
  for (const auto& [id, member] : members_) {
    answer_join(turn, *member, {.error_code = error, .member_id = member->id()});
    answer_sync(turn, *member, {.error_code = error});
  }
}

void ClassicGroup::set_new(ClassicMember& member, bool is_new) { member.is_new_ = is_new; }

void ClassicGroup::set_owes_sync(ClassicMember& member, bool owes) {
  if (member.owes_sync_ == owes) return;
  member.owes_sync_ = owes;
  owes ? ++owed_syncs_ : --owed_syncs_;
}

void ClassicGroup::clear_owed_syncs() {
  if (owed_syncs_ == 0) return;
  for (const auto& [id, member] : members_) member->owes_sync_ = false;
  owed_syncs_ = 0;
}

void ClassicGroup::move_to(ClassicState state, std::int64_t wall_ms) {
  initial_rebalance_ = state == ClassicState::preparing_rebalance && state_ == ClassicState::empty;
  state_ = state;
  state_since_ms_ = wall_ms;
}

bool ClassicGroup::elect_joined_leader() {
  if (leader_ == nullptr) return false;
  if (leader_->awaits_join()) return true;
  for (const auto& [id, member] : members_) {
    if (!member->awaits_join()) continue;
    leader_ = member.get();
    return true;
  }
  return false;
}

void ClassicGroup::begin_generation(std::int64_t wall_ms) {
  // Where the numbers end they begin anew, as Kafka's do.
  generation_ = static_cast<std::int32_t>(static_cast<std::uint32_t>(generation_) + 1);
  protocol_name_.reset();
  if (!members_.empty()) protocol_name_ = select_protocol();
  subscribe();
  clear_owed_syncs();
  move_to(members_.empty() ? ClassicState::empty : ClassicState::completing_rebalance, wall_ms);
}

}  // namespace arus::coordinator
