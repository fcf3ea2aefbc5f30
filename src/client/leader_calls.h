// Questions about partitions, each asked of its leader.
#pragma once

#include <fmt/core.h>

#include <map>
#include <set>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "client/cluster.h"

namespace arus::client {

// Gives each partition's question to its leader, one request per broker, and asks again those
// whose leader has moved, until the deadline.
//   make(names) -> Request; take(answer, outcomes): fills what the answer mentions.
template <class Value, class Make, class Take>
env::Task<Result<std::map<TopicPartition, Result<Value>>>> ask_leaders(
    Cluster& cluster, std::set<TopicPartition> left, env::TimePoint deadline, Make make,
    Take take) {
  std::map<TopicPartition, Result<Value>> outcomes;
  for (int attempt = 0; !left.empty(); ++attempt) {
    if (attempt > 0) co_await cluster.back_off(attempt - 1, deadline);
    std::map<BrokerId, std::vector<TopicPartition>> by_leader;
    for (const auto& name : left) {
      auto topic = co_await cluster.topic(name.topic, deadline);
      if (!topic) {
        outcomes.insert_or_assign(name, Result<Value>(fail(topic.error())));
        continue;
      }
      const PartitionInfo* info = (*topic)->partition(name.partition);
      if (info == nullptr || info->leader == no_broker) {
        const ErrorCode code = info == nullptr ? ErrorCode::unknown_topic_or_partition
                                               : ErrorCode::leader_not_available;
        outcomes.insert_or_assign(
            name,
            Result<Value>(fail(code, fmt::format("{} of {}", error_name(code), name.to_string()))));
        continue;
      }
      by_leader[info->leader].push_back(name);
    }
    for (const auto& [leader, names] : by_leader) {
      auto answer = co_await cluster.ask_once(make(names), Route::one(leader),
                                              cluster.options().request_timeout, deadline);
      for (const auto& name : names) {
        outcomes.insert_or_assign(
            name, Result<Value>(
                      answer ? fail(ErrorCode::corrupt_message,
                                    fmt::format("The answer does not mention {}", name.to_string()))
                             : fail(answer.error())));
      }
      if (answer) take(*answer, outcomes);
    }
    std::set<TopicPartition> again;
    for (const auto& name : left) {
      const auto& outcome = outcomes.at(name);
      if (outcome) continue;
      if (!is_retriable(outcome.error().code) &&
          outcome.error().code != ErrorCode::broker_not_available) {
        continue;
      }
      if (outcome.error().code == ErrorCode::unknown_topic_or_partition && attempt > 0) continue;
      cluster.forget(name.topic);
      again.insert(name);
    }
    left = std::move(again);
    if (cluster.now() >= deadline) break;
  }
  co_return outcomes;
}

}  // namespace arus::client
