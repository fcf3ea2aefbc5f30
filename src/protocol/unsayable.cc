#include "protocol/unsayable.h"

#include <algorithm>

namespace arus::protocol {

bool too_long(const std::vector<std::string>& texts) {
  return std::ranges::any_of(texts, [](const std::string& text) { return too_long(text); });
}

bool too_long(const std::optional<std::vector<std::string>>& texts) {
  return texts && too_long(*texts);
}

}  // namespace arus::protocol
