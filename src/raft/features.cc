#include "raft/features.h"

#include <fmt/core.h>

#include <array>

namespace arus::raft {
namespace {

struct Release {
  std::string_view name;
  bool metadata_changed;
};

// metadata.version 7 to 30.
constexpr std::array<Release, newest_metadata_version - min_metadata_version + 1> releases{{
    {"3.3-IV3", true},  {"3.4-IV0", true},  {"3.5-IV0", false}, {"3.5-IV1", false},
    {"3.5-IV2", true},  {"3.6-IV0", false}, {"3.6-IV1", true},  {"3.6-IV2", true},
    {"3.7-IV0", true},  {"3.7-IV1", false}, {"3.7-IV2", true},  {"3.7-IV3", false},
    {"3.7-IV4", false}, {"3.8-IV0", false}, {"3.9-IV0", false}, {"4.0-IV0", false},
    {"4.0-IV1", true},  {"4.0-IV2", false}, {"4.0-IV3", false}, {"4.1-IV0", false},
    {"4.1-IV1", false}, {"4.2-IV0", false}, {"4.2-IV1", false}, {"4.3-IV0", true},
}};

constexpr std::array<FeatureSupport, 7> features{{
    {metadata_version_feature, min_metadata_version, newest_metadata_version},
    {kraft_version_feature, 0, 1},
    {"transaction.version", 0, 2},
    {"group.version", 0, 1},
    {elr_feature, 0, 1},
    {"share.version", 0, 1},
    {"streams.version", 0, 1},
}};

// A new cluster has the feature at `level` from this metadata.version on.
struct Default {
  std::string_view name;
  std::int16_t from_metadata_version;
  std::int16_t level;
};
constexpr std::array<Default, 6> defaults{{
    {kraft_version_feature, 21, 1},
    {"transaction.version", 24, 2},
    {"group.version", 22, 1},
    {elr_feature, 26, 1},
    {"share.version", 28, 1},
    {"streams.version", 29, 1},
}};

constexpr std::int16_t metadata_version_with_elr = 23;

}  // namespace

std::span<const FeatureSupport> supported_features() { return features; }

const FeatureSupport* find_feature(std::string_view name) {
  for (const FeatureSupport& feature : features) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

std::int16_t default_feature_level(std::string_view name, std::int16_t metadata_version) {
  for (const Default& one : defaults) {
    if (one.name == name && metadata_version >= one.from_metadata_version) return one.level;
  }
  return 0;
}

std::int16_t needed_metadata_version(std::string_view name, std::int16_t level) {
  if (level == 0) return 0;
  if (name == elr_feature) return metadata_version_with_elr;
  if (name == kraft_version_feature) return 21;
  return 0;
}

std::string_view release_name(std::int16_t level) {
  if (level < min_metadata_version || level > newest_metadata_version) return {};
  return releases[static_cast<std::size_t>(level - min_metadata_version)].name;
}

bool metadata_changed_between(std::int16_t lower, std::int16_t higher) {
  for (std::int16_t level = lower; level < higher; ++level) {
    const auto above = static_cast<std::size_t>(level + 1 - min_metadata_version);
    if (above < releases.size() && releases[above].metadata_changed) return true;
  }
  return false;
}

Result<std::int16_t> parse_release_version(std::string_view text) {
  for (std::int16_t level = newest_metadata_version; level >= min_metadata_version; --level) {
    const std::string_view name = release_name(level);
    if (name == text || name.substr(0, name.find('-')) == text) return level;
  }
  std::string known;
  for (const Release& release : releases) {
    if (!known.empty()) known += ", ";
    known += release.name;
  }
  return fail(ErrorCode::invalid_config,
              fmt::format("Unknown metadata.version '{}'. Supported metadata.version are: {}", text,
                          known));
}

Result<std::map<std::string, std::int16_t>> initial_features(
    std::int16_t metadata_version, const std::map<std::string, std::int16_t>& chosen) {
  std::map<std::string, std::int16_t> levels;
  for (const Default& one : defaults) {
    levels[std::string(one.name)] = default_feature_level(one.name, metadata_version);
  }
  for (const auto& [name, level] : chosen) {
    if (name == metadata_version_feature) continue;
    const FeatureSupport* feature = find_feature(name);
    if (feature == nullptr) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("Unsupported feature: {}. Supported features are: "
                              "eligible.leader.replicas.version, group.version, kraft.version, "
                              "share.version, streams.version, transaction.version",
                              name));
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
  levels.erase(std::string(kraft_version_feature));
  std::erase_if(levels, [](const auto& entry) { return entry.second == 0; });
  levels[std::string(metadata_version_feature)] = metadata_version;
  return levels;
}

}  // namespace arus::raft
