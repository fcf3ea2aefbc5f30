#include "protocol/features.h"

#include <fmt/core.h>

#include <charconv>

#include "cli/feature_text.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/kafka/subcommands.h"
#include "client/admin.h"
#include "protocol/api/update_features.h"
#include "protocol/enums.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec describe_specs[] = {
    {"node-id", Takes::value, "id", "The node that is asked; any without it."},
};
constexpr OptionSpec metadata_spec{"metadata", Takes::value, "version",
                                   "Deprecated: the metadata.version, such as 4.2-IV1."};
constexpr OptionSpec release_spec{"release-version", Takes::value, "version",
                                  "All features as this release has them."};
constexpr OptionSpec feature_spec{"feature",      Takes::value, "feature=level",
                                  "One feature.", {},           true};
constexpr OptionSpec dry_spec{"dry-run", Takes::nothing, "", "Check only, change nothing."};
constexpr OptionSpec unsafe_spec{"unsafe", Takes::nothing, "", "Even where metadata may be lost."};
constexpr OptionSpec upgrade_specs[] = {metadata_spec, release_spec, feature_spec, dry_spec};
constexpr OptionSpec downgrade_specs[] = {metadata_spec, release_spec, feature_spec, unsafe_spec,
                                          dry_spec};
constexpr OptionSpec disable_specs[] = {
    {"feature", Takes::value, "feature", "The feature.", {}, true}, unsafe_spec, dry_spec};
constexpr OptionSpec mapping_specs[] = {release_spec};
constexpr OptionSpec dependency_specs[] = {feature_spec};
constexpr Subcommand features_commands[] = {
    {"describe", "Shows features and their levels", describe_specs},
    {"upgrade", "Raises levels of features", upgrade_specs},
    {"downgrade", "Lowers levels of features", downgrade_specs},
    {"disable", "Sets features to level 0", disable_specs},
    {"version-mapping", "Shows the features of a release", mapping_specs},
    {"feature-dependencies", "Shows what a feature's level needs", dependency_specs, "feature"},
};
constexpr Program features_tool{"kafka-features",
                                "Shows and changes feature levels of the cluster.", cluster_options,
                                features_commands};

env::Task<int> run_describe(Session session, Console& console, const ParsedOptions& options) {
  const auto id = options.number("node-id", 0, INT32_MAX);
  if (!id) {
    console.print_error("{}\n", id.error().message);
    co_return 1;
  }
  const client::Route route =
      *id ? client::Route::one(BrokerId{static_cast<std::int32_t>(**id)}) : client::Route::any();
  auto connection = co_await session.cluster.connect(route, session.cluster.call_deadline());
  if (!connection) {
    console.print_error("{}\n", connection.error().message);
    co_return 1;
  }
  auto versions = (*connection)->versions();
  std::ranges::sort(versions.features, {}, &client::FeatureLevel::name);
  const std::string epoch =
      versions.finalized_epoch < 0 ? "-" : std::to_string(versions.finalized_epoch);
  for (const auto& feature : versions.features) {
    console.print(
        "Feature: {:<42}SupportedMinVersion: {:<17}SupportedMaxVersion: {:<17}"
        "FinalizedVersionLevel: {:<17}Epoch: {}\n",
        feature.name, level_text(feature.name, feature.min), level_text(feature.name, feature.max),
        level_text(feature.name, feature.finalized.value_or(0)), epoch);
  }
  co_return 0;
}

struct Change {
  std::map<std::string, std::int16_t> levels;
  protocol::FeatureUpgrade kind = protocol::FeatureUpgrade::upgrade;
  std::string verb;  // "upgrade"
  std::string done;  // "upgraded"
  bool dry_run = false;
};

std::string outcome_line(const Change& change, const std::string& feature, std::int16_t level,
                         const std::optional<std::string>& failure) {
  const bool disable = change.verb == "disable";
  const std::string target = disable ? "" : fmt::format(" to {}", level);
  if (failure) {
    return fmt::format("{} {} {}{}. {}\n", change.dry_run ? "Can not" : "Could not", change.verb,
                       feature, target, *failure);
  }
  return fmt::format("{} {} {}{}.\n", feature, change.dry_run ? "can be" : "was", change.done,
                     target);
}

