#include <fmt/core.h>

#include <algorithm>

#include "controller/elections.h"
#include "controller/partition_change.h"
#include "controller/placement.h"

namespace arus::controller {
namespace {

using metadata::PartitionImage;
using protocol::AlterPartitionReassignmentsRequest;
using protocol::AlterPartitionReassignmentsResponse;
using protocol::ListPartitionReassignmentsRequest;
using protocol::ListPartitionReassignmentsResponse;

// Takes back what a reassignment has begun: the replicas that it adds leave.
Result<> revert(const PartitionImage& partition, PartitionChange& change) {
  if (partition.adding.empty() && partition.removing.empty()) {
    return fail(ErrorCode::no_reassignment_in_progress);
  }
  const auto isr = subtract(partition.isr, partition.adding);
  if (isr.empty() && !partition.isr.empty()) {
    return fail(ErrorCode::invalid_replica_assignment,
                "The reassignment cannot be cancelled: only replicas that it adds are in sync.");
  }
  change.isr(isr).reassign(subtract(partition.replicas, partition.adding), {}, {});
  return {};
}

Result<> move_to(const DecisionContext& context, const PartitionImage& partition,
                 const std::vector<BrokerId>& target, bool may_change_factor,
                 PartitionChange& change) {
  ARUS_TRY(validate_assignment(context.image, target, 0));
  // Half-way into one reassignment, the next starts from where the first began.
  const auto current = subtract(partition.replicas, partition.adding);
  if (!may_change_factor && current.size() != target.size()) {
    return fail(ErrorCode::invalid_replication_factor,
                fmt::format("The replication factor is changed from {} to {}", current.size(),
                            target.size()));
  }
  auto removing = subtract(current, target);
  auto adding = subtract(target, current);
  std::ranges::sort(removing);
  std::ranges::sort(adding);
  std::vector<BrokerId> replicas = target;
  replicas.insert(replicas.end(), removing.begin(), removing.end());
  change.reassign(std::move(replicas), std::move(adding), std::move(removing));
  return {};
}

Result<std::optional<protocol::PartitionChangeRecord>> reassign(
    const DecisionContext& context, const std::string& name,
    const AlterPartitionReassignmentsRequest::ReassignablePartition& wanted,
    bool may_change_factor) {
  const auto topic = context.image.topic(name);
  if (topic == nullptr) {
    return fail(ErrorCode::unknown_topic_or_partition,
                fmt::format("Unable to find a topic named {}.", name));
  }
  const auto* partition = context.image.partition(topic->id, wanted.partition_index);
  if (partition == nullptr) {
    return fail(ErrorCode::unknown_topic_or_partition,
                fmt::format("Unable to find partition {}:{}.", name, wanted.partition_index));
  }
  const PartitionSurroundings surroundings{
      .min_insync_replicas = min_insync_replicas(context, name),
      .elr_enabled = elr_enabled(context.image),
      .can_lead = [&](BrokerId id) { return context.image.is_alive(id); }};
  PartitionChange change(topic->id, wanted.partition_index, *partition, surroundings);
  if (wanted.replicas) {
    ARUS_TRY(move_to(context, *partition, *wanted.replicas, may_change_factor, change));
  } else {
    ARUS_TRY(revert(*partition, change));
  }
  return change.build();
}

// Adds the partition to the list where it is being moved.
void list(const std::string& name, const metadata::TopicImage& topic, std::int32_t index,
          ListPartitionReassignmentsResponse& response) {
  if (index < 0 || static_cast<std::size_t>(index) >= topic.partitions.size()) return;
  const PartitionImage& partition = *topic.partitions[static_cast<std::size_t>(index)];
  if (partition.adding.empty() && partition.removing.empty()) return;
  if (response.topics.empty() || response.topics.back().name != name) {
    response.topics.emplace_back().name = name;
  }
  auto& entry = response.topics.back().partitions.emplace_back();
  entry.partition_index = index;
  entry.replicas = partition.replicas;
  entry.adding_replicas = partition.adding;
  entry.removing_replicas = partition.removing;
}

}  // namespace

Result<Decision<AlterPartitionReassignmentsResponse>> alter_partition_reassignments(
    const DecisionContext& context, const AlterPartitionReassignmentsRequest& request) {
  Decision<AlterPartitionReassignmentsResponse> decision;
  decision.response.error_message.reset();
  decision.response.allow_replication_factor_change = request.allow_replication_factor_change;
  for (const auto& wanted : request.topics) {
    auto& topic = decision.response.responses.emplace_back();
    topic.name = wanted.name;
    for (const auto& one : wanted.partitions) {
      auto& answer = topic.partitions.emplace_back();
      answer.partition_index = one.partition_index;
      answer.error_message.reset();
      auto record = reassign(context, wanted.name, one, request.allow_replication_factor_change);
      if (!record) {
        answer.error_code = record.error().code;
        if (!record.error().message.empty()) answer.error_message = record.error().message;
      } else if (*record) {
        decision.records.emplace_back(std::move(**record));
      }
    }
  }
  return decision;
}

Result<Decision<ListPartitionReassignmentsResponse>> list_partition_reassignments(
    const DecisionContext& context, const ListPartitionReassignmentsRequest& request) {
  Decision<ListPartitionReassignmentsResponse> decision;
  decision.response.error_message.reset();
  if (request.topics) {
    for (const auto& wanted : *request.topics) {
      const auto topic = context.image.topic(wanted.name);
      if (topic == nullptr) continue;
      for (const std::int32_t index : wanted.partition_indexes) {
        list(wanted.name, *topic, index, decision.response);
      }
    }
    return decision;
  }
  for (const auto& [name, topic] : context.image.topics) {
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      list(name, *topic, static_cast<std::int32_t>(i), decision.response);
    }
  }
  return decision;
}

}  // namespace arus::controller
