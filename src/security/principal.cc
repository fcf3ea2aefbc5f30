#include "security/principal.h"

namespace arus::security {

Result<Principal> Principal::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return fail(
        ErrorCode::invalid_request,
        "Could not parse principal from `" + std::string(text) +
            "` (no colon is present separating the principal type from the principal name)");
  }
  return Principal{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

}  // namespace arus::security
