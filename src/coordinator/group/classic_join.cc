// JoinGroup: who becomes a member, who is one already, and who takes another's place.
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "coordinator/group/classic_group.h"
#include "coordinator/group/classic_groups.h"

namespace arus::coordinator {
namespace {

using Request = protocol::JoinGroupRequest;
using Response = protocol::JoinGroupResponse;

// From here on a member without an id is given one first, and joins with it.
constexpr std::int16_t id_required_from_version = 4;
// From here on a leader can be told that it leads but need not assign.
constexpr std::int16_t skips_assignment_from_version = 9;
constexpr std::size_t max_member_id_bytes = std::numeric_limits<std::int16_t>::max();

std::vector<Response::JoinGroupResponseMember> members_for_leader(const ClassicGroup& group) {
  const std::string protocol = group.protocol_name().value_or(std::string{});
  std::vector<Response::JoinGroupResponseMember> members;
  members.reserve(group.members().size());
  for (const auto& [id, member] : group.members()) {
    members.push_back({.member_id = member->id(),
                       .group_instance_id = member->instance_id(),
                       .metadata = member->metadata(protocol)});
  }
  return members;
}

template <class Protocols>
std::size_t size_of(const Protocols& protocols) {
  std::size_t bytes = 0;
  for (const auto& protocol : protocols) {
    bytes += sizeof(ClassicProtocol) + protocol.name.size() + protocol.metadata.size();
  }
  return bytes;
}

}  // namespace

// One request on its way.
struct ClassicGroups::Joining {
  const GroupCaller& caller;
  Request request;
  Reply<Response> reply;
  std::vector<ClassicProtocol> protocols;

