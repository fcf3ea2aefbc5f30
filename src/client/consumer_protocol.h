// What consumers of a classic group tell each other through the broker, which does not look at it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/topic_partition.h"

namespace arus::client {

inline constexpr std::string_view consumer_protocol_type = "consumer";

// What a member wants and has. From members that speak older versions the later fields are empty.
struct ConsumerSubscription {
  std::vector<std::string> topics;
  std::vector<TopicPartition> owned;
  std::int32_t generation = -1;  // in which `owned` was given out
  std::optional<std::string> rack;
  std::optional<Bytes> user_data;  // of the assignor
};

struct ConsumerAssignment {
  std::vector<TopicPartition> partitions;
  std::optional<Bytes> user_data;
};

// In the newest version. Arrays are written in sorted order.
Bytes encode_subscription(ConsumerSubscription subscription);
Bytes encode_assignment(ConsumerAssignment assignment);
// Versions beyond ours are read as the newest that we know. An empty assignment is no partition.
Result<ConsumerSubscription> decode_subscription(const Slice& bytes);
Result<ConsumerAssignment> decode_assignment(const Slice& bytes);

// Sorted names as topics with their partitions, the form of many messages:
// calls topic(name) where a topic begins, and add(index) for each of its partitions.
template <class Names, class BeginTopic, class AddPartition>
void by_topic(const Names& sorted, BeginTopic begin_topic, AddPartition add) {
  const std::string* topic = nullptr;
  for (const TopicPartition& name : sorted) {
    if (topic == nullptr || *topic != name.topic) begin_topic(name.topic);
    topic = &name.topic;
    add(name.partition);
  }
}

}  // namespace arus::client
