#include "cli/feature_text.h"

#include <fmt/core.h>

#include <charconv>

#include "protocol/features.h"
#include "raft/features.h"

namespace arus::cli {
namespace {

// The order in which Kafka's programs list features.
constexpr std::string_view features_in_order[] = {
    protocol::kraft_version_feature, protocol::transaction_version_feature,
    protocol::group_version_feature, protocol::elr_version_feature,
    protocol::share_version_feature, protocol::streams_version_feature,
};

}  // namespace

std::string level_text(std::string_view feature, std::int16_t level) {
  if (feature == protocol::metadata_version_feature) {
    if (const auto* version = protocol::find_metadata_version(level)) {
      return std::string(version->name);
    }
  }
  return std::to_string(level);
}

Result<std::int16_t> parse_metadata_version(std::string_view text) {
  if (const auto* version = protocol::find_metadata_version(text)) return version->level;
  std::string known;
  for (const auto& version : protocol::all_metadata_versions()) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", version.name);
  }
  return fail(ErrorCode::invalid_config,
              fmt::format("Unknown metadata.version '{}'. Supported metadata.version are: {}", text,
                          known));
}

Result<std::string> version_mapping(std::string_view release) {
  std::int16_t level = raft::newest_metadata_version;
  std::string name = level_text(protocol::metadata_version_feature, level);
  if (!release.empty()) {
    const auto parsed = parse_metadata_version(release);
    if (!parsed) return fail(parsed.error());
    level = *parsed;
    name = release;
  }
  std::string text = fmt::format("{}={} ({})\n", protocol::metadata_version_feature, level, name);
  for (const std::string_view feature : features_in_order) {
    text += fmt::format("{}={}\n", feature, protocol::default_level(feature, level).value_or(0));
  }
  return text;
}

Result<FeatureLevelText> parse_feature_level(std::string_view text) {
  const auto equals = text.find('=');
  FeatureLevelText parsed;
  bool good = equals != std::string_view::npos;
  if (good) {
    parsed.feature = text.substr(0, equals);
    const std::string_view number = text.substr(equals + 1);
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), parsed.level);
    good = error == std::errc{} && end == number.data() + number.size();
  }
  if (!good) {
    return fail(ErrorCode::invalid_config,
                fmt::format("Invalid feature format: {}. Expected format: 'feature=version' (e.g. "
                            "'group.version=1')",
                            text));
  }
  return parsed;
}

Result<std::string> feature_dependencies(std::string_view feature_and_level) {
  const auto parsed = parse_feature_level(feature_and_level);
  if (!parsed) return fail(parsed.error());
  const auto& [feature, level] = *parsed;
  std::string name = fmt::format("{}={}", feature, level);
  if (feature == protocol::metadata_version_feature) {
    const auto* version = protocol::find_metadata_version(level);
    if (version == nullptr) {
      return fail(ErrorCode::invalid_config, fmt::format("Unknown metadata.version {}", level));
    }
    return fmt::format("{} ({}) has no dependencies.\n", name, version->name);
  }
  const auto* known = protocol::find_feature(feature);
  if (known == nullptr) {
    return fail(ErrorCode::invalid_config, fmt::format("Unknown feature: {}", feature));
  }
  if (level < known->min || level > known->max) {
    return fail(ErrorCode::invalid_config,
                fmt::format("Feature level {} is not supported for feature {}", level, feature));
  }
  const std::int16_t needed = raft::needed_metadata_version(feature, level);
  const auto* version = protocol::find_metadata_version(needed);
  if (needed == 0 || version == nullptr ||
      version->level == protocol::all_metadata_versions().front().level) {
    return name + " has no dependencies.\n";
  }
  return fmt::format("{} requires:\n    {}={} ({})\n", name, protocol::metadata_version_feature,
                     needed, version->name);
}

}  // namespace arus::cli
