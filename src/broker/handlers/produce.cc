// Produce: appends record batches and answers when they are durable.
#include "protocol/api/produce.h"

#include <utility>
#include <vector>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/topic_lookup.h"
#include "broker/handlers/topic_names.h"
#include "broker/handlers/transactional_append.h"
#include "replication/append.h"
#include "replication/fan_out.h"

namespace arus::broker {
namespace {

using protocol::ProduceRequest;
using protocol::ProduceResponse;
using PartitionAnswer = ProduceResponse::PartitionProduceResponse;
using replication::AppendItem;
using replication::AppendRequest;
using replication::AppendResult;
using security::AclOperation;

constexpr std::int16_t produced_topic_ids_from_version = 13;
constexpr std::int16_t leader_hints_from_version = 10;
constexpr std::int16_t zstd_from_version = 7;
// The client id under which Kafka's own tools write to internal topics.
constexpr std::string_view internal_writer = "__admin_client";

// Where the answer of one partition goes.
struct Place {
  std::size_t topic = 0;
  std::size_t partition = 0;
};

struct Work {
  std::vector<AppendItem> items;
  std::vector<TopicPartition> names;
  std::vector<std::size_t> loops;
  std::vector<Place> places;
};

void refuse(PartitionAnswer& answer, ErrorCode code, std::optional<std::string> message = {}) {
  answer.error_code = code;
  answer.base_offset = -1;
  answer.error_message = std::move(message);
}

bool is_transactional(const ProduceRequest& request) {
  for (const auto& topic : request.topic_data) {
    for (const auto& partition : topic.partition_data) {
      if (partition.records && record::has_transactional_batch(partition.records->view())) {
        return true;
      }
    }
  }
  return false;
}

// An answer for every partition of the request, still without outcome.
ProduceResponse outline(const ProduceRequest& request) {
  ProduceResponse response;
  response.responses.reserve(request.topic_data.size());
  for (const auto& topic : request.topic_data) {
    auto& answer = response.responses.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    answer.partition_responses.reserve(topic.partition_data.size());
    for (const auto& partition : topic.partition_data) {
      answer.partition_responses.emplace_back().index = partition.index;
    }
  }
  return response;
}

ProduceResponse refuse_all(ProduceResponse response, ErrorCode code,
                           const char* message = nullptr) {
  for (auto& topic : response.responses) {
    for (auto& partition : topic.partition_responses) {
      refuse(partition, code,
             message == nullptr ? std::optional<std::string>{} : std::string(message));
    }
  }
  return response;
}

// The transactional id must be one that the caller may write with, before anything is looked at.
void check_transaction(ProduceRequest& request, const net::Context& context,
                       net::Refusals<ProduceResponse>& refusals) {
  if (!is_transactional(request)) return;
  const bool allowed =
      request.transactional_id &&
      context.authorization().allows(AclOperation::write, security::ResourceType::transactional_id,
                                     *request.transactional_id);
  if (allowed) return;
  refusals.whole(refuse_all(outline(request), ErrorCode::transactional_id_authorization_failed));
}

Work collect(const Context& context, ProduceRequest& request, ProduceResponse& response) {
  Work work;
  const bool by_id = context.version() >= produced_topic_ids_from_version;
  for (std::size_t i = 0; i < request.topic_data.size(); ++i) {
    auto& asked = request.topic_data[i];
    TopicLookup lookup = by_id ? find_topic(context, asked.topic_id, AclOperation::write)
                               : find_topic(context, asked.name, AclOperation::write);
    if (lookup.topic && is_internal_topic(lookup.topic->name) &&
        context.client_id() != internal_writer) {
      lookup.error = ErrorCode::invalid_topic_exception;
    }
    for (std::size_t j = 0; j < asked.partition_data.size(); ++j) {
      PartitionAnswer& answer = response.responses[i].partition_responses[j];
      auto& data = asked.partition_data[j];
      if (lookup.error != ErrorCode::none) {
        refuse(answer, lookup.error);
        continue;
      }
      if (!data.records) {
        refuse(answer, ErrorCode::invalid_record, "The partition carries no records");
        continue;
      }
      work.items.push_back(
          {.id = {lookup.topic->id, data.index}, .records = std::move(*data.records)});
      work.names.push_back({lookup.topic->name, data.index});
      work.loops.push_back(context.partitions().loop_index(lookup.topic->name, data.index));
      work.places.push_back({i, j});
    }
  }
  return work;
}

void write_outcome(const Context& context, AppendResult& result, PartitionAnswer& answer) {
  if (result.error.code == ErrorCode::none) {
    answer.base_offset = result.base_offset.value();
    answer.log_append_time_ms = result.log_append_time_ms;
    answer.log_start_offset = result.log_start.value();
    return;
  }
  std::optional<std::string> message;
  if (!result.error.message.empty()) message = std::move(result.error.message);
  refuse(answer, result.error.code, std::move(message));
  for (auto& record : result.record_errors) {
    auto& entry = answer.record_errors.emplace_back();
    entry.batch_index = record.index;
    entry.batch_index_error_message = std::move(record.message);
  }
  if (result.error.code == ErrorCode::not_leader_or_follower &&
      context.version() >= leader_hints_from_version) {
    answer.current_leader.leader_id = result.leadership.leader;
    answer.current_leader.leader_epoch = result.leadership.epoch.value();
  }
}

bool has_error(const ProduceResponse& response) {
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) {
      if (partition.error_code != ErrorCode::none) return true;
    }
  }
  return false;
}

