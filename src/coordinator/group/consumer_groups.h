// Consumer groups (KIP-848): the protocol in which the coordinator assigns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "coordinator/group/group_settings.h"
#include "coordinator/group/groups.h"
#include "coordinator/runtime/machine.h"
#include "protocol/api/consumer_group_describe.h"
#include "protocol/api/consumer_group_heartbeat.h"
#include "protocol/api/heartbeat.h"
#include "protocol/api/join_group.h"
#include "protocol/api/leave_group.h"
#include "protocol/api/sync_group.h"

namespace arus::coordinator {

class ClassicGroups;
class ClassicGroup;
class ConsumerGroup;

// Whether a member's principal may know of a topic that its regular expression matches.
using MayDescribe = std::function<bool(std::string_view topic)>;

// Decisions about consumer groups. All of a group is stored: members, epochs, target and current
// assignments, resolved regular expressions. A part of the group machine.
class ConsumerGroups {
 public:
  ConsumerGroups(GroupSurroundings& surroundings, Groups& groups, Timers& timers,
                 ClassicGroups& classic);
  ~ConsumerGroups();

  void heartbeat(Turn& turn, const GroupCaller& caller,
                 protocol::ConsumerGroupHeartbeatRequest request, const MayDescribe& may_describe,
                 Reply<protocol::ConsumerGroupHeartbeatResponse> reply);

  // The classic protocol spoken to a consumer group. Which requests come here: see
  // GroupMachine::join_group and wants_classic_join().
  void classic_join(Turn& turn, const GroupCaller& caller, protocol::JoinGroupRequest request,
                    Reply<protocol::JoinGroupResponse> reply);
  void classic_sync(Turn& turn, const GroupCaller& caller, protocol::SyncGroupRequest request,
                    Reply<protocol::SyncGroupResponse> reply);
  void classic_heartbeat(Turn& turn, const protocol::HeartbeatRequest& request,
                         Reply<protocol::HeartbeatResponse> reply);
  void classic_leave(Turn& turn, const GroupCaller& caller,
                     const protocol::LeaveGroupRequest& request,
                     Reply<protocol::LeaveGroupResponse> reply);

  [[nodiscard]] protocol::ConsumerGroupDescribeResponse::DescribedGroup describe(
      const ConsumerGroup& group) const;

  // Of the keys 3 to 8 and 16; false for any other.
  Result<bool> replay(std::int16_t type, const ReplayedRecord& record);
  void loaded(Turn& turn);
  // Topics came, went or grew: groups that want them take a new epoch at their next heartbeat.
  void on_image(Turn& turn, const metadata::MetadataDelta& delta);

 private:
  GroupSurroundings& surroundings_;
  Groups& groups_;
  Timers& timers_;
  ClassicGroups& classic_;
};

}  // namespace arus::coordinator
