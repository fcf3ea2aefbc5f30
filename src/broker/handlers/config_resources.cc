#include "broker/handlers/config_resources.h"

#include <charconv>

namespace arus::broker {

using metadata::ConfigResourceType;
using security::ResourceType;

ConfigResourceType config_resource_type(std::int8_t number) {
  switch (static_cast<ConfigResourceType>(number)) {
    case ConfigResourceType::topic:
    case ConfigResourceType::broker:
    case ConfigResourceType::broker_logger:
    case ConfigResourceType::client_metrics:
    case ConfigResourceType::group:
      return static_cast<ConfigResourceType>(number);
    case ConfigResourceType::unknown:
      break;
  }
  return ConfigResourceType::unknown;
}

ErrorCode config_refusal(const Context& context, security::AclOperation operation,
                         ConfigResourceType type, const std::string& name) {
  const net::Authorization& may = context.authorization();
  switch (type) {
    case ConfigResourceType::topic:
      return may.allows_topic(operation, name) ? ErrorCode::none
                                               : ErrorCode::topic_authorization_failed;
    case ConfigResourceType::group:
      return may.allows(operation, ResourceType::group, name)
                 ? ErrorCode::none
                 : ErrorCode::group_authorization_failed;
    case ConfigResourceType::broker:
    case ConfigResourceType::broker_logger:
    case ConfigResourceType::client_metrics:
    case ConfigResourceType::unknown:
      break;
  }
  return may.allows_cluster(operation) ? ErrorCode::none : ErrorCode::cluster_authorization_failed;
}

std::optional<BrokerId> broker_of_resource(const std::string& name) {
  std::int32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return BrokerId{id};
}

}  // namespace arus::broker
