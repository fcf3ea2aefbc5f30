// Which partitions of which topics: what members of consumer groups are assigned.
#pragma once

#include <cstdint>
#include <vector>

#include "base/uuid.h"

namespace arus::coordinator {

// Partitions of one topic in ascending order; never none.
struct TopicPartitions {
  Uuid topic;
  std::vector<std::int32_t> partitions;
  friend bool operator==(const TopicPartitions&, const TopicPartitions&) = default;
};

// In ascending order of topic ids, each topic once. So equal sets are equal values.
using PartitionSet = std::vector<TopicPartitions>;

// A partition that a member owns, and the epoch in which it was given to it (KIP-1251).
struct OwnedPartition {
  std::int32_t partition = -1;
  std::int32_t epoch = -1;
  friend bool operator==(const OwnedPartition&, const OwnedPartition&) = default;
};
struct OwnedTopic {
  Uuid topic;
  std::vector<OwnedPartition> partitions;  // ascending; never none
  friend bool operator==(const OwnedTopic&, const OwnedTopic&) = default;
};
// In ascending order of topic ids, each topic once.
using OwnedPartitions = std::vector<OwnedTopic>;

// Brings any order and any repetition into the form above; topics without partitions go.
[[nodiscard]] PartitionSet normalized(PartitionSet set);
[[nodiscard]] OwnedPartitions normalized(OwnedPartitions owned);

// Empty or null where the topic is not among them.
[[nodiscard]] const TopicPartitions* find_topic(const PartitionSet& set, const Uuid& topic);
[[nodiscard]] const OwnedTopic* find_topic(const OwnedPartitions& owned, const Uuid& topic);
[[nodiscard]] bool contains(const PartitionSet& set, const Uuid& topic, std::int32_t partition);
// Null where it is not among them.
[[nodiscard]] const OwnedPartition* find_partition(const OwnedPartitions& owned, const Uuid& topic,
                                                   std::int32_t partition);
// Without the epochs.
[[nodiscard]] PartitionSet partitions_of(const OwnedPartitions& owned);
[[nodiscard]] std::size_t count(const PartitionSet& set);
// Whether both own the same partitions, whatever the epochs.
[[nodiscard]] bool same_partitions(const OwnedPartitions& a, const OwnedPartitions& b);

}  // namespace arus::coordinator
