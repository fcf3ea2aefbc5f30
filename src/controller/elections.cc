#include "controller/elections.h"

#include <fmt/core.h>

#include "controller/node_records.h"
#include "controller/partition_change.h"

namespace arus::controller {
namespace {

using protocol::ElectLeadersRequest;
using protocol::ElectLeadersResponse;

enum class Kind : std::int8_t { preferred = 0, unclean = 1 };

Result<protocol::PartitionChangeRecord> elect(const DecisionContext& context,
                                              const std::string& name, std::int32_t index,
                                              Kind kind) {
  const auto topic = context.image.topic(name);
  if (topic == nullptr) {
    return fail(ErrorCode::unknown_topic_or_partition, "No such topic as " + name);
  }
  const auto* partition = context.image.partition(topic->id, index);
  if (partition == nullptr) {
    return fail(ErrorCode::unknown_topic_or_partition,
                fmt::format("No such partition as {}-{}", name, index));
  }
  const bool not_needed = kind == Kind::preferred ? partition->leader == partition->replicas.front()
                                                  : partition->leader != no_broker;
  if (not_needed) {
    return fail(ErrorCode::election_not_needed, "Leader election not needed for topic partition.");
  }
  const PartitionSurroundings surroundings{
      .min_insync_replicas = min_insync_replicas(context, name),
      .elr_enabled = elr_enabled(context.image),
      .can_lead = [&](BrokerId id) { return context.image.is_alive(id); }};
  PartitionChange change(topic->id, index, *partition, surroundings);
  change.election(kind == Kind::preferred ? Election::preferred : Election::unclean);
  const auto record = change.build();
  const bool elected = record && record->leader.value() >= 0 &&
                       (kind == Kind::unclean || record->leader == partition->replicas.front());
  if (!elected) {
    return kind == Kind::preferred ? fail(ErrorCode::preferred_leader_not_available,
                                          "The preferred leader was not available.")
                                   : fail(ErrorCode::eligible_leaders_not_available,
                                          "Eligible topic partition leaders are not available.");
  }
  return *record;
}

void answer(ElectLeadersResponse::ReplicaElectionResult& result, std::int32_t index,
            const Error& error) {
  auto& partition = result.partition_result.emplace_back();
  partition.partition_id = index;
  partition.error_code = error.code;
  partition.error_message.reset();
  if (!error.message.empty()) partition.error_message = error.message;
}

}  // namespace

Result<Decision<ElectLeadersResponse>> elect_leaders(const DecisionContext& context,
                                                     const ElectLeadersRequest& request) {
  Decision<ElectLeadersResponse> decision;
  auto& results = decision.response.replica_election_results;
  const bool known = request.election_type == 0 || request.election_type == 1;
  const Error unknown{ErrorCode::invalid_request,
                      fmt::format("Unknown election type {}", request.election_type)};
  if (!known) decision.response.error_code = ErrorCode::invalid_request;
  const Kind kind = static_cast<Kind>(request.election_type);
  if (request.topic_partitions) {
    for (const auto& wanted : *request.topic_partitions) {
      auto& result = results.emplace_back();
      result.topic = wanted.topic;
      for (const std::int32_t index : wanted.partitions) {
        if (!known) {
          answer(result, index, unknown);
          continue;
        }
        auto record = elect(context, wanted.topic, index, kind);
        answer(result, index, record ? Error{ErrorCode::none} : record.error());
        if (record) decision.records.emplace_back(std::move(*record));
      }
    }
    return decision;
  }
  if (!known) return decision;
  for (const auto& [name, topic] : context.image.topics) {
    auto& result = results.emplace_back();
    result.topic = name;
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const auto index = static_cast<std::int32_t>(i);
      auto record = elect(context, name, index, kind);
      // Asked about all, those that need nothing are left out.
      if (!record && record.error().code == ErrorCode::election_not_needed) continue;
      answer(result, index, record ? Error{ErrorCode::none} : record.error());
      if (record) decision.records.emplace_back(std::move(*record));
    }
  }
  return decision;
}

Result<Decision<protocol::UnregisterBrokerResponse>> unregister_broker(
    const DecisionContext& context, const protocol::UnregisterBrokerRequest& request) {
  const auto broker = context.image.broker(request.broker_id);
  if (broker == nullptr) {
    return fail(ErrorCode::broker_id_not_registered,
                fmt::format("Broker ID {} is not currently registered", request.broker_id.value()));
  }
  if (request.broker_id == context.self) {
    return fail(ErrorCode::invalid_request,
                fmt::format("Broker {} is the node that would answer; it cannot be unregistered "
                            "while it runs",
                            request.broker_id.value()));
  }
  Decision<protocol::UnregisterBrokerResponse> decision;
  decision.response.error_message.reset();
  remove_from_isrs(context, request.broker_id, decision.records);
  protocol::UnregisterBrokerRecord record;
  record.broker_id = request.broker_id;
  record.broker_epoch = broker->epoch;
  decision.records.emplace_back(record);
  return decision;
}

}  // namespace arus::controller
