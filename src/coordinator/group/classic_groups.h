// Classic groups: the protocol in which a member leads and assigns.
#pragma once

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

// Decisions about classic groups. Stored of a group is what the last completed rebalance gave
// (GroupMetadata); members that join and wait are not. A part of the group machine.
class ClassicGroups {
 public:
  ClassicGroups(GroupSurroundings& surroundings, Groups& groups, Timers& timers);
  ~ClassicGroups();

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

  Result<> replay(const protocol::GroupMetadataKey& key,
                  const std::optional<protocol::GroupMetadataValue>& value);
  // Arms the session timers of members that were loaded.
  void loaded(Turn& turn);

 private:
  GroupSurroundings& surroundings_;
  Groups& groups_;
  Timers& timers_;
};

}  // namespace arus::coordinator
