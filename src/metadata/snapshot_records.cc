#include "metadata/snapshot_records.h"

#include <algorithm>

#include "protocol/features.h"

namespace arus::metadata {
namespace {

using protocol::MetadataRecord;

template <class Target>
void write_endpoints(Target& target, const std::vector<Endpoint>& endpoints) {
  for (const Endpoint& one : endpoints) {
    auto& written = target.emplace_back();
    written.name = one.listener;
    written.host = one.host;
    written.port = one.port;
    written.security_protocol = one.security_protocol;
  }
}

template <class Target>
void write_features(Target& target, const std::map<std::string, FeatureRange>& features) {
  for (const auto& [name, range] : features) {
    auto& written = target.emplace_back();
    written.name = name;
    written.min_supported_version = range.min;
    written.max_supported_version = range.max;
  }
}

Slice to_slice(const Bytes& bytes) { return Slice::copy_of(bytes); }

std::optional<std::vector<BrokerId>> unless_empty(const std::vector<BrokerId>& ids) {
  if (ids.empty()) return std::nullopt;
  return ids;
}

// Each takes out of a record what a metadata.version cannot carry, and gives the version that is
// written under it.
std::int16_t fit(protocol::PartitionRecord& record, const protocol::MetadataVersion& level) {
  const std::int16_t version = level.partition_record;
  if (version < 2) {
    record.eligible_leader_replicas.reset();
    record.last_known_elr.reset();
  }
  if (version < 1) record.directories.clear();
  return version;
}

std::int16_t fit(protocol::PartitionChangeRecord& record, const protocol::MetadataVersion& level) {
  const std::int16_t version = level.partition_change_record;
  if (version < 2) {
    record.eligible_leader_replicas.reset();
    record.last_known_elr.reset();
  }
  if (version < 1) record.directories.reset();
  return version;
}

std::int16_t fit(protocol::RegisterBrokerRecord& record, const protocol::MetadataVersion& level) {
  const std::int16_t version = level.register_broker_record;
  if (version < 4) record.cordoned_log_dirs.reset();
  if (version < 3) record.log_dirs.clear();
  if (version < 1) record.in_controlled_shutdown = false;
  return version;
}

// As low a version as says everything, as Kafka writes it.
std::int16_t fit(protocol::BrokerRegistrationChangeRecord& record,
                 const protocol::MetadataVersion& level) {
  if (level.register_broker_record < 4) record.cordoned_log_dirs.reset();
  return record.cordoned_log_dirs             ? 3
         : !record.log_dirs.empty()           ? 2
         : record.in_controlled_shutdown != 0 ? 1
                                              : 0;
}

template <class... Records>
std::int16_t fit_any_of(MetadataRecord& record, const protocol::MetadataVersion& level) {
  std::int16_t version = 0;
  const auto fit_if = [&](auto* kind) {
    if (kind != nullptr) version = fit(*kind, level);
  };
  (fit_if(std::get_if<Records>(&record)), ...);
  return version;
}

}  // namespace

Result<Bytes> encode_record(const MetadataRecord& record, std::int16_t metadata_version) {
  const auto* level = protocol::find_metadata_version(metadata_version);
  if (level == nullptr) level = &protocol::all_metadata_versions().back();
  MetadataRecord fitted = record;
  const std::int16_t version =
      fit_any_of<protocol::PartitionRecord, protocol::PartitionChangeRecord,
                 protocol::RegisterBrokerRecord, protocol::BrokerRegistrationChangeRecord>(fitted,
                                                                                           *level);
  return protocol::encode_metadata_record(fitted, version);
}

protocol::RegisterBrokerRecord to_record(const BrokerImage& broker) {
  protocol::RegisterBrokerRecord record;
  record.broker_id = broker.id;
  record.incarnation_id = broker.incarnation_id;
  record.broker_epoch = broker.epoch;
  write_endpoints(record.end_points, broker.endpoints);
  write_features(record.features, broker.features);
  record.rack = broker.rack;
  record.fenced = broker.fenced;
  record.in_controlled_shutdown = broker.in_controlled_shutdown;
  record.log_dirs = broker.directories;
  record.cordoned_log_dirs = broker.cordoned_directories;
  return record;
}

protocol::RegisterControllerRecord to_record(const ControllerImage& controller) {
  protocol::RegisterControllerRecord record;
  record.controller_id = controller.id;
  record.incarnation_id = controller.incarnation_id;
  record.zk_migration_ready = controller.zk_migration_ready;
  write_endpoints(record.end_points, controller.endpoints);
  write_features(record.features, controller.features);
  return record;
}

protocol::PartitionRecord to_record(const Uuid& topic_id, std::int32_t index,
                                    const PartitionImage& partition) {
  protocol::PartitionRecord record;
  record.partition_id = index;
  record.topic_id = topic_id;
  record.replicas = partition.replicas;
  record.isr = partition.isr;
  record.removing_replicas = partition.removing;
  record.adding_replicas = partition.adding;
  record.leader = partition.leader;
  record.leader_recovery_state = partition.leader_recovery_state;
  record.leader_epoch = partition.leader_epoch.value();
  record.partition_epoch = partition.partition_epoch;
  record.directories = partition.directories;
  record.eligible_leader_replicas = unless_empty(partition.elr);
  record.last_known_elr = unless_empty(partition.last_known_elr);
  return record;
}

namespace {

using Visit = std::function<void(const MetadataRecord&)>;

void visit_features(const MetadataImage& image, const Visit& visit) {
  const auto write = [&](std::string_view name, std::int16_t level) {
    protocol::FeatureLevelRecord record;
    record.name = name;
    record.feature_level = level;
    visit(record);
  };
  if (image.metadata_version() > 0) {
    write(protocol::metadata_version_feature, image.metadata_version());
  }
  for (const auto& [name, level] : image.features) {
    if (name != protocol::metadata_version_feature) write(name, level);
  }
  if (image.retained->zk_migration_state) {
    protocol::ZkMigrationStateRecord record;
    record.zk_migration_state = *image.retained->zk_migration_state;
    visit(record);
  }
}

void visit_topics(const MetadataImage& image, const Visit& visit) {
  for (const auto& [name, topic] : image.topics) {
    protocol::TopicRecord record;
    record.name = topic->name;
    record.topic_id = topic->id;
    visit(record);
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      visit(to_record(topic->id, static_cast<std::int32_t>(i), *topic->partitions[i]));
    }
  }
}

void visit_configs(const MetadataImage& image, const Visit& visit) {
  for (const auto& [resource, values] : image.config_map) {
    for (const auto& [key, value] : *values) {
      protocol::ConfigRecord record;
      record.resource_type = static_cast<std::int8_t>(resource.type);
      record.resource_name = resource.name;
      record.name = key;
      record.value = value;
      visit(record);
    }
  }
}

void visit_quotas(const RetainedRecords& retained, const Visit& visit) {
  for (const auto& [entity, values] : *retained.quotas) {
    protocol::ClientQuotaRecord record;
    for (const auto& [type, name] : entity) {
      auto& part = record.entity.emplace_back();
      part.entity_type = type;
      part.entity_name = name;
    }
    record.remove = false;
    for (const auto& [key, value] : values) {
      record.key = key;
      record.value = value;
      visit(record);
    }
  }
}

void visit_acls(const MetadataImage& image, const Visit& visit) {
  for (const auto& entry : image.acls->all()) {
    protocol::AccessControlEntryRecord record;
    record.id = entry->id;
    record.resource_type = static_cast<std::int8_t>(entry->binding.resource_type);
    record.resource_name = entry->binding.resource_name;
    record.pattern_type = static_cast<std::int8_t>(entry->binding.pattern_type);
    record.principal = entry->binding.principal;
    record.host = entry->binding.host;
    record.operation = static_cast<std::int8_t>(entry->binding.operation);
    record.permission_type = static_cast<std::int8_t>(entry->binding.permission);
    visit(record);
  }
}

void visit_credentials(const RetainedRecords& retained, const Visit& visit) {
  for (const auto& [key, credential] : *retained.scram) {
    protocol::UserScramCredentialRecord record;
    record.name = key.user;
    record.mechanism = key.mechanism;
    record.salt = to_slice(credential.salt);
    record.stored_key = to_slice(credential.stored_key);
    record.server_key = to_slice(credential.server_key);
    record.iterations = credential.iterations;
    visit(record);
  }
  for (const auto& [id, token] : *retained.tokens) {
    protocol::DelegationTokenRecord record;
    record.owner = token.owner;
    record.requester = token.requester;
    record.renewers = token.renewers;
    record.issue_timestamp = token.issue_timestamp_ms;
    record.max_timestamp = token.max_timestamp_ms;
    record.expiration_timestamp = token.expiration_timestamp_ms;
    record.token_id = id;
    visit(record);
  }
}

}  // namespace

void visit_records(const MetadataImage& image, const Visit& visit) {
  visit_features(image, visit);
  for (const auto& [id, broker] : image.brokers) visit(to_record(*broker));
  for (const auto& [id, controller] : image.controllers) visit(to_record(*controller));
  visit_topics(image, visit);
  visit_configs(image, visit);
  visit_quotas(*image.retained, visit);
  if (image.retained->next_producer_id >= 0) {
    protocol::ProducerIdsRecord record;
    record.broker_id = no_broker;
    record.broker_epoch = -1;
    record.next_producer_id = image.retained->next_producer_id;
    visit(record);
  }
  visit_acls(image, visit);
  visit_credentials(*image.retained, visit);
}

}  // namespace arus::metadata
