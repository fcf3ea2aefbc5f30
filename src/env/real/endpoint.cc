#include "env/real/endpoint.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <net/if.h>
#include <netdb.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/endian.h"
#include "env/os_error.h"

namespace arus::env {

namespace {

std::string ipv4_text(const std::uint8_t* bytes) {
  return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

std::string ipv6_text(const ::sockaddr_in6& address) {
  const std::uint8_t* const bytes = address.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) return ipv4_text(bytes + 12);
  std::string text;
  for (std::size_t group = 0; group < 8; ++group) {
    text +=
        fmt::format("{}{:x}", group == 0 ? "" : ":", load_big<std::uint16_t>(bytes + 2 * group));
  }
  if (address.sin6_scope_id != 0) {
    std::array<char, IF_NAMESIZE> name{};
    const char* const known = ::if_indextoname(address.sin6_scope_id, name.data());
    text += "%" + (known != nullptr ? std::string(known) : std::to_string(address.sin6_scope_id));
  }
  return text;
}

// What getaddrinfo gives, IPv4 first; its own error code otherwise.
std::expected<std::vector<Endpoint>, int> look_up(const Address& address, int flags) {
  ::addrinfo wish{};
  wish.ai_family = AF_UNSPEC;
  wish.ai_socktype = SOCK_STREAM;
  wish.ai_flags = flags | AI_NUMERICSERV;
  ::addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &wish, &found);
  if (error != 0) return std::unexpected(error);
  std::vector<Endpoint> endpoints;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const ::addrinfo* info = found; info != nullptr; info = info->ai_next) {
      if (info->ai_family != family || info->ai_addrlen > sizeof(::sockaddr_storage)) continue;
      Endpoint& endpoint = endpoints.emplace_back();
      std::memcpy(&endpoint.storage, info->ai_addr, info->ai_addrlen);
      endpoint.size = info->ai_addrlen;
    }
  }
  ::freeaddrinfo(found);
  return endpoints;
}

template <class Call>
Address ask(Call call, int descriptor) {
  Endpoint endpoint;
  endpoint.size = sizeof endpoint.storage;
  if (call(descriptor, reinterpret_cast<::sockaddr*>(&endpoint.storage), &endpoint.size) != 0) {
    return {};
  }
  return address_of(endpoint);
}

}  // namespace

Address address_of(const Endpoint& endpoint) {
  if (endpoint.family() == AF_INET) {
    ::sockaddr_in address{};
    std::memcpy(&address, &endpoint.storage, sizeof address);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &address.sin_addr, sizeof bytes);
    return {ipv4_text(bytes.data()), ntohs(address.sin_port)};
  }
  if (endpoint.family() == AF_INET6) {
    ::sockaddr_in6 address{};
    std::memcpy(&address, &endpoint.storage, sizeof address);
    return {ipv6_text(address), ntohs(address.sin6_port)};
  }
  return {};
}

Address local_address(int descriptor) { return ask(::getsockname, descriptor); }
Address remote_address(int descriptor) { return ask(::getpeername, descriptor); }

std::vector<Endpoint> numeric_endpoints(const Address& address) {
  if (address.host.empty()) return {};
  return look_up(address, AI_NUMERICHOST).value_or(std::vector<Endpoint>{});
}

// A small machine may have nobody to ask for it (RFC 6761, 6.3).
Result<std::vector<Endpoint>> resolve(const Address& address) {
  if (address.host == "localhost") {
    auto loopback = numeric_endpoints({"127.0.0.1", address.port});
    for (const Endpoint& ipv6 : numeric_endpoints({"::1", address.port})) {
      loopback.push_back(ipv6);
    }
    return loopback;
  }
  auto found = look_up(address, AI_ADDRCONFIG);
  if (found && !found->empty()) return std::move(*found);
  const int error = found ? EAI_NONAME : found.error();
  const int os_error = error == EAI_SYSTEM ? errno : 0;
  return fail(Error{ErrorCode::network_exception,
                    fmt::format("host {} cannot be resolved: {}", address.host,
                                error == EAI_SYSTEM ? describe_os_error(os_error)
                                                    : std::string(::gai_strerror(error))),
                    os_error});
}

}  // namespace arus::env
