#include "protocol/record_codec.h"

#include "protocol/coordinator_record.h"
#include "protocol/record/group_metadata_key.h"
#include "protocol/record/offset_commit_key.h"
#include "protocol/record/offset_commit_value.h"

namespace arus::protocol {
namespace {

TEST(MetadataRecords, HaveTheFrameThatKafkaWrites) {
  const MetadataRecord record = FeatureLevelRecord{.name = "metadata.version", .feature_level = 25};
  const Bytes expected = {0x01, 0x0c, 0x00, 0x11, 'm', 'e', 't', 'a', 'd',  'a',  't', 'a',
                          '.',  'v',  'e',  'r',  's', 'i', 'o', 'n', 0x00, 0x19, 0x00};
  const auto value = encode_metadata_record(record, 0);
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, expected);
  const auto again = decode_metadata_record(*value);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->record, record);
  EXPECT_EQ(again->version, 0);
}

TEST(MetadataRecords, UnknownFramesKindsAndVersionsAreErrors) {
  const auto code_of = [](Bytes value) {
    const auto record = decode_metadata_record(value);
    return record ? ErrorCode::none : record.error().code;
  };
  EXPECT_EQ(code_of({}), ErrorCode::invalid_record);
  EXPECT_EQ(code_of({0x00, 0x14, 0x00, 0x00}), ErrorCode::invalid_record);  // frame 0
  EXPECT_EQ(code_of({0x02, 0x14, 0x00, 0x00}), ErrorCode::invalid_record);  // frame 2
  EXPECT_EQ(code_of({0x01, 0x7f, 0x00, 0x00}), ErrorCode::invalid_record);  // no such kind
  EXPECT_EQ(code_of({0x01, 0x14, 0x01, 0x00}), ErrorCode::invalid_record);  // no such version
  EXPECT_EQ(code_of({0x01, 0x14, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00}), ErrorCode::invalid_record);
  EXPECT_EQ(code_of({0x01, 0x14, 0x00, 0x00, 0x00}), ErrorCode::invalid_record);  // bytes follow
  EXPECT_EQ(code_of({0x01, 0x14, 0x00, 0x00}), ErrorCode::none);                  // NoOpRecord
}

TEST(MetadataRecords, AVersionThatCannotSayARecordIsAnError) {
  PartitionRecord record{.partition_id = 0};
  record.directories = {metadata_topic_id};
  const auto refused = encode_metadata_record(record, 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported_version);
  EXPECT_TRUE(encode_metadata_record(record, 1));
}

TEST(CoordinatorRecords, KeysAndValuesReadAsTheyWereWritten) {
  const OffsetCommitKey key{.group = "g", .topic = "t", .partition = 2};
  const Bytes bytes = encode_coordinator_key(key);
  EXPECT_EQ(coordinator_prefix(bytes), 1);
  EXPECT_EQ(*decode_coordinator_key<OffsetCommitKey>(bytes), key);
  EXPECT_FALSE(decode_coordinator_key<GroupMetadataKey>(bytes));

  const OffsetCommitValue value{.offset = 5, .leader_epoch = 1, .metadata = "m"};
  for (std::int16_t version = 3; version <= OffsetCommitValue::max_version; ++version) {
    Bytes written = encode_coordinator_value(value, version);
    EXPECT_EQ(*decode_coordinator_value<OffsetCommitValue>(written), value);
    written.push_back(0);
    EXPECT_FALSE(decode_coordinator_value<OffsetCommitValue>(written));
  }
  EXPECT_FALSE(decode_coordinator_value<OffsetCommitValue>(Bytes{0x7f, 0xff, 0}));
  EXPECT_FALSE(decode_coordinator_value<OffsetCommitValue>(Bytes{0}));
}

}  // namespace
}  // namespace arus::protocol
