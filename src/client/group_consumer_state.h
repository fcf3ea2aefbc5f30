// What a GroupConsumer is made of: subscription, membership, partitions, and commits.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "client/group_consumer.h"
#include "client/group_partitions.h"
#include "client/group_subscription.h"
#include "client/membership.h"

namespace arus::client {

class GroupConsumer::State {
 public:
  State(Cluster& cluster, GroupConsumerOptions options);
  ~State();

  Result<> check_usable() const;
  void listen(RebalanceListener* listener) { partitions_.listen(listener); }
  [[nodiscard]] const GroupConsumerOptions& options() const { return options_; }
  [[nodiscard]] GroupSubscription& subscription() { return subscription_; }
  [[nodiscard]] GroupPartitions& partitions() { return partitions_; }
  [[nodiscard]] Membership& membership() { return *membership_; }
  // Behind a change of the subscription: poll() looks at it at once.
  void resubscribed() { partitions_.consumer().interrupt(); }

  env::Task<Result<std::vector<ConsumerRecord>>> poll(env::TimePoint deadline);
  env::Task<Result<>> commit(OffsetsToCommit offsets, env::TimePoint deadline);
  void commit_async(OffsetsToCommit offsets, CommitReport report);
  env::Task<Result<std::map<TopicPartition, std::optional<CommittedOffset>>>> committed(
      std::set<TopicPartition> partitions, env::TimePoint deadline);
  env::Task<void> close(env::TimePoint deadline);

 private:
  env::Task<Result<std::vector<ConsumerRecord>>> poll_inside(env::TimePoint deadline);
  env::Task<void> refresh_topics();
  void commit_by_itself();
  env::Task<Result<>> commit_once(OffsetsToCommit offsets, env::TimePoint deadline);
  env::Task<void> run_async_commit(OffsetsToCommit offsets, CommitReport report);

  Cluster& cluster_;
  GroupConsumerOptions options_;
  Coordinator coordinator_;
  GroupSubscription subscription_;
  GroupPartitions partitions_;
  std::unique_ptr<Membership> membership_;
  std::optional<Error> failure_;
  bool refreshing_ = false;
  bool polling_ = false;
  bool stopping_ = false;
  std::size_t async_commits_ = 0;  // under way
  env::Event async_done_;
  env::TimePoint next_auto_commit_{};
  env::Gate gate_;
};

}  // namespace arus::client
