// DescribeTopicPartitions: topics page by page, with their eligible leaders.
#include "protocol/api/describe_topic_partitions.h"

#include <set>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/live_brokers.h"
#include "broker/handlers/topic_names.h"

namespace arus::broker {
namespace {

using protocol::DescribeTopicPartitionsRequest;
using protocol::DescribeTopicPartitionsResponse;
using TopicAnswer = DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic;
using security::AclOperation;

// Which topics the caller asked for and may see, in order; and the refusals for the others.
std::set<std::string> choose(const Context& context, const DescribeTopicPartitionsRequest& request,
                             DescribeTopicPartitionsResponse& response) {
  std::set<std::string> chosen;
  const auto image = context.image();
  const std::string first = request.cursor ? request.cursor->topic_name : std::string{};
  if (request.topics.empty()) {
    for (const auto& [name, topic] : image->topics) {
      if (name >= first &&
          context.authorization().allows_topic(AclOperation::describe, name, net::Audit::quiet)) {
        chosen.insert(name);
      }
    }
    return chosen;
  }
  for (const auto& topic : request.topics) {
    if (topic.name < first) continue;
    if (context.authorization().allows_topic(AclOperation::describe, topic.name)) {
      chosen.insert(topic.name);
      continue;
    }
    auto& refused = response.topics.emplace_back();
    refused.error_code = ErrorCode::topic_authorization_failed;
    refused.name = topic.name;
    refused.is_internal = is_internal_topic(topic.name);
  }
  return chosen;
}

void describe_partition(const LiveBrokers& brokers, const metadata::PartitionImage& from,
                        std::int32_t index, TopicAnswer& topic) {
  auto& partition = topic.partitions.emplace_back();
  partition.partition_index = index;
  partition.error_code = brokers.leader_error(from);
  partition.leader_id = from.leader;
  partition.leader_epoch = from.leader_epoch.value();
  partition.replica_nodes = from.replicas;
  partition.isr_nodes = from.isr;
  partition.eligible_leader_replicas = from.elr;
  partition.last_known_elr = from.last_known_elr;
  partition.offline_replicas = brokers.offline_of(from);
}

TopicAnswer describe_missing(const std::string& name) {
  TopicAnswer topic;
  topic.error_code = is_topic_name(name) ? ErrorCode::unknown_topic_or_partition
                                         : ErrorCode::invalid_topic_exception;
  topic.name = name;
  topic.is_internal = is_internal_topic(name);
  return topic;
}

env::Task<DescribeTopicPartitionsResponse> handle(DescribeTopicPartitionsRequest request,
                                                  Context& context) {
  DescribeTopicPartitionsResponse response;
  if (request.cursor && request.cursor->partition_index < 0) {
    for (const auto& topic : request.topics) {
      response.topics.push_back(describe_missing(topic.name));
      response.topics.back().error_code = ErrorCode::invalid_request;
    }
    co_return response;
  }
  const auto image = context.image();
  const LiveBrokers brokers(context);
  std::int32_t room = std::clamp(request.response_partition_limit, 1,
                                 context.config()->max_request_partition_size_limit);
  for (const auto& name : choose(context, request, response)) {
    const auto from = image->topic(name);
    if (!from) {
      response.topics.push_back(describe_missing(name));
      continue;
    }
    const bool resumed = request.cursor && request.cursor->topic_name == name;
    const auto count = static_cast<std::int32_t>(from->partitions.size());
    std::int32_t index = resumed ? request.cursor->partition_index : 0;
    if (room == 0) {
      response.next_cursor =
          DescribeTopicPartitionsResponse::Cursor{.topic_name = name, .partition_index = index};
      break;
    }
    TopicAnswer topic;
    topic.name = name;
    topic.topic_id = from->id;
    topic.is_internal = is_internal_topic(name);
    topic.topic_authorized_operations =
        context.authorization().operations(security::ResourceType::topic, name);
    for (; index < count && room > 0; ++index, --room) {
      describe_partition(brokers, *from->partitions[static_cast<std::size_t>(index)], index, topic);
    }
    response.topics.push_back(std::move(topic));
    if (index < count) {
      response.next_cursor =
          DescribeTopicPartitionsResponse::Cursor{.topic_name = name, .partition_index = index};
      break;
    }
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_topic_partitions_handler() {
  return net::make_handler<DescribeTopicPartitionsRequest, Context>(
      handle, net::checked_in_handler<DescribeTopicPartitionsRequest>(
                  "topics that may not be described are left out of a list of all and refused "
                  "where they are named"));
}

}  // namespace arus::broker
