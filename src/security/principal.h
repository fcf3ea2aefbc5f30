// Who is on the other end of a connection.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace arus::security {

// Text form "Type:name". Types and names compare exactly. Everyone is User:ANONYMOUS until
// connections can authenticate.
struct Principal {
  std::string type = "User";
  std::string name = "ANONYMOUS";
  friend auto operator<=>(const Principal&, const Principal&) = default;
  [[nodiscard]] std::string to_string() const { return type + ":" + name; }
  // Splits at the first colon; INVALID_REQUEST without one.
  static Result<Principal> parse(std::string_view text);
};

}  // namespace arus::security
