#include "broker/context.h"

#include <algorithm>

namespace arus::broker {

bool Context::on_controller_listener() const {
  const auto& names = services_.static_config().controller_listener_names;
  return std::ranges::find(names, peer()->listener) != names.end();
}

std::optional<BrokerAddress> Context::address_of(const metadata::BrokerImage& broker) const {
  const bool unadvertised =
      broker.id == node_id() && services_.static_config().advertised_listeners.empty();
  if (unadvertised) return BrokerAddress{peer()->local.host, peer()->local.port};
  for (const auto& endpoint : broker.endpoints) {
    if (endpoint.listener == peer()->listener) return BrokerAddress{endpoint.host, endpoint.port};
  }
  return std::nullopt;
}

}  // namespace arus::broker
