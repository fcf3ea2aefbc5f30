// Metadata: brokers, topics and who leads their partitions; creates topics that are asked for.
#include "protocol/api/metadata.h"

#include <set>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/live_brokers.h"
#include "broker/handlers/topic_names.h"
#include "broker/internal_topics.h"
#include "protocol/api/create_topics.h"

namespace arus::broker {
namespace {

using protocol::MetadataRequest;
using protocol::MetadataResponse;
using TopicAnswer = MetadataResponse::MetadataResponseTopic;
using security::AclOperation;

// From these versions on a topic's name may be null, and operations are told on request.
constexpr std::int16_t null_names_from_version = 12;
constexpr std::int16_t old_controller_timeout_ms = 30'000;

TopicAnswer refused(const Context& context, ErrorCode code, std::optional<std::string> name,
                    const Uuid& id = zero_uuid) {
  TopicAnswer topic;
  topic.error_code = code;
  topic.name = std::move(name);
  if (!topic.name && context.version() < null_names_from_version) topic.name = "";
  topic.topic_id = id;
  topic.is_internal = topic.name && is_internal_topic(*topic.name);
  return topic;
}

TopicAnswer describe(const Context& context, const LiveBrokers& brokers,
                     const MetadataRequest& request, const metadata::TopicImage& image) {
  TopicAnswer topic;
  topic.name = image.name;
  topic.topic_id = image.id;
  topic.is_internal = is_internal_topic(image.name);
  topic.partitions.reserve(image.partitions.size());
  for (std::size_t i = 0; i < image.partitions.size(); ++i) {
    const metadata::PartitionImage& from = *image.partitions[i];
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = static_cast<std::int32_t>(i);
    partition.error_code = brokers.leader_error(from);
    partition.leader_id = partition.error_code == ErrorCode::none ? from.leader : no_broker;
    partition.leader_epoch = from.leader_epoch.value();
    partition.replica_nodes = from.replicas;
    partition.isr_nodes = from.isr;
    partition.offline_replicas = brokers.offline_of(from);
  }
  if (request.include_topic_authorized_operations) {
    topic.topic_authorized_operations =
        context.authorization().operations(security::ResourceType::topic, image.name);
  }
  return topic;
}

bool may_create(const Context& context, const std::string& name) {
  return context.authorization().allows_cluster(AclOperation::create, net::Audit::quiet) ||
         context.authorization().allows_topic(AclOperation::create, name);
}

// Creates the topics that are missing; gives the code of each that could not be.
env::Task<std::map<std::string, ErrorCode>> create(Context& context,
                                                   std::vector<std::string> names) {
  std::map<std::string, ErrorCode> outcome;
  protocol::CreateTopicsRequest request;
  request.timeout_ms = old_controller_timeout_ms;
  for (auto& name : names) {
    request.topics.push_back(new_topic(*context.config(), name));
    outcome[name] = ErrorCode::unknown_topic_or_partition;
  }
  const auto caller = context.caller(request.timeout_ms);
  const auto created = co_await context.controller().create_topics(caller, std::move(request));
  if (!created) co_return outcome;
  for (const auto& topic : created->topics) outcome[topic.name] = topic.error_code;
  co_return outcome;
}

void answer_all(const Context& context, const LiveBrokers& brokers, const MetadataRequest& request,
                MetadataResponse& response) {
  const auto image = context.image();
  for (const auto& [name, topic] : image->topics) {
    if (!context.authorization().allows_topic(AclOperation::describe, name, net::Audit::quiet)) {
      continue;
    }
    response.topics.push_back(describe(context, brokers, request, *topic));
  }
}

TopicAnswer answer_id(const Context& context, const LiveBrokers& brokers,
                      const MetadataRequest& request, const Uuid& id) {
  const auto topic = context.image()->topic(id);
  if (!topic) return refused(context, ErrorCode::unknown_topic_id, std::nullopt, id);
  if (!context.authorization().allows_topic(AclOperation::describe, topic->name)) {
    return refused(context, ErrorCode::topic_authorization_failed, std::nullopt, id);
  }
  return describe(context, brokers, request, *topic);
}

// Topics by name: existing ones are described, others created where that is allowed.
env::Task<void> answer_names(Context& context, const MetadataRequest& request,
                             const std::set<std::string>& names, MetadataResponse& response) {
  const bool create_missing =
      request.allow_auto_topic_creation && context.config()->auto_create_topics_enable;
  std::vector<std::string> missing;
  std::map<std::string, ErrorCode> codes;
  for (const auto& name : names) {
    if (!context.authorization().allows_topic(AclOperation::describe, name)) {
      codes[name] = ErrorCode::topic_authorization_failed;
    } else if (context.image()->topic(name)) {
      codes[name] = ErrorCode::none;
    } else if (!is_topic_name(name)) {
      codes[name] = ErrorCode::invalid_topic_exception;
    } else if (!create_missing || (is_internal_topic(name) && !is_coordinator_topic(name))) {
      codes[name] = ErrorCode::unknown_topic_or_partition;
    } else if (!may_create(context, name)) {
      codes[name] = ErrorCode::topic_authorization_failed;
    } else {
      missing.push_back(name);
    }
  }
  if (!missing.empty()) codes.merge(co_await create(context, std::move(missing)));
  const LiveBrokers brokers(context);
  const auto image = context.image();
  for (const auto& [name, code] : codes) {
    const auto topic = image->topic(name);
    if (topic && code != ErrorCode::topic_authorization_failed) {
      response.topics.push_back(describe(context, brokers, request, *topic));
    } else {
      response.topics.push_back(refused(
          context, code == ErrorCode::none ? ErrorCode::unknown_topic_or_partition : code, name));
    }
  }
}

void describe_cluster(const Context& context, const MetadataRequest& request,
                      MetadataResponse& response) {
  const LiveBrokers brokers(context);
  for (const auto& [id, broker] : brokers.reachable()) {
    auto& entry = response.brokers.emplace_back();
    entry.node_id = id;
    entry.host = broker.address.host;
    entry.port = broker.address.port;
    entry.rack = broker.rack;
  }
  response.cluster_id = context.services().cluster_id();
  response.controller_id = context.node_id();
  if (request.include_cluster_authorized_operations) {
    const bool allowed = context.authorization().allows_cluster(AclOperation::describe);
    response.cluster_authorized_operations =
        allowed ? context.authorization().operations(security::ResourceType::cluster,
                                                     security::cluster_name)
                : 0;
  }
}

env::Task<MetadataResponse> handle(MetadataRequest request, Context& context) {
  MetadataResponse response;
  const bool all = !request.topics || (context.version() == 0 && request.topics->empty());
  if (all) {
    answer_all(context, LiveBrokers(context), request, response);
  } else {
    std::set<std::string> names;
    std::set<Uuid> ids;
    for (auto& topic : *request.topics) {
      if (!topic.topic_id.is_zero()) {
        ids.insert(topic.topic_id);
      } else if (topic.name) {
        names.insert(std::move(*topic.name));
      }
    }
    co_await answer_names(context, request, names, response);
    const LiveBrokers brokers(context);
    for (const auto& id : ids) {
      response.topics.push_back(answer_id(context, brokers, request, id));
    }
  }
  describe_cluster(context, request, response);
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> metadata_handler() {
  return net::make_handler<MetadataRequest, Context>(
      handle, net::checked_in_handler<MetadataRequest>(
                  "topics that may not be described are left out of a list of all and refused "
                  "where they are named; creating asks for more"));
}

}  // namespace arus::broker
