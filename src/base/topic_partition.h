// How partitions are named: by topic name where people and old clients speak, by topic id
// elsewhere.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "base/uuid.h"

namespace arus {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
  // "topic-0", as directories and messages write it.
  [[nodiscard]] std::string to_string() const { return topic + "-" + std::to_string(partition); }
};

struct TopicIdPartition {
  Uuid topic_id;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicIdPartition&, const TopicIdPartition&) = default;
};

}  // namespace arus

template <>
struct std::hash<arus::TopicPartition> {
  std::size_t operator()(const arus::TopicPartition& p) const {
    return std::hash<std::string>{}(p.topic) * 31 + static_cast<std::size_t>(p.partition);
  }
};
template <>
struct std::hash<arus::TopicIdPartition> {
  std::size_t operator()(const arus::TopicIdPartition& p) const {
    return std::hash<arus::Uuid>{}(p.topic_id) * 31 + static_cast<std::size_t>(p.partition);
  }
};
