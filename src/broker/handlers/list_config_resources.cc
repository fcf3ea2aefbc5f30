// ListConfigResources: which resources there are that can have settings.
#include "protocol/api/list_config_resources.h"

#include <set>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using metadata::ConfigResourceType;
using protocol::ListConfigResourcesRequest;
using protocol::ListConfigResourcesResponse;

constexpr std::int16_t types_from_version = 1;

void add(ListConfigResourcesResponse& response, ConfigResourceType type, std::string name) {
  auto& entry = response.config_resources.emplace_back();
  entry.resource_name = std::move(name);
  entry.resource_type = static_cast<std::int8_t>(type);
}

void list(const Context& context, ConfigResourceType type, ListConfigResourcesResponse& response) {
  const auto image = context.image();
  switch (type) {
    case ConfigResourceType::topic:
      for (const auto& [name, topic] : image->topics) add(response, type, name);
      return;
    case ConfigResourceType::broker:
    case ConfigResourceType::broker_logger:
      for (const auto& [id, broker] : image->brokers) {
        add(response, type, std::to_string(id.value()));
      }
      return;
    case ConfigResourceType::group:
    case ConfigResourceType::client_metrics:
      for (const auto& [resource, configs] : image->config_map) {
        if (resource.type == type) add(response, type, resource.name);
      }
      return;
    case ConfigResourceType::unknown:
      return;
  }
}

env::Task<ListConfigResourcesResponse> handle(ListConfigResourcesRequest request,
                                              Context& context) {
  const std::set<std::int8_t> known = {2, 4, 8, 16, 32};
  std::set<std::int8_t> types(request.resource_types.begin(), request.resource_types.end());
  if (context.version() < types_from_version) {
    types = {static_cast<std::int8_t>(ConfigResourceType::client_metrics)};
  } else if (types.empty()) {
    types = known;
  }
  for (const std::int8_t type : types) {
    if (!known.contains(type)) {
      co_return failed_as_whole<ListConfigResourcesResponse>(
          {ErrorCode::unsupported_version, {}, 0});
    }
  }
  ListConfigResourcesResponse response;
  for (const std::int8_t type : types) {
    list(context, static_cast<ConfigResourceType>(type), response);
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> list_config_resources_handler() {
  return net::make_handler<ListConfigResourcesRequest, Context>(
      handle, net::needs_cluster<ListConfigResourcesRequest>(
                  security::AclOperation::describe_configs,
                  refused_as_whole<ListConfigResourcesResponse, ListConfigResourcesRequest>));
}

}  // namespace arus::broker
