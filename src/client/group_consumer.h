// Reads topics together with the other members of a group.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "client/assignor.h"
#include "client/cluster.h"
#include "client/consumer.h"
#include "client/group_admin.h"
#include "client/offset_calls.h"
#include "client/record.h"

namespace arus::client {

enum class GroupProtocol : std::uint8_t {
  classic,   // members divide the partitions among themselves
  consumer,  // the coordinator does (KIP-848)
};

struct GroupConsumerOptions {
  ConsumerOptions consumer;
  std::string group_id;
  std::optional<std::string> instance_id;  // a static member: keeps its place over a restart
  GroupProtocol protocol = GroupProtocol::classic;
  // Of the classic protocol; in the other one the coordinator says both.
  env::Duration session_timeout = env::seconds(45);
  env::Duration heartbeat_interval = env::seconds(3);
  // A member that calls poll() less often leaves the group.
  env::Duration max_poll_interval = env::seconds(300);
  bool auto_commit = true;
  env::Duration auto_commit_interval = env::seconds(5);
  std::vector<AssignorPointer> assignors = default_assignors();  // classic, the preferred first
  std::optional<std::string> server_assignor;                    // consumer protocol
  bool create_topics = true;     // subscribed topics that are absent, where the broker allows it
  bool exclude_internal = true;  // from subscriptions by a predicate
};

// What happens to the partitions of a member. Called inside poll() and close(); a listener may
// call the consumer's other members, commits above all.
class RebalanceListener {
 public:
  virtual ~RebalanceListener() = default;
  // They are new here, nothing is read of them yet. Also with none, once per rebalance.
  virtual env::Task<void> on_assigned(std::vector<TopicPartition> partitions) = 0;
  // They are about to go to others: the last moment for a commit.
  virtual env::Task<void> on_revoked(std::vector<TopicPartition> partitions) = 0;
  // They are gone, and others may have them already: commits fail.
  virtual env::Task<void> on_lost(std::vector<TopicPartition> partitions) {
    co_await on_revoked(std::move(partitions));
  }
};

using CommitReport = std::move_only_function<void(Result<>)>;
using OffsetsToCommit = std::map<TopicPartition, CommittedOffset>;

// A member of a group. Work of the group that touches the application's partitions is done inside
// poll(), heartbeats besides it. Records come as from Consumer; each partition begins where the
// group has committed, or where the reset policy says. With auto_commit, what an earlier poll()
// gave is committed by a later one, by close(), and before partitions go away.
// Owner: the cluster's loop. close() is awaited before it is destroyed.
class GroupConsumer {
 public:
  GroupConsumer(Cluster& cluster, GroupConsumerOptions options);
  ~GroupConsumer();
  GroupConsumer(const GroupConsumer&) = delete;
  GroupConsumer& operator=(const GroupConsumer&) = delete;

  // Each replaces the subscription before it. The listener outlives the consumer; it may be null.
  Result<> subscribe(std::vector<std::string> topics, RebalanceListener* listener = nullptr);
  // All topics whose names the predicate likes, those too that come later.
  Result<> subscribe_matching(std::function<bool(std::string_view)> likes,
                              RebalanceListener* listener = nullptr);
  // The same with a regular expression of the coordinator (RE2): consumer protocol only.
  Result<> subscribe_pattern(std::string regex, RebalanceListener* listener = nullptr);

  // As Consumer::poll. Calls to the listener, and the commit before partitions go away, are not
  // cut by the deadline. Errors of the group end the call, and the next one tries again:
  // GROUP_AUTHORIZATION_FAILED, FENCED_INSTANCE_ID, INCONSISTENT_GROUP_PROTOCOL, ….
  env::Task<Result<std::vector<ConsumerRecord>>> poll(env::TimePoint deadline);

  // Commits what poll() has given, or these offsets. REBALANCE_IN_PROGRESS: again after the next
  // poll(). UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID: the partitions are others'.
  env::Task<Result<>> commit(env::TimePoint deadline);
  env::Task<Result<>> commit(OffsetsToCommit offsets, env::TimePoint deadline);
  // The same without waiting and without another try. Later commits never overtake earlier ones.
  void commit_async(CommitReport report = {});
  void commit_async(OffsetsToCommit offsets, CommitReport report = {});
  // Nothing where none is committed.
  env::Task<Result<std::map<TopicPartition, std::optional<CommittedOffset>>>> committed(
      std::set<TopicPartition> partitions, env::TimePoint deadline);

  [[nodiscard]] std::vector<TopicPartition> assignment() const;  // sorted
  [[nodiscard]] std::optional<Offset> position(const TopicPartition& partition) const;
  [[nodiscard]] std::optional<Offset> high_watermark(const TopicPartition& partition) const;
  // What poll() has given, as commits and transactions want it.
  [[nodiscard]] OffsetsToCommit consumed() const;
  Result<> seek(const TopicPartition& partition, StartPosition start);
  Result<> pause(const TopicPartition& partition, bool paused);
  // For Producer::send_offsets.
  [[nodiscard]] GroupMetadata group_metadata() const;

  // Commits with auto_commit, gives up the partitions, leaves the group, and ends. A static member
  // of a classic group stays a member until its session times out.
  env::Task<void> close(env::TimePoint deadline);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace arus::client
