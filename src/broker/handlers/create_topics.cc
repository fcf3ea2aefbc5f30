// CreateTopics: new topics, by counts or by an assignment of replicas.
#include "protocol/api/create_topics.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using security::AclOperation;

CreateTopicsResponse::CreatableTopicResult failed_topic(std::string name, const Error& error) {
  CreateTopicsResponse::CreatableTopicResult result;
  result.name = std::move(name);
  result.error_code = error.code;
  result.error_message = message_of(error);
  return result;
}

void check_create_topics(CreateTopicsRequest& request, const net::Context& context,
                         net::Refusals<CreateTopicsResponse>& refusals) {
  const net::Authorization& may = context.authorization();
  if (may.allows_cluster(AclOperation::create, net::Audit::quiet)) return;
  std::vector<CreateTopicsRequest::CreatableTopic> allowed;
  for (auto& topic : request.topics) {
    if (may.allows_topic(AclOperation::create, topic.name)) {
      allowed.push_back(std::move(topic));
      continue;
    }
    refusals.later([name = std::move(topic.name)](CreateTopicsResponse& response) mutable {
      response.topics.push_back(
          failed_topic(std::move(name), {ErrorCode::topic_authorization_failed, {}, 0}));
    });
  }
  request.topics = std::move(allowed);
}

// Settings of a new topic are for those who may read settings.
void hide_configs(const Context& context, CreateTopicsResponse& response) {
  for (auto& topic : response.topics) {
    if (topic.error_code != ErrorCode::none ||
        context.authorization().allows_topic(AclOperation::describe_configs, topic.name,
                                             net::Audit::quiet)) {
      continue;
    }
    topic.topic_config_error_code = ErrorCode::topic_authorization_failed;
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    topic.configs.reset();
  }
}

env::Task<CreateTopicsResponse> handle(CreateTopicsRequest request, Context& context) {
  std::vector<std::string> names;
  for (const auto& topic : request.topics) names.push_back(topic.name);
  const auto caller = context.caller(request.timeout_ms);
  auto answer = co_await context.controller().create_topics(caller, std::move(request));
  if (!answer) {
    CreateTopicsResponse response;
    for (auto& name : names)
      response.topics.push_back(failed_topic(std::move(name), answer.error()));
    co_return response;
  }
  hide_configs(context, *answer);
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> create_topics_handler() {
  return net::make_handler<CreateTopicsRequest, Context>(
      handle, net::Checks<CreateTopicsRequest>(check_create_topics));
}

}  // namespace arus::broker
