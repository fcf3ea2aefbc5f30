#include "controller/configs.h"

#include <fmt/core.h>

#include <charconv>
#include <map>
#include <set>

#include "config/validate.h"

namespace arus::controller {
namespace {

using config::Alteration;
using config::ConfigMap;
using metadata::ConfigResource;
using metadata::ConfigResourceType;

// One key's change, as both APIs ask for it.
struct Change {
  std::string key;
  std::int8_t operation = 0;  // config::Alteration, or a number that is none
  std::optional<std::string> value;
};

Result<> check_broker_name(const DecisionContext& context, const std::string& name) {
  if (name.empty()) return {};
  std::int32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size()) {
    return fail(ErrorCode::invalid_request, "Node id must be an integer, but it is: " + name);
  }
  if (BrokerId{id} != context.self) {
    return fail(ErrorCode::invalid_request,
                fmt::format("Unexpected broker id, expected {}, but received {}",
                            context.self.value(), name));
  }
  return {};
}

Result<> check_resource(const DecisionContext& context, const ConfigResource& resource) {
  switch (resource.type) {
    case ConfigResourceType::topic:
      if (resource.name.empty()) {
        return fail(ErrorCode::invalid_request, "Default topic resources are not allowed.");
      }
      ARUS_TRY(validate_topic_name(resource.name));
      if (context.image.topic(resource.name) == nullptr) {
        return fail(ErrorCode::unknown_topic_or_partition,
                    "The topic '" + resource.name + "' does not exist.");
      }
      return {};
    case ConfigResourceType::broker:
      return check_broker_name(context, resource.name);
    case ConfigResourceType::group:
      if (resource.name.empty()) {
        return fail(ErrorCode::invalid_request, "Default group resources are not allowed.");
      }
      return {};
    case ConfigResourceType::client_metrics:
      if (resource.name.empty()) {
        return fail(ErrorCode::invalid_request, "Subscription name can't be empty");
      }
      return {};
    default:
      return fail(ErrorCode::invalid_request,
                  fmt::format("Unknown resource type {}", static_cast<int>(resource.type)));
  }
}

Result<> check_changes(const std::vector<Change>& changes) {
  std::set<std::string> keys;
  std::string nulls;
  for (const Change& change : changes) {
    if (!keys.insert(change.key).second) {
      return fail(ErrorCode::invalid_request, "Error due to duplicate config keys");
    }
    const bool removes = change.operation == static_cast<std::int8_t>(Alteration::remove);
    if (!change.value && !removes) nulls += (nulls.empty() ? "" : ",") + change.key;
  }
  if (!nulls.empty()) {
    return fail(ErrorCode::invalid_request, "Null value not supported for : " + nulls);
  }
  return {};
}

config::Scope scope_of(ConfigResourceType type) {
  switch (type) {
    case ConfigResourceType::topic:
      return config::Scope::topic;
    case ConfigResourceType::group:
      return config::Scope::group;
    case ConfigResourceType::client_metrics:
      return config::Scope::client_metrics;
    default:
      return config::Scope::broker;
  }
}

const config::ConfigKey* find_key(ConfigResourceType type, const std::string& key) {
  return type == ConfigResourceType::broker ? config::find_broker_key(key)
                                            : config::find(key, scope_of(type));
}

// What holds for a key where the resource does not set it; lists are appended to that.
std::optional<std::string> inherited(const DecisionContext& context, const ConfigResource& resource,
                                     const config::ConfigKey* key) {
  if (key == nullptr) return std::nullopt;
  const config::Layers layers = broker_layers(context);
  std::vector<std::string_view> names;
  if (resource.type == ConfigResourceType::broker) {
    names.push_back(key->name);
  } else {
    for (const auto& synonym : key->synonyms) names.push_back(synonym.broker_key);
  }
  const bool is_default = resource.type == ConfigResourceType::broker && resource.name.empty();
  for (const auto* layer : {is_default ? nullptr : layers.dynamic_broker,
                            is_default ? nullptr : layers.dynamic_default, layers.static_broker}) {
    if (layer == nullptr) continue;
    for (const auto name : names) {
      const auto found = layer->find(std::string(name));
      if (found != layer->end()) return found->second;
    }
  }
  const auto fallback = key->default_text();
  return fallback ? std::optional<std::string>(*fallback) : std::nullopt;
}

Result<> check_elr(const DecisionContext& context, const ConfigResource& resource,
                   const std::string& key, const std::optional<std::string>& value) {
  if (resource.type != ConfigResourceType::broker || key != min_insync_key ||
      !elr_enabled(context.image)) {
    return {};
  }
  if (!resource.name.empty()) {
    return fail(ErrorCode::invalid_config,
                "Broker-level min.insync.replicas cannot be altered while ELR is enabled.");
  }
  if (!value) {
    return fail(ErrorCode::invalid_config,
                "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.");
  }
  return {};
}

Result<> validate(const DecisionContext& context, const ConfigResource& resource,
                  const ConfigMap& after, const ConfigMap& set) {
  const config::Layers layers = broker_layers(context);
  switch (resource.type) {
    case ConfigResourceType::topic:
      return config::validate_topic(after, layers);
    case ConfigResourceType::group:
      return config::validate_group(after, layers);
    case ConfigResourceType::client_metrics:
      return config::validate_client_metrics(resource.name, after);
    default:
      return config::validate_broker(resource.name, set);
  }
}

// Where a key of a resource is kept.
protocol::ConfigRecord record_for(const DecisionContext& context, const ConfigResource& resource,
                                  const std::string& key, std::optional<std::string> value) {
  if (resource.type == ConfigResourceType::topic && config::is_arus_topic_key(key)) {
    const auto topic = context.image.topic(resource.name);
    return config_record({ConfigResourceType::broker, {}}, config::stored_arus_key(topic->id, key),
                         std::move(value));
  }
  return config_record(resource, key, std::move(value));
}

ConfigMap overrides_of(const DecisionContext& context, const ConfigResource& resource) {
  const ConfigMap& own = context.image.configs(resource);
  if (resource.type != ConfigResourceType::topic) return own;
  const auto topic = context.image.topic(resource.name);
  return config::topic_overrides(own, context.image.configs({ConfigResourceType::broker, {}}),
                                 topic->id);
}

// The records of one resource's changes; nothing is written where one of them cannot be.
Result<Records> alter(const DecisionContext& context, const ConfigResource& resource,
                      const std::vector<Change>& changes) {
  ARUS_TRY(check_changes(changes));
  ARUS_TRY(check_resource(context, resource));
  const ConfigMap before = overrides_of(context, resource);
  ConfigMap after = before;
  ConfigMap set;
  Records records;
  bool clears_elr = false;
  for (const Change& change : changes) {
    if (change.operation < 0 || change.operation > static_cast<std::int8_t>(Alteration::subtract)) {
      return fail(ErrorCode::unknown_server_error);
    }
    const auto* key = find_key(resource.type, change.key);
    const auto found = before.find(change.key);
    const std::optional<std::string> current =
        found == before.end() ? std::nullopt : std::optional(found->second);
    auto value = config::altered(key, change.key, static_cast<Alteration>(change.operation),
                                 change.value, current, inherited(context, resource, key));
    if (!value) return fail(value.error());
    ARUS_TRY(check_elr(context, resource, change.key, *value));
    if (*value) {
      after[change.key] = **value;
      set[change.key] = **value;
    } else {
      after.erase(change.key);
    }
    // Setting this one is a fresh start for those who are in no ISR, whatever it was before.
    const bool min_insync = change.key == min_insync_key && elr_enabled(context.image);
    if (*value == current && !min_insync) continue;
    records.emplace_back(record_for(context, resource, change.key, *value));
    clears_elr = clears_elr || (min_insync && (resource.type == ConfigResourceType::topic ||
                                               resource.type == ConfigResourceType::broker));
  }
  ARUS_TRY(validate(context, resource, after, set));
  if (clears_elr) {
    protocol::ClearElrRecord clear;
    if (resource.type == ConfigResourceType::topic) clear.topic_name = resource.name;
    records.emplace_back(clear);
  }
  return records;
}

template <class Response, class Request, class ReadChanges>
Result<Decision<Response>> decide(const DecisionContext& context, const Request& request,
                                  ReadChanges read_changes) {
  Decision<Response> decision;
  std::map<std::pair<std::int8_t, std::string>, int> counts;
  for (const auto& one : request.resources) ++counts[{one.resource_type, one.resource_name}];
  for (const auto& one : request.resources) {
    auto& answer = decision.response.responses.emplace_back();
    answer.resource_type = one.resource_type;
    answer.resource_name = one.resource_name;
    answer.error_message.reset();
    const ConfigResource resource{static_cast<ConfigResourceType>(one.resource_type),
                                  one.resource_name};
    Result<Records> records =
        counts[{one.resource_type, one.resource_name}] > 1
            ? fail(ErrorCode::invalid_request, "Each resource must appear at most once.")
            : alter(context, resource, read_changes(resource, one));
    if (!records) {
      answer.error_code = records.error().code;
      if (!records.error().message.empty()) answer.error_message = records.error().message;
      continue;
    }
    if (request.validate_only) continue;
    for (auto& record : *records) decision.records.push_back(std::move(record));
  }
  return decision;
}

}  // namespace

