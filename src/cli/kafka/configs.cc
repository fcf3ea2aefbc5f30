#include <fmt/core.h>

#include <algorithm>

#include "base/joined.h"
#include "cli/kafka/command.h"
#include "cli/kafka/config_entities.h"
#include "cli/kafka/config_quotas.h"
#include "cli/kafka/programs.h"
#include "client/group_admin.h"

namespace arus::cli::kafka {
namespace {

using protocol::ConfigResourceKind;

constexpr OptionSpec configs_specs[] = {
    {"add-config", Takes::value, "k1=v1,k2=[v,v]",
     "Configs to set; brackets keep commas together."},
    {"add-config-file", Takes::value, "file", "A properties file with configs to set."},
    {"all", Takes::nothing, "", "With --describe: also configs that were never set."},
    {"alter", Takes::nothing, "", "Change configs."},
    {"bootstrap-controller", Takes::value, "host:port", "Controllers to ask first."},
    {"bootstrap-server", Takes::value, "host:port", "Brokers to ask first."},
    {"broker", Takes::value, "id", "A broker."},
    {"broker-defaults", Takes::nothing, "", "The default of all brokers."},
    {"broker-logger", Takes::value, "id", "The loggers of a broker."},
    {"client", Takes::value, "id", "A client id."},
    {"client-defaults", Takes::nothing, "", "The default of all client ids."},
    {"client-metrics", Takes::value, "name", "A client metrics subscription."},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"delete-config", Takes::value, "k1,k2", "Configs to remove.", {}, true},
    {"describe", Takes::nothing, "", "Show configs."},
    {"entity-default", Takes::nothing, "", "The default of the entity type before it."},
    {"entity-name", Takes::value, "name", "The name of an entity.", {}, true},
    {"entity-type",
     Takes::value,
     "type",
     "topics, clients, users, brokers, broker-loggers, ips, client-metrics or groups.",
     {},
     true},
    {"group", Takes::value, "group", "A consumer group."},
    {"help", Takes::nothing, "", "Print this."},
    {"ip", Takes::value, "address", "An address."},
    {"ip-defaults", Takes::nothing, "", "The default of all addresses."},
    {"topic", Takes::value, "topic", "A topic."},
    {"user", Takes::value, "user", "A user."},
    {"user-defaults", Takes::nothing, "", "The default of all users."},
    {"version", Takes::nothing, "", "Print the version."},
};

struct ConfigProgram {
  const ParsedOptions& options;
  std::vector<ConfigEntity> entities;
  std::vector<std::pair<std::string, std::string>> add;
  std::vector<std::string> remove;
  std::string command_line;
};

env::Task<Result<>> describe_one(Session& session, Console& console, ConfigResourceKind kind,
                                 std::string type, std::string name, bool all) {
  auto configs = co_await describe_configs(session.cluster, kind, name);
  if (!configs) co_return fail(std::move(configs).error());
  if (kind == ConfigResourceKind::broker && name.empty()) {
    console.out("Default configs for brokers in the cluster are:\n");
  } else {
    console.print("{} configs for {} {} are:\n", all ? "All" : "Dynamic", singular(type), name);
  }
  // Of loggers every level is dynamic.
  const auto dynamic = dynamic_source(kind, name);
  for (const auto& config : *configs) {
    if (all || config.source == dynamic || kind == ConfigResourceKind::broker_logger) {
      console.out(format_config(config));
    }
  }
  co_return Result<>{};
}

// Groups that are there, whether they have configs or not.
env::Task<Result<>> add_groups(client::Cluster& cluster, std::vector<std::string>& names) {
  client::GroupAdmin admin{cluster};
  auto listing = co_await admin.list_groups({}, {}, cluster.call_deadline());
  if (!listing) co_return fail(std::move(listing).error());
  for (auto& group : listing->groups) names.push_back(std::move(group.id));
  std::ranges::sort(names);
  const auto twice = std::ranges::unique(names);
  names.erase(twice.begin(), twice.end());
  co_return Result<>{};
}

// Which resources of the kind there are, when none was named.
env::Task<Result<std::vector<std::string>>> names_of(Session& session, ConfigResourceKind kind) {
  client::Cluster& cluster = session.cluster;
  std::vector<std::string> names;
  if (kind == ConfigResourceKind::topic) {
    auto topics = co_await cluster.all_topics(cluster.call_deadline());
    if (!topics) co_return fail(std::move(topics).error());
    for (const auto& topic : *topics) names.push_back(topic->name);
    std::ranges::sort(names);
  } else if (kind == ConfigResourceKind::broker || kind == ConfigResourceKind::broker_logger) {
    ARUS_CO_TRY(co_await cluster.refresh(cluster.call_deadline()));
    for (const auto& [id, broker] : cluster.brokers()) names.push_back(std::to_string(id.value()));
    if (kind == ConfigResourceKind::broker) names.emplace_back();
  } else {
    auto listed = co_await list_config_resources(cluster, kind);
    if (!listed || kind != ConfigResourceKind::group) co_return listed;
    names = std::move(*listed);
    ARUS_CO_TRY(co_await add_groups(cluster, names));
  }
  co_return names;
}

env::Task<Result<bool>> is_there(Session& session, ConfigResourceKind kind, std::string name) {
  if (name.empty()) co_return true;
  auto names = co_await names_of(session, kind);
  if (!names) co_return fail(std::move(names).error());
  co_return std::ranges::find(*names, name) != names->end();
}

env::Task<Result<>> describe(Session& session, Console& console, const ConfigProgram& program) {
  const ConfigEntity& entity = program.entities.front();
  const auto kind = resource_kind(entity.type);
  if (!kind) co_return co_await describe_quotas(session, console, program.entities);
  const bool all = program.options.has("all");
  if (entity.name) {
    auto there = co_await is_there(session, *kind, *entity.name);
    if (!there) co_return fail(std::move(there).error());
    if (!*there) {
      console.print("The {} '{}' doesn't exist and doesn't have dynamic config.\n",
                    singular(entity.type), *entity.name);
      co_return Result<>{};
    }
    co_return co_await describe_one(session, console, *kind, entity.type, *entity.name, all);
  }
  auto names = co_await names_of(session, *kind);
  if (!names) co_return fail(std::move(names).error());
  for (const auto& name : *names) {
    ARUS_CO_TRY(co_await describe_one(session, console, *kind, entity.type, name, all));
  }
  co_return Result<>{};
}

env::Task<Result<>> alter(Session& session, Console& console, const ConfigProgram& program) {
  const ConfigEntity& entity = program.entities.front();
  if (const auto kind = resource_kind(entity.type)) {
    std::vector<ConfigChange> changes;
    for (const auto& [name, value] : program.add) {
      changes.push_back({name, protocol::AlterConfigOperation::set, value});
    }
    for (const auto& name : program.remove) {
      changes.push_back({name, protocol::AlterConfigOperation::delete_, std::nullopt});
    }
    ARUS_CO_TRY(co_await alter_configs(session.cluster, *kind, *entity.name, std::move(changes)));
  } else {
    ARUS_CO_TRY(co_await alter_quotas(session, program.entities, program.add, program.remove));
  }
  if (entity.name->empty()) {
    console.print("Completed updating default config for {} in the cluster.\n", entity.type);
  } else {
    console.print("Completed updating config for {} {}.\n", singular(entity.type), *entity.name);
  }
  co_return Result<>{};
}

env::Task<int> run_configs(Session session, Console& console, const ConfigProgram& program) {
  const auto done = program.options.has("alter") ? co_await alter(session, console, program)
                                                 : co_await describe(session, console, program);
  if (done) co_return 0;
  console.print_error(
      "Error while executing config command with args '{}'\n"
      "java.util.concurrent.ExecutionException: {}: {}\n",
      program.command_line, exception_name(done.error().code), done.error().message);
  co_return 1;
}

// What does not fit together, in Kafka's words.
Result<> check(const ConfigProgram& program) {
  const auto refuse = [](std::string message) {
    return fail(ErrorCode::invalid_request, std::move(message));
  };
  const auto& options = program.options;
  if (!options.has("alter")) return {};
  for (const auto& entity : program.entities) {
    if (!entity.name || (entity.type == "groups" && entity.name->empty())) {
      return refuse("An entity name must be specified with --alter of " + entity.type);
    }
  }
  if (options.has("add-config") && options.has("add-config-file")) {
    return refuse("Only one of --add-config or --add-config-file must be specified");
  }
  if (!options.has("add-config") && !options.has("add-config-file") &&
      !options.has("delete-config")) {
    return refuse(
        "At least one of --add-config, --add-config-file, or --delete-config must be "
        "specified with --alter");
  }
  return {};
}

}  // namespace

