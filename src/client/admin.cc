#include "client/admin.h"

#include <fmt/core.h>

#include "protocol/api/delete_records.h"
#include "protocol/api/list_offsets.h"

namespace arus::client {
namespace {

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
      auto answer = co_await cluster.ask(make(names), Route::one(leader), deadline);
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
      if (outcome || !is_retriable(outcome.error().code)) continue;
      if (outcome.error().code == ErrorCode::unknown_topic_or_partition && attempt > 0) continue;
      cluster.forget(name.topic);
      again.insert(name);
    }
    left = std::move(again);
    if (cluster.now() >= deadline) break;
  }
  co_return outcomes;
}

}  // namespace

env::Task<Result<std::map<TopicPartition, Result<ListedOffset>>>> Admin::list_offsets(
    std::map<TopicPartition, std::int64_t> timestamps, IsolationLevel isolation,
    env::TimePoint deadline) {
  std::set<TopicPartition> names;
  for (const auto& [name, timestamp] : timestamps) names.insert(name);
  const auto make = [&](const std::vector<TopicPartition>& wanted) {
    protocol::ListOffsetsRequest request;
    request.replica_id = no_broker;
    request.isolation_level = static_cast<std::int8_t>(isolation);
    request.timeout_ms = static_cast<std::int32_t>(
        std::chrono::duration_cast<env::milliseconds>(cluster_.options().request_timeout).count());
    for (const auto& name : wanted) {
      if (request.topics.empty() || request.topics.back().name != name.topic) {
        request.topics.emplace_back().name = name.topic;
      }
      auto& partition = request.topics.back().partitions.emplace_back();
      partition.partition_index = name.partition;
      partition.timestamp = timestamps.at(name);
    }
    return request;
  };
  const auto take = [](const protocol::ListOffsetsResponse& answer, auto& outcomes) {
    for (const auto& topic : answer.topics) {
      for (const auto& partition : topic.partitions) {
        const auto found = outcomes.find(TopicPartition{topic.name, partition.partition_index});
        if (found == outcomes.end()) continue;
        if (partition.error_code == ErrorCode::none) {
          found->second = ListedOffset{Offset{partition.offset}, partition.timestamp,
                                       LeaderEpoch{partition.leader_epoch}};
        } else {
          found->second = fail(partition.error_code, std::string(error_name(partition.error_code)));
        }
      }
    }
  };
  co_return co_await ask_leaders<ListedOffset>(cluster_, std::move(names), deadline, make, take);
}

env::Task<Result<std::map<TopicPartition, Result<Offset>>>> Admin::delete_records(
    std::map<TopicPartition, Offset> before, env::TimePoint deadline) {
  std::set<TopicPartition> names;
  for (const auto& [name, offset] : before) names.insert(name);
  const auto make = [&](const std::vector<TopicPartition>& wanted) {
    protocol::DeleteRecordsRequest request;
    request.timeout_ms = static_cast<std::int32_t>(
        std::chrono::duration_cast<env::milliseconds>(cluster_.options().request_timeout).count());
    for (const auto& name : wanted) {
      if (request.topics.empty() || request.topics.back().name != name.topic) {
        request.topics.emplace_back().name = name.topic;
      }
      auto& partition = request.topics.back().partitions.emplace_back();
      partition.partition_index = name.partition;
      partition.offset = before.at(name).value();
    }
    return request;
  };
  const auto take = [](const protocol::DeleteRecordsResponse& answer, auto& outcomes) {
    for (const auto& topic : answer.topics) {
      for (const auto& partition : topic.partitions) {
        const auto found = outcomes.find(TopicPartition{topic.name, partition.partition_index});
        if (found == outcomes.end()) continue;
        if (partition.error_code == ErrorCode::none) {
          found->second = Offset{partition.low_watermark};
        } else {
          found->second = fail(partition.error_code, std::string(error_name(partition.error_code)));
        }
      }
    }
  };
  co_return co_await ask_leaders<Offset>(cluster_, std::move(names), deadline, make, take);
}

}  // namespace arus::client
