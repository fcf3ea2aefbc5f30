#include "cli/topic_view.h"

#include <fmt/core.h>

#include <charconv>

#include "base/joined.h"
#include "protocol/api/describe_configs.h"
#include "protocol/api/describe_topic_partitions.h"

namespace arus::cli {
namespace {

constexpr std::int8_t topic_resource = 2;
constexpr std::int8_t default_source = 5;
constexpr std::size_t topics_per_question = 1000;

std::vector<std::int32_t> numbers_of(const std::vector<BrokerId>& ids) {
  std::vector<std::int32_t> numbers;
  for (const BrokerId id : ids) numbers.push_back(id.value());
  return numbers;
}

TopicView view_of(const client::TopicInfo& info) {
  TopicView view;
  view.name = info.name;
  view.id = info.id;
  view.internal = info.internal;
  for (const auto& from : info.partitions) {
    auto& partition = view.partitions.emplace_back();
    partition.index = from.index;
    if (from.leader != no_broker) partition.leader = from.leader.value();
    partition.replicas = numbers_of(from.replicas);
    partition.isr = numbers_of(from.isr);
    partition.offline = numbers_of(from.offline);
  }
  return view;
}

// Pages through DescribeTopicPartitions; UNSUPPORTED_VERSION where the broker does not have it.
env::Task<Result<std::vector<TopicView>>> ask_pages(client::Cluster& cluster,
                                                    std::vector<std::string> names,
                                                    std::int32_t partitions_per_answer) {
  std::map<std::string, TopicView> views;
  const env::TimePoint deadline = cluster.call_deadline();
  std::ranges::sort(names);
  std::optional<TopicPartition> cursor;
  do {
    protocol::DescribeTopicPartitionsRequest request;
    for (const auto& name : names) {
      if (!cursor || name >= cursor->topic) request.topics.emplace_back().name = name;
    }
    request.response_partition_limit = partitions_per_answer;
    if (cursor) {
      request.cursor = protocol::DescribeTopicPartitionsRequest::Cursor{
          .topic_name = cursor->topic, .partition_index = cursor->partition};
    }
    auto answer = co_await cluster.ask(std::move(request), client::Route::any(), deadline);
    if (!answer) co_return fail(std::move(answer).error());
    for (const auto& topic : answer->topics) {
      if (topic.error_code != ErrorCode::none) continue;
      TopicView& view = views[topic.name.value_or("")];
      view.name = topic.name.value_or("");
      view.id = topic.topic_id;
      view.internal = topic.is_internal;
      for (const auto& from : topic.partitions) {
        auto& partition = view.partitions.emplace_back();
        partition.index = from.partition_index;
        if (from.leader_id != no_broker) partition.leader = from.leader_id.value();
        partition.replicas = numbers_of(from.replica_nodes);
        partition.isr = numbers_of(from.isr_nodes);
        partition.offline = numbers_of(from.offline_replicas);
        if (from.eligible_leader_replicas) {
          partition.elr = numbers_of(*from.eligible_leader_replicas);
        }
        if (from.last_known_elr) partition.last_known_elr = numbers_of(*from.last_known_elr);
      }
    }
    if (!answer->next_cursor) break;
    TopicPartition next{answer->next_cursor->topic_name, answer->next_cursor->partition_index};
    // A cursor that does not move would keep us here for ever.
    if (cursor && next <= *cursor) {
      co_return fail(ErrorCode::corrupt_message, "The answer's cursor goes backwards");
    }
    cursor = std::move(next);
  } while (cluster.now() < deadline);
  std::vector<TopicView> result;
  for (auto& [name, view] : views) result.push_back(std::move(view));
  co_return result;
}

env::Task<Result<std::vector<TopicView>>> ask_partitions(client::Cluster& cluster,
                                                         std::vector<std::string> names,
                                                         std::int32_t partitions_per_answer) {
  auto paged = co_await ask_pages(cluster, names, partitions_per_answer);
  if (paged || paged.error().code != ErrorCode::unsupported_version) co_return paged;
  std::vector<TopicView> views;
  std::ranges::sort(names);
  for (const auto& name : names) {
    auto topic = co_await cluster.topic(name, cluster.call_deadline());
    if (topic) {
      views.push_back(view_of(**topic));
    } else if (topic.error().code != ErrorCode::unknown_topic_or_partition) {
      co_return fail(std::move(topic).error());
    }
  }
  co_return views;
}

env::Task<Result<>> add_configs(client::Cluster& cluster, std::span<TopicView> topics) {
  protocol::DescribeConfigsRequest request;
  std::map<std::string, TopicView*> by_name;
  for (auto& topic : topics) {
    by_name[topic.name] = &topic;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = topic_resource;
    resource.resource_name = topic.name;
    resource.configuration_keys.reset();
  }
  auto answer =
      co_await cluster.ask(std::move(request), client::Route::any(), cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  for (const auto& result : answer->results) {
    const auto found = by_name.find(result.resource_name);
    if (found == by_name.end()) continue;
    if (result.error_code != ErrorCode::none) {
      co_return fail(result.error_code,
                     result.error_message.value_or(std::string(error_name(result.error_code))));
    }
    for (const auto& config : result.configs) {
      if (!config.value) continue;
      found->second->configs[config.name] = *config.value;
      if (config.config_source != default_source) {
        found->second->changed_configs[config.name] = *config.value;
      }
    }
  }
  co_return Result<>{};
}

std::string joined(const std::vector<std::int32_t>& numbers) { return arus::joined(numbers, ","); }

std::string topic_line(const TopicView& topic) {
  std::string configs;
  for (const auto& [name, value] : topic.changed_configs) {
    configs += fmt::format("{}{}={}", configs.empty() ? "" : ",", name, value);
  }
  const std::size_t factor =
      topic.partitions.empty() ? 0 : topic.partitions.front().replicas.size();
  return fmt::format(
      "Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n",
      topic.name, topic.id.to_string(), topic.partitions.size(), factor, configs);
}

std::string partition_line(const TopicView& topic, const PartitionView& partition) {
  const auto eligible = [](const std::optional<std::vector<std::int32_t>>& ids) {
    return ids ? joined(*ids) : std::string("N/A");
  };
  return fmt::format(
      "\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}\n",
      topic.name, partition.index, partition.leader ? std::to_string(*partition.leader) : "none",
      joined(partition.replicas), joined(partition.isr), eligible(partition.elr),
      eligible(partition.last_known_elr));
}

std::size_t min_isr_of(const TopicView& topic) {
  std::size_t number = 1;
  if (const auto found = topic.configs.find("min.insync.replicas"); found != topic.configs.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  }
  return number;
}

bool matches(const TopicView& topic, const PartitionView& partition, TopicFilter filter) {
  switch (filter) {
    case TopicFilter::all:
      return true;
    case TopicFilter::overridden:
      return false;
    case TopicFilter::under_replicated:
      return partition.isr.size() < partition.replicas.size();
    case TopicFilter::unavailable:
      return !partition.leader ||
             std::ranges::find(partition.offline, *partition.leader) != partition.offline.end();
    case TopicFilter::under_min_isr:
      return !partition.leader || partition.isr.size() < min_isr_of(topic);
    case TopicFilter::at_min_isr:
      return partition.leader && partition.isr.size() == min_isr_of(topic);
  }
  return false;
}

}  // namespace

env::Task<Result<std::vector<TopicView>>> describe_topics(client::Cluster& cluster,
                                                          std::vector<std::string> names,
                                                          std::int32_t partitions_per_answer) {
  std::vector<TopicView> views;
  for (std::size_t start = 0; start < names.size(); start += topics_per_question) {
    const std::size_t end = std::min(names.size(), start + topics_per_question);
    auto part = co_await ask_partitions(
        cluster,
        std::vector<std::string>(names.begin() + static_cast<std::ptrdiff_t>(start),
                                 names.begin() + static_cast<std::ptrdiff_t>(end)),
        partitions_per_answer);
    if (!part) co_return part;
    if (!part->empty()) ARUS_CO_TRY(co_await add_configs(cluster, *part));
    for (auto& view : *part) views.push_back(std::move(view));
  }
  std::ranges::sort(views, {}, &TopicView::name);
  co_return views;
}

std::string format_topic(const TopicView& topic, TopicFilter filter) {
  std::string text;
  if (filter == TopicFilter::all ||
      (filter == TopicFilter::overridden && !topic.changed_configs.empty())) {
    text += topic_line(topic);
  }
  for (const auto& partition : topic.partitions) {
    if (matches(topic, partition, filter)) text += partition_line(topic, partition);
  }
  return text;
}

}  // namespace arus::cli
