// ImageBuilder: brokers, controllers and features.
#include <fmt/core.h>

#include "metadata/image_builder.h"

namespace arus::metadata {
namespace {

template <class Endpoints>
std::vector<Endpoint> read_endpoints(const Endpoints& endpoints) {
  std::vector<Endpoint> all;
  for (const auto& one : endpoints) {
    all.push_back({one.name, one.host, one.port, one.security_protocol});
  }
  return all;
}

template <class Features>
std::map<std::string, FeatureRange> read_features(const Features& features) {
  std::map<std::string, FeatureRange> all;
  for (const auto& one : features) {
    all[one.name] = {one.min_supported_version, one.max_supported_version};
  }
  return all;
}

}  // namespace

Result<> ImageBuilder::on(const protocol::RegisterBrokerRecord& record) {
  auto broker = std::make_shared<BrokerImage>();
  broker->id = record.broker_id;
  broker->epoch = record.broker_epoch;
  broker->incarnation_id = record.incarnation_id;
  broker->endpoints = read_endpoints(record.end_points);
  broker->features = read_features(record.features);
  broker->rack = record.rack;
  broker->fenced = record.fenced;
  broker->in_controlled_shutdown = record.in_controlled_shutdown;
  broker->directories = record.log_dirs;
  broker->cordoned_directories = record.cordoned_log_dirs;
  brokers_.insert_or_assign(record.broker_id, std::move(broker));
  return {};
}

Result<> ImageBuilder::on(const protocol::UnregisterBrokerRecord& record) {
  const auto found = brokers_.find(record.broker_id);
  if (found == brokers_.end() || found->second->epoch != record.broker_epoch) {
    return fail(ErrorCode::corrupt_message,
                fmt::format("Broker {} is unregistered with an epoch it does not have",
                            record.broker_id.value()));
  }
  brokers_.erase(found);
  return {};
}

Result<> ImageBuilder::change_fencing(BrokerId id, std::int64_t epoch, bool fenced) {
  const auto found = brokers_.find(id);
  if (found == brokers_.end() || found->second->epoch != epoch) {
    return fail(ErrorCode::corrupt_message,
                fmt::format("A change of broker {} with an epoch it does not have", id.value()));
  }
  auto broker = std::make_shared<BrokerImage>(*found->second);
  broker->fenced = fenced;
  found->second = std::move(broker);
  return {};
}

Result<> ImageBuilder::on(const protocol::FenceBrokerRecord& record) {
  return change_fencing(BrokerId{record.id}, record.epoch, true);
}

Result<> ImageBuilder::on(const protocol::UnfenceBrokerRecord& record) {
  return change_fencing(BrokerId{record.id}, record.epoch, false);
}

Result<> ImageBuilder::on(const protocol::BrokerRegistrationChangeRecord& record) {
  const auto found = brokers_.find(record.broker_id);
  if (found == brokers_.end() || found->second->epoch != record.broker_epoch) {
    return fail(ErrorCode::corrupt_message,
                fmt::format("A change of broker {} with an epoch it does not have",
                            record.broker_id.value()));
  }
  auto broker = std::make_shared<BrokerImage>(*found->second);
  if (record.fenced != 0) broker->fenced = record.fenced > 0;
  if (record.in_controlled_shutdown != 0) {
    broker->in_controlled_shutdown = record.in_controlled_shutdown > 0;
  }
  if (!record.log_dirs.empty()) broker->directories = record.log_dirs;
  if (record.cordoned_log_dirs) broker->cordoned_directories = record.cordoned_log_dirs;
  found->second = std::move(broker);
  return {};
}

Result<> ImageBuilder::on(const protocol::RegisterControllerRecord& record) {
  auto controller = std::make_shared<ControllerImage>();
  controller->id = record.controller_id;
  controller->incarnation_id = record.incarnation_id;
  controller->zk_migration_ready = record.zk_migration_ready;
  controller->endpoints = read_endpoints(record.end_points);
  controller->features = read_features(record.features);
  controllers_.insert_or_assign(record.controller_id, std::move(controller));
  return {};
}

Result<> ImageBuilder::on(const protocol::FeatureLevelRecord& record) {
  if (record.feature_level == 0) {
    features_.erase(record.name);
  } else {
    features_.insert_or_assign(record.name, record.feature_level);
  }
  return {};
}

}  // namespace arus::metadata
