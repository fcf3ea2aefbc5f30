#include "controller/node_records.h"

#include <fmt/core.h>

#include <algorithm>

#include "controller/partition_change.h"
#include "metadata/snapshot_records.h"
#include "protocol/features.h"

namespace arus::controller {
namespace {

constexpr std::int8_t becomes_unfenced = -1;
constexpr std::int8_t becomes_fenced = 1;
constexpr std::int16_t with_controller_registration = 15;
constexpr std::int16_t with_cordoned_directories = 30;
constexpr std::int16_t with_directories = 17;

std::map<std::string, metadata::FeatureRange> feature_ranges() {
  std::map<std::string, metadata::FeatureRange> ranges;
  for (const auto& feature : protocol::all_features()) {
    ranges[std::string(feature.name)] = {feature.min, feature.max};
  }
  return ranges;
}

protocol::BrokerRegistrationChangeRecord change_of(const metadata::BrokerImage& broker) {
  protocol::BrokerRegistrationChangeRecord record;
  record.broker_id = broker.id;
  record.broker_epoch = broker.epoch;
  return record;
}

// Calls `visit` with every partition, in order of topic names.
template <class Visit>
void each_partition(const metadata::MetadataImage& image, Visit visit) {
  for (const auto& [name, topic] : image.topics) {
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      visit(*topic, static_cast<std::int32_t>(i), *topic->partitions[i]);
    }
  }
}

bool contains(const std::vector<BrokerId>& list, BrokerId broker) {
  return std::ranges::find(list, broker) != list.end();
}

}  // namespace

Records bootstrap_transaction(const Records& bootstrap, std::int32_t min_insync_replicas) {
  Records records;
  protocol::BeginTransactionRecord begin;
  begin.name = "Bootstrap records";
  records.emplace_back(begin);
  bool elr = false;
  bool has_min_isr = false;
  for (const auto& record : bootstrap) {
    if (const auto* feature = std::get_if<protocol::FeatureLevelRecord>(&record)) {
      elr = elr || (feature->name == protocol::elr_version_feature && feature->feature_level >= 1);
    }
    if (const auto* config = std::get_if<protocol::ConfigRecord>(&record)) {
      has_min_isr = has_min_isr || config->name == "min.insync.replicas";
    }
    records.push_back(record);
  }
  if (elr && !has_min_isr) {
    records.emplace_back(config_record({metadata::ConfigResourceType::broker, {}},
                                       "min.insync.replicas", std::to_string(min_insync_replicas)));
  }
  records.emplace_back(protocol::EndTransactionRecord{});
  return records;
}

Records register_controller(const DecisionContext& context, const Uuid& incarnation_id,
                            const std::vector<metadata::Endpoint>& endpoints) {
  if (context.image.metadata_version() < with_controller_registration) return {};
  metadata::ControllerImage controller;
  controller.id = context.self.value();
  controller.incarnation_id = incarnation_id;
  controller.endpoints = endpoints;
  controller.features = feature_ranges();
  return {metadata::to_record(controller)};
}

Result<Records> register_broker(const DecisionContext& context, const Registration& registration) {
  const auto ranges = feature_ranges();
  for (const auto& [name, level] : context.image.features) {
    const auto range = ranges.find(name);
    if (level == 0) continue;
    if (range == ranges.end() || level < range->second.min || level > range->second.max) {
      return fail(ErrorCode::unsupported_version,
                  fmt::format("Unable to register because the broker does not support finalized "
                              "version {} of {}. The broker wants a version between {} and {}, "
                              "inclusive.",
                              level, name, range == ranges.end() ? 0 : range->second.min,
                              range == ranges.end() ? 0 : range->second.max));
    }
  }
  metadata::BrokerImage broker;
  broker.id = context.self;
  broker.epoch = registration.broker_epoch;
  broker.incarnation_id = registration.incarnation_id;
  broker.endpoints = registration.endpoints;
  broker.features = ranges;
  broker.rack = registration.rack;
  broker.directories = registration.directories;
  std::ranges::sort(broker.directories);
  if (!registration.cordoned_directories.empty()) {
    broker.cordoned_directories = registration.cordoned_directories;
  }
  return Records{metadata::to_record(broker)};
}

Records keep_directories(const DecisionContext& context, std::vector<Uuid> online) {
  const auto self = context.image.broker(context.self);
  std::ranges::sort(online);
  if (self == nullptr || context.image.metadata_version() < with_directories || online.empty() ||
      online == self->directories) {
    return {};
  }
  auto change = change_of(*self);
  change.log_dirs = std::move(online);
  return {change};
}

