// Configs of topics, brokers, loggers, client metrics and groups, as brokers describe them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"
#include "protocol/enums.h"

namespace arus::cli {

struct ConfigSynonymView {
  std::string name;
  std::optional<std::string> value;
  protocol::ConfigSource source = protocol::ConfigSource::unknown;
};

struct ConfigView {
  std::string name;
  std::optional<std::string> value;
  protocol::ConfigSource source = protocol::ConfigSource::unknown;
  protocol::ConfigType type = protocol::ConfigType::unknown;
  bool read_only = false;
  bool sensitive = false;
  std::string documentation;  // where it was asked for
  std::vector<ConfigSynonymView> synonyms;
};

// Kafka's name: "DYNAMIC_TOPIC_CONFIG".
std::string_view config_source_name(protocol::ConfigSource source);
// What a resource of this kind has when something was set on it: topics DYNAMIC_TOPIC_CONFIG.
protocol::ConfigSource dynamic_source(protocol::ConfigResourceKind kind, const std::string& name);

// One resource's configs by name; asked of the broker itself where it is one's own.
env::Task<Result<std::vector<ConfigView>>> describe_configs(client::Cluster& cluster,
                                                            protocol::ConfigResourceKind kind,
                                                            std::string name,
                                                            bool documentation = false);

struct ConfigChange {
  std::string name;
  protocol::AlterConfigOperation operation = protocol::AlterConfigOperation::set;
  std::optional<std::string> value;
};
env::Task<Result<>> alter_configs(client::Cluster& cluster, protocol::ConfigResourceKind kind,
                                  std::string name, std::vector<ConfigChange> changes,
                                  bool validate_only = false);

// Names of resources that have configs (client metrics, groups).
env::Task<Result<std::vector<std::string>>> list_config_resources(
    client::Cluster& cluster, protocol::ConfigResourceKind kind);

// "  retention.ms=5000 sensitive=false synonyms={…}\n", as kafka-configs prints it.
std::string format_config(const ConfigView& config);

}  // namespace arus::cli
