// Durations as ISO 8601 and Java write them.
#pragma once

#include <optional>
#include <string_view>

#include "env/time.h"

namespace arus::cli {

// "P3DT4H5M6.5S", any part of it; nothing for other text, and for what does not fit.
std::optional<env::Duration> parse_iso_duration(std::string_view text);

}  // namespace arus::cli
