// Classic groups: the protocol in which a member leads and assigns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "coordinator/group/group_settings.h"
#include "coordinator/group/groups.h"
#include "coordinator/runtime/machine.h"
#include "protocol/api/describe_groups.h"
#include "protocol/api/heartbeat.h"
#include "protocol/api/join_group.h"
#include "protocol/api/leave_group.h"
#include "protocol/api/sync_group.h"
#include "protocol/record/group_metadata_key.h"
#include "protocol/record/group_metadata_value.h"

namespace arus::coordinator {

class ClassicGroup;
class ClassicMember;
class PendingMember;
struct ClassicMemberParts;

// Memory for what members say about themselves. Without it one client could fill the node: the
// protocol bounds a request only. Beyond the first a member gets GROUP_MAX_SIZE_REACHED, beyond
// the second, which all groups of a partition share, COORDINATOR_NOT_AVAILABLE, and comes back.
inline constexpr std::size_t max_held_bytes_of_group = 16U << 20U;
inline constexpr std::size_t max_held_bytes_of_partition = 64U << 20U;

// Decisions about classic groups. Stored of a group is what the last completed rebalance gave
// (GroupMetadata); members that join and wait are not. A part of the group machine.
class ClassicGroups {
 public:
  ClassicGroups(GroupSurroundings& surroundings, Groups& groups, Timers& timers);
  ~ClassicGroups();
  ClassicGroups(const ClassicGroups&) = delete;
  ClassicGroups& operator=(const ClassicGroups&) = delete;

  // A member that it does not know, without an id or with one it was given; also the request that
  // makes a classic group of an empty consumer group.
  void join(Turn& turn, const GroupCaller& caller, protocol::JoinGroupRequest request,
            Reply<protocol::JoinGroupResponse> reply);
  void sync(Turn& turn, const GroupCaller& caller, protocol::SyncGroupRequest request,
            Reply<protocol::SyncGroupResponse> reply);
  void heartbeat(Turn& turn, const GroupCaller& caller, const protocol::HeartbeatRequest& request,
                 Reply<protocol::HeartbeatResponse> reply);
  void leave(Turn& turn, const GroupCaller& caller, const protocol::LeaveGroupRequest& request,
             Reply<protocol::LeaveGroupResponse> reply);
  [[nodiscard]] protocol::DescribeGroupsResponse::DescribedGroup describe(
      const ClassicGroup& group, std::int16_t api_version) const;

  // The group that offsets are committed to without members: made where there is none, without a
  // record of its own (Kafka: a "simple" group).
  ClassicGroup& group_for_offsets(std::string_view id);

  // In place of whatever has its name: stores the group as it is, arms the sessions of its members
  // and begins a rebalance. `reason` is for the log. For consumer groups that are made classic.
  ClassicGroup& take_over(Turn& turn, std::unique_ptr<ClassicGroup> group, std::string_view reason);

  Result<> replay(const protocol::GroupMetadataKey& key,
                  const std::optional<protocol::GroupMetadataValue>& value);
  // Arms the session timers of members that were loaded.
  void loaded(Turn& turn);

 private:
  friend class ClassicGroup;
  friend class ClassicMember;
  friend class PendingMember;
  struct Joining;

  // Joins: classic_join.cc.
  ClassicGroup* group_for_join(Turn& turn, const Joining& joining, ErrorCode& refusal);
  bool accepts(const ClassicGroup& group, std::string_view member_id) const;
  [[nodiscard]] ErrorCode room_for(const ClassicGroup& group, const Joining& joining,
                                   const ClassicMember* known) const;
  void join_as_new(Turn& turn, ClassicGroup& group, Joining& joining);
  void join_as_known(Turn& turn, ClassicGroup& group, Joining& joining);
  void rejoin(Turn& turn, ClassicGroup& group, ClassicMember& member, Joining& joining);
  void give_member_id(Turn& turn, ClassicGroup& group, Joining& joining, std::string id);
  void add_member(Turn& turn, ClassicGroup& group, Joining& joining, std::string id);
  void update_member(Turn& turn, ClassicGroup& group, ClassicMember& member, Joining& joining,
                     std::string_view why);
  void replace_static(Turn& turn, ClassicGroup& group, ClassicMember& member, Joining& joining,
                      std::string new_id);
  void keep_replaced(Turn& turn, ClassicGroup& group, ClassicMember& member, Joining& joining,
                     const std::string& old_leader, const ClassicMemberParts& old);
  // The answer of the generation that a member is in.
  static protocol::JoinGroupResponse joined(const ClassicGroup& group, const ClassicMember& member);
  [[nodiscard]] std::string new_member_id(std::string_view prefix);

  // Rebalances: classic_rebalance.cc.
  void rebalance_or_complete(Turn& turn, ClassicGroup& group, std::string_view reason);
  void prepare_rebalance(Turn& turn, ClassicGroup& group, std::string_view reason);
  void maybe_complete_join(Turn& turn, ClassicGroup& group);
  void complete_join(Turn& turn, ClassicGroup& group);
  void extend_initial_rebalance(Turn& turn, ClassicGroup& group);
  void expire_syncs(Turn& turn, ClassicGroup& group);
  void phase_expired(Turn& turn, ClassicGroup& group);
  void session_expired(Turn& turn, ClassicGroup& group, ClassicMember& member);
  void pending_expired(Turn& turn, ClassicGroup& group, PendingMember& member);
  void remove_member(Turn& turn, ClassicGroup& group, ClassicMember& member);
  void arm(Turn& turn, Timer& timer, std::int32_t timeout_ms);
  void arm_session(Turn& turn, ClassicMember& member);

  // Assignments: classic_sync.cc.
  void take_assignments(Turn& turn, ClassicGroup& group, const protocol::SyncGroupRequest& request);
  void answer_syncs(Turn& turn, ClassicGroup& group, ErrorCode error);
  void synced(ClassicGroup& group, ClassicMember& member);
  ErrorCode leave_one(Turn& turn, ClassicGroup& group,
                      const protocol::LeaveGroupRequest::MemberIdentity& identity);
  [[nodiscard]] bool fits(const Record& record) const;

  ClassicGroup& put(std::unique_ptr<ClassicGroup> group);

  GroupSurroundings& surroundings_;
  Groups& groups_;
  Timers& timers_;
  std::size_t held_bytes_ = 0;  // of all classic groups
};

}  // namespace arus::coordinator
