// DescribeConfigs: every key of a resource with value, source, synonyms and documentation.
#include "protocol/api/describe_configs.h"

#include <algorithm>

#include "broker/context.h"
#include "broker/handlers/config_resources.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "broker/handlers/topic_names.h"
#include "config/describe.h"

namespace arus::broker {
namespace {

using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using Entry = DescribeConfigsResponse::DescribeConfigsResourceResult;
using metadata::ConfigResourceType;
using DescribedConfigs = Result<std::vector<config::DescribedConfig>>;

DescribedConfigs describe_topic(const Context& context, const std::string& name) {
  if (!is_topic_name(name)) {
    return fail(ErrorCode::invalid_topic_exception, "There can be no topic of this name.");
  }
  const auto image = context.image();
  const auto topic = image->topic(name);
  if (!topic) return fail(ErrorCode::unknown_topic_or_partition);
  const auto& broker_defaults = image->configs({ConfigResourceType::broker, ""});
  const config::ConfigMap overrides = config::topic_overrides(
      image->configs({ConfigResourceType::topic, name}), broker_defaults, topic->id);
  return config::describe_topic(context.config()->layers(&overrides));
}

DescribedConfigs describe_broker(const Context& context, const std::string& name) {
  if (name.empty()) {
    return config::describe_broker_defaults(
        context.image()->configs({ConfigResourceType::broker, ""}));
  }
  const auto id = broker_of_resource(name);
  if (!id) return fail(ErrorCode::invalid_request, "A broker is named by its number.");
  if (*id != context.node_id()) {
    return fail(ErrorCode::invalid_request,
                "This broker is " + std::to_string(context.node_id().value()) +
                    "; it does not know the settings of broker " + name + ".");
  }
  return config::describe_broker(context.config()->layers());
}

DescribedConfigs describe(const Context& context, ConfigResourceType type,
                          const std::string& name) {
  switch (type) {
    case ConfigResourceType::topic:
      return describe_topic(context, name);
    case ConfigResourceType::broker:
      return describe_broker(context, name);
    case ConfigResourceType::broker_logger: {
      if (broker_of_resource(name) != context.node_id()) {
        return fail(ErrorCode::invalid_request,
                    "Loggers are those of broker " + std::to_string(context.node_id().value()));
      }
      return config::describe_loggers();
    }
    case ConfigResourceType::client_metrics:
      if (name.empty()) {
        return fail(ErrorCode::invalid_request, "A client metrics subscription needs a name.");
      }
      return config::describe_client_metrics(context.image()->configs({type, name}));
    case ConfigResourceType::group: {
      if (name.empty()) return fail(ErrorCode::invalid_request, "A group needs a name.");
      const auto image = context.image();
      return config::describe_group(context.config()->layers(&image->configs({type, name})));
    }
    case ConfigResourceType::unknown:
      break;
  }
  return fail(ErrorCode::invalid_request, "There is no such type of resource.");
}

Entry entry_of(config::DescribedConfig&& from, const DescribeConfigsRequest& request) {
  Entry entry;
  entry.name = std::move(from.name);
  entry.value = std::move(from.value);
  entry.read_only = from.read_only;
  entry.config_source = static_cast<std::int8_t>(from.source);
  entry.is_sensitive = from.sensitive;
  entry.config_type = static_cast<std::int8_t>(from.type);
  entry.documentation.reset();
  if (request.include_documentation) entry.documentation = std::string(from.documentation);
  if (request.include_synonyms) {
    for (auto& synonym : from.synonyms) {
      entry.synonyms.push_back({.name = std::move(synonym.name),
                                .value = std::move(synonym.value),
                                .source = static_cast<std::int8_t>(synonym.source)});
    }
  }
  return entry;
}

bool is_wanted(const std::optional<std::vector<std::string>>& keys, const std::string& name) {
  // An empty list asks for everything, too, as older clients send it.
  return !keys || keys->empty() || std::ranges::find(*keys, name) != keys->end();
}

env::Task<DescribeConfigsResponse> handle(DescribeConfigsRequest request, Context& context) {
  DescribeConfigsResponse response;
  for (const auto& resource : request.resources) {
    auto& result = response.results.emplace_back();
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    const ConfigResourceType type = config_resource_type(resource.resource_type);
    const ErrorCode refused = config_refusal(context, security::AclOperation::describe_configs,
                                             type, resource.resource_name);
    DescribedConfigs described = refused == ErrorCode::none
                                     ? describe(context, type, resource.resource_name)
                                     : DescribedConfigs(fail(refused));
    if (!described) {
      result.error_code = described.error().code;
      result.error_message = message_of(described.error());
      continue;
    }
    result.error_message.reset();
    for (auto& key : *described) {
      if (is_wanted(resource.configuration_keys, key.name)) {
        result.configs.push_back(entry_of(std::move(key), request));
      }
    }
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_configs_handler() {
  return net::make_handler<DescribeConfigsRequest, Context>(
      handle, net::checked_in_handler<DescribeConfigsRequest>(
                  "each resource asks for the operation on the kind of thing that it is"));
}

}  // namespace arus::broker
