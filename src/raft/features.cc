#include "raft/features.h"

#include <fmt/core.h>

#include "protocol/features.h"

namespace arus::raft {

std::int16_t needed_metadata_version(std::string_view name, std::int16_t level) {
  constexpr std::int16_t with_elr = 23;
  constexpr std::int16_t with_kraft_version = 21;
  if (level == 0) return 0;
  if (name == protocol::elr_version_feature) return with_elr;
  if (name == protocol::kraft_version_feature) return with_kraft_version;
  return 0;
}

bool metadata_changed_between(std::int16_t lower, std::int16_t higher) {
  for (const auto& version : protocol::all_metadata_versions()) {
    if (version.level > lower && version.level <= higher && version.changed) return true;
  }
  return false;
}

Result<std::int16_t> parse_release_version(std::string_view text) {
  if (const auto* version = protocol::find_metadata_version(text)) return version->level;
  std::string known;
  for (const auto& version : protocol::all_metadata_versions()) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", version.name);
  }
  return fail(ErrorCode::invalid_config,
              fmt::format("Unknown metadata.version '{}'. Supported metadata.version are: {}", text,
                          known));
}

std::string release_name(std::int16_t level) {
  const auto* version = protocol::find_metadata_version(level);
  return version == nullptr ? std::string() : std::string(version->name);
}

Result<std::map<std::string, std::int16_t>> initial_features(
    std::int16_t metadata_version, const std::map<std::string, std::int16_t>& chosen) {
  std::map<std::string, std::int16_t> levels;
  std::string known;
  for (const auto& feature : protocol::all_features()) {
    if (feature.name == protocol::metadata_version_feature) continue;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", feature.name);
    levels[std::string(feature.name)] =
        protocol::default_level(feature.name, metadata_version).value_or(0);
  }
  for (const auto& [name, level] : chosen) {
    if (name == protocol::metadata_version_feature) continue;
    const auto* feature = protocol::find_feature(name);
    if (feature == nullptr) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("Unsupported feature: {}. Supported features are: {}", name, known));
    }
    if (level < feature->min || level > feature->max) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("No feature:{} with feature level {}", name, level));
    }
    if (const auto needed = needed_metadata_version(name, level); metadata_version < needed) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("{} could not be set to {} because it depends on metadata.version "
                              "level {}",
                              name, level, needed));
    }
    levels[name] = level;
  }
  levels.erase(std::string(protocol::kraft_version_feature));
  std::erase_if(levels, [](const auto& entry) { return entry.second == 0; });
  levels[std::string(protocol::metadata_version_feature)] = metadata_version;
  return levels;
}

}  // namespace arus::raft
