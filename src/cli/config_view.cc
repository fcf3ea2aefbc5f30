#include "cli/config_view.h"

#include <fmt/core.h>

#include <charconv>

#include "protocol/api/describe_configs.h"
#include "protocol/api/incremental_alter_configs.h"
#include "protocol/api/list_config_resources.h"

namespace arus::cli {

using protocol::ConfigResourceKind;
using protocol::ConfigSource;

namespace {

// A broker knows its own settings and loggers; the cluster-wide ones anybody knows.
client::Route route_of(ConfigResourceKind kind, const std::string& name) {
  if (kind != ConfigResourceKind::broker && kind != ConfigResourceKind::broker_logger) {
    return client::Route::any();
  }
  std::int32_t id = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size()) return client::Route::any();
  return client::Route::one(BrokerId{id});
}

}  // namespace

std::string_view config_source_name(ConfigSource source) {
  switch (source) {
    case ConfigSource::topic:
      return "DYNAMIC_TOPIC_CONFIG";
    case ConfigSource::dynamic_broker:
      return "DYNAMIC_BROKER_CONFIG";
    case ConfigSource::dynamic_default_broker:
      return "DYNAMIC_DEFAULT_BROKER_CONFIG";
    case ConfigSource::static_broker:
      return "STATIC_BROKER_CONFIG";
    case ConfigSource::default_:
      return "DEFAULT_CONFIG";
    case ConfigSource::dynamic_broker_logger:
      return "DYNAMIC_BROKER_LOGGER_CONFIG";
    case ConfigSource::client_metrics:
      return "DYNAMIC_CLIENT_METRICS_CONFIG";
    case ConfigSource::group:
      return "DYNAMIC_GROUP_CONFIG";
    case ConfigSource::unknown:
      break;
  }
  return "UNKNOWN";
}

ConfigSource dynamic_source(ConfigResourceKind kind, const std::string& name) {
  switch (kind) {
    case ConfigResourceKind::topic:
      return ConfigSource::topic;
    case ConfigResourceKind::broker:
      return name.empty() ? ConfigSource::dynamic_default_broker : ConfigSource::dynamic_broker;
    case ConfigResourceKind::broker_logger:
      return ConfigSource::dynamic_broker_logger;
    case ConfigResourceKind::client_metrics:
      return ConfigSource::client_metrics;
    case ConfigResourceKind::group:
      return ConfigSource::group;
    case ConfigResourceKind::unknown:
      break;
  }
  return ConfigSource::unknown;
}

env::Task<Result<std::vector<ConfigView>>> describe_configs(client::Cluster& cluster,
                                                            ConfigResourceKind kind,
                                                            std::string name, bool documentation) {
  protocol::DescribeConfigsRequest request;
  request.include_synonyms = true;
  request.include_documentation = documentation;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = static_cast<std::int8_t>(kind);
  resource.resource_name = name;
  resource.configuration_keys.reset();  // all
  auto answer =
      co_await cluster.ask(std::move(request), route_of(kind, name), cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->results.empty()) {
    co_return fail(ErrorCode::corrupt_message, "The answer does not mention what was asked for");
  }
  auto& result = answer->results.front();
  if (result.error_code != ErrorCode::none) {
    co_return fail(result.error_code,
                   result.error_message.value_or(std::string(error_name(result.error_code))));
  }
  std::vector<ConfigView> views;
  for (auto& from : result.configs) {
    ConfigView& view = views.emplace_back();
    view.name = std::move(from.name);
    view.value = std::move(from.value);
    view.source = static_cast<ConfigSource>(from.config_source);
    view.type = static_cast<protocol::ConfigType>(from.config_type);
    view.read_only = from.read_only;
    view.sensitive = from.is_sensitive;
    view.documentation = from.documentation.value_or("");
    for (auto& synonym : from.synonyms) {
      view.synonyms.push_back({std::move(synonym.name), std::move(synonym.value),
                               static_cast<ConfigSource>(synonym.source)});
    }
  }
  std::ranges::sort(views, {}, &ConfigView::name);
  co_return views;
}

env::Task<Result<>> alter_configs(client::Cluster& cluster, ConfigResourceKind kind,
                                  std::string name, std::vector<ConfigChange> changes,
                                  bool validate_only) {
  protocol::IncrementalAlterConfigsRequest request;
  request.validate_only = validate_only;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = static_cast<std::int8_t>(kind);
  resource.resource_name = name;
  for (auto& change : changes) {
    auto& config = resource.configs.emplace_back();
    config.name = std::move(change.name);
    config.config_operation = static_cast<std::int8_t>(change.operation);
    config.value = std::move(change.value);
  }
  auto answer =
      co_await cluster.ask(std::move(request), route_of(kind, name), cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  for (const auto& response : answer->responses) {
    if (response.error_code == ErrorCode::none) continue;
    co_return fail(response.error_code,
                   response.error_message.value_or(std::string(error_name(response.error_code))));
  }
  co_return Result<>{};
}

env::Task<Result<std::vector<std::string>>> list_config_resources(client::Cluster& cluster,
                                                                  ConfigResourceKind kind) {
  protocol::ListConfigResourcesRequest request;
  request.resource_types.push_back(static_cast<std::int8_t>(kind));
  auto answer =
      co_await cluster.ask(std::move(request), client::Route::any(), cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->error_code != ErrorCode::none) {
    co_return fail(answer->error_code, std::string(error_name(answer->error_code)));
  }
  std::vector<std::string> names;
  for (const auto& resource : answer->config_resources) {
    if (resource.resource_type == static_cast<std::int8_t>(kind)) {
      names.push_back(resource.resource_name);
    }
  }
  std::ranges::sort(names);
  co_return names;
}

std::string format_config(const ConfigView& config) {
  std::string synonyms;
  for (const auto& synonym : config.synonyms) {
    synonyms +=
        fmt::format("{}{}:{}={}", synonyms.empty() ? "" : ", ", config_source_name(synonym.source),
                    synonym.name, synonym.value.value_or("null"));
  }
  return fmt::format("  {}={} sensitive={} synonyms={{{}}}\n", config.name,
                     config.value.value_or("null"), config.sensitive, synonyms);
}

}  // namespace arus::cli
