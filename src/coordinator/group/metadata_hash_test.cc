#include "coordinator/group/metadata_hash.h"

#include <gtest/gtest.h>

#include "metadata/image.h"

namespace arus::coordinator {
namespace {

// The topic "events" of a real node, whose rack is "1", and the hash that it stored.
metadata::MetadataImage real_node() {
  metadata::MetadataImage image;
  auto broker = std::make_shared<metadata::BrokerImage>();
  broker->id = BrokerId{1};
  broker->rack = "1";
  image.brokers[BrokerId{1}] = broker;
  auto partition = std::make_shared<metadata::PartitionImage>();
  partition->replicas = {BrokerId{1}};
  auto topic = std::make_shared<metadata::TopicImage>();
  topic->name = "events";
  topic->id = *Uuid::parse("XggFQ42JR1-SSTWdd7QJog");
  topic->partitions = {partition, partition};
  image.topics = image.topics.with("events", topic);
  image.topic_names = image.topic_names.with(topic->id, "events");
  return image;
}

TEST(MetadataHash, IsKafkasOfARealNode) {
  TopicHashes cache;
  EXPECT_EQ(metadata_hash({"events"}, real_node(), cache), -4332060550749032067);
}

TEST(MetadataHash, LeavesOutTopicsThatAreNotThere) {
  TopicHashes cache;
  EXPECT_EQ(metadata_hash({"absent", "events"}, real_node(), cache), -4332060550749032067);
  EXPECT_EQ(metadata_hash({"absent"}, real_node(), cache), 0);
  EXPECT_EQ(metadata_hash({}, real_node(), cache), 0);
}

}  // namespace
}  // namespace arus::coordinator
