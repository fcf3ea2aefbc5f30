#include "protocol/features.h"

#include <array>

namespace arus::protocol {
namespace {

constexpr std::array<Feature, 7> features = {{
    {elr_version_feature, 0, 1, 1},
    {group_version_feature, 0, 1, 1},
    {kraft_version_feature, 0, 1, 1},
    {metadata_version_feature, 7, 30, 30},
    {share_version_feature, 0, 1, 1},
    {streams_version_feature, 0, 1, 1},
    {transaction_version_feature, 0, 2, 2},
}};

// level, name, changed, RegisterBroker, RegisterController, Partition, PartitionChange, Fetch,
// ListOffsets
constexpr std::array<MetadataVersion, 24> metadata_versions = {{
    {7, "3.3-IV3", true, 1, -1, 0, 0, 13, 7},   {8, "3.4-IV0", true, 2, -1, 0, 0, 13, 7},
    {9, "3.5-IV0", false, 2, -1, 0, 0, 14, 8},  {10, "3.5-IV1", false, 2, -1, 0, 0, 15, 8},
    {11, "3.5-IV2", true, 2, -1, 0, 0, 15, 8},  {12, "3.6-IV0", false, 2, -1, 0, 0, 15, 8},
    {13, "3.6-IV1", true, 2, -1, 0, 0, 15, 8},  {14, "3.6-IV2", true, 2, -1, 0, 0, 15, 8},
    {15, "3.7-IV0", true, 2, 0, 0, 0, 15, 8},   {16, "3.7-IV1", false, 2, 0, 0, 0, 15, 8},
    {17, "3.7-IV2", true, 3, 0, 1, 1, 15, 8},   {18, "3.7-IV3", false, 3, 0, 1, 1, 15, 8},
    {19, "3.7-IV4", false, 3, 0, 1, 1, 16, 8},  {20, "3.8-IV0", false, 3, 0, 1, 1, 16, 8},
    {21, "3.9-IV0", false, 3, 0, 1, 1, 17, 9},  {22, "4.0-IV0", false, 3, 0, 1, 1, 17, 9},
    {23, "4.0-IV1", true, 3, 0, 2, 2, 17, 9},   {24, "4.0-IV2", false, 3, 0, 2, 2, 17, 9},
    {25, "4.0-IV3", false, 3, 0, 2, 2, 17, 10}, {26, "4.1-IV0", false, 3, 0, 2, 2, 17, 10},
    {27, "4.1-IV1", false, 3, 0, 2, 2, 18, 10}, {28, "4.2-IV0", false, 3, 0, 2, 2, 18, 10},
    {29, "4.2-IV1", false, 3, 0, 2, 2, 18, 11}, {30, "4.3-IV0", true, 4, 0, 2, 2, 18, 11},
}};

// From which metadata level on a feature has which level by default.
struct DefaultStep {
  std::string_view feature;
  std::int16_t from_metadata_level;
  std::int16_t level;
};
constexpr std::array<DefaultStep, 6> default_steps = {{
    {elr_version_feature, 26, 1},
    {group_version_feature, 22, 1},
    {kraft_version_feature, 21, 1},
    {share_version_feature, 28, 1},
    {streams_version_feature, 29, 1},
    {transaction_version_feature, 24, 2},
}};

}  // namespace

std::span<const Feature> all_features() { return features; }

const Feature* find_feature(std::string_view name) {
  for (const Feature& feature : features) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

std::span<const MetadataVersion> all_metadata_versions() { return metadata_versions; }

const MetadataVersion* find_metadata_version(std::int16_t level) {
  for (const MetadataVersion& version : metadata_versions) {
    if (version.level == level) return &version;
  }
  return nullptr;
}

const MetadataVersion* find_metadata_version(std::string_view name) {
  const MetadataVersion* newest = nullptr;
  for (const MetadataVersion& version : metadata_versions) {
    if (version.name == name) return &version;
    if (version.name.substr(0, version.name.find('-')) == name) newest = &version;
  }
  return newest;
}

std::optional<std::int16_t> default_level(std::string_view feature, std::int16_t metadata_level) {
  if (feature == metadata_version_feature) return metadata_level;
  if (find_feature(feature) == nullptr) return std::nullopt;
  std::int16_t level = 0;
  for (const DefaultStep& step : default_steps) {
    if (step.feature == feature && metadata_level >= step.from_metadata_level) level = step.level;
  }
  return level;
}

}  // namespace arus::protocol
