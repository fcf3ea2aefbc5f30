// What the configuration APIs have in common: which resource is meant, and who may touch it.
#pragma once

#include <cstdint>
#include <string>

#include "broker/context.h"
#include "metadata/image.h"

namespace arus::broker {

// The type by its number on the wire; `unknown` for numbers without a meaning.
[[nodiscard]] metadata::ConfigResourceType config_resource_type(std::int8_t number);

// none, or TOPIC_, GROUP_ or CLUSTER_AUTHORIZATION_FAILED: topics and groups are asked for by name,
// brokers, loggers and client metrics are the cluster's.
[[nodiscard]] ErrorCode config_refusal(const Context& context, security::AclOperation operation,
                                       metadata::ConfigResourceType type, const std::string& name);

// The broker that a resource name means; nothing where it is not a number. Empty is the default of
// all brokers and not asked for here.
[[nodiscard]] std::optional<BrokerId> broker_of_resource(const std::string& name);

}  // namespace arus::broker
