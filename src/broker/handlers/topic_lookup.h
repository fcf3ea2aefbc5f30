// Which topic a request means: by id in new versions, by name in old ones.
#pragma once

#include <memory>
#include <string>

#include "broker/context.h"

namespace arus::broker {

// A topic that the caller may use in this way, or why not. A name that may not be used is refused
// before anyone learns whether it exists; of an id that exists nowhere nothing can be learned.
struct TopicLookup {
  std::shared_ptr<const metadata::TopicImage> topic;
  ErrorCode error = ErrorCode::none;
};

[[nodiscard]] TopicLookup find_topic(const Context& context, const std::string& name,
                                     security::AclOperation operation);
[[nodiscard]] TopicLookup find_topic(const Context& context, const Uuid& id,
                                     security::AclOperation operation);

// Where clients go when this broker does not lead: the leader and its address.
struct LeaderHint {
  BrokerId leader = no_broker;
  std::int32_t epoch = -1;
};
[[nodiscard]] LeaderHint leader_of(const Context& context, const Uuid& topic_id,
                                   std::int32_t partition);

}  // namespace arus::broker