// Tells clients where the leaders are that the answer names.
void add_endpoints(const Context& context, ProduceResponse& response) {
  if (context.version() < leader_hints_from_version) return;
  std::vector<BrokerId> leaders;
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) {
      const BrokerId leader = partition.current_leader.leader_id;
      if (leader != no_broker && std::ranges::find(leaders, leader) == leaders.end()) {
        leaders.push_back(leader);
      }
    }
  }
  const auto image = context.image();
  for (const BrokerId leader : leaders) {
    const auto broker = image->broker(leader);
    const auto address = broker ? context.address_of(*broker) : std::nullopt;
    if (!address) continue;
    auto& endpoint = response.node_endpoints.emplace_back();
    endpoint.node_id = leader;
    endpoint.host = address->host;
    endpoint.port = address->port;
    endpoint.rack = broker->rack;
  }
}

env::Task<ProduceResponse> handle(ProduceRequest request, Context& context) {
  ProduceResponse response = outline(request);
  if (request.acks < -1 || request.acks > 1) {
    co_return refuse_all(std::move(response), ErrorCode::invalid_required_acks);
  }
  Work work = collect(context, request, response);
  const bool transactional = is_transactional(request);
  const AppendRequest append{
      .wait_until_visible = request.acks != 0,
      .all_replicas = request.acks == -1,
      .zstd_allowed = context.version() >= zstd_from_version,
      .deadline = context.now() + env::milliseconds(std::max(request.timeout_ms, 0))};
  if (!work.items.empty()) {
    std::vector<AppendResult> results =
        transactional
            ? co_await append_in_transaction(context, *request.transactional_id,
                                             std::move(work.items), std::move(work.names), append)
            : co_await replication::fan_out<AppendItem, AppendRequest, AppendResult>(
                  context.partitions(), std::move(work.items), std::move(work.loops), append,
                  &replication::append);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Place& place = work.places[i];
      write_outcome(context, results[i],
                    response.responses[place.topic].partition_responses[place.partition]);
    }
  }
  if (request.acks == 0) {
    // There is no answer to carry an error; a closed connection tells the producer to look again.
    context.answer_nothing();
    if (has_error(response)) context.close_connection();
    co_return response;
  }
  add_endpoints(context, response);
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> produce_handler() {
  return net::make_handler<ProduceRequest, Context>(handle,
                                                    net::Checks<ProduceRequest>(check_transaction));
}

}  // namespace arus::broker
