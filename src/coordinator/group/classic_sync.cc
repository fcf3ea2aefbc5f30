// SyncGroup, and what tells that a member of a classic group is there: Heartbeat and LeaveGroup.
#include <charconv>
#include <map>
#include <utility>

#include "coordinator/group/classic_group.h"
#include "coordinator/group/classic_groups.h"
#include "record/batch_format.h"

namespace arus::coordinator {
namespace {

using SyncRequest = protocol::SyncGroupRequest;
using SyncResponse = protocol::SyncGroupResponse;
using LeaveRequest = protocol::LeaveGroupRequest;
using LeaveResponse = protocol::LeaveGroupResponse;

constexpr std::string_view offsets_topic = "__consumer_offsets";

// What a member says it uses, where both it and the group say anything.
bool differs(const std::optional<std::string>& said, const std::optional<std::string>& used) {
  return said && used && *said != *used;
}

ErrorCode check_sync(const ClassicGroup& group, const SyncRequest& request) {
  const ErrorCode refusal = group.check_member(request.member_id, request.group_instance_id);
  if (refusal != ErrorCode::none) return refusal;
  if (request.generation_id != group.generation()) return ErrorCode::illegal_generation;
  if (differs(request.protocol_type, group.protocol_type()) ||
      differs(request.protocol_name, group.protocol_name())) {
    return ErrorCode::inconsistent_group_protocol;
  }
  return ErrorCode::none;
}

SyncResponse synced_answer(const ClassicGroup& group, const ClassicMember& member) {
  return {.protocol_type = group.protocol_type(),
          .protocol_name = group.protocol_name(),
          .assignment = member.assignment()};
}

std::size_t varint_size(std::size_t value) {
  std::size_t size = 1;
  for (std::size_t rest = value << 1U; rest >= 0x80; rest >>= 7U) ++size;
  return size;
}

}  // namespace

// As a batch of its own.
bool ClassicGroups::fits(const Record& record) const {
  std::size_t limit = static_cast<std::size_t>(std::max(surroundings_.settings.max_batch_bytes, 0));
  if (surroundings_.image) {
    const auto& own = surroundings_.image->configs(
        {metadata::ConfigResourceType::topic, std::string(offsets_topic)});
    if (const auto found = own.find("max.message.bytes"); found != own.end()) {
      const std::string& text = found->second;
      std::from_chars(text.data(), text.data() + text.size(), limit);
    }
  }
  const std::size_t key = record.key.size();
  const std::size_t value = record.value ? record.value->size() : 0;
  // Attributes, two deltas and the number of headers take a byte each.
  const std::size_t body = 4 + varint_size(key) + key + varint_size(value) + value;
  return record::format::header_bytes + varint_size(body) + body <= limit;
}

void ClassicGroups::sync(Turn& turn, const GroupCaller& caller, SyncRequest request,
                         Reply<SyncResponse> reply) {
  static_cast<void>(caller);
  const auto answer = [&turn, &reply](SyncResponse response) {
    turn.answer(std::move(reply), Result<SyncResponse>(std::move(response)));
  };
  ClassicGroup* const group = groups_.find_as<ClassicGroup>(request.group_id);
  if (group == nullptr || group->state() == ClassicState::empty) {
    answer({.error_code = ErrorCode::unknown_member_id});
    return;
  }
  const ErrorCode refusal = check_sync(*group, request);
  if (refusal != ErrorCode::none) {
    answer({.error_code = refusal});
    return;
  }
  ClassicMember& member = *group->member(request.member_id);
  switch (group->state()) {
    case ClassicState::empty:
    case ClassicState::preparing_rebalance:
      answer({.error_code = ErrorCode::rebalance_in_progress});
      return;
    case ClassicState::completing_rebalance:
      group->await_sync(turn, member, std::move(reply));
      synced(*group, member);
      if (group->is_leader(member)) take_assignments(turn, *group, request);
      return;
    case ClassicState::stable:
      synced(*group, member);
      answer(synced_answer(*group, member));
      return;
  }
}

void ClassicGroups::synced(ClassicGroup& group, ClassicMember& member) {
  group.set_owes_sync(member, false);
  if (group.owed_syncs_ == 0) timers_.disarm(group.phase_);
}

// The leader's word makes the generation: it is stored, and all who wait are told their part.
void ClassicGroups::take_assignments(Turn& turn, ClassicGroup& group, const SyncRequest& request) {
  for (const auto& [id, member] : group.members()) group.set_assignment(*member, {});
  for (const auto& assigned : request.assignments) {
    ClassicMember* const member = group.member(assigned.member_id);
    if (member != nullptr) group.set_assignment(*member, own_copy(assigned.assignment.view()));
  }
  Record record = group.record();
  if (!fits(record)) {
    for (const auto& [id, member] : group.members()) group.set_assignment(*member, {});
    answer_syncs(turn, group, ErrorCode::unknown_server_error);
    prepare_rebalance(turn, group,
                      "what its members say is more than a record of __consumer_offsets may hold");
    return;
  }
  turn.append(std::move(record));
  answer_syncs(turn, group, ErrorCode::none);
}

// Sessions begin anew: those that ended meanwhile were let pass.
void ClassicGroups::answer_syncs(Turn& turn, ClassicGroup& group, ErrorCode error) {
  for (const auto& [id, member] : group.members()) {
    if (!member->awaits_sync()) continue;
    SyncResponse response;
    if (error == ErrorCode::none) response = synced_answer(group, *member);
    response.error_code = error;
    group.answer_sync(turn, *member, std::move(response));
    arm_session(turn, *member);
  }
}

void ClassicGroups::heartbeat(Turn& turn, const GroupCaller& caller,
                              const protocol::HeartbeatRequest& request,
                              Reply<protocol::HeartbeatResponse> reply) {
  static_cast<void>(caller);
  protocol::HeartbeatResponse response{.error_code = ErrorCode::unknown_member_id};
  ClassicGroup* const group = groups_.find_as<ClassicGroup>(request.group_id);
  if (group != nullptr) {
    response.error_code = group->check_member(request.member_id, request.group_instance_id);
    if (response.error_code == ErrorCode::none && request.generation_id != group->generation()) {
      response.error_code = ErrorCode::illegal_generation;
    }
    if (response.error_code == ErrorCode::none) {
      arm_session(turn, *group->member(request.member_id));
      if (group->state() == ClassicState::preparing_rebalance) {
        response.error_code = ErrorCode::rebalance_in_progress;
      }
    }
  }
  turn.answer(std::move(reply), Result<protocol::HeartbeatResponse>(std::move(response)));
}

ErrorCode ClassicGroups::leave_one(Turn& turn, ClassicGroup& group,
                                   const LeaveRequest::MemberIdentity& identity) {
  ClassicMember* leaving = nullptr;
  if (identity.member_id.empty()) {
    // An administrator removes static members by what the application calls them.
    if (identity.group_instance_id) leaving = group.static_member(*identity.group_instance_id);
    if (leaving == nullptr) return ErrorCode::unknown_member_id;
  } else if (group.is_pending(identity.member_id)) {
    group.remove_pending(identity.member_id);
    return ErrorCode::none;
  } else {
    const ErrorCode refusal = group.check_member(identity.member_id, identity.group_instance_id);
    if (refusal != ErrorCode::none) return refusal;
    leaving = group.member(identity.member_id);
  }
  remove_member(turn, group, *leaving);
  return ErrorCode::none;
}

void ClassicGroups::leave(Turn& turn, const GroupCaller& caller, const LeaveRequest& request,
                          Reply<LeaveResponse> reply) {
  static_cast<void>(caller);
  ClassicGroup* const group = groups_.find_as<ClassicGroup>(request.group_id);
  LeaveResponse response;
  bool any_left = false;
  for (const auto& identity : request.members) {
    const ErrorCode outcome =
        group == nullptr ? ErrorCode::unknown_member_id : leave_one(turn, *group, identity);
    any_left = any_left || outcome == ErrorCode::none;
    response.members.push_back({.member_id = identity.member_id,
                                .group_instance_id = identity.group_instance_id,
                                .error_code = outcome});
  }
  if (any_left && group->state() != ClassicState::empty) {
    rebalance_or_complete(turn, *group, "members leave");
  }
  turn.answer(std::move(reply), Result<LeaveResponse>(std::move(response)));
}

}  // namespace arus::coordinator
