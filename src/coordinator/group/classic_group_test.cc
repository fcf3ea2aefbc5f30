#include "coordinator/group/classic_group.h"

#include <gtest/gtest.h>

#include <string>

#include "coordinator/group/classic_groups_testing.h"

namespace arus::coordinator {
namespace {

ErrorCode code_of(const Result<>& result) { return result ? ErrorCode::none : result.error().code; }

TEST(ClassicGroup, StandaloneConsumersCommitOnlyWhileItIsEmpty) {
  ClassicBench test;
  const ClassicGroup& simple = test.machine.classic().group_for_offsets("g");
  EXPECT_TRUE(simple.is_simple());
  EXPECT_EQ(code_of(simple.check_offset_commit({})), ErrorCode::none);
  EXPECT_EQ(code_of(simple.check_offset_commit({.member_id = "m"})), ErrorCode::none);
  EXPECT_EQ(code_of(simple.check_offset_commit({.member_id = "m", .generation_or_epoch = 0})),
            ErrorCode::unknown_member_id);
  test.one_member();
  EXPECT_FALSE(simple.is_simple());
  EXPECT_EQ(code_of(simple.check_offset_commit({})), ErrorCode::unknown_member_id);
  EXPECT_EQ(code_of(simple.check_offset_commit({.transactional = true})), ErrorCode::none);
}

TEST(ClassicGroup, MembersCommitInTheirGeneration) {
  ClassicBench test;
  const std::string id = test.one_member();
  const auto commit = [&](std::string_view member, std::int32_t generation) {
    return code_of(
        test.group().check_offset_commit({.member_id = member, .generation_or_epoch = generation}));
  };
  EXPECT_EQ(commit(id, 1), ErrorCode::none);
  EXPECT_EQ(commit(id, 0), ErrorCode::illegal_generation);
  EXPECT_EQ(commit(id, -1), ErrorCode::illegal_generation);
  EXPECT_EQ(commit("stranger", 1), ErrorCode::unknown_member_id);
  EXPECT_EQ(code_of(test.group().check_offset_commit(
                {.member_id = id, .instance_id = "i", .generation_or_epoch = 1})),
            ErrorCode::unknown_member_id);
}

TEST(ClassicGroup, CommitsOfARebalanceAreThoseOfTheGenerationBefore) {
  ClassicBench test;
  const std::string id = test.one_member();
  const auto commit = [&](std::int32_t generation, bool transactional) {
    return code_of(test.group().check_offset_commit(
        {.member_id = id, .generation_or_epoch = generation, .transactional = transactional}));
  };
  test.join_twice();
  ASSERT_EQ(test.group().state_name(), "PreparingRebalance");
  EXPECT_EQ(commit(1, false), ErrorCode::none);
  test.join({.member_id = id});
  ASSERT_EQ(test.group().state_name(), "CompletingRebalance");
  EXPECT_EQ(commit(1, false), ErrorCode::illegal_generation);
  EXPECT_EQ(commit(2, false), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(commit(2, true), ErrorCode::none);
}

TEST(ClassicGroup, OffsetsExpireByCommitTimeUntilThereWereMembers) {
  ClassicBench test;
  const ClassicGroup& group = test.machine.classic().group_for_offsets("g");
  ASSERT_TRUE(group.expiry());
  EXPECT_TRUE(group.expiry()->by_commit_time);
  test.one_member();
  ASSERT_TRUE(group.expiry());  // of topics without a subscriber
  EXPECT_TRUE(group.expiry()->by_commit_time);
  test.join_twice();
  EXPECT_FALSE(group.expiry());
  test.pass_ms(1'000'000);
  ASSERT_EQ(group.state_name(), "Empty");
  ASSERT_TRUE(group.expiry());
  EXPECT_FALSE(group.expiry()->by_commit_time);
  EXPECT_EQ(group.expiry()->since_ms, test.stored().current_state_timestamp);
}

TEST(ClassicGroup, OffsetsOfOtherProtocolTypesStayWhileItHasMembers) {
  ClassicBench test;
  test.one_member({.protocol_type = "connect", .protocols = {{"x", text_bytes("opaque")}}});
  EXPECT_FALSE(test.group().expiry());
  EXPECT_EQ(code_of(test.group().check_offset_delete()), ErrorCode::non_empty_group);
  EXPECT_EQ(code_of(test.group().check_delete()), ErrorCode::non_empty_group);
}

TEST(ClassicGroup, IsSubscribedToWhatItsMembersSay) {
  ClassicBench test;
  test.join({.protocols = {{"range", subscription_to({"b", "a"})}}, .version = 3});
  test.join({.protocols = {{"range", subscription_to({"c", "a"})}}, .version = 3});
  test.pass_ms(1);
  for (const char* topic : {"a", "b", "c"}) EXPECT_TRUE(test.group().is_subscribed_to(topic));
  EXPECT_FALSE(test.group().is_subscribed_to("d"));
  EXPECT_EQ(code_of(test.group().check_offset_delete()), ErrorCode::none);
}

TEST(ClassicGroup, UnreadableSubscriptionCountsAsAllTopics) {
  ClassicBench test;
  test.one_member({.protocols = {{"range", text_bytes("?")}}});
  EXPECT_TRUE(test.group().is_subscribed_to("any"));
  EXPECT_FALSE(test.group().expiry());
}

TEST(ClassicGroup, TooManyTopicsCountAsAllTopics) {
  std::vector<std::string> topics;
  for (std::size_t i = 0; i <= max_subscribed_topics; ++i) topics.push_back(std::to_string(i));
  ClassicBench test;
  test.one_member({.protocols = {{"range", subscription_to(topics)}}});
  EXPECT_TRUE(test.group().is_subscribed_to("any"));
  topics.pop_back();
  test.group_id = "h";
  test.one_member({.protocols = {{"range", subscription_to(topics)}}});
  EXPECT_FALSE(test.group().is_subscribed_to("any"));
  EXPECT_TRUE(test.group().is_subscribed_to("99999"));
}

TEST(ClassicGroup, IsDescribedWithMetadataOnlyWhileStable) {
  ClassicBench test;
  const std::string id = test.one_member();
  auto described = test.machine.classic().describe(test.group(), 6);
  EXPECT_EQ(described.group_state, "Stable");
  EXPECT_EQ(described.protocol_type, "consumer");
  EXPECT_EQ(described.protocol_data, "range");
  ASSERT_EQ(described.members.size(), 1U);
  EXPECT_EQ(described.members[0].member_id, id);
  EXPECT_EQ(described.members[0].client_id, "client");
  EXPECT_EQ(described.members[0].client_host, "/127.0.0.1");
  EXPECT_EQ(described.members[0].member_metadata, subscription_to({"t"}));
  EXPECT_EQ(described.members[0].member_assignment, text_bytes("all"));
  test.join_twice();
  described = test.machine.classic().describe(test.group(), 6);
  EXPECT_EQ(described.group_state, "PreparingRebalance");
  EXPECT_EQ(described.protocol_data, "");
  EXPECT_TRUE(described.members[0].member_metadata.empty());
}

TEST(ClassicGroup, OfPartsChoosesProtocolAndLeader) {
  std::vector<ClassicMemberParts> members(2);
  members[0] = {.member_id = "y", .protocols = {{"p", {}}, {"q", {}}}};
  members[1] = {.member_id = "x", .instance_id = "i", .protocols = {{"q", {}}}};
  const ClassicGroup group("g", {.generation = 7, .protocol_type = "consumer", .members = members});
  EXPECT_EQ(group.state_name(), "Stable");
  EXPECT_EQ(group.protocol_name(), "q");
  EXPECT_EQ(group.leader(), "y");
  EXPECT_EQ(group.static_member("i")->id(), "x");
}

TEST(ClassicGroup, TakenOverIsStoredAndRebalances) {
  ClassicBench test;
  test.bench.turn([&](Turn& turn) {
    std::vector<ClassicMemberParts> members(1);
    members[0] = {.member_id = "m",
                  .rebalance_timeout_ms = 1'000,
                  .session_timeout_ms = 10'000,
                  .protocols = {{"range", subscription_to({"t"})}, {"other", text_bytes("o")}},
                  .assignment = text_bytes("all")};
    test.machine.classic().take_over(
        turn,
        std::make_unique<ClassicGroup>("g", ClassicGroupParts{.generation = 7,
                                                              .protocol_type = "consumer",
                                                              .protocol_name = "range",
                                                              .members = std::move(members)}),
        "it was a consumer group");
  });
  EXPECT_EQ(test.stored().generation, 7);
  EXPECT_EQ(test.stored().members.at(0).assignment, text_bytes("all"));
  EXPECT_EQ(test.group().member("m")->protocols().size(), 2U);
  EXPECT_EQ(test.heartbeat("m", 7), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(test.join({.member_id = "m"}).value().generation_id, 8);
}

TEST(ClassicGroup, GivesUpThoseWhoWait) {
  ClassicBench test;
  test.one_member();
  const auto joining = test.join_twice();
  test.bench.turn([&](Turn& turn) {
    test.group().answer_waiting(turn, ErrorCode::rebalance_in_progress);
    test.group().append_tombstones(turn);
  });
  EXPECT_EQ(joining.value().error_code, ErrorCode::rebalance_in_progress);
  EXPECT_EQ(test.find(), nullptr);
}

TEST(ClassicGroup, StoredTwiceWithOneMemberIsDamage) {
  ClassicMachine machine;
  protocol::GroupMetadataValue value{.protocol_type = "consumer", .generation = 1};
  value.members.resize(2);
  EXPECT_FALSE(machine.classic().replay({.group = "g"}, value));
}

Bytes unhex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// What Kafka 4.3.1 wrote for a static consumer, byte for byte.
TEST(ClassicGroup, IsStoredAsKafkaStoresIt) {
  const Record kafkas{
      unhex("00020009672d636c6173736963"),
      unhex("00030008636f6e73756d657200000001000572616e6765002f696e7374616e63652d312d66623361303461"
            "342d"
            "346263392d343732312d396566392d666666343439663439633263000001a208da1b7600000001002f696e"
            "7374"
            "616e63652d312d66623361303461342d346263392d343732312d396566392d666666343439663439633263"
            "000a"
            "696e7374616e63652d31001d636f6e73756d65722d672d636c61737369632d696e7374616e63652d31000a"
            "2f31"
            "32372e302e302e31000493e00000afc80000001c00030000000100066576656e7473ffffffff00000000ff"
            "ffff"
            "ffffff0000001e00030000000100066576656e7473000000020000000000000001ffffffff")};
  ClassicMachine machine;
  ASSERT_TRUE(machine.replay({.key = kafkas.key, .value = *kafkas.value}));
  MachineBench bench(machine);
  bench.turn(
      [&](Turn& turn) { machine.loaded(turn, std::make_shared<const metadata::MetadataImage>()); });
  const auto* group = machine.groups().find_as<ClassicGroup>("g-classic");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->record(), kafkas);
  EXPECT_NE(group->static_member("instance-1"), nullptr);
  EXPECT_TRUE(group->is_subscribed_to("events"));
  EXPECT_FALSE(group->is_subscribed_to("other"));
}

}  // namespace
}  // namespace arus::coordinator
