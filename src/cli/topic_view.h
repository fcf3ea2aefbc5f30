// What is shown of topics: gathered once, printed by Kafka's program and by ours.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"

namespace arus::cli {

struct PartitionView {
  std::int32_t index = 0;
  std::optional<std::int32_t> leader;
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> isr;
  // Nothing where the broker does not say (before DescribeTopicPartitions).
  std::optional<std::vector<std::int32_t>> elr;
  std::optional<std::vector<std::int32_t>> last_known_elr;
  std::vector<std::int32_t> offline;
};

struct TopicView {
  std::string name;
  Uuid id;
  bool internal = false;
  std::vector<PartitionView> partitions;
  std::map<std::string, std::string> configs;          // all that have a value
  std::map<std::string, std::string> changed_configs;  // those that are not at their default
};

// In the order of names. A topic that is not there is left out.
env::Task<Result<std::vector<TopicView>>> describe_topics(client::Cluster& cluster,
                                                          std::vector<std::string> names,
                                                          std::int32_t partitions_per_answer);

// The block of lines that kafka-topics --describe prints for one topic.
enum class TopicFilter : std::uint8_t {
  all,
  overridden,        // the topic's line alone, of topics with changed configs
  under_replicated,  // as those below: lines of matching partitions alone
  unavailable,
  under_min_isr,
  at_min_isr,
};
std::string format_topic(const TopicView& topic, TopicFilter filter = TopicFilter::all);

}  // namespace arus::cli
