// The cluster's metadata at one offset of the metadata log: immutable, shared by every loop.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/topic_partition.h"
#include "base/uuid.h"
#include "config/config_table.h"
#include "metadata/persistent_map.h"
#include "metadata/retained.h"
#include "security/authorizer.h"

namespace arus::metadata {

struct Endpoint {
  std::string listener;
  std::string host;
  std::uint16_t port = 0;
  std::int16_t security_protocol = 0;
};

struct FeatureRange {
  std::int16_t min = 0;
  std::int16_t max = 0;
};

// A controller's registration (RegisterControllerRecord).
struct ControllerImage {
  std::int32_t id = -1;
  Uuid incarnation_id;
  bool zk_migration_ready = false;
  std::vector<Endpoint> endpoints;
  std::map<std::string, FeatureRange> features;
};

struct BrokerImage {
  BrokerId id;
  std::int64_t epoch = -1;
  Uuid incarnation_id;
  std::vector<Endpoint> endpoints;
  std::map<std::string, FeatureRange> features;
  std::optional<std::string> rack;
  bool fenced = true;
  bool in_controlled_shutdown = false;
  std::vector<Uuid> directories;
  // Nothing where the broker never said (before metadata.version 30).
  std::optional<std::vector<Uuid>> cordoned_directories;
};

struct PartitionImage {
  std::vector<BrokerId> replicas;
  std::vector<Uuid> directories;  // parallel to replicas
  std::vector<BrokerId> isr;
  std::vector<BrokerId> elr;
  std::vector<BrokerId> last_known_elr;
  std::vector<BrokerId> adding;
  std::vector<BrokerId> removing;
  BrokerId leader = no_broker;
  LeaderEpoch leader_epoch;
  std::int32_t partition_epoch = 0;
  std::int8_t leader_recovery_state = 0;  // 1 is RECOVERING
};

// Topic names are unique, ids for ever. Partitions are numbered from 0 without gaps.
struct TopicImage {
  std::string name;
  Uuid id;
  std::vector<std::shared_ptr<const PartitionImage>> partitions;
};

enum class ConfigResourceType : std::int8_t {
  unknown = 0,
  topic = 2,
  broker = 4,
  broker_logger = 8,
  client_metrics = 16,
  group = 32,
};

struct ConfigResource {
  ConfigResourceType type = ConfigResourceType::unknown;
  std::string name;  // empty for the cluster-wide default of brokers
  friend auto operator<=>(const ConfigResource&, const ConfigResource&) = default;
};

using config::ConfigMap;

// The immutable whole. A change makes a new image that shares all nodes it did not change.
// All lookups are const and thread-safe.
class MetadataImage {
 public:
  MetadataImage();

  // How far it has been applied: offset of the last record in it, and that record's leader epoch.
  Offset offset = no_offset;
  LeaderEpoch epoch = no_leader_epoch;
  std::string cluster_id;
  BrokerId controller_id = no_broker;

  [[nodiscard]] std::shared_ptr<const TopicImage> topic(std::string_view name) const;
  [[nodiscard]] std::shared_ptr<const TopicImage> topic(const Uuid& id) const;
  [[nodiscard]] const PartitionImage* partition(const Uuid& topic_id, std::int32_t index) const;
  [[nodiscard]] std::shared_ptr<const BrokerImage> broker(BrokerId id) const;
  [[nodiscard]] bool is_alive(BrokerId id) const;  // registered and not fenced
  [[nodiscard]] std::vector<BrokerId> alive_brokers() const;
  // Overrides only, as the records set them; empty when there are none.
  [[nodiscard]] const ConfigMap& configs(const ConfigResource& resource) const;
  // Per-topic Arus settings, which Kafka would drop as topic configs: the cluster-wide broker
  // configs `arus.topic.<topic id>.<key>`, given as `arus.<key>`.
  [[nodiscard]] ConfigMap arus_topic_configs(const Uuid& topic_id) const;
  // Nothing where the feature is at level 0 or unknown.
  [[nodiscard]] std::optional<std::int16_t> feature_level(std::string_view name) const;
  [[nodiscard]] std::int16_t metadata_version() const;

  // The parts, for iteration. Maps iterate in key order.
  PersistentMap<std::string, std::shared_ptr<const TopicImage>> topics;
  PersistentMap<Uuid, std::string> topic_names;
  std::map<BrokerId, std::shared_ptr<const BrokerImage>> brokers;
  PersistentMap<ConfigResource, std::shared_ptr<const ConfigMap>> config_map;
  std::map<std::int32_t, std::shared_ptr<const ControllerImage>> controllers;
  std::map<std::string, std::int16_t> features;
  std::shared_ptr<const security::AclSet> acls;  // never null
  // Quotas, SCRAM, tokens, producer ids; see metadata/retained.h. Never null, nor are its parts.
  std::shared_ptr<const RetainedRecords> retained;
};

using ImagePointer = std::shared_ptr<const MetadataImage>;

// What changed between two images, so that subscribers look only at that.
struct MetadataDelta {
  std::vector<Uuid> created_or_changed_topics;
  std::vector<TopicImage> deleted_topics;
  std::vector<ConfigResource> changed_configs;
  bool brokers_changed = false;
  bool features_changed = false;
  bool acls_changed = false;
};

// Called on a loop with each new image, in order.
class ImageSubscriber {
 public:
  virtual ~ImageSubscriber() = default;
  virtual void on_image(const ImagePointer& image, const MetadataDelta& delta) = 0;
};

}  // namespace arus::metadata
