#include "controller/feature_updates.h"

#include <fmt/core.h>

#include "protocol/features.h"
#include "raft/features.h"

namespace arus::controller {
namespace {

using Update = protocol::UpdateFeaturesRequest::FeatureUpdateKey;

enum class UpgradeType : std::int8_t { unknown, upgrade, safe_downgrade, unsafe_downgrade };

UpgradeType type_of(const Update& update) {
  if (update.upgrade_type < 1 || update.upgrade_type > 3) return UpgradeType::unknown;
  const auto type = static_cast<UpgradeType>(update.upgrade_type);
  // Version 0 of the request knows only this flag.
  if (type == UpgradeType::upgrade && update.allow_downgrade) return UpgradeType::safe_downgrade;
  return type;
}

Result<> check_range(const DecisionContext& context, const Update& update) {
  const auto* feature = protocol::find_feature(update.feature);
  const auto bad = [&](const std::string& why) {
    return fail(ErrorCode::invalid_update_version,
                fmt::format("Invalid update version {} for feature {}. {}",
                            update.max_version_level, update.feature, why));
  };
  if (update.max_version_level < 0) return bad("A feature version cannot be less than 0.");
  if (feature == nullptr) {
    return bad(
        fmt::format("Local controller {} does not support this feature.", context.self.value()));
  }
  if (update.max_version_level < feature->min || update.max_version_level > feature->max) {
    return bad(fmt::format("Local controller {} only supports versions {}-{}", context.self.value(),
                           feature->min, feature->max));
  }
  for (const auto& [id, broker] : context.image.brokers) {
    if (id == context.self) continue;
    const auto range = broker->features.find(update.feature);
    if (range == broker->features.end()) {
      if (update.max_version_level == 0) continue;
      return bad(fmt::format("Broker {} does not support this feature.", id.value()));
    }
    if (update.max_version_level < range->second.min ||
        update.max_version_level > range->second.max) {
      return bad(fmt::format("Broker {} only supports versions {}-{}", id.value(),
                             range->second.min, range->second.max));
    }
  }
  return {};
}

Result<> check_direction(const Update& update, std::int16_t current) {
  const UpgradeType type = type_of(update);
  const auto bad = [&](const std::string& why) {
    return fail(ErrorCode::invalid_update_version,
                fmt::format("Invalid update version {} for feature {}. {}",
                            update.max_version_level, update.feature, why));
  };
  if (update.max_version_level < current) {
    if (update.feature == protocol::kraft_version_feature) {
      return bad("Can't downgrade the version of this feature.");
    }
    if (type == UpgradeType::upgrade) {
      return bad(
          "Can't downgrade the version of this feature without setting the upgrade type to "
          "either safe or unsafe downgrade.");
    }
  } else if (update.max_version_level > current && type != UpgradeType::upgrade) {
    return bad("Can't downgrade to a newer version.");
  }
  return {};
}

Result<> check_metadata_version(const Update& update, std::int16_t current) {
  const std::int16_t wanted = update.max_version_level;
  if (wanted >= current || !raft::metadata_changed_between(wanted, current)) return {};
  return fail(
      ErrorCode::invalid_update_version,
      fmt::format("Unsupported metadata.version downgrade from {} to {}. {}", current, wanted,
                  type_of(update) == UpgradeType::unsafe_downgrade
                      ? "Unsafe metadata downgrade is not supported in this version."
                      : "Refusing to perform the requested downgrade because it might delete "
                        "metadata information."));
}

// With ELR the cluster needs one min.insync.replicas for all, and brokers none of their own.
void enable_elr(const DecisionContext& context, Records& records) {
  using metadata::ConfigResourceType;
  constexpr const char* key = "min.insync.replicas";
  if (!context.image.configs({ConfigResourceType::broker, {}}).contains(key)) {
    records.emplace_back(config_record({ConfigResourceType::broker, {}}, key,
                                       std::to_string(context.settings.min_insync_replicas)));
  }
  for (const auto& [resource, values] : context.image.config_map) {
    if (resource.type == ConfigResourceType::broker && !resource.name.empty() &&
        values->contains(key)) {
      records.emplace_back(config_record(resource, key, std::nullopt));
    }
  }
}

Result<> update_feature(const DecisionContext& context, const Update& update, Records& records) {
  if (type_of(update) == UpgradeType::unknown) {
    return fail(ErrorCode::invalid_update_version,
                fmt::format("Invalid update version {} for feature {}. The controller does not "
                            "support the given upgrade type.",
                            update.max_version_level, update.feature));
  }
  ARUS_TRY(check_range(context, update));
  const bool is_kraft = update.feature == protocol::kraft_version_feature;
  const std::int16_t current =
      is_kraft ? context.kraft_version : context.image.feature_level(update.feature).value_or(0);
  ARUS_TRY(check_direction(update, current));
  if (is_kraft) {
    if (update.max_version_level == current) return {};
    return fail(ErrorCode::invalid_update_version,
                fmt::format("Invalid update version {} for feature {}. A quorum with static voters "
                            "cannot be changed to a dynamic one here.",
                            update.max_version_level, update.feature));
  }
  if (update.feature == protocol::metadata_version_feature) {
    ARUS_TRY(check_metadata_version(update, current));
  } else if (const auto needed =
                 raft::needed_metadata_version(update.feature, update.max_version_level);
             context.image.metadata_version() < needed) {
    return fail(ErrorCode::invalid_update_version,
                fmt::format("Invalid update version {} for feature {}. {} could not be set to {} "
                            "because it depends on metadata.version level {}",
                            update.max_version_level, update.feature, update.feature,
                            update.max_version_level, needed));
  }
  protocol::FeatureLevelRecord record;
  record.name = update.feature;
  record.feature_level = update.max_version_level;
  records.emplace_back(record);
  if (update.feature == protocol::elr_version_feature && update.max_version_level >= 1) {
    enable_elr(context, records);
  }
  return {};
}

}  // namespace

Result<Decision<protocol::UpdateFeaturesResponse>> update_features(
    const DecisionContext& context, const protocol::UpdateFeaturesRequest& request) {
  Decision<protocol::UpdateFeaturesResponse> decision;
  auto& response = decision.response;
  response.error_message.reset();
  for (const Update& update : request.feature_updates) {
    if (const auto done = update_feature(context, update, decision.records); !done) {
      decision.records.clear();
      response.results.clear();
      response.error_code = done.error().code;
      response.error_message =
          "The update failed for all features since the following feature had an error: " +
          done.error().message;
      return decision;
    }
    auto& result = response.results.emplace_back();
    result.feature = update.feature;
    result.error_message = "NONE";
  }
  if (request.validate_only) decision.records.clear();
  return decision;
}

}  // namespace arus::controller
