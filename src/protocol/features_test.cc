#include "protocol/features.h"

#include "protocol/metadata_record.h"

namespace arus::protocol {
namespace {

TEST(Features, AFreshDirectoryHasTheLevelsOfKafka431) {
  for (const Feature& feature : all_features()) {
    EXPECT_EQ(default_level(feature.name, 30), feature.fresh_default) << feature.name;
    EXPECT_LE(feature.fresh_default, feature.max) << feature.name;
  }
  EXPECT_EQ(default_level("no.such.feature", 30), std::nullopt);
}

TEST(Features, OlderMetadataVersionsBeginWithLess) {
  EXPECT_EQ(default_level(transaction_version_feature, 23), 0);
  EXPECT_EQ(default_level(transaction_version_feature, 24), 2);
  EXPECT_EQ(default_level(group_version_feature, 21), 0);
  EXPECT_EQ(default_level(kraft_version_feature, 20), 0);
  EXPECT_EQ(default_level(kraft_version_feature, 21), 1);
  EXPECT_EQ(default_level(streams_version_feature, 28), 0);
}

TEST(Features, MetadataVersionsFollowEachOther) {
  std::int16_t level = 7;
  for (const MetadataVersion& version : all_metadata_versions()) {
    EXPECT_EQ(version.level, level++);
    EXPECT_LE(version.register_broker_record, RegisterBrokerRecord::max_version);
    EXPECT_LE(version.partition_record, PartitionRecord::max_version);
    EXPECT_LE(version.partition_change_record, PartitionChangeRecord::max_version);
  }
  EXPECT_EQ(level, 31);
}

TEST(Features, MetadataVersionsAreFoundByNameAndByRelease) {
  EXPECT_EQ(find_metadata_version("4.3-IV0")->level, 30);
  EXPECT_EQ(find_metadata_version("4.0")->level, 25);
  EXPECT_EQ(find_metadata_version("3.3-IV3")->level, 7);
  EXPECT_EQ(find_metadata_version("3.2"), nullptr);
  EXPECT_EQ(find_metadata_version(std::int16_t{31}), nullptr);
}

}  // namespace
}  // namespace arus::protocol
