// Which levels of its features a new cluster begins with.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace arus::raft {

inline constexpr std::int16_t newest_metadata_version = 30;

// The metadata.version that `level` of the feature needs at least; 0: any.
[[nodiscard]] std::int16_t needed_metadata_version(std::string_view name, std::int16_t level);
// Whether going from the lower of the two levels to the higher changes records of the log.
[[nodiscard]] bool metadata_changed_between(std::int16_t lower, std::int16_t higher);
// "4.3-IV0", or "4.3" for the newest of that release. INVALID_CONFIG otherwise.
[[nodiscard]] Result<std::int16_t> parse_release_version(std::string_view text);
[[nodiscard]] std::string release_name(std::int16_t level);

// All features of a new cluster but kraft.version: `chosen` over the defaults, levels of 0 left
// out. INVALID_CONFIG where a feature or level does not exist or needs another.
[[nodiscard]] Result<std::map<std::string, std::int16_t>> initial_features(
    std::int16_t metadata_version, const std::map<std::string, std::int16_t>& chosen);

}  // namespace arus::raft
