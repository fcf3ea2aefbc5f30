// Makes the next image out of the last one and the records behind it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "metadata/image.h"
#include "protocol/metadata_record.h"

namespace arus::metadata {

// Applies metadata records, one after the other, and gives an image that shares with its base what
// no record touched. Records of a transaction wait for its end; an aborted one leaves nothing.
// Every kind of record is applied. A record that cannot be is an error, and the builder is then of
// no more use. Not thread-safe.
class ImageBuilder {
 public:
  explicit ImageBuilder(ImagePointer base);

  Result<> apply(const protocol::MetadataRecord& record);
  [[nodiscard]] bool in_transaction() const { return in_transaction_; }

  // The image, and what changed since the base. The builder goes on from it.
  Result<ImagePointer> finish(Offset offset, LeaderEpoch epoch);
  MetadataDelta take_delta();

 private:
  struct TopicDraft {
    TopicImage topic;
    bool removed = false;
  };

  Result<> apply_now(const protocol::MetadataRecord& record);
  Result<> on(const protocol::RegisterBrokerRecord& record);
  Result<> on(const protocol::UnregisterBrokerRecord& record);
  Result<> on(const protocol::TopicRecord& record);
  Result<> on(const protocol::PartitionRecord& record);
  Result<> on(const protocol::ConfigRecord& record);
  Result<> on(const protocol::PartitionChangeRecord& record);
  Result<> on(const protocol::FenceBrokerRecord& record);
  Result<> on(const protocol::UnfenceBrokerRecord& record);
  Result<> on(const protocol::RemoveTopicRecord& record);
  Result<> on(const protocol::DelegationTokenRecord& record);
  Result<> on(const protocol::UserScramCredentialRecord& record);
  Result<> on(const protocol::FeatureLevelRecord& record);
  Result<> on(const protocol::ClientQuotaRecord& record);
  Result<> on(const protocol::ProducerIdsRecord& record);
  Result<> on(const protocol::BrokerRegistrationChangeRecord& record);
  Result<> on(const protocol::AccessControlEntryRecord& record);
  Result<> on(const protocol::RemoveAccessControlEntryRecord& record);
  Result<> on(const protocol::NoOpRecord& record);
  Result<> on(const protocol::ZkMigrationStateRecord& record);
  Result<> on(const protocol::RemoveUserScramCredentialRecord& record);
  Result<> on(const protocol::BeginTransactionRecord& record);
  Result<> on(const protocol::EndTransactionRecord& record);
  Result<> on(const protocol::AbortTransactionRecord& record);
  Result<> on(const protocol::RemoveDelegationTokenRecord& record);
  Result<> on(const protocol::RegisterControllerRecord& record);
  Result<> on(const protocol::ClearElrRecord& record);

  TopicDraft* draft(const Uuid& id);
  Result<PartitionImage> partition_for_change(const Uuid& topic_id, std::int32_t index,
                                              TopicDraft*& topic);
  BrokerImage* broker_for_change(BrokerId id);
  Result<> change_fencing(BrokerId id, std::int64_t epoch, bool fenced);
  void set_config(const ConfigResource& resource, const std::string& key,
                  const std::optional<std::string>& value);
  void clear_elr(TopicDraft& topic);
  Result<> finish_topics(MetadataImage& image);
  void finish_configs(MetadataImage& image);

  ImagePointer base_;
  MetadataDelta delta_;
  std::map<Uuid, TopicDraft> topics_;
  std::map<std::string, Uuid> new_names_;  // of topics in topics_ that the base does not have
  std::map<ConfigResource, ConfigMap> configs_;
  std::map<BrokerId, std::shared_ptr<const BrokerImage>> brokers_;
  std::map<std::int32_t, std::shared_ptr<const ControllerImage>> controllers_;
  std::map<std::string, std::int16_t> features_;
  std::shared_ptr<const security::AclSet> acls_;
  RetainedRecords retained_;
  bool in_transaction_ = false;
  std::vector<protocol::MetadataRecord> transaction_;
};

}  // namespace arus::metadata
