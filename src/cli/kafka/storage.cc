#include <fmt/core.h>

#include "cli/feature_text.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/kafka/subcommands.h"
#include "cli/storage_format.h"
#include "raft/format.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec config_spec{"config", Takes::value, "file", "The server's properties.", "c"};
constexpr OptionSpec release_spec{"release-version", Takes::value, "version",
                                  "The release whose features are meant.", "r"};
constexpr OptionSpec info_specs[] = {config_spec};
constexpr OptionSpec format_specs[] = {
    config_spec,
    {"cluster-id", Takes::value, "id", "The cluster's id.", "t"},
    {"add-scram", Takes::value, "credential", "A credential, SCRAM-SHA-256=[name=…,password=…].",
     "S", true},
    {"ignore-formatted", Takes::nothing, "", "Leave directories alone that are formatted.", "g"},
    release_spec,
    {"feature", Takes::value, "feature=level", "A feature's level.", "f", true},
    {"standalone", Takes::nothing, "", "This node is the only controller.", "s"},
    {"no-initial-controllers", Takes::nothing, "", "The quorum is formed by others.", "N"},
    {"initial-controllers", Takes::value, "id@host:port:directory",
     "All controllers that the quorum begins with.", "I"},
};
constexpr OptionSpec mapping_specs[] = {release_spec};
constexpr OptionSpec dependency_specs[] = {
    {"feature", Takes::value, "feature=level", "The feature's level.", "f", true}};
constexpr Subcommand storage_commands[] = {
    {"info", "Shows the log directories of this node", info_specs, "config"},
    {"format", "Formats the log directories of this node", format_specs, "config cluster-id"},
    {"version-mapping", "Shows the features of a release", mapping_specs},
    {"feature-dependencies", "Shows what a feature's level needs", dependency_specs, "feature"},
    {"random-uuid", "Prints a random UUID", {}},
};
constexpr Program storage_tool{"kafka-storage", "The Kafka storage tool.", {}, storage_commands};

struct StorageProgram {
  const ParsedOptions& options;
  std::string_view command;
  config::ConfigMap properties;
};

int report(Console& console, const Error& error) {
  console.print_error("{}\n", error.message);
  return 1;
}

env::Task<int> run_storage(env::RealEnvironment& environment, Console& console,
                           const StorageProgram& storage) {
  if (storage.command == "random-uuid") {
    console.print("{}\n", raft::random_uuid(environment.random()).to_string());
    co_return 0;
  }
  if (storage.command == "info") {
    const auto config = config::BrokerConfig::make(storage.properties);
    if (!config) co_return report(console, config.error());
    co_return print_directory_info(environment, console, *config);
  }
  FormatRequest request;
  const auto& options = storage.options;
  request.properties = storage.properties;
  request.cluster_id = options.value_or("cluster-id", "");
  request.release_version = options.value_or("release-version", "");
  request.features = options.values("feature");
  request.scram = options.values("add-scram");
  request.initial_controllers = options.value("initial-controllers");
  request.standalone = options.has("standalone");
  request.no_initial_controllers = options.has("no-initial-controllers");
  request.ignore_formatted = options.has("ignore-formatted");
  const auto formatted = format_directories(environment, console, request);
  co_return formatted ? 0 : report(console, formatted.error());
}

int print_text(Console& console, const Result<std::string>& text) {
  if (!text) return report(console, text.error());
  console.out(*text);
  return 0;
}

}  // namespace

int storage(Console& console, const Arguments& arguments) {
  const Asked asked = parse_subcommand(console, storage_tool, arguments);
  if (asked.command == nullptr) return asked.status;
  const auto& options = asked.options;
  StorageProgram storage{options, asked.command->name, {}};
  if (storage.command == "version-mapping") {
    return print_text(console, version_mapping(options.value_or("release-version", "")));
  }
  if (storage.command == "feature-dependencies") {
    for (const auto& feature : options.values("feature")) {
      if (const int status = print_text(console, feature_dependencies(feature)); status != 0) {
        return status;
      }
    }
    return 0;
  }
  const int exclusive = int{options.has("standalone")} + int{options.has("initial-controllers")} +
                        int{options.has("no-initial-controllers")};
  if (exclusive > 1) {
    return subcommand_error(console, storage_tool, asked.command,
                            "only one of --standalone/-s, --no-initial-controllers/-N and "
                            "--initial-controllers/-I may be given");
  }
  if (const auto path = options.value("config")) {
    auto properties = read_properties_file(*path);
    if (!properties) return report(console, properties.error());
    storage.properties = std::move(*properties);
  }
  return run_alone(run_storage, console, storage);
}

}  // namespace arus::cli::kafka
