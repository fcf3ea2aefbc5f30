#include "config/topic_config.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "config/lookup.h"

namespace arus::config {
namespace {

constexpr std::string_view arus_prefix = "arus.";
constexpr std::string_view stored_prefix = "arus.topic.";

// Reads typed values of topic keys. The table is trusted to give each key the type asked for.
class Values {
 public:
  explicit Values(const Layers& layers) : layers_(layers) {}

  void read(std::string_view name, std::int64_t& field) const {
    field = std::get<std::int64_t>(value(name));
  }
  void read(std::string_view name, std::int32_t& field) const {
    field = static_cast<std::int32_t>(std::get<std::int64_t>(value(name)));
  }
  void read(std::string_view name, bool& field) const { field = std::get<bool>(value(name)); }
  void read(std::string_view name, double& field) const { field = std::get<double>(value(name)); }
  [[nodiscard]] std::string word(std::string_view name) const {
    return std::get<std::string>(value(name));
  }
  [[nodiscard]] List list(std::string_view name) const { return std::get<List>(value(name)); }
  [[nodiscard]] Value value(std::string_view name) const {
    const ConfigKey* key = find(name, Scope::topic);
    ARUS_ASSERT(key != nullptr);
    return effective_value(*key, layers_);
  }

 private:
  const Layers& layers_;
};

CompressionType compression_type_of(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, CompressionType>, 6> names{{
      {"producer", CompressionType::producer},
      {"uncompressed", CompressionType::uncompressed},
      {"gzip", CompressionType::gzip},
      {"snappy", CompressionType::snappy},
      {"lz4", CompressionType::lz4},
      {"zstd", CompressionType::zstd},
  }};
  const auto* found =
      std::ranges::find(names, word, &std::pair<std::string_view, CompressionType>::first);
  ARUS_ASSERT(found != names.end());
  return found->second;
}

void read_segments(const Values& values, TopicConfig& config) {
  values.read("segment.bytes", config.segment_bytes);
  const Value for_tests = values.value("internal.segment.bytes");
  if (const auto* bytes = std::get_if<std::int64_t>(&for_tests)) {
    config.segment_bytes = static_cast<std::int32_t>(std::max<std::int64_t>(*bytes, 1));
  }
  values.read("segment.ms", config.segment_ms);
  values.read("segment.jitter.ms", config.segment_jitter_ms);
  values.read("segment.index.bytes", config.segment_index_bytes);
  values.read("index.interval.bytes", config.index_interval_bytes);
  values.read("preallocate", config.preallocate);
  values.read("flush.messages", config.flush_messages);
  values.read("flush.ms", config.flush_ms);
}

void read_cleanup(const Values& values, TopicConfig& config) {
  const List policy = values.list("cleanup.policy");
  config.cleanup_delete = std::ranges::find(policy, "delete") != policy.end();
  config.cleanup_compact = std::ranges::find(policy, "compact") != policy.end();
  values.read("retention.ms", config.retention_ms);
  values.read("retention.bytes", config.retention_bytes);
  values.read("local.retention.ms", config.local_retention_ms);
  values.read("local.retention.bytes", config.local_retention_bytes);
  values.read("delete.retention.ms", config.delete_retention_ms);
  values.read("file.delete.delay.ms", config.file_delete_delay_ms);
  values.read("min.cleanable.dirty.ratio", config.min_cleanable_dirty_ratio);
  values.read("min.compaction.lag.ms", config.min_compaction_lag_ms);
  values.read("max.compaction.lag.ms", config.max_compaction_lag_ms);
}

void read_messages(const Values& values, TopicConfig& config) {
  values.read("max.message.bytes", config.max_message_bytes);
  values.read("message.timestamp.before.max.ms", config.message_timestamp_before_max_ms);
  values.read("message.timestamp.after.max.ms", config.message_timestamp_after_max_ms);
  config.message_timestamp_type = values.word("message.timestamp.type") == "LogAppendTime"
                                      ? TimestampType::log_append_time
                                      : TimestampType::create_time;
  config.compression_type = compression_type_of(values.word("compression.type"));
  values.read("compression.gzip.level", config.compression_gzip_level);
  values.read("compression.lz4.level", config.compression_lz4_level);
  values.read("compression.zstd.level", config.compression_zstd_level);
  values.read("min.insync.replicas", config.min_insync_replicas);
  values.read("unclean.leader.election.enable", config.unclean_leader_election);
  config.durability =
      values.word("arus.durability") == "page-cache" ? Durability::page_cache : Durability::synced;
  config.batch_validation = values.word("arus.batch.validation") == "header"
                                ? BatchValidation::header
                                : BatchValidation::full;
}

}  // namespace

TopicConfig make_topic_config(const Layers& layers) {
  TopicConfig config;
  const Values values(layers);
  read_segments(values, config);
  read_cleanup(values, config);
  read_messages(values, config);
  return config;
}

bool is_always_synced(std::string_view topic_name) {
  return topic_name == "__consumer_offsets" || topic_name == "__transaction_state" ||
         topic_name == "__share_group_state" || topic_name == "__cluster_metadata";
}

TopicConfig make_topic_config(const Layers& layers, std::string_view topic_name) {
  TopicConfig config = make_topic_config(layers);
  if (is_always_synced(topic_name)) config.durability = Durability::synced;
  return config;
}

bool is_arus_topic_key(std::string_view key) {
  return key.starts_with(arus_prefix) && find(key, Scope::topic) != nullptr;
}

std::string stored_arus_key(const Uuid& topic_id, std::string_view key) {
  ARUS_ASSERT(key.starts_with(arus_prefix));
  return std::string(stored_prefix) + topic_id.to_string() + "." +
         std::string(key.substr(arus_prefix.size()));
}

std::optional<StoredArusKey> parse_stored_arus_key(std::string_view stored) {
  constexpr std::size_t id_length = 22;
  if (!stored.starts_with(stored_prefix)) return std::nullopt;
  stored.remove_prefix(stored_prefix.size());
  if (stored.size() < id_length + 2 || stored[id_length] != '.') return std::nullopt;
  const auto id = Uuid::parse(stored.substr(0, id_length));
  if (!id) return std::nullopt;
  return StoredArusKey{*id, std::string(arus_prefix) + std::string(stored.substr(id_length + 1))};
}

ConfigMap topic_overrides(const ConfigMap& topic, const ConfigMap& dynamic_default,
                          const Uuid& topic_id) {
  ConfigMap all = topic;
  const std::string prefix = stored_arus_key(topic_id, arus_prefix);
  for (auto it = dynamic_default.lower_bound(prefix);
       it != dynamic_default.end() && it->first.starts_with(prefix); ++it) {
    if (const auto stored = parse_stored_arus_key(it->first)) all[stored->key] = it->second;
  }
  return all;
}

}  // namespace arus::config
