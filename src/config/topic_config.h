// The settings of a topic that storage and the broker act on, computed from all layers.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "config/config_table.h"

namespace arus::config {

enum class TimestampType : std::int8_t { create_time = 0, log_append_time = 1 };

// What batches on disk are compressed with: `producer` keeps what came. The other numbers are the
// codec's in a batch's attributes.
enum class CompressionType : std::int8_t {
  producer = -1,
  uncompressed = 0,
  gzip = 1,
  snappy = 2,
  lz4 = 3,
  zstd = 4,
};

enum class Durability : std::uint8_t { synced, page_cache };
enum class BatchValidation : std::uint8_t { full, header };

// Effective values; defaults are Kafka's. Times in milliseconds, sizes in bytes, -1 is "no limit"
// for the two retention values. Immutable once made; share one between partitions.
struct TopicConfig {
  std::int32_t segment_bytes = 1 << 30;
  std::int64_t segment_ms = 604'800'000;
  std::int64_t segment_jitter_ms = 0;
  std::int32_t segment_index_bytes = 10'485'760;
  std::int32_t index_interval_bytes = 4096;
  bool preallocate = false;

  bool cleanup_delete = true;
  bool cleanup_compact = false;
  std::int64_t retention_ms = 604'800'000;
  std::int64_t retention_bytes = -1;
  std::int64_t delete_retention_ms = 86'400'000;
  std::int64_t file_delete_delay_ms = 60'000;
  double min_cleanable_dirty_ratio = 0.5;
  std::int64_t min_compaction_lag_ms = 0;
  std::int64_t max_compaction_lag_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t local_retention_ms = -2;
  std::int64_t local_retention_bytes = -2;

  std::int64_t flush_messages = std::numeric_limits<std::int64_t>::max();
  std::int64_t flush_ms = std::numeric_limits<std::int64_t>::max();

  std::int32_t max_message_bytes = 1'048'588;
  TimestampType message_timestamp_type = TimestampType::create_time;
  std::int64_t message_timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t message_timestamp_after_max_ms = 3'600'000;
  CompressionType compression_type = CompressionType::producer;
  std::int32_t compression_gzip_level = -1;
  std::int32_t compression_lz4_level = 9;
  std::int32_t compression_zstd_level = 3;

  std::int32_t min_insync_replicas = 1;
  bool unclean_leader_election = false;

  Durability durability = Durability::synced;
  BatchValidation batch_validation = BatchValidation::full;

  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};

// The layers that a value is looked for in, strongest first; null where a layer does not exist.
// The maps must outlive the call that they are given to.
struct Layers {
  const ConfigMap* overrides = nullptr;        // of the topic, group or client-metrics resource
  const ConfigMap* dynamic_broker = nullptr;   // resource BROKER "<id>"
  const ConfigMap* dynamic_default = nullptr;  // resource BROKER ""
  const ConfigMap* static_broker = nullptr;    // the properties file
};

// A value that does not parse counts as not set (it was refused when somebody tried to set it).
[[nodiscard]] TopicConfig make_topic_config(const Layers& layers);
// __consumer_offsets, __transaction_state, __share_group_state and __cluster_metadata: always
// `synced`, whatever the broker says.
[[nodiscard]] bool is_always_synced(std::string_view topic_name);
[[nodiscard]] TopicConfig make_topic_config(const Layers& layers, std::string_view topic_name);

// Per-topic settings of Arus are kept as keys of resource BROKER "" so that Kafka's snapshots do
// not lose them: "arus.durability" of a topic is "arus.topic.<topic id>.durability".
[[nodiscard]] std::string stored_arus_key(const Uuid& topic_id, std::string_view key);
struct StoredArusKey {
  Uuid topic_id;
  std::string key;  // "arus.durability"
};
[[nodiscard]] std::optional<StoredArusKey> parse_stored_arus_key(std::string_view stored);
// True for keys of a topic that are stored that way.
[[nodiscard]] bool is_arus_topic_key(std::string_view key);
// The overrides of a topic: its own ConfigRecords and what is stored for it at BROKER "".
[[nodiscard]] ConfigMap topic_overrides(const ConfigMap& topic, const ConfigMap& dynamic_default,
                                        const Uuid& topic_id);

}  // namespace arus::config
