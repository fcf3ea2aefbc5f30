// The state machine of one partition of __consumer_offsets: groups of every kind, their offsets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "coordinator/group/classic_groups.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/foreign_groups.h"
#include "coordinator/group/group_settings.h"
#include "coordinator/group/groups.h"
#include "coordinator/group/offsets.h"
#include "coordinator/runtime/machine.h"
#include "protocol/api/list_groups.h"

namespace arus::coordinator {

// Sends each request and each record to the part that it belongs to; has no rules of its own but
// which part that is:
//
//   ClassicGroups   JoinGroup, SyncGroup, Heartbeat, LeaveGroup, DescribeGroups
//   ConsumerGroups  ConsumerGroupHeartbeat, ConsumerGroupDescribe, and the requests of classic
//                   members of a consumer group (KIP-848, migration)
//   Offsets         OffsetCommit, OffsetFetch, OffsetDelete, TxnOffsetCommit, expiry
//   ForeignGroups   share and streams groups that a directory brought along: kept as they are
//
// Requests are authorized and checked for form by the handlers. Owner: the loop of the partition.
class GroupMachine final : public Machine {
 public:
  GroupMachine(GroupSettings settings, std::function<std::uint64_t()> random, env::TimePoint now);
  ~GroupMachine() override;

  void join_group(Turn& turn, const GroupCaller& caller, protocol::JoinGroupRequest request,
                  Reply<protocol::JoinGroupResponse> reply);
  void sync_group(Turn& turn, const GroupCaller& caller, protocol::SyncGroupRequest request,
                  Reply<protocol::SyncGroupResponse> reply);
  void heartbeat(Turn& turn, const GroupCaller& caller, protocol::HeartbeatRequest request,
                 Reply<protocol::HeartbeatResponse> reply);
  void leave_group(Turn& turn, const GroupCaller& caller, protocol::LeaveGroupRequest request,
                   Reply<protocol::LeaveGroupResponse> reply);
  void consumer_group_heartbeat(Turn& turn, const GroupCaller& caller,
                                protocol::ConsumerGroupHeartbeatRequest request,
                                MayDescribe may_describe,
                                Reply<protocol::ConsumerGroupHeartbeatResponse> reply);

  // One group of the request each.
  void describe_group(Turn& turn, std::string id, std::int16_t api_version,
                      Reply<protocol::DescribeGroupsResponse::DescribedGroup> reply);
  void describe_consumer_group(
      Turn& turn, std::string id,
      Reply<protocol::ConsumerGroupDescribeResponse::DescribedGroup> reply);
  // Groups whose state and type are among those asked for; empty lists ask for all. Names in any
  // case.
  void list_groups(Turn& turn, std::vector<std::string> states, std::vector<std::string> types,
                   Reply<std::vector<protocol::ListGroupsResponse::ListedGroup>> reply);
  void delete_group(Turn& turn, std::string id, Reply<ErrorCode> reply);

  void commit_offsets(Turn& turn, const GroupCaller& caller, protocol::OffsetCommitRequest request,
                      Reply<protocol::OffsetCommitResponse> reply);
  void commit_transactional_offsets(Turn& turn, const GroupCaller& caller,
                                    protocol::TxnOffsetCommitRequest request,
                                    Reply<protocol::TxnOffsetCommitResponse> reply);
  // `all_topics`: every topic that has a committed offset, where the request names none.
  void fetch_offsets(Turn& turn, protocol::OffsetFetchRequest::OffsetFetchRequestGroup request,
                     bool require_stable,
                     Reply<protocol::OffsetFetchResponse::OffsetFetchResponseGroup> reply);
  void delete_offsets(Turn& turn, protocol::OffsetDeleteRequest request,
                      Reply<protocol::OffsetDeleteResponse> reply);

  // Settings that were changed while running.
  void configure(GroupSettings settings) { surroundings_.settings = std::move(settings); }

  Result<> replay(const ReplayedRecord& record) override;
  void replay_end(ProducerId producer_id, std::int16_t producer_epoch, bool committed) override;
  void loaded(Turn& turn, metadata::ImagePointer image) override;
  void on_image(Turn& turn, const metadata::ImagePointer& image,
                const metadata::MetadataDelta& delta) override;
  Timers& timers() override { return timers_; }

 private:
  Timers timers_;  // outlives the parts whose timers are armed in it
  GroupSurroundings surroundings_;
  Groups groups_;
  Offsets offsets_;
  ClassicGroups classic_;
  ConsumerGroups consumer_;
  ForeignGroups foreign_;
};

}  // namespace arus::coordinator
