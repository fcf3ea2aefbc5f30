// Numbers of the protocol that have names: enumerations and special values.
#pragma once

#include <cstdint>

namespace arus::protocol {

enum class ConfigResourceKind : std::int8_t {
  unknown = 0,
  topic = 2,
  broker = 4,
  broker_logger = 8,
  client_metrics = 16,
  group = 32,
};
enum class ConfigSource : std::int8_t {
  unknown,
  topic,
  dynamic_broker,
  dynamic_default_broker,
  static_broker,
  default_,
  dynamic_broker_logger,
  client_metrics,
  group,
};
enum class ConfigType : std::int8_t {
  unknown,
  boolean,
  string,
  int_,
  short_,
  long_,
  double_,
  list,
  class_,
  password,
};
enum class AlterConfigOperation : std::int8_t { set, delete_, append, subtract };
enum class ScramMechanism : std::int8_t { unknown, sha_256, sha_512 };
enum class FeatureUpgrade : std::int8_t { unknown, upgrade, safe_downgrade, unsafe_downgrade };
enum class ElectionType : std::int8_t { preferred, unclean };
enum class IsolationLevel : std::int8_t { read_uncommitted, read_committed };
enum class CoordinatorType : std::int8_t { group, transaction, share };
enum class SecurityProtocol : std::int16_t { plaintext, ssl, sasl_plaintext, sasl_ssl };
enum class QuotaMatch : std::int8_t { exact, default_, specified };
enum class EndpointType : std::int8_t { unknown, broker, controller };

// ListOffsets: what a timestamp below zero asks for.
inline constexpr std::int64_t latest_timestamp = -1;
inline constexpr std::int64_t earliest_timestamp = -2;
inline constexpr std::int64_t max_timestamp = -3;
inline constexpr std::int64_t earliest_local_timestamp = -4;
inline constexpr std::int64_t latest_tiered_timestamp = -5;
inline constexpr std::int64_t earliest_pending_upload_timestamp = -6;

// Fetch sessions (KIP-227).
inline constexpr std::int32_t no_fetch_session = 0;
inline constexpr std::int32_t initial_fetch_epoch = 0;
inline constexpr std::int32_t final_fetch_epoch = -1;

// PartitionChangeRecord: the leader stays.
inline constexpr std::int32_t no_leader_change = -2;

// Metadata: authorised operations that nobody asked for.
inline constexpr std::int32_t operations_omitted = INT32_MIN;

}  // namespace arus::protocol
