// The features of a cluster: which levels exist, and which a new cluster begins with.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace arus::raft {

inline constexpr std::string_view metadata_version_feature = "metadata.version";
inline constexpr std::string_view kraft_version_feature = "kraft.version";
inline constexpr std::string_view elr_feature = "eligible.leader.replicas.version";

inline constexpr std::int16_t min_metadata_version = 7;
inline constexpr std::int16_t newest_metadata_version = 30;

// What this node supports, also of features whose APIs it does not serve: a cluster's finalized
// levels must lie in these ranges, or its directories could not be opened.
struct FeatureSupport {
  std::string_view name;
  std::int16_t min = 0;
  std::int16_t max = 0;
};
[[nodiscard]] std::span<const FeatureSupport> supported_features();
[[nodiscard]] const FeatureSupport* find_feature(std::string_view name);

// The level that a cluster of this metadata.version begins with; 0 for unknown features.
[[nodiscard]] std::int16_t default_feature_level(std::string_view name,
                                                 std::int16_t metadata_version);
// The metadata.version that `level` of the feature needs at least; 0: any.
[[nodiscard]] std::int16_t needed_metadata_version(std::string_view name, std::int16_t level);

// "4.3-IV0" of 30; empty for unknown levels.
[[nodiscard]] std::string_view release_name(std::int16_t level);
// Whether going from the lower of the two levels to the higher changes records of the log.
[[nodiscard]] bool metadata_changed_between(std::int16_t lower, std::int16_t higher);
// "4.3-IV0", or "4.3" for the newest of that release.
[[nodiscard]] Result<std::int16_t> parse_release_version(std::string_view text);

// All features of a new cluster but kraft.version: `chosen` over the defaults, levels of 0 left
// out. INVALID_CONFIG where a feature or level does not exist or needs another.
[[nodiscard]] Result<std::map<std::string, std::int16_t>> initial_features(
    std::int16_t metadata_version, const std::map<std::string, std::int16_t>& chosen);

}  // namespace arus::raft
