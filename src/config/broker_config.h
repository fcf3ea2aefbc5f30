// The settings of this node, typed, as the server reads them at start and after dynamic changes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "config/config_table.h"
#include "config/listener.h"
#include "config/topic_config.h"

namespace arus::config {

// One member of controller.quorum.voters: "id@host:port".
struct QuorumVoter {
  BrokerId id = no_broker;
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const QuorumVoter&, const QuorumVoter&) = default;
};

// The named shares of the memory budget, in bytes.
struct MemoryShares {
  std::int64_t request_bytes = 0;            // arus.memory.request.bytes
  std::int64_t answer_bytes = 0;             // arus.memory.answer.bytes
  std::int64_t writer_bytes = 0;             // arus.memory.writer.bytes, per log directory
  std::int64_t decompression_bytes = 0;      // arus.memory.decompression.bytes
  std::int64_t compaction_bytes = 0;         // arus.memory.compaction.bytes
  std::int64_t connection_answer_bytes = 0;  // arus.memory.connection.answer.bytes, per connection
  std::int64_t fetch_cache_bytes = 0;  // arus.memory.cache.bytes, newest batches kept for readers
};

// Immutable once made. `properties` is what was written (static layer); the fields are the
// effective values with the dynamic layers on top. Times in milliseconds, sizes in bytes.
struct BrokerConfig {
  // Checks every known key of the static layer; unknown keys are kept and ignored, as Kafka does.
  // Errors are INVALID_CONFIG with a sentence that names the key.
  static Result<BrokerConfig> make(ConfigMap properties);
  // The same static layer under dynamic values. A dynamic value that does not hold is left out
  // (Kafka does so, too) and its key is added to `ignored`.
  [[nodiscard]] BrokerConfig with_dynamic(const ConfigMap& of_all_brokers,
                                          const ConfigMap& of_this_broker,
                                          std::vector<std::string>* ignored = nullptr) const;

  ConfigMap properties;

  // The effective text of any broker key, defaults included; nothing where it has no value.
  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  // The effective value of a key of that type; the key must be in the table and have a value.
  [[nodiscard]] std::int64_t integer(std::string_view key) const;
  [[nodiscard]] bool flag(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;

  // Identity.
  BrokerId node_id = no_broker;
  bool is_broker = true;
  bool is_controller = true;
  std::optional<std::string> rack;

  // Network. `listeners` are bound; those named in controller_listener_names serve the controller.
  std::vector<ListenerAddress> listeners;
  std::vector<ListenerAddress> advertised_listeners;  // empty: tell clients where they came in
  std::vector<std::string> controller_listener_names;
  std::string inter_broker_listener_name;
  ProtocolMap protocols;
  std::int32_t socket_request_max_bytes = 104'857'600;
  std::int32_t socket_listen_backlog_size = 50;
  std::int32_t socket_send_buffer_bytes = 102'400;     // -1: the system's
  std::int32_t socket_receive_buffer_bytes = 102'400;  // -1: the system's
  std::int64_t connections_max_idle_ms = 600'000;
  std::int32_t max_connections = 2'147'483'647;
  std::int32_t max_connections_per_ip = 2'147'483'647;
  std::map<std::string, std::int32_t> max_connections_per_ip_overrides;
  std::int32_t max_connection_creation_rate = 2'147'483'647;
  std::int32_t queued_max_requests = 500;
  std::int64_t queued_max_request_bytes = -1;

  // Directories.
  std::vector<std::string> log_dirs;
  std::string metadata_log_dir;

  // Topics.
  std::int32_t num_partitions = 1;
  std::int32_t default_replication_factor = 1;
  bool auto_create_topics_enable = true;
  bool delete_topic_enable = true;
  std::int32_t offsets_topic_num_partitions = 50;
  std::int16_t offsets_topic_replication_factor = 3;
  std::int32_t transaction_state_log_num_partitions = 50;
  std::int16_t transaction_state_log_replication_factor = 3;
  std::int32_t max_request_partition_size_limit = 2000;

  // Requests.
  std::int32_t fetch_max_bytes = 57'671'680;
  std::int32_t max_incremental_fetch_session_cache_slots = 1000;
  std::int32_t request_timeout_ms = 30'000;
  std::int32_t producer_id_expiration_ms = 86'400'000;
  std::int32_t producer_id_expiration_check_interval_ms = 600'000;
  std::int64_t log_retention_check_interval_ms = 300'000;
  std::int32_t log_flush_offset_checkpoint_interval_ms = 60'000;

  // Quorum.
  std::vector<QuorumVoter> quorum_voters;
  std::int64_t metadata_log_max_record_bytes_between_snapshots = 20'971'520;
  std::int64_t metadata_log_max_snapshot_interval_ms = 3'600'000;
  std::int32_t metadata_log_segment_bytes = 1'073'741'824;
  std::int64_t metadata_log_segment_ms = 604'800'000;
  std::int64_t metadata_max_retention_bytes = 104'857'600;
  std::int64_t metadata_max_retention_ms = 604'800'000;
  bool unstable_api_versions_enable = false;

  // Security.
  bool authorizer_enabled = false;       // authorizer.class.name is StandardAuthorizer
  std::vector<std::string> super_users;  // "User:name" each
  bool allow_everyone_if_no_acl_found = false;

  // Arus's own.
  std::int32_t arus_loops = 0;  // 0: chosen from the number of cores
  std::int64_t arus_send_timeout_ms = 30'000;
  std::optional<HostPort> arus_metrics_listen;
  MemoryShares memory;

  // The dynamic layers that are in the fields, for TopicConfig and DescribeConfigs.
  ConfigMap dynamic_default;
  ConfigMap dynamic_broker;
  [[nodiscard]] Layers layers(const ConfigMap* overrides = nullptr) const {
    return {overrides, &dynamic_broker, &dynamic_default, &properties};
  }

 private:
  Result<> fill();
};

// What `arus serve --data DIR --listen HOST:PORT` stands for, as properties: node 1, both roles,
// no controller listener bound.
[[nodiscard]] ConfigMap standalone_properties(std::string_view data, std::string_view listen);

// A key that asks for protection that Arus does not have yet: serving anyway would open to everyone
// what its owner believes to be closed.
struct InsecureKey {
  std::string key;
  std::string reason;  // a whole sentence, without a final full stop
};
// The first such key of the properties (dynamic layers may be merged in): listeners with TLS or
// SASL, an inter-broker protocol other than PLAINTEXT, an authorizer other than Kafka's
// StandardAuthorizer.
[[nodiscard]] std::optional<InsecureKey> find_insecure_key(const ConfigMap& properties);

inline constexpr std::string_view standard_authorizer_class =
    "org.apache.kafka.metadata.authorizer.StandardAuthorizer";

}  // namespace arus::config