int configs(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  if (const auto status = begin(console, arguments, configs_specs,
                                "This tool shows and changes configs of topics, brokers, users, "
                                "clients, addresses, client metrics and groups",
                                options)) {
    return *status;
  }
  if (options.has("describe") == options.has("alter")) {
    return usage_error(console, "Command must include exactly one action: --describe, --alter",
                       configs_specs);
  }
  if (!options.has("bootstrap-server") && !options.has("bootstrap-controller")) {
    console.err("Either --bootstrap-server or --bootstrap-controller must be specified.\n");
    return 1;
  }
  ConfigProgram program{options, {}, {}, {}, joined(arguments, " ")};
  const auto fill = [&]() -> Result<client::ClientOptions> {
    auto entities = config_entities(options, arguments);
    if (!entities) return fail(std::move(entities).error());
    program.entities = std::move(*entities);
    auto add = configs_to_add(options);
    if (!add) return fail(std::move(add).error());
    program.add = std::move(*add);
    program.remove = configs_to_delete(options);
    ARUS_TRY(check(program));
    return cluster_of(options);
  };
  const auto client = fill();
  if (!client) {
    console.print_error("{}\n", client.error().message);
    return 1;
  }
  return run_session(*client, run_configs, console, program);
}

}  // namespace arus::cli::kafka
