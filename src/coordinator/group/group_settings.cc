#include "coordinator/group/group_settings.h"

#include <algorithm>

namespace arus::coordinator {
namespace {

std::int32_t int32(const config::BrokerConfig& config, std::string_view key) {
  return static_cast<std::int32_t>(config.integer(key));
}

MigrationPolicy parse_policy(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (text == "disabled") return MigrationPolicy::disabled;
  if (text == "upgrade") return MigrationPolicy::upgrade;
  if (text == "downgrade") return MigrationPolicy::downgrade;
  return MigrationPolicy::bidirectional;
}

}  // namespace

GroupSettings GroupSettings::from(const config::BrokerConfig& config) {
  GroupSettings settings;
  settings.min_session_timeout_ms = int32(config, "group.min.session.timeout.ms");
  settings.max_session_timeout_ms = int32(config, "group.max.session.timeout.ms");
  settings.initial_rebalance_delay_ms = int32(config, "group.initial.rebalance.delay.ms");
  settings.max_size = int32(config, "group.max.size");

  settings.consumer_session_timeout_ms = int32(config, "group.consumer.session.timeout.ms");
  settings.consumer_min_session_timeout_ms = int32(config, "group.consumer.min.session.timeout.ms");
  settings.consumer_max_session_timeout_ms = int32(config, "group.consumer.max.session.timeout.ms");
  settings.consumer_heartbeat_interval_ms = int32(config, "group.consumer.heartbeat.interval.ms");
  settings.consumer_min_heartbeat_interval_ms =
      int32(config, "group.consumer.min.heartbeat.interval.ms");
  settings.consumer_max_heartbeat_interval_ms =
      int32(config, "group.consumer.max.heartbeat.interval.ms");
  settings.consumer_max_size = int32(config, "group.consumer.max.size");
  settings.consumer_assignment_interval_ms = int32(config, "group.consumer.assignment.interval.ms");
  settings.consumer_regex_refresh_interval_ms =
      int32(config, "group.consumer.regex.refresh.interval.ms");
  settings.consumer_assignors = config.list("group.consumer.assignors");
  settings.migration_policy =
      parse_policy(config.text("group.consumer.migration.policy").value_or(""));

  settings.offsets_retention_ms =
      config.integer("offsets.retention.minutes") * std::int64_t{60'000};
  settings.offsets_retention_check_interval_ms =
      config.integer("offsets.retention.check.interval.ms");
  settings.offset_metadata_max_bytes = int32(config, "offset.metadata.max.bytes");
  settings.max_batch_bytes = int32(config, "message.max.bytes");
  return settings;
}

}  // namespace arus::coordinator