Result<Decision<protocol::IncrementalAlterConfigsResponse>> incremental_alter_configs(
    const DecisionContext& context, const protocol::IncrementalAlterConfigsRequest& request) {
  return decide<protocol::IncrementalAlterConfigsResponse>(
      context, request, [](const ConfigResource&, const auto& one) {
        std::vector<Change> changes;
        for (const auto& config : one.configs) {
          changes.push_back({config.name, config.config_operation, config.value});
        }
        return changes;
      });
}

Result<Decision<protocol::AlterConfigsResponse>> alter_configs(
    const DecisionContext& context, const protocol::AlterConfigsRequest& request) {
  return decide<protocol::AlterConfigsResponse>(
      context, request, [&](const ConfigResource& resource, const auto& one) {
        std::vector<Change> changes;
        std::set<std::string> named;
        for (const auto& config : one.configs) {
          changes.push_back({config.name, static_cast<std::int8_t>(Alteration::set), config.value});
          named.insert(config.name);
        }
        const bool is_topic = resource.type == ConfigResourceType::topic;
        if (is_topic && context.image.topic(resource.name) == nullptr) return changes;
        for (const auto& [key, value] : overrides_of(context, resource)) {
          if (named.contains(key)) continue;
          // The settings that topics keep among the brokers' are not the brokers'.
          if (!is_topic && config::parse_stored_arus_key(key)) continue;
          changes.push_back({key, static_cast<std::int8_t>(Alteration::remove), std::nullopt});
        }
        return changes;
      });
}

}  // namespace arus::controller
