#include "metadata/image_builder.h"

#include <fmt/core.h>

#include "config/topic_config.h"
#include "protocol/record_codec.h"

namespace arus::metadata {
namespace {

// Partitions of one topic beyond which a record is damage, not a wish.
constexpr std::int32_t max_partitions_per_topic = 1'000'000;
// Records that one open transaction may hold.
constexpr std::size_t max_transaction_records = 1'000'000;

std::unexpected<Error> bad_record(std::string message) {
  return fail(ErrorCode::corrupt_message, std::move(message));
}

}  // namespace

ImageBuilder::ImageBuilder(ImagePointer base)
    : base_(base ? std::move(base) : std::make_shared<const MetadataImage>()),
      brokers_(base_->brokers),
      controllers_(base_->controllers),
      features_(base_->features),
      acls_(base_->acls),
      retained_(*base_->retained) {}

Result<> ImageBuilder::apply(const protocol::MetadataRecord& record) {
  const bool ends = std::holds_alternative<protocol::EndTransactionRecord>(record) ||
                    std::holds_alternative<protocol::AbortTransactionRecord>(record) ||
                    std::holds_alternative<protocol::BeginTransactionRecord>(record);
  if (in_transaction_ && !ends) {
    if (transaction_.size() >= max_transaction_records) {
      return bad_record("A metadata transaction has too many records");
    }
    transaction_.push_back(record);
    return {};
  }
  return apply_now(record);
}

Result<> ImageBuilder::apply_now(const protocol::MetadataRecord& record) {
  return std::visit([this](const auto& one) { return on(one); }, record);
}

Result<> ImageBuilder::on(const protocol::BeginTransactionRecord&) {
  if (in_transaction_) return bad_record("A metadata transaction begins inside another");
  in_transaction_ = true;
  return {};
}

Result<> ImageBuilder::on(const protocol::EndTransactionRecord&) {
  if (!in_transaction_) return bad_record("A metadata transaction ends that never began");
  in_transaction_ = false;
  for (const auto& record : std::exchange(transaction_, {})) ARUS_TRY(apply_now(record));
  return {};
}

Result<> ImageBuilder::on(const protocol::AbortTransactionRecord&) {
  if (!in_transaction_) return bad_record("A metadata transaction is aborted that never began");
  in_transaction_ = false;
  transaction_.clear();
  return {};
}

Result<> ImageBuilder::on(const protocol::NoOpRecord&) { return {}; }

// Topics.

ImageBuilder::TopicDraft* ImageBuilder::draft(const Uuid& id) {
  const auto found = topics_.find(id);
  if (found != topics_.end()) return found->second.removed ? nullptr : &found->second;
  const auto topic = base_->topic(id);
  if (topic == nullptr) return nullptr;
  return &topics_.emplace(id, TopicDraft{*topic}).first->second;
}

Result<> ImageBuilder::on(const protocol::TopicRecord& record) {
  const auto known = base_->topic(record.name);
  const bool taken = new_names_.contains(record.name) || (known != nullptr && draft(known->id));
  if (taken || draft(record.topic_id) != nullptr) {
    return bad_record(fmt::format("The topic {} is created twice", record.name));
  }
  topics_.insert_or_assign(record.topic_id,
                           TopicDraft{TopicImage{record.name, record.topic_id, {}}});
  new_names_.emplace(record.name, record.topic_id);
  return {};
}

Result<> ImageBuilder::on(const protocol::PartitionRecord& record) {
  TopicDraft* topic = draft(record.topic_id);
  if (topic == nullptr || record.partition_id < 0 ||
      record.partition_id >= max_partitions_per_topic) {
    return bad_record(fmt::format("Partition {} of an unknown topic {}", record.partition_id,
                                  record.topic_id.to_string()));
  }
  PartitionImage partition{
      .replicas = record.replicas,
      .directories = record.directories,
      .isr = record.isr,
      .elr = record.eligible_leader_replicas.value_or(std::vector<BrokerId>{}),
      .last_known_elr = record.last_known_elr.value_or(std::vector<BrokerId>{}),
      .adding = record.adding_replicas,
      .removing = record.removing_replicas,
      .leader = record.leader,
      .leader_epoch = LeaderEpoch{record.leader_epoch},
      .partition_epoch = record.partition_epoch,
      .leader_recovery_state = record.leader_recovery_state};
  // Before directories were assigned (metadata.version 17) records name none.
  partition.directories.resize(partition.replicas.size(), directory_migrating);
  auto& partitions = topic->topic.partitions;
  const auto at = static_cast<std::size_t>(record.partition_id);
  if (at >= partitions.size()) partitions.resize(at + 1);
  partitions[at] = std::make_shared<const PartitionImage>(std::move(partition));
  return {};
}

Result<PartitionImage> ImageBuilder::partition_for_change(const Uuid& topic_id, std::int32_t index,
                                                          TopicDraft*& topic) {
  topic = draft(topic_id);
  const auto at = static_cast<std::size_t>(index);
  if (topic == nullptr || index < 0 || at >= topic->topic.partitions.size() ||
      topic->topic.partitions[at] == nullptr) {
    return bad_record(fmt::format("A change of partition {} of topic {}, which does not exist",
                                  index, topic_id.to_string()));
  }
  return *topic->topic.partitions[at];
}

Result<> ImageBuilder::on(const protocol::PartitionChangeRecord& record) {
  TopicDraft* topic = nullptr;
  auto changed = partition_for_change(record.topic_id, record.partition_id, topic);
  if (!changed) return fail(changed.error());
  const auto take = [](auto& target, const auto& source) {
    if (source) target = *source;
  };
  if (record.replicas && record.replicas->empty()) {
    return bad_record(fmt::format("Partition {} of topic {} loses all replicas",
                                  record.partition_id, record.topic_id.to_string()));
  }
  const std::vector<BrokerId> old_replicas = changed->replicas;
  take(changed->replicas, record.replicas);
  take(changed->isr, record.isr);
  take(changed->elr, record.eligible_leader_replicas);
  take(changed->last_known_elr, record.last_known_elr);
  take(changed->adding, record.adding_replicas);
  take(changed->removing, record.removing_replicas);
  if (record.directories) {
    changed->directories = *record.directories;
  } else if (record.replicas) {
    // A replica keeps its directory wherever it now stands.
    std::vector<Uuid> directories;
    for (const BrokerId replica : changed->replicas) {
      const auto old = std::ranges::find(old_replicas, replica);
      directories.push_back(
          old == old_replicas.end()
              ? directory_unassigned
              : changed->directories[static_cast<std::size_t>(old - old_replicas.begin())]);
    }
    changed->directories = std::move(directories);
  }
  changed->directories.resize(changed->replicas.size(), directory_migrating);
  if (record.leader.value() != -2) {
    changed->leader = record.leader;
    changed->leader_epoch = LeaderEpoch{changed->leader_epoch.value() + 1};
  }
  if (record.leader_recovery_state != -1) {
    changed->leader_recovery_state = record.leader_recovery_state;
  }
  ++changed->partition_epoch;
  topic->topic.partitions[static_cast<std::size_t>(record.partition_id)] =
      std::make_shared<const PartitionImage>(std::move(*changed));
  return {};
}

Result<> ImageBuilder::on(const protocol::RemoveTopicRecord& record) {
  TopicDraft* topic = draft(record.topic_id);
  if (topic == nullptr) {
    return bad_record(fmt::format("The topic {} is removed twice", record.topic_id.to_string()));
  }
  const ConfigResource resource{ConfigResourceType::topic, topic->topic.name};
  configs_.insert_or_assign(resource, ConfigMap{});
  const ConfigResource all_brokers{ConfigResourceType::broker, {}};
  const auto drafted = configs_.find(all_brokers);
  const ConfigMap stored =
      drafted != configs_.end() ? drafted->second : base_->configs(all_brokers);
  for (const auto& [key, value] : stored) {
    const auto parsed = config::parse_stored_arus_key(key);
    if (parsed && parsed->topic_id == record.topic_id) set_config(all_brokers, key, std::nullopt);
  }
  new_names_.erase(topic->topic.name);
  topic->removed = true;
  return {};
}

void ImageBuilder::clear_elr(TopicDraft& topic) {
  for (auto& partition : topic.topic.partitions) {
    if (partition == nullptr || (partition->elr.empty() && partition->last_known_elr.empty())) {
      continue;
    }
    auto changed = std::make_shared<PartitionImage>(*partition);
    changed->elr.clear();
    changed->last_known_elr.clear();
    partition = std::move(changed);
  }
}

Result<> ImageBuilder::on(const protocol::ClearElrRecord& record) {
  if (!record.topic_name.empty()) {
    const auto created = new_names_.find(record.topic_name);
    const auto known = base_->topic(record.topic_name);
    TopicDraft* topic = created != new_names_.end() ? draft(created->second)
                        : known != nullptr          ? draft(known->id)
                                                    : nullptr;
    if (topic == nullptr) {
      return bad_record(fmt::format("ClearElrRecord of an unknown topic {}", record.topic_name));
    }
    clear_elr(*topic);
    return {};
  }
  // Of all topics; only those that have any are touched.
  for (const auto& [name, topic] : base_->topics) {
    const bool has_any = std::ranges::any_of(topic->partitions, [](const auto& partition) {
      return !partition->elr.empty() || !partition->last_known_elr.empty();
    });
    if (has_any) static_cast<void>(draft(topic->id));
  }
  for (auto& [id, topic] : topics_) {
    if (!topic.removed) clear_elr(topic);
  }
  return {};
}

// Configs.

void ImageBuilder::set_config(const ConfigResource& resource, const std::string& key,
                              const std::optional<std::string>& value) {
  auto found = configs_.find(resource);
  if (found == configs_.end()) {
    found = configs_.emplace(resource, base_->configs(resource)).first;
  }
  if (value) {
    found->second.insert_or_assign(key, *value);
  } else {
    found->second.erase(key);
  }
}

Result<> ImageBuilder::on(const protocol::ConfigRecord& record) {
  set_config({static_cast<ConfigResourceType>(record.resource_type), record.resource_name},
             record.name, record.value);
  return {};
}

// The finished image.

Result<> ImageBuilder::finish_topics(MetadataImage& image) {
  const bool first = base_->topics.empty();
  std::map<std::string, std::shared_ptr<const TopicImage>> fresh;
  for (auto& [id, draft] : topics_) {
    if (draft.removed) {
      if (const auto old = base_->topic(id)) {
        delta_.deleted_topics.push_back(*old);
        // A topic of the same name may have come after it.
        const auto* now = image.topics.find(old->name);
        if (now != nullptr && (*now)->id == id) image.topics.erase(old->name);
        image.topic_names.erase(id);
      }
      continue;
    }
    for (const auto& partition : draft.topic.partitions) {
      if (partition == nullptr) {
        return bad_record(fmt::format("The partitions of {} have a gap", draft.topic.name));
      }
    }
    delta_.created_or_changed_topics.push_back(id);
    auto topic = std::make_shared<const TopicImage>(std::move(draft.topic));
    if (first) {
      fresh.emplace(topic->name, topic);
    } else {
      image.topic_names.set(id, topic->name);
      image.topics.set(topic->name, topic);
    }
  }
  if (first) {
    using Topics = decltype(image.topics);
    using Names = decltype(image.topic_names);
    std::map<Uuid, std::string> names;
    std::vector<Topics::Entry> topics;
    for (const auto& [name, topic] : fresh) {
      topics.push_back({name, topic});
      names.emplace(topic->id, name);
    }
    std::vector<Names::Entry> by_id;
    for (const auto& [id, name] : names) by_id.push_back({id, name});
    image.topics = Topics::of_sorted(topics);
    image.topic_names = Names::of_sorted(by_id);
  }
  return {};
}

void ImageBuilder::finish_configs(MetadataImage& image) {
  std::set<ConfigResource> changed;
  const ConfigResource all_brokers{ConfigResourceType::broker, {}};
  for (auto& [resource, map] : configs_) {
    const ConfigMap& old = base_->configs(resource);
    if (old == map) continue;
    changed.insert(resource);
    if (resource == all_brokers) {
      // Settings that are kept here for topics are changes of those topics.
      const auto note = [&](const std::string& key) {
        const auto parsed = config::parse_stored_arus_key(key);
        const auto topic = parsed ? image.topic(parsed->topic_id) : nullptr;
        if (topic != nullptr) changed.insert({ConfigResourceType::topic, topic->name});
      };
      for (const auto& [key, value] : map) {
        const auto before = old.find(key);
        if (before == old.end() || before->second != value) note(key);
      }
      for (const auto& [key, value] : old) {
        if (!map.contains(key)) note(key);
      }
    }
    if (map.empty()) {
      image.config_map.erase(resource);
    } else {
      image.config_map.set(resource, std::make_shared<const ConfigMap>(std::move(map)));
    }
  }
  delta_.changed_configs.assign(changed.begin(), changed.end());
}

Result<ImagePointer> ImageBuilder::finish(Offset offset, LeaderEpoch epoch) {
  auto image = std::make_shared<MetadataImage>(*base_);
  image->offset = offset;
  image->epoch = epoch;
  delta_ = MetadataDelta{};
  // A removed topic comes before one of the same name; ids decide, whatever their order.
  ARUS_TRY(finish_topics(*image));
  finish_configs(*image);
  delta_.brokers_changed = brokers_ != base_->brokers;
  delta_.features_changed = features_ != base_->features;
  delta_.acls_changed = acls_ != base_->acls;
  image->brokers = brokers_;
  image->controllers = controllers_;
  image->features = features_;
  image->acls = acls_;
  const RetainedRecords& old = *base_->retained;
  if (retained_.quotas != old.quotas || retained_.scram != old.scram ||
      retained_.tokens != old.tokens || retained_.next_producer_id != old.next_producer_id ||
      retained_.zk_migration_state != old.zk_migration_state) {
    image->retained = std::make_shared<const RetainedRecords>(retained_);
  }
  topics_.clear();
  new_names_.clear();
  configs_.clear();
  base_ = std::move(image);
  return base_;
}

MetadataDelta ImageBuilder::take_delta() { return std::exchange(delta_, {}); }

}  // namespace arus::metadata
