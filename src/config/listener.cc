#include "config/listener.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "config/text.h"

namespace arus::config {
namespace {

constexpr std::array<std::pair<std::string_view, SecurityProtocol>, 4> protocol_names{{
    {"PLAINTEXT", SecurityProtocol::plaintext},
    {"SSL", SecurityProtocol::ssl},
    {"SASL_PLAINTEXT", SecurityProtocol::sasl_plaintext},
    {"SASL_SSL", SecurityProtocol::sasl_ssl},
}};

bool is_host_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("._%:-").contains(c);
}

}  // namespace

std::string_view security_protocol_name(SecurityProtocol protocol) {
  return protocol_names[static_cast<std::size_t>(protocol)].first;
}

std::string ListenerAddress::to_string() const {
  const bool brackets = host.contains(':');
  return fmt::format("{}://{}{}{}:{}", name, brackets ? "[" : "", host, brackets ? "]" : "", port);
}

Result<ProtocolMap> parse_protocol_map(std::string_view text) {
  ProtocolMap protocols;
  for (const std::string& entry : split_list(text)) {
    const std::size_t colon = entry.rfind(':');
    if (colon == std::string::npos || colon == 0) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("Error parsing configuration property "
                              "'listener.security.protocol.map': '{}' is not NAME:PROTOCOL",
                              entry));
    }
    const std::string name = to_upper(trimmed(std::string_view(entry).substr(0, colon)));
    const std::string protocol = to_upper(trimmed(std::string_view(entry).substr(colon + 1)));
    const auto* found = std::ranges::find(protocol_names, protocol,
                                          &std::pair<std::string_view, SecurityProtocol>::first);
    if (found == protocol_names.end()) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("Invalid security protocol `{}` defined in "
                              "listener.security.protocol.map",
                              protocol));
    }
    if (!protocols.emplace(name, found->second).second) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("Error parsing configuration property "
                              "'listener.security.protocol.map': {} is there twice",
                              name));
    }
  }
  return protocols;
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_config, fmt::format("'{}' {}", text, why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse("is not host:port");
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (!std::ranges::all_of(host, is_host_character)) return refuse("does not name a host");
  if (host.contains(':') && !brackets) return refuse("needs brackets around its IPv6 address");
  std::int64_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  if (digits.empty() || !std::ranges::all_of(digits, is_digit) || !read_integer(digits, port) ||
      port > 65535) {
    return refuse("does not end in a port from 0 to 65535");
  }
  return HostPort{std::string(host), static_cast<std::uint16_t>(port)};
}

Result<ListenerAddress> parse_listener(std::string_view text, const ProtocolMap& protocols) {
  text = trimmed(text);
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos || end == 0) {
    return fail(
        ErrorCode::invalid_config,
        fmt::format("Unable to parse {} to a broker endpoint: it is not NAME://host:port", text));
  }
  const auto address = parse_host_port(text.substr(end + 3));
  if (!address) {
    return fail(
        ErrorCode::invalid_config,
        fmt::format("Unable to parse {} to a broker endpoint: {}", text, address.error().message));
  }
  ListenerAddress listener{to_upper(text.substr(0, end)), address->host, address->port};
  const auto protocol = protocols.find(listener.name);
  if (protocol == protocols.end()) {
    return fail(ErrorCode::invalid_config,
                fmt::format("No security protocol defined for listener {}", listener.name));
  }
  listener.protocol = protocol->second;
  return listener;
}

Result<std::vector<ListenerAddress>> parse_listeners(std::string_view text,
                                                     const ProtocolMap& protocols) {
  std::vector<ListenerAddress> listeners;
  for (const std::string& entry : split_list(text)) {
    auto listener = parse_listener(entry, protocols);
    if (!listener) return fail(listener.error());
    listeners.push_back(*std::move(listener));
  }
  return listeners;
}

}  // namespace arus::config
