#include <fmt/core.h>

#include <map>

#include "controller/placement.h"
#include "controller/topics.h"
#include "metadata/snapshot_records.h"

namespace arus::controller {
namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using Growth = CreatePartitionsRequest::CreatePartitionsTopic;

Result<> grow(const DecisionContext& context, Placement& placement, const Growth& wanted,
              std::int64_t& created, Records& records) {
  const auto topic = context.image.topic(wanted.name);
  if (topic == nullptr) return fail(ErrorCode::unknown_topic_or_partition);
  const auto before = static_cast<std::int32_t>(topic->partitions.size());
  if (wanted.count == before) {
    return fail(ErrorCode::invalid_partitions,
                fmt::format("Topic already has {} partition(s).", before));
  }
  if (wanted.count < before) {
    return fail(ErrorCode::invalid_partitions,
                fmt::format("The topic {} currently has {} partition(s); {} would not be an "
                            "increase.",
                            wanted.name, before, wanted.count));
  }
  const std::int32_t added = wanted.count - before;
  if (wanted.assignments && wanted.assignments->size() != static_cast<std::size_t>(added)) {
    return fail(ErrorCode::invalid_replica_assignment,
                fmt::format("Attempted to add {} additional partition(s), but only {} "
                            "assignment(s) were specified.",
                            added, wanted.assignments->size()));
  }
  if (added > max_partitions_per_request - created) {
    return fail(ErrorCode::policy_violation, "Excessively large number of partitions per request.");
  }
  const auto replication_factor =
      topic->partitions.empty() ? std::size_t{1} : topic->partitions.front()->replicas.size();
  Records made;
  for (std::int32_t i = 0; i < added; ++i) {
    std::vector<BrokerId> replicas;
    if (wanted.assignments) {
      replicas = (*wanted.assignments)[static_cast<std::size_t>(i)].broker_ids;
      ARUS_TRY(validate_assignment(context.image, replicas, replication_factor));
    } else {
      auto placed = placement.place(static_cast<std::int16_t>(replication_factor));
      if (!placed) return fail(placed.error());
      replicas = std::move(*placed);
    }
    const auto partition = new_partition(context, placement, before + i, std::move(replicas));
    if (!partition) return fail(partition.error());
    made.emplace_back(metadata::to_record(topic->id, before + i, *partition));
  }
  created += added;
  for (auto& record : made) records.push_back(std::move(record));
  return {};
}

}  // namespace

Result<Decision<CreatePartitionsResponse>> create_partitions(
    const DecisionContext& context, const CreatePartitionsRequest& request) {
  Decision<CreatePartitionsResponse> decision;
  std::map<std::string, int> counts;
  for (const auto& wanted : request.topics) ++counts[wanted.name];
  Placement placement(context);
  std::int64_t created = 0;
  const auto answer = [&](const std::string& name, const Result<>& outcome) {
    auto& result = decision.response.results.emplace_back();
    result.name = name;
    if (outcome) return;
    result.error_code = outcome.error().code;
    if (!outcome.error().message.empty()) result.error_message = outcome.error().message;
  };
  for (const auto& wanted : request.topics) {
    int& count = counts[wanted.name];
    if (count == 0) continue;
    if (count > 1) {
      count = 0;
      answer(wanted.name, fail(ErrorCode::invalid_request, "Duplicate topic name."));
      continue;
    }
    answer(wanted.name, grow(context, placement, wanted, created, decision.records));
  }
  if (request.validate_only) decision.records.clear();
  return decision;
}

}  // namespace arus::controller
