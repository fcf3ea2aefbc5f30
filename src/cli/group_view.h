// What is shown of consumer groups: gathered once, printed by Kafka's program and by ours.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "cli/offset_reset.h"
#include "client/group_admin.h"

namespace arus::cli {

// One partition that a group reads or has an offset of.
struct GroupPartitionView {
  TopicPartition name;
  std::optional<Offset> committed;
  LeaderEpoch leader_epoch = no_leader_epoch;   // of the committed offset
  std::optional<Offset> end;                    // nothing: no leader says it
  const client::GroupMember* member = nullptr;  // who reads it; of the description
  // Age of the oldest record that is not committed, filled by add_lag_times(): 0 without lag,
  // nothing where no such record was found.
  std::optional<std::int64_t> lag_ms;

  // Records between the committed offset and the end.
  [[nodiscard]] std::optional<std::int64_t> lag() const;
};

// All partitions of the group's members (those with most partitions first), then those that have
// an offset and no reader. The description must outlive them.
env::Task<Result<std::vector<GroupPartitionView>>> describe_partitions(
    client::Cluster& cluster, const client::GroupDescription& group);

// Reads the record at each committed offset that has something behind it. `deadline`: partitions
// that have not answered then stay without an age.
env::Task<Result<>> add_lag_times(client::Cluster& cluster,
                                  std::vector<GroupPartitionView>& partitions, std::int64_t now_ms,
                                  env::TimePoint deadline);

// Why a rebalance is not over: one sentence for each member (or for the group) that it waits for.
struct Holdup {
  std::string member_id;  // empty: nobody in particular
  std::string why;
};
std::vector<Holdup> find_holdups(const client::GroupDescription& group);

// Whether offsets may be reset: the group has no members.
bool is_inactive(std::string_view group_state);

// What a reset is about: all partitions with offsets, or these.
struct ResetScope {
  bool all_topics = false;
  std::vector<TopicScope> topics;
};

// Asks what the strategy needs to know and plans; nothing is changed.
// UNKNOWN_TOPIC_OR_PARTITION and LEADER_NOT_AVAILABLE name the partitions.
env::Task<Result<ResetPlan>> plan_group_reset(client::Cluster& cluster, std::string group,
                                              ResetScope scope, ResetStrategy strategy,
                                              env::TimePoint deadline);

// Commits what the plan says. The first refusal is the error.
env::Task<Result<>> execute_reset(client::Cluster& cluster, std::string group, ResetPlan plan,
                                  env::TimePoint deadline);

// The partitions that the scopes name; those of a topic without partitions are asked for.
env::Task<Result<std::set<TopicPartition>>> partitions_of(client::Cluster& cluster,
                                                          std::vector<TopicScope> scopes,
                                                          env::TimePoint deadline);

// "-" for none.
std::string offset_text(const std::optional<Offset>& offset);

}  // namespace arus::cli