Records assign_directories(const DecisionContext& context,
                           const std::vector<DirectoryAssignment>& assignments) {
  Records records;
  if (context.image.metadata_version() < with_directories) return records;
  for (const DirectoryAssignment& assignment : assignments) {
    const auto [topic_id, index] = assignment.partition;
    const metadata::PartitionImage* const partition = context.image.partition(topic_id, index);
    if (partition == nullptr) continue;
    const auto at = std::ranges::find(partition->replicas, context.self);
    if (at == partition->replicas.end()) continue;
    std::vector<Uuid> directories = partition->directories;
    Uuid& own = directories[static_cast<std::size_t>(at - partition->replicas.begin())];
    if (own == assignment.directory) continue;
    own = assignment.directory;
    protocol::PartitionChangeRecord record;
    record.topic_id = topic_id;
    record.partition_id = index;
    record.directories = std::move(directories);
    records.emplace_back(std::move(record));
  }
  return records;
}

void remove_from_isrs(const DecisionContext& context, BrokerId broker, Records& records) {
  const bool elr = elr_enabled(context.image);
  each_partition(context.image, [&](const metadata::TopicImage& topic, std::int32_t index,
                                    const metadata::PartitionImage& partition) {
    if (!contains(partition.isr, broker) && partition.leader != broker) return;
    const PartitionSurroundings surroundings{
        .min_insync_replicas = min_insync_replicas(context, topic.name),
        .elr_enabled = elr,
        .can_lead = [&](BrokerId id) { return id != broker && context.image.is_alive(id); }};
    PartitionChange change(topic.id, index, partition, surroundings);
    if (auto record = change.without(broker).build()) records.emplace_back(std::move(*record));
  });
}

Records fence_others(const DecisionContext& context) {
  Records records;
  for (const auto& [id, broker] : context.image.brokers) {
    if (id == context.self || broker->fenced) continue;
    remove_from_isrs(context, id, records);
    auto record = change_of(*broker);
    record.fenced = becomes_fenced;
    records.emplace_back(record);
  }
  return records;
}

Records unfence(const DecisionContext& context, bool unclean) {
  Records records;
  const auto self = context.image.broker(context.self);
  ARUS_ASSERT(self != nullptr);
  auto change = change_of(*self);
  change.fenced = becomes_unfenced;
  records.emplace_back(change);
  if (context.image.metadata_version() >= with_cordoned_directories &&
      !self->cordoned_directories) {
    auto cordoned = change_of(*self);
    cordoned.cordoned_log_dirs = std::vector<Uuid>{};
    records.emplace_back(cordoned);
  }
  const bool elr = elr_enabled(context.image);
  each_partition(context.image, [&](const metadata::TopicImage& topic, std::int32_t index,
                                    const metadata::PartitionImage& partition) {
    if (!contains(partition.replicas, context.self)) return;
    const PartitionSurroundings surroundings{
        .min_insync_replicas = min_insync_replicas(context, topic.name),
        .elr_enabled = elr,
        .can_lead = [&](BrokerId id) { return id == context.self || context.image.is_alive(id); }};
    PartitionChange partition_change(topic.id, index, partition, surroundings);
    // Whoever is the only replica has all that there is. A node that stopped in the middle of its
    // clean stop may have lost a tail that it had promised to keep: that is for all to see.
    const bool only = partition.replicas == std::vector<BrokerId>{context.self};
    if (unclean && partition.leader == no_broker && elr) {
      partition_change.unclean_shutdown({context.self});
    }
    if (only || context.settings.unclean_leader_election) {
      partition_change.election(Election::unclean);
    }
    if (auto record = partition_change.raise_epoch().build()) {
      records.emplace_back(std::move(*record));
    }
  });
  return records;
}

Records begin_shutdown(const DecisionContext& context) {
  Records records;
  const auto self = context.image.broker(context.self);
  if (self == nullptr || self->fenced) return records;
  auto change = change_of(*self);
  change.in_controlled_shutdown = 1;
  records.emplace_back(change);
  remove_from_isrs(context, context.self, records);
  return records;
}

Records fence(const DecisionContext& context) {
  const auto self = context.image.broker(context.self);
  if (self == nullptr || self->fenced) return {};
  auto change = change_of(*self);
  change.fenced = becomes_fenced;
  return {change};
}

}  // namespace arus::controller
