// Whose configs kafka-configs is about: types and names in the order they were given.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/cli.h"
#include "cli/config_view.h"
#include "cli/kafka_options.h"

namespace arus::cli::kafka {

// "topics", "users", … with a name, with "" for the default of all, or with nothing: all of them.
struct ConfigEntity {
  std::string type;
  std::optional<std::string> name;
};

// From --entity-type, --entity-name, --entity-default and the short ways (--topic NAME,
// --user-defaults, …). An error in Kafka's words when they do not fit together.
Result<std::vector<ConfigEntity>> config_entities(const ParsedOptions& options,
                                                  const Arguments& arguments);

// --add-config and --add-config-file.
Result<std::vector<std::pair<std::string, std::string>>> configs_to_add(
    const ParsedOptions& options);
// --delete-config, names separated by commas.
std::vector<std::string> configs_to_delete(const ParsedOptions& options);

// The kind of resource of a type; nothing for users, clients and ips, which have quotas.
std::optional<protocol::ConfigResourceKind> resource_kind(std::string_view type);
// "topics" without its "s".
std::string singular(std::string_view type);

}  // namespace arus::cli::kafka
