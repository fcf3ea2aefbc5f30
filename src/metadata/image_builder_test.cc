#include "metadata/image_builder.h"

#include "metadata/snapshot_records.h"
#include "raft/golden_directory.h"
#include "record/record.h"

namespace arus::metadata {
namespace {

using protocol::MetadataRecord;

// All data records of a file of batches, in order.
std::vector<protocol::VersionedRecord> records_of(const Bytes& file) {
  std::vector<protocol::VersionedRecord> all;
  record::BatchReader batches{file};
  while (const auto batch = batches.next()) {
    if (batch->is_control()) continue;
    record::RecordReader reader{*batch};
    while (const auto one = reader.next()) {
      auto record = protocol::decode_metadata_record(*one->value);
      EXPECT_TRUE(record) << record.error().message;
      if (record) all.push_back(std::move(*record));
    }
    EXPECT_TRUE(reader.status());
  }
  EXPECT_EQ(batches.remaining(), 0U);
  return all;
}

ImagePointer image_of(const std::vector<protocol::VersionedRecord>& records) {
  ImageBuilder builder(nullptr);
  for (const auto& one : records) {
    const auto applied = builder.apply(one.record);
    EXPECT_TRUE(applied) << applied.error().message;
  }
  auto image =
      builder.finish(Offset{static_cast<std::int64_t>(records.size()) - 1}, LeaderEpoch{1});
  EXPECT_TRUE(image);
  return *image;
}

// The records of the image, encoded, in no order.
std::multiset<std::string> encoded(const MetadataImage& image) {
  std::multiset<std::string> all;
  visit_records(image, [&](const MetadataRecord& record) {
    const auto value = encode_record(record, image.metadata_version());
    ASSERT_TRUE(value) << value.error().message;
    all.emplace(as_text(*value));
  });
  return all;
}

constexpr const char* golden_log = "broker/__cluster_metadata-0/00000000000000000000.log.jsonl";
constexpr const char* golden_snapshot =
    "broker/__cluster_metadata-0/00000000000000000079-0000000001.checkpoint.jsonl";

TEST(ImageBuilder, TheLogOfKafkaGivesWhatItsNodeHad) {
  const auto image = image_of(records_of(raft::golden_bytes(golden_log)));
  EXPECT_EQ(image->metadata_version(), 30);
  EXPECT_EQ(image->feature_level("eligible.leader.replicas.version"), 1);
  EXPECT_EQ(image->topics.size(), 7U);
  EXPECT_EQ(image->topic("gone"), nullptr);
  const auto events = image->topic("events");
  ASSERT_NE(events, nullptr);
  EXPECT_EQ(events->id.to_string(), "XggFQ42JR1-SSTWdd7QJog");
  ASSERT_EQ(events->partitions.size(), 2U);
  // As a clean stop leaves it.
  const PartitionImage& partition = *image->partition(events->id, 1);
  EXPECT_EQ(partition.leader, no_broker);
  EXPECT_TRUE(partition.isr.empty());
  EXPECT_EQ(partition.elr, std::vector<BrokerId>{BrokerId{1}});
  EXPECT_EQ(partition.last_known_elr, std::vector<BrokerId>{BrokerId{1}});
  EXPECT_EQ(partition.leader_epoch, LeaderEpoch{1});
  EXPECT_EQ(partition.partition_epoch, 1);
  EXPECT_TRUE(image->alive_brokers().empty());
  const auto broker = image->broker(BrokerId{1});
  ASSERT_NE(broker, nullptr);
  EXPECT_TRUE(broker->fenced);
  EXPECT_TRUE(broker->in_controlled_shutdown);
  EXPECT_EQ(broker->epoch, 11);
  EXPECT_EQ(broker->endpoints.front().port, 39092);
  EXPECT_TRUE(image->configs({ConfigResourceType::topic, "events"}).empty());
  EXPECT_EQ(image->configs({ConfigResourceType::broker, "1"}).at("background.threads"), "8");
  EXPECT_EQ(image->configs({ConfigResourceType::client_metrics, "sample"}).at("interval.ms"),
            "60000");
  EXPECT_TRUE(image->acls->empty());
  EXPECT_TRUE(image->retained->scram->empty());
  EXPECT_EQ(image->retained->quotas->size(), 1U);
  EXPECT_EQ(image->retained->next_producer_id, 1000);
}

TEST(ImageBuilder, TheSnapshotIsTheLogUpToItsEnd) {
  const auto snapshot = image_of(records_of(raft::golden_bytes(golden_snapshot)));
  // The snapshot ends at offset 79; the log's offset 0 is a control record.
  auto records = records_of(raft::golden_bytes(golden_log));
  records.resize(78);
  EXPECT_EQ(encoded(*snapshot), encoded(*image_of(records)));
}

TEST(SnapshotRecords, KafkasSnapshotIsWrittenAgainByteForByte) {
  const auto records = records_of(raft::golden_bytes(golden_snapshot));
  std::multiset<std::string> original;
  for (auto one : records) {
    // Kafka lists a broker's features in the order of its hash table.
    if (auto* broker = std::get_if<protocol::RegisterBrokerRecord>(&one.record)) {
      std::ranges::sort(broker->features, {}, &protocol::RegisterBrokerRecord::BrokerFeature::name);
    }
    if (auto* controller = std::get_if<protocol::RegisterControllerRecord>(&one.record)) {
      std::ranges::sort(controller->features, {},
                        &protocol::RegisterControllerRecord::ControllerFeature::name);
    }
    original.emplace(as_text(*protocol::encode_metadata_record(one.record, one.version)));
  }
  EXPECT_EQ(encoded(*image_of(records)), original);
}

// Every kind of record that a snapshot can hold, none of which may be lost.
TEST(SnapshotRecords, NothingOfAnImageIsLost) {
  std::vector<MetadataRecord> records;
  const auto add = [&](auto record) { records.emplace_back(std::move(record)); };
  protocol::FeatureLevelRecord feature;
  feature.name = "metadata.version";
  feature.feature_level = 30;
  add(feature);
  protocol::AccessControlEntryRecord acl;
  acl.id = Uuid::of_halves(1, 2);
  acl.resource_type = 2;
  acl.resource_name = "t";
  acl.pattern_type = 4;
  acl.principal = "User:a";
  acl.host = "*";
  acl.operation = 3;
  acl.permission_type = 2;
  add(acl);
  protocol::UserScramCredentialRecord scram;
  scram.name = "u";
  scram.mechanism = 2;
  scram.salt = Slice::copy_of(as_bytes("salt"));
  scram.stored_key = Slice::copy_of(as_bytes("stored"));
  scram.server_key = Slice::copy_of(as_bytes("server"));
  scram.iterations = 8192;
  add(scram);
  protocol::DelegationTokenRecord token;
  token.owner = "User:o";
  token.requester = "User:r";
  token.renewers = {"User:x"};
  token.issue_timestamp = 1;
  token.max_timestamp = 3;
  token.expiration_timestamp = 2;
  token.token_id = "id";
  add(token);
  protocol::ProducerIdsRecord ids;
  ids.broker_id = BrokerId{-1};
  ids.next_producer_id = 7000;
  add(ids);
  protocol::ZkMigrationStateRecord migration;
  migration.zk_migration_state = 2;
  add(migration);
  ImageBuilder builder(nullptr);
  for (const auto& record : records) ASSERT_TRUE(builder.apply(record));
  const auto image = *builder.finish(Offset{5}, LeaderEpoch{1});
  std::multiset<std::string> original;
  for (const auto& record : records) original.emplace(as_text(*encode_record(record, 30)));
  EXPECT_EQ(encoded(*image), original);
}

MetadataRecord topic_record(const std::string& name, const Uuid& id) {
  protocol::TopicRecord record;
  record.name = name;
  record.topic_id = id;
  return record;
}

MetadataRecord partition_record(const Uuid& id, std::int32_t index) {
  protocol::PartitionRecord record;
  record.topic_id = id;
  record.partition_id = index;
  record.replicas = {BrokerId{1}};
  record.isr = {BrokerId{1}};
  record.leader = BrokerId{1};
  record.leader_epoch = 0;
  record.partition_epoch = 0;
  return record;
}

TEST(ImageBuilder, AnAbortedTransactionLeavesNothing) {
  const Uuid id = Uuid::of_halves(5, 5);
  ImageBuilder builder(nullptr);
  ASSERT_TRUE(builder.apply(protocol::BeginTransactionRecord{}));
  ASSERT_TRUE(builder.apply(topic_record("a", id)));
  EXPECT_TRUE(builder.in_transaction());
  ASSERT_TRUE(builder.apply(protocol::AbortTransactionRecord{}));
  ASSERT_TRUE(builder.apply(protocol::BeginTransactionRecord{}));
  ASSERT_TRUE(builder.apply(topic_record("b", id)));
  ASSERT_TRUE(builder.apply(partition_record(id, 0)));
  ASSERT_TRUE(builder.apply(protocol::EndTransactionRecord{}));
  const auto image = *builder.finish(Offset{6}, LeaderEpoch{1});
  EXPECT_EQ(image->topic("a"), nullptr);
  EXPECT_NE(image->topic("b"), nullptr);
}

TEST(ImageBuilder, ANewImageSharesWhatDidNotChange) {
  const Uuid a = Uuid::of_halves(1, 1);
  const Uuid b = Uuid::of_halves(2, 2);
  ImageBuilder builder(nullptr);
  for (const auto& record : {topic_record("a", a), partition_record(a, 0), topic_record("b", b),
                             partition_record(b, 0), partition_record(b, 1)}) {
    ASSERT_TRUE(builder.apply(record));
  }
  const auto before = *builder.finish(Offset{4}, LeaderEpoch{1});
  protocol::PartitionChangeRecord change;
  change.topic_id = b;
  change.partition_id = 1;
  change.leader = BrokerId{1};
  ASSERT_TRUE(builder.apply(change));
  const auto after = *builder.finish(Offset{5}, LeaderEpoch{1});
  EXPECT_EQ(before->topic("a"), after->topic("a"));
  EXPECT_NE(before->topic("b"), after->topic("b"));
  EXPECT_EQ(before->topic("b")->partitions[0], after->topic("b")->partitions[0]);
  EXPECT_EQ(before->partition(b, 1)->leader_epoch, LeaderEpoch{0});
  EXPECT_EQ(after->partition(b, 1)->leader_epoch, LeaderEpoch{1});
  EXPECT_EQ(builder.take_delta().created_or_changed_topics, std::vector<Uuid>{b});
}

TEST(ImageBuilder, SettingsKeptForATopicAreItsChangesAndGoWithIt) {
  const Uuid id = Uuid::of_halves(3, 3);
  const std::string key = "arus.topic." + id.to_string() + ".durability";
  ImageBuilder builder(nullptr);
  ASSERT_TRUE(builder.apply(topic_record("t", id)));
  ASSERT_TRUE(builder.apply(partition_record(id, 0)));
  ASSERT_TRUE(builder.finish(Offset{1}, LeaderEpoch{1}));
  protocol::ConfigRecord config;
  config.resource_type = 4;
  config.name = key;
  config.value = "page-cache";
  ASSERT_TRUE(builder.apply(config));
  const auto set = *builder.finish(Offset{2}, LeaderEpoch{1});
  EXPECT_EQ(set->arus_topic_configs(id).at("arus.durability"), "page-cache");
  const ConfigResource topic{ConfigResourceType::topic, "t"};
  EXPECT_THAT(builder.take_delta().changed_configs, testing::Contains(topic));
  protocol::RemoveTopicRecord remove;
  remove.topic_id = id;
  ASSERT_TRUE(builder.apply(remove));
  const auto removed = *builder.finish(Offset{3}, LeaderEpoch{1});
  EXPECT_TRUE(removed->configs({ConfigResourceType::broker, ""}).empty());
  EXPECT_EQ(removed->topic("t"), nullptr);
  EXPECT_EQ(removed->topic(id), nullptr);
  EXPECT_EQ(builder.take_delta().deleted_topics.size(), 1U);
}

TEST(ImageBuilder, ANameMayBeTakenAgainInTheSameBatch) {
  const Uuid old_id = Uuid::of_halves(9, 9);
  const Uuid new_id = Uuid::of_halves(1, 1);
  ImageBuilder builder(nullptr);
  ASSERT_TRUE(builder.apply(topic_record("t", old_id)));
  ASSERT_TRUE(builder.apply(partition_record(old_id, 0)));
  ASSERT_TRUE(builder.finish(Offset{1}, LeaderEpoch{1}));
  protocol::RemoveTopicRecord remove;
  remove.topic_id = old_id;
  ASSERT_TRUE(builder.apply(remove));
  ASSERT_TRUE(builder.apply(topic_record("t", new_id)));
  ASSERT_TRUE(builder.apply(partition_record(new_id, 0)));
  const auto image = *builder.finish(Offset{4}, LeaderEpoch{1});
  EXPECT_EQ(image->topic("t")->id, new_id);
  EXPECT_EQ(image->topics.size(), 1U);
  EXPECT_EQ(image->topic(old_id), nullptr);
}

TEST(ImageBuilder, RecordsThatContradictTheImageAreErrors) {
  const Uuid id = Uuid::of_halves(4, 4);
  const auto fails = [](const MetadataRecord& record) {
    ImageBuilder builder(nullptr);
    return !builder.apply(record);
  };
  protocol::RemoveTopicRecord remove;
  remove.topic_id = id;
  EXPECT_TRUE(fails(remove));
  EXPECT_TRUE(fails(partition_record(id, 0)));
  EXPECT_TRUE(fails(protocol::EndTransactionRecord{}));
  EXPECT_TRUE(fails(protocol::AbortTransactionRecord{}));
  protocol::BrokerRegistrationChangeRecord change;
  change.broker_id = BrokerId{1};
  EXPECT_TRUE(fails(change));
  ImageBuilder gap(nullptr);
  ASSERT_TRUE(gap.apply(topic_record("t", id)));
  ASSERT_TRUE(gap.apply(partition_record(id, 1)));
  EXPECT_FALSE(gap.finish(Offset{1}, LeaderEpoch{1}));
}

}  // namespace
}  // namespace arus::metadata
