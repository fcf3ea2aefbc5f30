// Listener addresses as `listeners` and `advertised.listeners` write them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace arus::config {

// The numbers are Kafka's.
enum class SecurityProtocol : std::int16_t {
  plaintext = 0,
  ssl = 1,
  sasl_plaintext = 2,
  sasl_ssl = 3,
};
[[nodiscard]] std::string_view security_protocol_name(SecurityProtocol protocol);

// "NAME://host:port". `host` is empty for "all interfaces", without brackets for IPv6.
struct ListenerAddress {
  std::string name;  // upper case
  std::string host;
  std::uint16_t port = 0;
  SecurityProtocol protocol = SecurityProtocol::plaintext;
  friend bool operator==(const ListenerAddress&, const ListenerAddress&) = default;
  // "NAME://host:port", brackets around IPv6.
  [[nodiscard]] std::string to_string() const;
};

using ProtocolMap = std::map<std::string, SecurityProtocol>;

// "NAME:PROTOCOL,NAME:PROTOCOL".
Result<ProtocolMap> parse_protocol_map(std::string_view text);
// One address; the protocol comes from `protocols` and must be there.
Result<ListenerAddress> parse_listener(std::string_view text, const ProtocolMap& protocols);
// Comma-separated addresses.
Result<std::vector<ListenerAddress>> parse_listeners(std::string_view text,
                                                     const ProtocolMap& protocols);

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};
// "host:port", "[::1]:9092", ":9092" (empty host).
Result<HostPort> parse_host_port(std::string_view text);

}  // namespace arus::config
