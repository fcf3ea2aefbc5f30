// Bytes that a real Kafka 4.3.1 stored.
#include "coordinator/group/consumer_group_records.h"

#include <gtest/gtest.h>

#include "protocol/coordinator_record.h"
#include "protocol/record/consumer_group_current_member_assignment_value.h"
#include "protocol/record/consumer_group_member_metadata_value.h"

namespace arus::coordinator {
namespace {

Bytes of_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return bytes;
}

const Uuid events = *Uuid::parse("XggFQ42JR1-SSTWdd7QJog");

TEST(ConsumerGroupRecords, EpochsAreKafkasBytes) {
  const Record first = consumer_records::epoch("g-consumer", 2, -4332060550749032067);
  EXPECT_EQ(first.key, of_hex("0003000a672d636f6e73756d6572"));
  EXPECT_EQ(first.value, of_hex("000000000002010008c3e16de19f1ef17d"));
  EXPECT_EQ(consumer_records::epoch("g-consumer", 3, 0).value, of_hex("00000000000300"));
  EXPECT_EQ(consumer_records::target_epoch("g", 2, 1795444842477).value,
            of_hex("000000000002010008000001a208da1fed"));
}

TEST(ConsumerGroupRecords, AssignmentsAreKafkasBytes) {
  const std::string member = "hpBtiJnaSXS9ibyBkUINLg";
  EXPECT_EQ(consumer_records::target("g-consumer", member, {{events, {0, 1}}}).value,
            of_hex("0000025e0805438d89475f9249359d77b409a20300000000000000010000"));
  const CurrentAssignment current{.epoch = 2, .assigned = {{events, {{0, 2}, {1, 2}}}}};
  const Record record = consumer_records::current("g-consumer", member, current);
  EXPECT_EQ(record.key,
            of_hex("0008000a672d636f6e73756d6572001668704274694a6e6153585339696279426b55494e4c67"));
  EXPECT_EQ(record.value,
            of_hex("0000000000020000000000025e0805438d89475f9249359d77b409a20300000000000000010100"
                   "090300000002000000020100"));
  const auto decoded =
      protocol::decode_coordinator_value<protocol::ConsumerGroupCurrentMemberAssignmentValue>(
          *record.value);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(consumer_records::current_of(*decoded), current);
}

TEST(ConsumerGroupRecords, ExpressionsAreKafkasBytes) {
  const Record record = consumer_records::regex(
      "g-pattern", "ev.*", {.topics = {"events"}, .version = 63, .timestamp_ms = 1795444843519});
  EXPECT_EQ(record.key, of_hex("00100009672d7061747465726e000465762e2a"));
  EXPECT_EQ(record.value, of_hex("000002076576656e7473000000000000003f000001a208da23ff00"));
}

TEST(ConsumerGroupRecords, MembersOfARealNodeAreRead) {
  auto value =
      protocol::decode_coordinator_value<protocol::ConsumerGroupMemberMetadataValue>(of_hex(
          "0000000015636f6e73756d65722d672d7061747465726e2d320b2f3132372e302e302e31010565762e2a0004"
          "93e00001000100"));
  ASSERT_TRUE(value) << value.error().message;
  const MemberMetadata metadata = consumer_records::metadata_of(std::move(*value));
  EXPECT_EQ(metadata.client_id, "consumer-g-pattern-2");
  EXPECT_EQ(metadata.client_host, "/127.0.0.1");
  EXPECT_TRUE(metadata.topic_names.empty());
  EXPECT_EQ(metadata.topic_regex, "ev.*");
  EXPECT_EQ(metadata.rebalance_timeout_ms, 300'000);
  EXPECT_FALSE(metadata.instance_id);
  EXPECT_FALSE(metadata.classic);
}

TEST(ConsumerGroupRecords, AssignmentsWithoutEpochsHaveTheMembers) {
  protocol::ConsumerGroupCurrentMemberAssignmentValue value;
  value.member_epoch = 7;
  value.assigned_partitions.emplace_back().topic_id = events;
  value.assigned_partitions[0].partitions = {3, 1};
  EXPECT_EQ(consumer_records::current_of(value).assigned,
            (OwnedPartitions{{events, {{1, 7}, {3, 7}}}}));
}

}  // namespace
}  // namespace arus::coordinator
