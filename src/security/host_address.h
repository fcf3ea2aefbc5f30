// An IP address for comparing hosts, with Java's way of writing it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arus::security {

// IPv4 is kept as IPv4-mapped IPv6, so that both forms of one address compare equal. A scope
// ("%eth0") belongs to the address.
class HostAddress {
 public:
  // Any form that inet_pton takes, with or without brackets and scope; nothing for anything else
  // (names are never resolved).
  static std::optional<HostAddress> parse(std::string_view text);
  // "10.0.0.1"; "0:0:0:0:0:0:0:1"; "fe80:0:0:0:0:0:0:1%eth0".
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_ipv4() const;
  friend bool operator==(const HostAddress&, const HostAddress&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::string scope_;
};

}  // namespace arus::security