env::Task<int> run_change(Session session, Console& console, const Change& change) {
  protocol::UpdateFeaturesRequest request;
  request.validate_only = change.dry_run;
  for (const auto& [feature, level] : change.levels) {
    auto& update = request.feature_updates.emplace_back();
    update.feature = feature;
    update.max_version_level = level;
    update.upgrade_type = static_cast<std::int8_t>(change.kind);
  }
  auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                             session.cluster.call_deadline());
  if (!answer) {
    console.print_error("{}\n", answer.error().message);
    co_return 1;
  }
  std::size_t failures = 0;
  for (const auto& [feature, level] : change.levels) {
    std::optional<std::string> failure;
    if (answer->error_code != ErrorCode::none) {
      failure = message_of(answer->error_code, answer->error_message);
    }
    for (const auto& result : answer->results) {
      if (result.feature == feature && result.error_code != ErrorCode::none) {
        failure = message_of(result.error_code, result.error_message);
      }
    }
    if (failure) ++failures;
    console.out(outcome_line(change, feature, level, failure));
  }
  if (failures == 0) co_return 0;
  console.print_error("{} out of {} operation(s) failed.\n", failures, change.levels.size());
  co_return 1;
}

Result<Change> change_of(Console& console, std::string_view command, const ParsedOptions& options) {
  Change change;
  change.verb = command;
  change.dry_run = options.has("dry-run");
  change.done = command == "disable" ? "disabled" : fmt::format("{}d", command);
  if (command != "upgrade") {
    change.kind = options.has("unsafe") ? protocol::FeatureUpgrade::unsafe_downgrade
                                        : protocol::FeatureUpgrade::safe_downgrade;
  }
  if (options.has("release-version") && (options.has("metadata") || options.has("feature"))) {
    return fail(ErrorCode::invalid_request,
                "Can not specify `release-version` with other feature flags.");
  }
  if (const auto text = options.value("metadata")) {
    console.out(" `metadata` flag is deprecated and may be removed in a future release.\n");
    const auto level = parse_metadata_version(*text);
    if (!level) return fail(level.error());
    change.levels[std::string(protocol::metadata_version_feature)] = *level;
  }
  if (const auto text = options.value("release-version")) {
    const auto level = parse_metadata_version(*text);
    if (!level) return fail(level.error());
    for (const auto& feature : protocol::all_features()) {
      change.levels[std::string(feature.name)] =
          feature.name == protocol::metadata_version_feature
              ? *level
              : protocol::default_level(feature.name, *level).value_or(0);
    }
  }
  for (const auto& text : options.values("feature")) {
    if (command == "disable") {
      change.levels[text] = 0;
      continue;
    }
    const auto parsed = parse_feature_level(text);
    if (!parsed) return fail(parsed.error());
    if (!change.levels.emplace(parsed->feature, parsed->level).second) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("Feature {} was specified more than once.", parsed->feature));
    }
  }
  if (change.levels.empty()) {
    return fail(ErrorCode::invalid_request,
                fmt::format("You must specify at least one feature to {}", command));
  }
  return change;
}

int print_text(Console& console, const Result<std::string>& text) {
  if (!text) {
    console.print_error("{}\n", text.error().message);
    return 1;
  }
  console.out(*text);
  return 0;
}

}  // namespace

int features(Console& console, const Arguments& arguments) {
  const Asked asked = parse_subcommand(console, features_tool, arguments);
  if (asked.command == nullptr) return asked.status;
  const auto& options = asked.options;
  const std::string_view name = asked.command->name;
  if (name == "version-mapping") {
    return print_text(console, version_mapping(options.value_or("release-version", "")));
  }
  if (name == "feature-dependencies") {
    for (const auto& feature : options.values("feature")) {
      if (const int status = print_text(console, feature_dependencies(feature)); status != 0) {
        return status;
      }
    }
    return 0;
  }
  if (options.has("bootstrap-server") == options.has("bootstrap-controller")) {
    console.err(options.has("bootstrap-server")
                    ? "Only one of --bootstrap-server or --bootstrap-controller may be given\n"
                    : "You must specify either --bootstrap-controller or --bootstrap-server.\n");
    return 1;
  }
  const auto client = cluster_of(options);
  if (!client) {
    console.print_error("{}\n", client.error().message);
    return 1;
  }
  if (name == "describe") return run_session(*client, run_describe, console, options);
  const auto change = change_of(console, name, options);
  if (!change) {
    console.print_error("{}\n", change.error().message);
    return 1;
  }
  return run_session(*client, run_change, console, *change);
}

}  // namespace arus::cli::kafka
