// Consumer groups (KIP-848): the protocol in which the coordinator assigns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/group/consumer_member.h"
#include "coordinator/group/group_settings.h"
#include "coordinator/group/groups.h"
#include "coordinator/group/metadata_hash.h"
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
class ClassicMember;
class ConsumerGroup;

// What KIP-848 asks of the form of a heartbeat: INVALID_REQUEST or UNSUPPORTED_ASSIGNOR with
// Kafka's sentences. Checked before anybody looks for the coordinator.
[[nodiscard]] Result<> check_heartbeat(const protocol::ConsumerGroupHeartbeatRequest& request,
                                       std::int16_t api_version,
                                       std::span<const std::string> assignors);

// What one member says about itself, as it is stored; a record must hold it.
inline constexpr std::size_t max_member_bytes = 256U << 10U;

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
  friend class ConsumerMember;
  using Heartbeat = protocol::ConsumerGroupHeartbeatRequest;
  using Beat = protocol::ConsumerGroupHeartbeatResponse;

  // The member that a request is about.
  struct Found {
    ConsumerMember* member = nullptr;    // null: a new one
    ConsumerMember* replaced = nullptr;  // the static member whose place a new one takes
  };
  // What a change of subscription means.
  struct SubscriptionChange {
    bool changed = false;
    bool bumps_epoch = false;  // the target changes with it
    bool resolved = false;     // expressions were matched again
  };

  // Heartbeats: consumer_heartbeat.cc.
  Result<Beat> beat(Turn& turn, const GroupCaller& caller, const Heartbeat& request,
                    const MayDescribe& may_describe);
  Result<ConsumerGroup*> group_for(Turn& turn, const Heartbeat& request,
                                   const std::string& member_id);
  // Whether a group of so many members takes one more.
  Result<> check_room(std::size_t members) const;
  Result<ConsumerMember*> find_static(const ConsumerGroup& group, const std::string& instance_id,
                                      const std::string& member_id) const;
  Result<Found> find_member(const ConsumerGroup& group, const Heartbeat& request,
                            const std::string& member_id) const;
  Result<> check_metadata(const ConsumerGroup* group, const MemberMetadata& before,
                          const MemberMetadata& after) const;
  Result<Beat> leave(Turn& turn, const Heartbeat& request);
  [[nodiscard]] std::string new_member_id();

  // What follows from a member's new metadata: consumer_subscription.cc.
  ConsumerMember& replace_member(Turn& turn, ConsumerGroup& group, const ConsumerMember& old,
                                 const std::string& new_id);
  void store_metadata(Turn& turn, const std::string& group, const ConsumerMember* member,
                      const std::string& member_id, const MemberMetadata& metadata);
  SubscriptionChange update_subscription(Turn& turn, ConsumerGroup& group,
                                         const MemberMetadata& before, const MemberMetadata& after,
                                         const MayDescribe& may_describe);
  // Without `may_describe` nobody is asked, and nothing is matched.
  bool resolve_regexes(Turn& turn, ConsumerGroup& group, const MayDescribe& may_describe);
  [[nodiscard]] bool must_resolve(const Turn& turn, const ConsumerGroup& group,
                                  bool has_new_regex) const;
  void update_epoch(Turn& turn, ConsumerGroup& group, const SubscriptionChange& change);
  void update_target(Turn& turn, ConsumerGroup& group);
  // True where what the member is assigned has changed.
  bool reconcile_member(Turn& turn, ConsumerMember& member, bool subscription_changed,
                        const PartitionSet* reported);
  void arm(Turn& turn, Timer& timer, std::int32_t timeout_ms);
  void arm_session(Turn& turn, ConsumerMember& member);
  // When a member is to come next: at the group's interval, or as soon as there will be news
  // because the session of somebody who has missed a heartbeat ends before.
  [[nodiscard]] std::int32_t next_heartbeat_ms(const Turn& turn, const ConsumerGroup& group) const;
  // Takes members out and bumps the epoch; the group becomes classic where only such are left.
  void fence(Turn& turn, ConsumerGroup& group, std::vector<const ConsumerMember*> members);
  void session_expired(Turn& turn, ConsumerMember& member);
  void rebalance_expired(Turn& turn, ConsumerMember& member);
  void sync_expired(Turn& turn, ConsumerMember& member);

  // The group's own setting where it has one, within the bounds of the broker.
  [[nodiscard]] std::int32_t group_setting(std::string_view group, const std::string& key,
                                           std::int32_t fallback, std::int32_t least,
                                           std::int32_t most) const;
  [[nodiscard]] std::int32_t session_timeout_ms(std::string_view group) const;
  [[nodiscard]] std::int32_t heartbeat_interval_ms(std::string_view group) const;
  [[nodiscard]] std::int32_t assignment_interval_ms(std::string_view group) const;
  [[nodiscard]] std::string_view default_assignor() const;

  // Classic members, and groups that change their protocol: consumer_migration.cc.
  [[nodiscard]] Result<> check_upgrade(const ClassicGroup& group) const;
  // GROUP_ID_NOT_FOUND, and nothing is changed, where members cannot be read.
  Result<ConsumerGroup*> upgrade(Turn& turn, ClassicGroup& group);
  [[nodiscard]] bool may_downgrade(const ConsumerGroup& group, std::size_t members) const;
  void downgrade(Turn& turn, ConsumerGroup& group, std::string_view why);
  Result<protocol::JoinGroupResponse> join_classic(Turn& turn, const GroupCaller& caller,
                                                   const protocol::JoinGroupRequest& request);
  Result<ConsumerMember*> find_classic(const ConsumerGroup& group, const std::string& member_id,
                                       const std::optional<std::string>& instance_id) const;
  Result<protocol::SyncGroupResponse> sync_classic(Turn& turn,
                                                   const protocol::SyncGroupRequest& request);
  Result<> beat_classic(Turn& turn, const protocol::HeartbeatRequest& request);
  void arm_join_if_absent(Turn& turn, ConsumerMember& member);

  Result<ConsumerGroup*> group_for_replay(const std::string& id);

  GroupSurroundings& surroundings_;
  Groups& groups_;
  Timers& timers_;
  ClassicGroups& classic_;
  TopicHashes topic_hashes_;  // of the current image
  // Of the image in which topics came last: expressions matched before are matched again.
  std::int64_t topics_version_ = -1;
};

}  // namespace arus::coordinator
