#include "metadata/image.h"

#include "config/topic_config.h"

namespace arus::metadata {
namespace {

template <class Part>
std::shared_ptr<const Part> empty_part() {
  static const auto empty = std::make_shared<const Part>();
  return empty;
}

}  // namespace

RetainedRecords::RetainedRecords()
    : quotas(empty_part<std::map<QuotaEntity, QuotaValues>>()),
      scram(empty_part<std::map<ScramKey, ScramCredential>>()),
      tokens(empty_part<std::map<std::string, DelegationToken>>()) {}

MetadataImage::MetadataImage()
    : acls(empty_part<security::AclSet>()), retained(empty_part<RetainedRecords>()) {}

std::shared_ptr<const TopicImage> MetadataImage::topic(std::string_view name) const {
  const auto* found = topics.find(name);
  return found == nullptr ? nullptr : *found;
}

std::shared_ptr<const TopicImage> MetadataImage::topic(const Uuid& id) const {
  const std::string* name = topic_names.find(id);
  return name == nullptr ? nullptr : topic(*name);
}

const PartitionImage* MetadataImage::partition(const Uuid& topic_id, std::int32_t index) const {
  const std::string* name = topic_names.find(topic_id);
  if (name == nullptr || index < 0) return nullptr;
  const auto& partitions = (*topics.find(*name))->partitions;
  const auto at = static_cast<std::size_t>(index);
  return at < partitions.size() ? partitions[at].get() : nullptr;
}

std::shared_ptr<const BrokerImage> MetadataImage::broker(BrokerId id) const {
  const auto found = brokers.find(id);
  return found == brokers.end() ? nullptr : found->second;
}

bool MetadataImage::is_alive(BrokerId id) const {
  const auto found = brokers.find(id);
  return found != brokers.end() && !found->second->fenced;
}

std::vector<BrokerId> MetadataImage::alive_brokers() const {
  std::vector<BrokerId> alive;
  for (const auto& [id, broker] : brokers) {
    if (!broker->fenced) alive.push_back(id);
  }
  return alive;
}

const ConfigMap& MetadataImage::configs(const ConfigResource& resource) const {
  static const ConfigMap none;
  const auto* found = config_map.find(resource);
  return found == nullptr ? none : **found;
}

ConfigMap MetadataImage::arus_topic_configs(const Uuid& topic_id) const {
  static const ConfigMap none;
  return config::topic_overrides(none, configs({ConfigResourceType::broker, {}}), topic_id);
}

std::optional<std::int16_t> MetadataImage::feature_level(std::string_view name) const {
  const auto found = features.find(std::string(name));
  if (found == features.end() || found->second == 0) return std::nullopt;
  return found->second;
}

std::int16_t MetadataImage::metadata_version() const {
  return feature_level("metadata.version").value_or(0);
}

}  // namespace arus::metadata
