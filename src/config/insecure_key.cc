#include <fmt/core.h>

#include "config/broker_config.h"
#include "config/text.h"

namespace arus::config {
namespace {

constexpr std::string_view map_key = "listener.security.protocol.map";

std::string value_of(const ConfigMap& properties, std::string_view key) {
  const auto found = properties.find(std::string(key));
  return found == properties.end() ? std::string() : std::string(trimmed(found->second));
}

// The security protocol that a listener name asks for; empty for one that no map names.
std::string protocol_of(const ConfigMap& properties, std::string_view name) {
  const std::string wanted = to_upper(trimmed(name));
  const std::string map = value_of(properties, map_key);
  for (const std::string& entry : split_list(map)) {
    const std::size_t colon = entry.rfind(':');
    if (colon == std::string::npos) continue;
    if (to_upper(trimmed(std::string_view(entry).substr(0, colon))) == wanted) {
      return to_upper(trimmed(std::string_view(entry).substr(colon + 1)));
    }
  }
  if (!map.empty()) return {};
  return wanted == "SSL" || wanted == "SASL_SSL" || wanted == "SASL_PLAINTEXT" ? wanted
                                                                               : std::string();
}

std::optional<InsecureKey> check_listener_name(const ConfigMap& properties, std::string_view key,
                                               std::string_view name) {
  const std::string protocol = protocol_of(properties, name);
  if (protocol.empty() || protocol == "PLAINTEXT") return std::nullopt;
  const bool by_map = !value_of(properties, map_key).empty();
  return InsecureKey{std::string(by_map ? map_key : key),
                     fmt::format("{} asks for {} on listener {}, which Arus does not have yet",
                                 by_map ? map_key : key, protocol, trimmed(name))};
}

}  // namespace

std::optional<InsecureKey> find_insecure_key(const ConfigMap& properties) {
  constexpr std::string_view authorizer_key = "authorizer.class.name";
  const std::string authorizer = value_of(properties, authorizer_key);
  if (!authorizer.empty() && authorizer != standard_authorizer_class) {
    return InsecureKey{std::string(authorizer_key),
                       fmt::format("{} asks for {}, but the only authorizer is {}", authorizer_key,
                                   authorizer, standard_authorizer_class)};
  }
  for (const std::string_view key : {"listeners", "advertised.listeners"}) {
    for (const std::string& listener : split_list(value_of(properties, key))) {
      const std::string_view name = std::string_view(listener).substr(0, listener.find("://"));
      if (auto found = check_listener_name(properties, key, name)) return found;
    }
  }
  for (const std::string_view key : {"controller.listener.names", "inter.broker.listener.name"}) {
    for (const std::string& name : split_list(value_of(properties, key))) {
      if (auto found = check_listener_name(properties, key, name)) return found;
    }
  }
  constexpr std::string_view inter_broker = "security.inter.broker.protocol";
  const std::string protocol = to_upper(value_of(properties, inter_broker));
  if (!protocol.empty() && protocol != "PLAINTEXT") {
    return InsecureKey{
        std::string(inter_broker),
        fmt::format("{} asks for {}, which Arus does not have yet", inter_broker, protocol)};
  }
  return std::nullopt;
}

}  // namespace arus::config
