#include "broker/internal_topics.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "broker/coordinators.h"
#include "env/loop.h"

namespace arus::broker {
namespace {

const LogComponent internal_topics_log{"broker.internal_topics"};
// How often the image is looked at while another request's creation is under way.
constexpr env::Duration look_again_after = env::milliseconds(2);

using CreatableTopic = protocol::CreateTopicsRequest::CreatableTopic;

void add_config(CreatableTopic& topic, std::string name, std::string value) {
  auto& config = topic.configs.emplace_back();
  config.name = std::move(name);
  config.value = std::move(value);
}

}  // namespace

bool is_coordinator_topic(std::string_view name) {
  return name == group_topic || name == transaction_topic;
}

CreatableTopic new_topic(const config::BrokerConfig& config, std::string name) {
  CreatableTopic topic;
  topic.num_partitions = -1;
  topic.replication_factor = -1;
  if (name == group_topic) {
    topic.num_partitions = config.offsets_topic_num_partitions;
    topic.replication_factor = config.offsets_topic_replication_factor;
    add_config(topic, "cleanup.policy", "compact");
    add_config(topic, "compression.type", "producer");
    add_config(topic, "segment.bytes",
               std::to_string(config.integer("offsets.topic.segment.bytes")));
  } else if (name == transaction_topic) {
    topic.num_partitions = config.transaction_state_log_num_partitions;
    topic.replication_factor = config.transaction_state_log_replication_factor;
    add_config(topic, "unclean.leader.election.enable", "false");
    add_config(topic, "compression.type", "uncompressed");
    add_config(topic, "cleanup.policy", "compact");
    add_config(topic, "min.insync.replicas",
               std::to_string(config.integer("transaction.state.log.min.isr")));
    add_config(topic, "segment.bytes",
               std::to_string(config.integer("transaction.state.log.segment.bytes")));
  }
  topic.name = std::move(name);
  return topic;
}

env::Task<Result<>> ensure_internal_topic(controller::ControllerApi& controller,
                                          const metadata::ImagePublisher& images,
                                          const config::BrokerConfig& config, std::string name,
                                          controller::CallerContext caller) {
  if (images.current()->topic(name)) co_return Result<>{};
  const env::TimePoint deadline = caller.deadline;
  protocol::CreateTopicsRequest request;
  request.timeout_ms = config.request_timeout_ms;
  request.topics.push_back(new_topic(config, name));
  const auto answer = co_await controller.create_topics(std::move(caller), std::move(request));
  const Error none{ErrorCode::none, {}, 0};
  Error outcome = answer ? none : answer.error();
  if (answer && !answer->topics.empty()) {
    const auto& topic = answer->topics.front();
    outcome = {topic.error_code, topic.error_message.value_or(""), 0};
  }
  // Where it exists by now, somebody else's request made it, and the image follows.
  const bool made =
      outcome.code == ErrorCode::none || outcome.code == ErrorCode::topic_already_exists;
  if (!made) {
    internal_topics_log.warning("the topic {} cannot be created: {} {}", name,
                                error_name(outcome.code), outcome.message);
    co_return fail(ErrorCode::coordinator_not_available, outcome.message);
  }
  while (!images.current()->topic(name)) {
    if (env::Loop::current()->now() >= deadline) {
      co_return fail(ErrorCode::coordinator_not_available, name + " is not there yet");
    }
    co_await env::sleep_for(look_again_after);
  }
  co_return Result<>{};
}

}  // namespace arus::broker
