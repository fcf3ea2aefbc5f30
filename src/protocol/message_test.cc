// What every generated message promises, on those that show it best.
#include "protocol/api/api_versions.h"
#include "protocol/api/create_topics.h"
#include "protocol/api/describe_topic_partitions.h"
#include "protocol/api/fetch.h"
#include "protocol/api/metadata.h"
#include "protocol/api/offset_fetch.h"
#include "protocol/api/produce.h"
#include "protocol/print.h"
#include "protocol/record/client_quota_record.h"
#include "protocol/record/partition_change_record.h"
#include "protocol/record/topic_record.h"

namespace arus::protocol {
namespace {

template <class Message>
Bytes encoded(const Message& message, std::int16_t version) {
  Writer out;
  message.encode(out, version);
  EXPECT_EQ(out.size(), message.encoded_size(version));
  return out.take_bytes();
}

TEST(Message, DefaultsAreThoseOfTheSchema) {
  const FetchRequest request;
  EXPECT_EQ(request.max_bytes, 0x7fffffff);
  EXPECT_EQ(request.replica_id, no_broker);
  EXPECT_EQ(request.cluster_id, std::nullopt);
  EXPECT_EQ(FetchRequest::FetchPartition{}.high_watermark, INT64_MAX);
  EXPECT_TRUE(MetadataRequest{}.allow_auto_topic_creation);
  EXPECT_EQ(MetadataResponse{}.cluster_authorized_operations, INT32_MIN);
  EXPECT_EQ(PartitionChangeRecord{}.leader, BrokerId{-2});
}

TEST(Message, ATaggedFieldAtItsDefaultIsNotWritten) {
  FetchRequest request;
  const std::size_t bare = encoded(request, 17).size();
  request.cluster_id = "c";
  EXPECT_EQ(encoded(request, 17).size(), bare + 4);  // tag, size, length, character
  request.replica_state.replica_id = BrokerId{1};
  const auto again = FetchRequest::decode(Slice(encoded(request, 17)), 17);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, request);
}

TEST(Message, UnknownTagsStandBetweenKnownOnesInOrder) {
  FetchResponse response;
  response.node_endpoints.push_back({.node_id = BrokerId{1}, .host = "h", .port = 9});
  response.unknown_tags.add({7, Slice::copy_of(as_bytes("seven"))});
  const auto again = FetchResponse::decode(Slice(encoded(response, 16)), 16);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, response);
}

TEST(Message, AFieldThatTheVersionLacksIsRefusedUnlessItMayBeDropped) {
  DescribeTopicPartitionsRequest request;
  EXPECT_TRUE(request.check(0));

  MetadataRequest metadata{.topics = std::vector<MetadataRequest::MetadataRequestTopic>{}};
  EXPECT_TRUE(metadata.check(0));
  metadata.allow_auto_topic_creation = false;
  const auto refused = metadata.check(3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported_version);
  EXPECT_EQ(refused.error().message,
            "MetadataRequest version 3 cannot carry AllowAutoTopicCreation");
  EXPECT_TRUE(metadata.check(4));

  FetchRequest fetch;
  fetch.rack_id = "r";  // ignorable
  EXPECT_TRUE(fetch.check(4));
}

TEST(Message, NullThatTheVersionCannotSayIsRefused) {
  const MetadataRequest all{.topics = std::nullopt};
  EXPECT_FALSE(all.check(0));
  EXPECT_TRUE(all.check(1));
  // Without the check it becomes an empty list, never a broken frame.
  EXPECT_TRUE(MetadataRequest::decode(Slice(encoded(all, 0)), 0));
}

TEST(Message, ATextThatCannotBeSaidIsRefusedAndNeverBreaksTheFrame) {
  CreateTopicsRequest request;
  request.topics.push_back({.name = std::string(32766, 'n') + "\u00e9"});
  EXPECT_FALSE(request.check(7));
  for (const std::int16_t version : {std::int16_t{2}, std::int16_t{7}}) {
    const auto again = CreateTopicsRequest::decode(Slice(encoded(request, version)), version);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->topics[0].name, std::string(32766, 'n'));
  }
  request.topics[0].name = std::string(32767, 'n');
  EXPECT_TRUE(request.check(7));
}

