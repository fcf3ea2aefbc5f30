// Socket addresses of the operating system.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <vector>

#include "base/result.h"
#include "env/socket.h"

namespace arus::env {

struct Endpoint {
  ::sockaddr_storage storage{};
  ::socklen_t size = 0;
  [[nodiscard]] const ::sockaddr* address() const {
    return reinterpret_cast<const ::sockaddr*>(&storage);
  }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

// In numbers, as Java writes them: IPv6 in eight groups without "::", IPv4 inside IPv6 as IPv4.
Address address_of(const Endpoint& endpoint);
// Where a descriptor is bound, or whom it is connected to.
Address local_address(int descriptor);
Address remote_address(int descriptor);

// Addresses in numbers, without asking anyone; empty when the host is a name.
std::vector<Endpoint> numeric_endpoints(const Address& address);
// Asks the system's resolver, which may block. IPv4 comes first, as Java prefers it.
Result<std::vector<Endpoint>> resolve(const Address& address);

}  // namespace arus::env
