#include <fmt/core.h>

#include "base/json.h"
#include "cli/config_view.h"
#include "cli/own.h"
#include "config/config_table.h"

namespace arus::cli {
namespace {

using protocol::ConfigResourceKind;

std::optional<ConfigResourceKind> kind_of(const std::string& resource) {
  if (resource == "topic") return ConfigResourceKind::topic;
  if (resource == "broker" || resource == "brokers") return ConfigResourceKind::broker;
  if (resource == "logger") return ConfigResourceKind::broker_logger;
  if (resource == "client-metrics") return ConfigResourceKind::client_metrics;
  if (resource == "group") return ConfigResourceKind::group;
  return std::nullopt;
}

std::string configs_as_json(const std::vector<const ConfigView*>& configs) {
  JsonWriter json;
  json.begin_array();
  for (const ConfigView* config : configs) {
    json.begin_object();
    json.key("name").text(config->name);
    json.key("value");
    if (config->value) {
      json.text(*config->value);
    } else {
      json.null();
    }
    json.key("source").text(config_source_name(config->source));
    json.key("read_only").boolean(config->read_only);
    json.key("sensitive").boolean(config->sensitive);
    json.end_object();
  }
  json.end_array();
  return json.take();
}

env::Task<int> run_get(Session session, Console& console, const ConfigOptions& options) {
  const auto kind = kind_of(options.resource);
  auto configs = co_await describe_configs(session.cluster, *kind, options.name);
  if (!configs) co_return report(console, configs.error());
  int status = 0;
  std::vector<const ConfigView*> shown;
  for (const auto& name : options.entries) {
    const auto found = std::ranges::find(*configs, name, &ConfigView::name);
    if (found == configs->end()) {
      status = report(console,
                      {ErrorCode::invalid_config, fmt::format("There is no config {} here", name)});
    } else {
      shown.push_back(&*found);
    }
  }
  const auto changed = dynamic_source(*kind, options.name);
  for (const auto& config : *configs) {
    if (options.entries.empty() && (options.all || config.source == changed)) {
      shown.push_back(&config);
    }
  }
  if (options.json) {
    console.print("{}\n", configs_as_json(shown));
    co_return status;
  }
  for (const ConfigView* config : shown) {
    console.print("{}={}{}\n", config->name, config->value.value_or("null"),
                  config->source == changed
                      ? std::string()
                      : fmt::format("  ({})", config_source_name(config->source)));
  }
  co_return status;
}

env::Task<int> run_set(Session session, Console& console, const ConfigOptions& options) {
  std::vector<ConfigChange> changes;
  for (const auto& pair : options.entries) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) {
      co_return report(console, {ErrorCode::invalid_request,
                                 fmt::format("{} is no config: write key=value", pair)});
    }
    changes.push_back(
        {pair.substr(0, equals), protocol::AlterConfigOperation::set, pair.substr(equals + 1)});
  }
  for (const auto& key : options.unset) {
    changes.push_back({key, protocol::AlterConfigOperation::delete_, std::nullopt});
  }
  const auto done = co_await alter_configs(session.cluster, *kind_of(options.resource),
                                           options.name, std::move(changes), options.validate_only);
  if (!done) co_return report(console, done.error());
  console.out(options.validate_only ? "These configs can be set\n" : "Configs were set\n");
  co_return 0;
}

int run(Console& console, const ClusterOptions& cluster, const ConfigOptions& options,
        env::Task<int> (*body)(Session, Console&, const ConfigOptions&)) {
  if (!kind_of(options.resource)) {
    return report(console, {ErrorCode::invalid_request,
                            fmt::format("{} has no configs: write topic, broker, brokers, logger, "
                                        "client-metrics or group",
                                        options.resource)});
  }
  if (options.name.empty() && options.resource != "brokers") {
    return report(console, {ErrorCode::invalid_request,
                            fmt::format("Say which {} is meant", options.resource)});
  }
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  return run_session(*client, body, console, options);
}

}  // namespace

int get_config(Console& console, const ClusterOptions& cluster, const ConfigOptions& options) {
  return run(console, cluster, options, run_get);
}

int set_config(Console& console, const ClusterOptions& cluster, const ConfigOptions& options) {
  if (options.entries.empty() && options.unset.empty()) {
    return report(console, {ErrorCode::invalid_request, "Name a config to set or to unset"});
  }
  return run(console, cluster, options, run_set);
}

int explain_config(Console& console, const ConfigOptions& options) {
  int status = 0;
  for (const auto& key : options.entries) {
    const std::string text = config::explain(key);
    if (text.empty()) {
      status =
          report(console, {ErrorCode::invalid_config, fmt::format("No config is called {}", key)});
    } else {
      console.print("{}{}", text, text.ends_with('\n') ? "" : "\n");
    }
  }
  return status;
}

int print_config_reference(Console& console) {
  console.out(config::reference_page());
  return 0;
}

}  // namespace arus::cli
