// Where the records of a command come from.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "client/consumer.h"
#include "client/group_consumer.h"

namespace arus::cli {

// Partitions that the command names, or the share of a member of a group.
// Owner: the cluster's loop. close() is awaited before it is destroyed.
class RecordSource {
 public:
  RecordSource(client::Cluster& cluster, client::ConsumerOptions options)
      : cluster_(cluster), assigned_(std::in_place, cluster, std::move(options)) {}
  RecordSource(client::Cluster& cluster, client::GroupConsumerOptions options)
      : cluster_(cluster), member_(std::in_place, cluster, std::move(options)) {}

  // One of them is there.
  [[nodiscard]] client::Consumer* assigned() { return assigned_ ? &*assigned_ : nullptr; }
  [[nodiscard]] client::GroupConsumer* member() { return member_ ? &*member_ : nullptr; }

  env::Task<Result<std::vector<client::ConsumerRecord>>> poll(env::TimePoint deadline);
  [[nodiscard]] std::optional<Offset> position(const TopicPartition& partition) const;
  // These came from the last poll() and are not used: the group must not count them as read.
  void give_back(std::span<const client::ConsumerRecord> records);
  env::Task<void> close();

 private:
  client::Cluster& cluster_;
  std::optional<client::Consumer> assigned_;
  std::optional<client::GroupConsumer> member_;
};

}  // namespace arus::cli
