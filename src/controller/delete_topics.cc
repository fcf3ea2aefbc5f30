#include <map>

#include "config/topic_config.h"
#include "controller/topics.h"

namespace arus::controller {
namespace {

using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using Deleted = DeleteTopicsResponse::DeletableTopicResult;

Deleted answer(std::optional<std::string> name, const Uuid& id, ErrorCode code,
               std::optional<std::string> message) {
  Deleted made;
  made.name = std::move(name);
  made.topic_id = id;
  made.error_code = code;
  made.error_message = std::move(message);
  return made;
}

void remove(const DecisionContext& context, const metadata::TopicImage& topic, Records& records) {
  protocol::RemoveTopicRecord record;
  record.topic_id = topic.id;
  records.emplace_back(record);
  // What was set for the topic among the brokers' settings goes with it.
  const metadata::ConfigResource all_brokers{metadata::ConfigResourceType::broker, {}};
  for (const auto& [key, value] : context.image.configs(all_brokers)) {
    const auto stored = config::parse_stored_arus_key(key);
    if (stored && stored->topic_id == topic.id) {
      records.emplace_back(config_record(all_brokers, key, std::nullopt));
    }
  }
}

}  // namespace

Result<Decision<DeleteTopicsResponse>> delete_topics(const DecisionContext& context,
                                                     const DeleteTopicsRequest& request) {
  if (!context.settings.delete_topics) {
    return fail(ErrorCode::topic_deletion_disabled, "Topic deletion is disabled.");
  }
  Decision<DeleteTopicsResponse> decision;
  auto& answers = decision.response.responses;
  std::vector<DeleteTopicsRequest::DeleteTopicState> wanted = request.topics;
  for (const auto& name : request.topic_names) wanted.push_back({.name = name, .topic_id = {}});
  std::map<std::string, int> names;
  std::map<Uuid, int> ids;
  for (const auto& one : wanted) {
    if (one.name && one.topic_id.is_zero()) ++names[*one.name];
    if (!one.name && !one.topic_id.is_zero()) ++ids[one.topic_id];
  }
  std::map<Uuid, std::size_t> removed;  // id → its answer
  for (const auto& one : wanted) {
    if (one.name && !one.topic_id.is_zero()) {
      answers.push_back(answer(one.name, one.topic_id, ErrorCode::invalid_request,
                               "You may not specify both topic name and topic id."));
      continue;
    }
    if (!one.name && one.topic_id.is_zero()) {
      answers.push_back(answer(std::nullopt, zero_uuid, ErrorCode::invalid_request,
                               "Neither topic name nor id were specified."));
      continue;
    }
    int& count = one.name ? names[*one.name] : ids[one.topic_id];
    if (count == 0) continue;  // its duplicates have been answered
    if (count > 1) {
      count = 0;
      answers.push_back(answer(one.name, one.topic_id, ErrorCode::invalid_request,
                               one.name ? "Duplicate topic name." : "Duplicate topic id."));
      continue;
    }
    const auto topic =
        one.name ? context.image.topic(*one.name) : context.image.topic(one.topic_id);
    if (topic == nullptr) {
      answers.push_back(one.name
                            ? answer(one.name, zero_uuid, ErrorCode::unknown_topic_or_partition,
                                     "This server does not host this topic-partition.")
                            : answer(std::nullopt, one.topic_id, ErrorCode::unknown_topic_id,
                                     "This server does not host this topic ID."));
      continue;
    }
    if (removed.contains(topic->id)) {
      answers.push_back(answer(topic->name, topic->id, ErrorCode::invalid_request,
                               "The provided topic name maps to an ID that was already supplied."));
      continue;
    }
    removed.emplace(topic->id, answers.size());
    remove(context, *topic, decision.records);
    answers.push_back(answer(topic->name, topic->id, ErrorCode::none, std::nullopt));
  }
  return decision;
}

}  // namespace arus::controller
