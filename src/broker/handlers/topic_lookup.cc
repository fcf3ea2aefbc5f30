#include "broker/handlers/topic_lookup.h"

namespace arus::broker {

TopicLookup find_topic(const Context& context, const std::string& name,
                       security::AclOperation operation) {
  if (!context.authorization().allows_topic(operation, name)) {
    return {.topic = nullptr, .error = ErrorCode::topic_authorization_failed};
  }
  auto topic = context.image()->topic(name);
  if (!topic) return {.topic = nullptr, .error = ErrorCode::unknown_topic_or_partition};
  return {.topic = std::move(topic)};
}

TopicLookup find_topic(const Context& context, const Uuid& id, security::AclOperation operation) {
  auto topic = context.image()->topic(id);
  if (!topic) return {.topic = nullptr, .error = ErrorCode::unknown_topic_id};
  if (!context.authorization().allows_topic(operation, topic->name)) {
    return {.topic = nullptr, .error = ErrorCode::topic_authorization_failed};
  }
  return {.topic = std::move(topic)};
}

LeaderHint leader_of(const Context& context, const Uuid& topic_id, std::int32_t partition) {
  const auto image = context.image();
  const metadata::PartitionImage* const found = image->partition(topic_id, partition);
  if (found == nullptr) return {};
  return {.leader = found->leader, .epoch = found->leader_epoch.value()};
}

}  // namespace arus::broker