  [[nodiscard]] bool is_new() const { return request.member_id.empty(); }
  [[nodiscard]] std::string_view reason() const {
    return request.reason && !request.reason->empty() ? std::string_view(*request.reason)
                                                      : "not provided";
  }
  void refuse(Turn& turn, ErrorCode error, std::string member_id = {}) {
    answer(turn, {.error_code = error, .member_id = std::move(member_id)});
  }
  void answer(Turn& turn, Response response) {
    turn.answer(std::move(reply), Result<Response>(std::move(response)));
  }
};

Response ClassicGroups::joined(const ClassicGroup& group, const ClassicMember& member) {
  return {.generation_id = group.generation(),
          .protocol_type = group.protocol_type(),
          .protocol_name = group.protocol_name(),
          .leader = group.leader(),
          .member_id = member.id(),
          .members = group.is_leader(member) ? members_for_leader(group)
                                             : std::vector<Response::JoinGroupResponseMember>{}};
}

void ClassicGroups::join(Turn& turn, const GroupCaller& caller, Request request,
                         Reply<Response> reply) {
  Joining joining{
      .caller = caller, .request = std::move(request), .reply = std::move(reply), .protocols = {}};
  const GroupSettings& settings = surroundings_.settings;
  if (joining.request.session_timeout_ms < settings.min_session_timeout_ms ||
      joining.request.session_timeout_ms > settings.max_session_timeout_ms) {
    std::string member_id = std::move(joining.request.member_id);
    joining.refuse(turn, ErrorCode::invalid_session_timeout, std::move(member_id));
    return;
  }
  if (size_of(joining.request.protocols) > max_held_bytes_of_group) {
    std::string member_id = std::move(joining.request.member_id);
    joining.refuse(turn, ErrorCode::group_max_size_reached, std::move(member_id));
    return;
  }
  joining.protocols = classic_protocols(joining.request.protocols);
  joining.request.protocols = {};

  ErrorCode refusal = ErrorCode::none;
  ClassicGroup* const group = group_for_join(turn, joining, refusal);
  if (group == nullptr) {
    std::string member_id = std::move(joining.request.member_id);
    joining.refuse(turn, refusal, std::move(member_id));
    return;
  }
  if (!accepts(*group, joining.request.member_id)) {
    if (ClassicMember* const late = group->member(joining.request.member_id)) {
      remove_member(turn, *group, *late);
    }
    group->remove_pending(joining.request.member_id);
    joining.refuse(turn, ErrorCode::group_max_size_reached);
    return;
  }
  if (joining.is_new()) {
    join_as_new(turn, *group, joining);
  } else {
    join_as_known(turn, *group, joining);
  }
}

// A group comes into being with the first request without a member id. Its record comes first, so
// that the group is there after a restart even where nobody joins in the end.
ClassicGroup* ClassicGroups::group_for_join(Turn& turn, const Joining& joining,
                                            ErrorCode& refusal) {
  const std::string& id = joining.request.group_id;
  Group* const known = groups_.find(id);
  if (known != nullptr && known->kind() == GroupKind::classic) {
    return static_cast<ClassicGroup*>(known);
  }
  const bool is_replaceable =
      known == nullptr || (known->kind() == GroupKind::consumer && !known->has_members());
  if (!is_replaceable) {
    refusal = ErrorCode::inconsistent_group_protocol;
    return nullptr;
  }
  if (!joining.is_new()) {
    refusal = ErrorCode::unknown_member_id;
    return nullptr;
  }
  if (known != nullptr) known->append_tombstones(turn);
  const ClassicGroup empty(id, {.state_since_ms = turn.wall_ms()});
  turn.append(empty.record());
  return groups_.find_as<ClassicGroup>(id);
}

// While a rebalance waits, those who have joined count, so that the last to come back are left out
// where the limit was lowered.
bool ClassicGroups::accepts(const ClassicGroup& group, std::string_view member_id) const {
  const auto most = static_cast<std::size_t>(std::max(surroundings_.settings.max_size, 0));
  const ClassicMember* const known = group.member(member_id);
  switch (group.state()) {
    case ClassicState::empty:
      return true;
    case ClassicState::preparing_rebalance:
      return (known != nullptr && known->awaits_join()) || group.awaiting_join_count() < most;
    case ClassicState::completing_rebalance:
    case ClassicState::stable:
      return known != nullptr || group.members().size() < most;
  }
  std::unreachable();
}

// Whether memory is left for what the member says; it counts as if it came on top.
ErrorCode ClassicGroups::room_for(const ClassicGroup& group, const Joining& joining,
                                  const ClassicMember* known) const {
  std::size_t more = sizeof(ClassicMember) + joining.caller.client_id.size();
  more += size_of(joining.protocols);
  const std::size_t less = known == nullptr ? 0 : known->held_bytes();
  if (more <= less) return ErrorCode::none;
  if (group.held_bytes() + more - less > max_held_bytes_of_group) {
    return ErrorCode::group_max_size_reached;
  }
  if (held_bytes_ + more - less > max_held_bytes_of_partition) {
    return ErrorCode::coordinator_not_available;
  }
  return ErrorCode::none;
}

std::string ClassicGroups::new_member_id(std::string_view prefix) {
  std::uint64_t high = surroundings_.random();
  std::uint64_t low = surroundings_.random();
  // A random UUID (RFC 4122): version 4, variant 2.
  high = (high & ~0xf000ULL) | 0x4000ULL;
  low = (low & ~(3ULL << 62U)) | (2ULL << 62U);
  return fmt::format("{}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", prefix, high >> 32U,
                     (high >> 16U) & 0xffffU, high & 0xffffU, low >> 48U,
                     low & 0xffff'ffff'ffffULL);
}

void ClassicGroups::join_as_new(Turn& turn, ClassicGroup& group, Joining& joining) {
  if (!group.supports(joining.request.protocol_type, joining.protocols)) {
    joining.refuse(turn, ErrorCode::inconsistent_group_protocol);
    return;
  }
  const auto& instance_id = joining.request.group_instance_id;
  ClassicMember* const replaced = instance_id ? group.static_member(*instance_id) : nullptr;
  const ErrorCode room = room_for(group, joining, replaced);
  if (room != ErrorCode::none) {
    joining.refuse(turn, room);
    return;
  }
  std::string id = new_member_id(instance_id ? *instance_id : joining.caller.client_id);
  if (id.size() > max_member_id_bytes) {
    // An id that no answer could carry.
    joining.refuse(turn, ErrorCode::unknown_server_error);
  } else if (replaced != nullptr) {
    replace_static(turn, group, *replaced, joining, std::move(id));
  } else if (!instance_id && joining.caller.api_version >= id_required_from_version) {
    give_member_id(turn, group, joining, std::move(id));
  } else {
    add_member(turn, group, joining, std::move(id));
  }
}

// So that a client whose first answer is lost leaves no member behind (KIP-394).
void ClassicGroups::give_member_id(Turn& turn, ClassicGroup& group, Joining& joining,
                                   std::string id) {
  PendingMember& pending = group.add_pending(std::move(id));
  arm(turn, pending, joining.request.session_timeout_ms);
  joining.refuse(turn, ErrorCode::member_id_required, pending.id());
}

void ClassicGroups::join_as_known(Turn& turn, ClassicGroup& group, Joining& joining) {
  const std::string id = joining.request.member_id;
  if (!group.supports(joining.request.protocol_type, joining.protocols)) {
    joining.refuse(turn, ErrorCode::inconsistent_group_protocol, id);
    return;
  }
  ClassicMember* const member = group.member(id);
  const ErrorCode room = room_for(group, joining, member);
  if (group.is_pending(id)) {
    // Static members are never given an id to come back with.
    if (joining.request.group_instance_id) {
      joining.refuse(turn, ErrorCode::unknown_server_error);
    } else if (room != ErrorCode::none) {
      joining.refuse(turn, room, id);
    } else {
      add_member(turn, group, joining, id);
    }
    return;
  }
  const ErrorCode refusal = group.check_member(id, joining.request.group_instance_id);
  if (refusal != ErrorCode::none) {
    joining.refuse(turn, refusal, id);
  } else if (room != ErrorCode::none) {
    joining.refuse(turn, room, id);
  } else {
    rejoin(turn, group, *member, joining);
  }
}

void ClassicGroups::rejoin(Turn& turn, ClassicGroup& group, ClassicMember& member,
                           Joining& joining) {
  const bool is_unchanged = member.protocols() == joining.protocols;
  switch (group.state()) {
    case ClassicState::preparing_rebalance:
      update_member(turn, group, member, joining, "joins");
      return;
    case ClassicState::completing_rebalance:
      if (!is_unchanged) {
        update_member(turn, group, member, joining, "joins with other metadata");
        return;
      }
      // It has lost the answer, probably.
      joining.answer(turn, joined(group, member));
      return;
    case ClassicState::stable:
      if (group.is_leader(member)) {
        // How a leader asks for a rebalance: topics may have changed, which its metadata do not
        // say.
        update_member(turn, group, member, joining, "leads and joins again");
      } else if (!is_unchanged) {
        update_member(turn, group, member, joining, "joins with other metadata");
      } else {
        joining.answer(turn, joined(group, member));
      }
      return;
    case ClassicState::empty:
      joining.refuse(turn, ErrorCode::unknown_member_id, member.id());
      return;
  }
}

void ClassicGroups::update_member(Turn& turn, ClassicGroup& group, ClassicMember& member,
                                  Joining& joining, std::string_view why) {
  const std::string reason =
      fmt::format("member '{}' {}; it says: {}", member.id(), why, joining.reason());
  group.update(member, std::move(joining.protocols), joining.request.rebalance_timeout_ms,
               joining.request.session_timeout_ms);
  group.await_join(turn, member, std::move(joining.reply));
  rebalance_or_complete(turn, group, reason);
}

void ClassicGroups::add_member(Turn& turn, ClassicGroup& group, Joining& joining, std::string id) {
  if (group.initial_rebalance_) group.member_added_ = true;
  if (group.members().empty()) group.protocol_type_ = joining.request.protocol_type;
  ClassicMember& member = group.add({.member_id = std::move(id),
                                     .instance_id = joining.request.group_instance_id,
                                     .client_id = joining.caller.client_id,
                                     .client_host = joining.caller.client_host,
                                     .rebalance_timeout_ms = joining.request.rebalance_timeout_ms,
                                     .session_timeout_ms = joining.request.session_timeout_ms,
                                     .protocols = std::move(joining.protocols),
                                     .assignment = {}});
  group.set_new(member, true);
  group.await_join(turn, member, std::move(joining.reply));
  // It does not know its id yet and cannot send heartbeats. A client that is gone leaves members
  // behind with each attempt; those end so.
  arm(turn, member, surroundings_.settings.new_member_join_timeout_ms);
  rebalance_or_complete(
      turn, group, fmt::format("member '{}' joins; it says: {}", member.id(), joining.reason()));
}

// Who comes without a member id but with the instance id of a member takes its place, with
// assignment and all. The other one is fenced.
void ClassicGroups::replace_static(Turn& turn, ClassicGroup& group, ClassicMember& member,
                                   Joining& joining, std::string new_id) {
  const std::string old_leader = group.leader();
  const ClassicMemberParts old = member.parts();
  group.answer_join(turn, member,
                    {.error_code = ErrorCode::fenced_instance_id,
                     .protocol_name = std::nullopt,
                     .member_id = old.member_id});
  group.answer_sync(turn, member, {.error_code = ErrorCode::fenced_instance_id});
  group.rename(member, std::move(new_id));
  group.set_new(member, false);
  arm_session(turn, member);
  group.update(member, std::move(joining.protocols), joining.request.rebalance_timeout_ms,
               joining.request.session_timeout_ms);
  const bool is_stable = group.state() == ClassicState::stable;
  if (is_stable && group.protocol_name() == group.select_protocol()) {
    keep_replaced(turn, group, member, joining, old_leader, old);
    return;
  }
  const std::string reason =
      fmt::format("static member '{}' came back as '{}'; it says: {}",
                  member.instance_id().value_or(std::string{}), member.id(), joining.reason());
  group.await_join(turn, member, std::move(joining.reply));
  if (is_stable) {
    rebalance_or_complete(turn, group, reason);
  } else if (group.state() == ClassicState::completing_rebalance) {
    // The leader may be assigning to the old id already.
    prepare_rebalance(turn, group, reason);
  } else {
    maybe_complete_join(turn, group);
  }
}

// Nothing but its id has changed for the others: the group goes on without a rebalance.
void ClassicGroups::keep_replaced(Turn& turn, ClassicGroup& group, ClassicMember& member,
                                  Joining& joining, const std::string& old_leader,
                                  const ClassicMemberParts& old) {
  Record record = group.record();
  Response response = joined(group, member);
  if (!fits(record)) {
    group.update(member, old.protocols, old.rebalance_timeout_ms, old.session_timeout_ms);
    group.rename(member, old.member_id);
    arm_session(turn, member);
    response.error_code = ErrorCode::unknown_server_error;
    response.member_id.clear();
    response.leader = old_leader;
    response.members.clear();
    joining.answer(turn, std::move(response));
    return;
  }
  turn.append(std::move(record));
  if (joining.caller.api_version >= skips_assignment_from_version) {
    response.skip_assignment = group.is_leader(member);
  } else {
    // A leader that finds itself to be another one does not assign: nobody would take it over.
    response.leader = old_leader;
    response.members.clear();
  }
  joining.answer(turn, std::move(response));
}

}  // namespace arus::coordinator