TEST(Message, VersionsThatDoNotExistAreRefused) {
  const Slice body(Bytes(64, 0));
  for (const std::int16_t version : std::vector<std::int16_t>{-1, 0, 2, 14, 99}) {
    EXPECT_FALSE(ProduceRequest::decode(body, version)) << version;
  }
}

TEST(Message, RecordsShareTheBufferOfTheFrame) {
  ProduceRequest request{.acks = -1, .timeout_ms = 1};
  request.topic_data.push_back({.name = "t"});
  request.topic_data[0].partition_data.push_back(
      {.index = 0, .records = Slice::copy_of(as_bytes("records"))});
  const Slice body(encoded(request, 9));
  const auto again = ProduceRequest::decode(body, 9);
  ASSERT_TRUE(again);
  const Slice& records = *again->topic_data[0].partition_data[0].records;
  EXPECT_EQ(as_text(records.view()), "records");
  EXPECT_GE(records.data(), body.data());
  EXPECT_LT(records.data(), body.data() + body.size());
}

TEST(Message, LargeRecordsAreWrittenWithoutACopy) {
  const Slice records(Bytes(100'000, 7));
  FetchResponse response;
  response.responses.push_back({.topic = "t"});
  response.responses[0].partitions.push_back({.partition_index = 1, .records = records});
  Writer out;
  response.encode(out, 11);
  EXPECT_EQ(out.size(), response.encoded_size(11));
  bool shared = false;
  for (const Slice& piece : out.take_chain()) shared |= piece.data() == records.data();
  EXPECT_TRUE(shared);
}

TEST(Message, AReaderIsLeftBehindTheMessage) {
  Writer out;
  TopicRecord{.name = "t", .topic_id = metadata_topic_id}.encode(out, 0);
  out.u8(42);
  const Bytes bytes = out.take_bytes();
  Reader in{bytes};
  const auto record = TopicRecord::decode(in, 0);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->name, "t");
  EXPECT_EQ(in.u8(), 42);
  EXPECT_TRUE(in.at_end());
  // Where nothing may follow, something that does is an error.
  EXPECT_FALSE(TopicRecord::decode(Slice(bytes), 0));
}

TEST(Message, PrintsAsKafkaDoesOrWhole) {
  PartitionChangeRecord record{.partition_id = 3};
  record.isr = {{BrokerId{1}, BrokerId{2}}};
  EXPECT_EQ(to_json(record, 0),
            R"({"partitionId":3,"topicId":"AAAAAAAAAAAAAAAAAAAAAA","isr":[1,2]})");
  EXPECT_THAT(to_string(FetchRequest{}), testing::HasSubstr(R"("rackId":"")"));
  EXPECT_THAT(to_string(FetchRequest{}), testing::HasSubstr(R"("topics":[])"));
}

TEST(Message, PrintsNumbersAsJavaDoes) {
  const std::vector<std::pair<double, std::string>> numbers = {
      {0, "0.0"},         {10.5, "10.5"},      {1024, "1024.0"},
      {-0.001, "-0.001"}, {1e7, "1.0E7"},      {123456789.25, "1.2345678925E8"},
      {0.0005, "5.0E-4"}, {1e-310, "1.0E-310"}};
  for (const auto& [number, text] : numbers) {
    EXPECT_THAT(to_string(ClientQuotaRecord{.value = number}),
                testing::HasSubstr("\"value\":" + text + ","));
  }
}

TEST(Message, ARequestKnowsItsAnswer) {
  static_assert(std::is_same_v<ApiVersionsRequest::Response, ApiVersionsResponse>);
  static_assert(ApiVersionsRequest::api_key == 18 && ApiVersionsRequest::max_version == 4);
  static_assert(ApiVersionsRequest::first_flexible_version == 3);
  static_assert(sizeof(UnknownTags) == sizeof(void*));
}

}  // namespace
}  // namespace arus::protocol
