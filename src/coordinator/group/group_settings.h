// The settings of group coordination, and who asks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/broker_config.h"
#include "metadata/image.h"

namespace arus::coordinator {

// Whether classic groups may become consumer groups and the reverse, while members run.
enum class MigrationPolicy : std::uint8_t { disabled, upgrade, downgrade, bidirectional };

// Times in milliseconds.
struct GroupSettings {
  static GroupSettings from(const config::BrokerConfig& config);

  std::int32_t min_session_timeout_ms = 6'000;
  std::int32_t max_session_timeout_ms = 1'800'000;
  std::int32_t initial_rebalance_delay_ms = 3'000;
  std::int32_t max_size = 0x7fffffff;
  std::int32_t new_member_join_timeout_ms = 300'000;

  std::int32_t consumer_session_timeout_ms = 45'000;
  std::int32_t consumer_min_session_timeout_ms = 45'000;
  std::int32_t consumer_max_session_timeout_ms = 60'000;
  std::int32_t consumer_heartbeat_interval_ms = 5'000;
  std::int32_t consumer_min_heartbeat_interval_ms = 5'000;
  std::int32_t consumer_max_heartbeat_interval_ms = 15'000;
  std::int32_t consumer_max_size = 0x7fffffff;
  std::int32_t consumer_assignment_interval_ms = 0;
  std::int32_t consumer_regex_refresh_interval_ms = 600'000;
  std::vector<std::string> consumer_assignors = {"uniform", "range"};
  MigrationPolicy migration_policy = MigrationPolicy::bidirectional;

  std::int64_t offsets_retention_ms = std::int64_t{10'080} * 60'000;
  std::int64_t offsets_retention_check_interval_ms = 600'000;
  std::int32_t offset_metadata_max_bytes = 4'096;
  // message.max.bytes: a batch of __consumer_offsets must not be larger, where that topic has no
  // max.message.bytes of its own.
  std::int32_t max_batch_bytes = 1'048'588;
};

// Who sent a request that a group looks at.
struct GroupCaller {
  std::string client_id;
  std::string client_host;  // as Kafka stores it: "/127.0.0.1"
  std::int16_t api_version = 0;
  // Of a transactional commit, where the transaction was verified (Turn::append_transactional).
  std::optional<std::uint64_t> transaction_guard;
};

// What all parts of a group machine share. Owner: the machine.
struct GroupSurroundings {
  GroupSettings settings;
  metadata::ImagePointer image;  // never null once loaded
  // Chance for member ids and join orders; seeded by whoever makes the machine.
  std::function<std::uint64_t()> random;
};

}  // namespace arus::coordinator
