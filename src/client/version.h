// The version of Arus.
#pragma once

#include <string_view>

namespace arus::client {

std::string_view version();  // "0.1.0"

}  // namespace arus::client
