#include <fmt/core.h>

#include "client/consumer_protocol.h"
#include "client/coordinator.h"
#include "client/group_admin.h"
#include "client/offset_calls.h"
#include "protocol/api/offset_delete.h"

namespace arus::client {

env::Task<Result<GroupAdmin::Offsets>> GroupAdmin::committed_offsets(
    std::string group, std::optional<std::set<TopicPartition>> partitions, bool require_stable,
    env::TimePoint deadline) {
  Coordinator coordinator{cluster_, CoordinatorType::group, group};
  co_return co_await fetch_offsets(cluster_, coordinator, {.group_id = std::move(group)},
                                   std::move(partitions), require_stable, deadline);
}

env::Task<Result<GroupAdmin::Outcomes<TopicPartition>>> GroupAdmin::alter_offsets(
    std::string group, std::map<TopicPartition, CommittedOffset> offsets, env::TimePoint deadline) {
  Coordinator coordinator{cluster_, CoordinatorType::group, group};
  co_return co_await commit_offsets(cluster_, coordinator, {.group_id = std::move(group)},
                                    std::move(offsets), deadline);
}

env::Task<Result<GroupAdmin::Outcomes<TopicPartition>>> GroupAdmin::delete_offsets(
    std::string group, std::set<TopicPartition> partitions, env::TimePoint deadline) {
  protocol::OffsetDeleteRequest request;
  request.group_id = group;
  by_topic(
      partitions, [&](const std::string& topic) { request.topics.emplace_back().name = topic; },
      [&](std::int32_t index) {
        request.topics.back().partitions.emplace_back().partition_index = index;
      });
  Coordinator coordinator{cluster_, CoordinatorType::group, group};
  auto answer = co_await coordinator.ask(std::move(request), deadline,
                                         [](const auto& answered) { return answered.error_code; });
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->error_code != ErrorCode::none) {
    co_return fail(answer->error_code,
                   fmt::format("The group {}: {}", group, error_name(answer->error_code)));
  }
  Outcomes<TopicPartition> outcomes;
  for (const auto& topic : answer->topics) {
    for (const auto& partition : topic.partitions) {
      const TopicPartition name{topic.name, partition.partition_index};
      outcomes.insert_or_assign(
          name, partition.error_code == ErrorCode::none
                    ? Result<>{}
                    : Result<>{fail(partition.error_code,
                                    fmt::format("{}: {}", name.to_string(),
                                                error_name(partition.error_code)))});
    }
  }
  co_return outcomes;
}

}  // namespace arus::client
