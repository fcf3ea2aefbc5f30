#include "client/options.h"

#include <fmt/core.h>

#include <charconv>

namespace arus::client {
namespace {

Result<env::Address> parse_address(std::string_view text, std::uint16_t default_port) {
  env::Address address;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("Invalid url in bootstrap.servers: {}", text));
    }
    address.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (port.starts_with(':')) port.remove_prefix(1);
  } else {
    const auto colon = text.rfind(':');
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  address.port = default_port;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc{} || end != port.data() + port.size()) address.port = 0;
  }
  if (address.host.empty() || address.port == 0) {
    return fail(ErrorCode::invalid_request,
                fmt::format("Invalid url in bootstrap.servers: {}", text));
  }
  return address;
}

}  // namespace

Result<std::vector<env::Address>> parse_bootstrap(std::string_view text,
                                                  std::uint16_t default_port) {
  std::vector<env::Address> addresses;
  while (!text.empty()) {
    const auto comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.empty()) continue;
    auto address = parse_address(part, default_port);
    if (!address) return fail(std::move(address).error());
    if (addresses.size() == max_bootstrap_addresses) {
      return fail(ErrorCode::invalid_request, "Too many bootstrap addresses");
    }
    addresses.push_back(std::move(*address));
  }
  if (addresses.empty()) {
    return fail(ErrorCode::invalid_request, "No bootstrap address was given");
  }
  return addresses;
}

}  // namespace arus::client
