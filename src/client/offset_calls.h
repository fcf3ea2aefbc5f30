// Reading and writing the committed offsets of a group.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "client/coordinator.h"
#include "client/group_admin.h"

namespace arus::client {

// Who asks, as commits and transactions say it. Generation is a classic member's generation or the
// member epoch of a consumer group; −1 and no member id stand for nobody's member.
struct GroupMetadata {
  std::string group_id;
  std::int32_t generation = -1;
  std::string member_id;
  std::optional<std::string> instance_id;
};

// One try each; errors of the whole group are the outer result, of single partitions the inner.
// Both note what the codes say of the coordinator.
env::Task<Result<GroupAdmin::Offsets>> fetch_offsets_once(
    Cluster& cluster, Coordinator& coordinator, GroupMetadata member,
    std::optional<std::set<TopicPartition>> partitions, bool require_stable,
    env::TimePoint deadline);
env::Task<Result<GroupAdmin::Outcomes<TopicPartition>>> commit_offsets_once(
    Cluster& cluster, Coordinator& coordinator, GroupMetadata member,
    std::map<TopicPartition, CommittedOffset> offsets, env::TimePoint deadline);

// The same again and again while that may help, until the deadline.
env::Task<Result<GroupAdmin::Offsets>> fetch_offsets(
    Cluster& cluster, Coordinator& coordinator, GroupMetadata member,
    std::optional<std::set<TopicPartition>> partitions, bool require_stable,
    env::TimePoint deadline);
env::Task<Result<GroupAdmin::Outcomes<TopicPartition>>> commit_offsets(
    Cluster& cluster, Coordinator& coordinator, GroupMetadata member,
    std::map<TopicPartition, CommittedOffset> offsets, env::TimePoint deadline);

}  // namespace arus::client
