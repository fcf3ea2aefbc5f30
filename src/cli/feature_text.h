// Feature levels as kafka-features and kafka-storage speak of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace arus::cli {

// "4.3-IV0" for metadata.version, the number for others.
std::string level_text(std::string_view feature, std::int16_t level);

// The level of every feature under a release ("4.0", "4.0-IV3", empty for the newest), a line each.
Result<std::string> version_mapping(std::string_view release);

// What a level needs, for "feature=level".
Result<std::string> feature_dependencies(std::string_view feature_and_level);

struct FeatureLevelText {
  std::string feature;
  std::int16_t level = 0;
};
Result<FeatureLevelText> parse_feature_level(std::string_view text);

// By release; the error lists the releases that there are.
Result<std::int16_t> parse_metadata_version(std::string_view text);

}  // namespace arus::cli
