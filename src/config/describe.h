// What DescribeConfigs answers for a resource: each key with value, source, synonyms and more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "config/config_table.h"
#include "config/topic_config.h"

namespace arus::config {

// The numbers are those of DescribeConfigs on the wire.
enum class Source : std::int8_t {
  unknown = 0,
  topic = 1,
  dynamic_broker = 2,
  dynamic_default_broker = 3,
  static_broker = 4,
  fallback = 5,  // DEFAULT_CONFIG
  dynamic_broker_logger = 6,
  client_metrics = 7,
  group = 8,
};
[[nodiscard]] std::string_view source_name(Source source);

struct DescribedSynonym {
  std::string name;
  std::optional<std::string> value;
  Source source = Source::unknown;
};

struct DescribedConfig {
  std::string name;
  std::optional<std::string> value;  // null for sensitive keys
  Source source = Source::fallback;
  Type type = Type::unknown;
  bool is_default = false;
  bool read_only = false;
  bool sensitive = false;
  std::string_view documentation;
  std::vector<DescribedSynonym> synonyms;
};

// Sorted by name. All synonyms are given; the caller leaves them out where they were not asked for.
// For topics `layers.overrides` comes from topic_overrides().
[[nodiscard]] std::vector<DescribedConfig> describe_topic(const Layers& layers);
[[nodiscard]] std::vector<DescribedConfig> describe_broker(const Layers& layers);
// Resource BROKER "": only what is set there.
[[nodiscard]] std::vector<DescribedConfig> describe_broker_defaults(
    const ConfigMap& dynamic_default);
[[nodiscard]] std::vector<DescribedConfig> describe_group(const Layers& layers);
[[nodiscard]] std::vector<DescribedConfig> describe_client_metrics(const ConfigMap& overrides);
// The log components of this process and their levels, in Kafka's names.
[[nodiscard]] std::vector<DescribedConfig> describe_loggers();

// Log levels under Kafka's names ("WARN"); nothing for an unknown one.
[[nodiscard]] std::string_view kafka_level_name(int level);

}  // namespace arus::config
