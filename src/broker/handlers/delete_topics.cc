// DeleteTopics: by name, and from version 6 on by id.
#include "protocol/api/delete_topics.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using TopicState = DeleteTopicsRequest::DeleteTopicState;
using security::AclOperation;

constexpr std::int16_t ids_from_version = 6;

DeleteTopicsResponse::DeletableTopicResult failed(const TopicState& topic, const Error& error) {
  DeleteTopicsResponse::DeletableTopicResult result;
  result.name = topic.name;
  result.topic_id = topic.topic_id;
  result.error_code = error.code;
  result.error_message = message_of(error);
  return result;
}

// Why a topic must not be deleted by this caller, or nothing. A refusal comes before the caller
// learns whether the topic exists; one by id does not tell the name.
std::optional<DeleteTopicsResponse::DeletableTopicResult> refusal(const Context& context,
                                                                  const TopicState& topic) {
  const bool by_id = !topic.topic_id.is_zero();
  if (by_id == topic.name.has_value()) {
    return failed(topic, {ErrorCode::invalid_request,
                          by_id ? "You may not specify both topic name and topic id."
                                : "Neither topic name nor id were specified.",
                          0});
  }
  const net::Authorization& may = context.authorization();
  if (may.allows_cluster(AclOperation::remove, net::Audit::quiet)) return std::nullopt;
  const auto image = context.image();
  TopicState named = topic;
  if (by_id) {
    const auto found = image->topic(topic.topic_id);
    if (!found) return failed(topic, {ErrorCode::unknown_topic_id, {}, 0});
    if (!may.allows_topic(AclOperation::describe, found->name)) {
      return failed(topic, {ErrorCode::topic_authorization_failed, {}, 0});
    }
    named.name = found->name;
  } else if (!may.allows_topic(AclOperation::describe, *topic.name)) {
    return failed(topic, {ErrorCode::topic_authorization_failed, {}, 0});
  }
  if (image->topic(*named.name) && !may.allows_topic(AclOperation::remove, *named.name)) {
    return failed(named, {ErrorCode::topic_authorization_failed, {}, 0});
  }
  return std::nullopt;
}

env::Task<DeleteTopicsResponse> handle(DeleteTopicsRequest request, Context& context) {
  DeleteTopicsResponse response;
  if (context.version() < ids_from_version) {
    for (auto& name : request.topic_names) {
      request.topics.push_back({.name = std::move(name)});
    }
    request.topic_names.clear();
  }
  std::vector<TopicState> allowed;
  for (auto& topic : request.topics) {
    if (auto refused = refusal(context, topic)) {
      response.responses.push_back(std::move(*refused));
    } else {
      allowed.push_back(std::move(topic));
    }
  }
  if (allowed.empty()) co_return response;
  request.topics = allowed;
  const auto caller = context.caller(request.timeout_ms);
  auto answer = co_await context.controller().delete_topics(caller, std::move(request));
  if (!answer) {
    for (const auto& topic : allowed) response.responses.push_back(failed(topic, answer.error()));
    co_return response;
  }
  for (auto& result : answer->responses) response.responses.push_back(std::move(result));
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> delete_topics_handler() {
  return net::make_handler<DeleteTopicsRequest, Context>(
      handle, net::checked_in_handler<DeleteTopicsRequest>(
                  "a topic by id is looked up before its name can be authorized"));
}

}  // namespace arus::broker
