// DescribeProducers: what partitions know of the producers that write to them, and which of their
// transactions are open.
#include "protocol/api/describe_producers.h"

#include <utility>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "broker/handlers/topic_names.h"
#include "replication/fan_out.h"
#include "replication/producers.h"

namespace arus::broker {
namespace {

using protocol::DescribeProducersRequest;
using protocol::DescribeProducersResponse;
using PartitionAnswer = DescribeProducersResponse::PartitionResponse;
using replication::PartitionProducers;
using replication::ProducersRequest;

struct ProducerPlace {
  std::size_t topic = 0;
  std::size_t partition = 0;
};

Error refusal(const Context& context, const metadata::MetadataImage& image,
              const std::string& topic) {
  if (!is_topic_name(topic)) {
    return {ErrorCode::invalid_topic_exception, "The topic name is not valid", 0};
  }
  if (!context.authorization().allows_topic(security::AclOperation::read, topic)) {
    return {ErrorCode::topic_authorization_failed, {}, 0};
  }
  if (!image.topic(topic)) return {ErrorCode::unknown_topic_or_partition, {}, 0};
  return {ErrorCode::none, {}, 0};
}

void write(PartitionProducers& producers, PartitionAnswer& answer) {
  answer.error_code = producers.error.code;
  answer.error_message = message_of(producers.error);
  for (const storage::ProducerEntry& entry : producers.entries) {
    auto& described = answer.active_producers.emplace_back();
    described.producer_id = entry.producer_id;
    described.producer_epoch = entry.epoch;
    described.last_sequence =
        entry.last_batch() == nullptr ? -1 : entry.last_batch()->last_sequence;
    described.last_timestamp = entry.last_timestamp_ms;
    described.coordinator_epoch = entry.coordinator_epoch;
    described.current_txn_start_offset = entry.transaction_start.value();
  }
}

env::Task<DescribeProducersResponse> handle(DescribeProducersRequest request, Context& context) {
  DescribeProducersResponse response;
  std::vector<TopicIdPartition> ids;
  std::vector<std::size_t> loops;
  std::vector<ProducerPlace> places;
  const auto image = context.image();
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    const Error refused = refusal(context, *image, asked.name);
    for (const std::int32_t partition : asked.partition_indexes) {
      auto& answer = topic.partitions.emplace_back();
      answer.partition_index = partition;
      answer.error_code = refused.code;
      answer.error_message = message_of(refused);
      if (refused.code != ErrorCode::none) continue;
      ids.push_back({image->topic(asked.name)->id, partition});
      loops.push_back(context.partitions().loop_index(asked.name, partition));
      places.push_back({response.topics.size() - 1, topic.partitions.size() - 1});
    }
  }
  auto results =
      co_await replication::fan_out<TopicIdPartition, ProducersRequest, PartitionProducers>(
          context.partitions(), std::move(ids), std::move(loops), {},
          &replication::describe_producers);
  for (std::size_t i = 0; i < results.size(); ++i) {
    write(results[i], response.topics[places[i].topic].partitions[places[i].partition]);
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_producers_handler() {
  return net::make_handler<DescribeProducersRequest, Context>(
      handle, net::checked_in_handler<DescribeProducersRequest>(
                  "a refused topic has an answer per partition"));
}

}  // namespace arus::broker
