// Formatting and inspecting log directories, for Kafka's program and ours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/console.h"
#include "config/broker_config.h"
#include "env/environment.h"

namespace arus::cli {

// What `format` is asked for, as text; everything is checked before a byte is written.
struct FormatRequest {
  config::ConfigMap properties;  // of the node: log.dirs, node.id, quorum, listeners
  std::string cluster_id;
  std::string release_version;                     // empty: the newest
  std::vector<std::string> features;               // "feature=level"
  std::vector<std::string> scram;                  // "SCRAM-SHA-256=[name=alice,password=secret]"
  std::optional<std::string> initial_controllers;  // "1@host:port:directory-id,…"
  bool standalone = false;
  bool no_initial_controllers = false;
  bool ignore_formatted = false;
};

// Formats and says what it did in Kafka's words.
Result<> format_directories(env::Environment& environment, Console& console,
                            const FormatRequest& request);

// Prints which directories there are and what their meta.properties say; the status is 1 when
// something is wrong with them.
int print_directory_info(env::Environment& environment, Console& console,
                         const config::BrokerConfig& config);

}  // namespace arus::cli
