#include "client/admin.h"

#include "client/leader_calls.h"
#include "protocol/api/delete_records.h"
#include "protocol/api/list_offsets.h"

namespace arus::client {
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
