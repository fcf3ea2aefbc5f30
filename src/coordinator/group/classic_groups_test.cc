#include "coordinator/group/classic_groups.h"

#include <gtest/gtest.h>

#include <string>

#include "coordinator/group/classic_groups_testing.h"

namespace arus::coordinator {
namespace {

TEST(ClassicGroups, MemberIsGivenAnIdFirstAndJoinsWithIt) {
  ClassicBench test;
  const auto first = test.join();
  EXPECT_EQ(first.value().error_code, ErrorCode::member_id_required);
  EXPECT_EQ(first.value().member_id, "client-00000000-0000-4001-8000-000000000002");
  EXPECT_EQ(test.group().state_name(), "Empty");
  EXPECT_EQ(test.group().pending_count(), 1U);

  const auto second = test.join({.member_id = first.value().member_id});
  EXPECT_FALSE(second.given());
  EXPECT_EQ(test.group().state_name(), "PreparingRebalance");
  test.pass_ms(1);
  ASSERT_TRUE(second.given());
  EXPECT_EQ(second.value().error_code, ErrorCode::none);
  EXPECT_EQ(second.value().generation_id, 1);
  EXPECT_EQ(second.value().protocol_type, "consumer");
  EXPECT_EQ(second.value().protocol_name, "range");
  EXPECT_EQ(second.value().leader, first.value().member_id);
  ASSERT_EQ(second.value().members.size(), 1U);
  EXPECT_EQ(second.value().members[0].metadata, subscription_to({"t"}));
  EXPECT_EQ(test.group().state_name(), "CompletingRebalance");
}

TEST(ClassicGroups, OldVersionsJoinAtOnce) {
  ClassicBench test;
  const auto joined = test.join({.version = 3});
  EXPECT_EQ(test.group().state_name(), "PreparingRebalance");
  test.pass_ms(1);
  EXPECT_EQ(joined.value().error_code, ErrorCode::none);
  EXPECT_FALSE(joined.value().member_id.empty());
}

TEST(ClassicGroups, NewGroupIsStoredWithItsFirstRequest) {
  ClassicBench test;
  test.join();
  ASSERT_EQ(test.bench.log().size(), 1U);
  const auto value = test.stored();
  EXPECT_EQ(value.protocol_type, "");
  EXPECT_EQ(value.generation, 0);
  EXPECT_EQ(value.protocol, std::nullopt);
  EXPECT_EQ(value.leader, std::nullopt);
  EXPECT_EQ(value.current_state_timestamp, test.bench.wall_ms());
  EXPECT_TRUE(value.members.empty());
}

TEST(ClassicGroups, LeadersAssignmentIsStoredAndTold) {
  ClassicBench test;
  const auto leader = test.join({.version = 3});
  const auto follower = test.join({.version = 3});
  test.pass_ms(1);
  ASSERT_EQ(leader.value().members.size(), 2U);
  EXPECT_TRUE(follower.value().members.empty());
  EXPECT_EQ(follower.value().leader, leader.value().member_id);

  const auto waiting = test.sync(follower.value());
  EXPECT_FALSE(waiting.given());
  const auto told = test.sync(
      leader.value(),
      {{leader.value().member_id, "a"}, {follower.value().member_id, "b"}, {"nobody", "c"}});
  EXPECT_EQ(told.value().assignment, text_bytes("a"));
  EXPECT_EQ(told.value().protocol_name, "range");
  EXPECT_EQ(waiting.value().assignment, text_bytes("b"));
  EXPECT_EQ(test.group().state_name(), "Stable");

  const auto value = test.stored();
  EXPECT_EQ(value.protocol_type, "consumer");
  EXPECT_EQ(value.generation, 1);
  EXPECT_EQ(value.protocol, "range");
  EXPECT_EQ(value.leader, leader.value().member_id);
  ASSERT_EQ(value.members.size(), 2U);
  EXPECT_EQ(value.members[0].client_id, "client");
  EXPECT_EQ(value.members[0].client_host, "/127.0.0.1");
  EXPECT_EQ(value.members[0].session_timeout, 10'000);
  EXPECT_EQ(value.members[0].rebalance_timeout, 60'000);
  EXPECT_EQ(value.members[0].subscription, subscription_to({"t"}));
  EXPECT_EQ(value.members[0].assignment, text_bytes("a"));
}

TEST(ClassicGroups, StoredValueIsVersionThree) {
  ClassicBench test;
  test.one_member();
  const auto& record = test.bench.log().back().record;
  EXPECT_EQ(*protocol::coordinator_prefix(record.key), 2);
  EXPECT_EQ(*protocol::coordinator_prefix(*record.value), 3);
}

TEST(ClassicGroups, AnswersWaitForWhatIsDurable) {
  ClassicBench test;
  const auto joined = test.join_twice();
  test.pass_ms(1);
  test.bench.durable = false;
  const auto synced = test.sync(joined.value(), {{joined.value().member_id, "all"}});
  EXPECT_FALSE(synced.given());
  test.bench.release();
  EXPECT_EQ(synced.value().assignment, text_bytes("all"));
}

TEST(ClassicGroups, SyncInStableTellsTheAssignmentAgain) {
  ClassicBench test;
  const auto joined = test.join_twice();
  test.pass_ms(1);
  test.sync(joined.value(), {{joined.value().member_id, "all"}});
  EXPECT_EQ(test.sync(joined.value()).value().assignment, text_bytes("all"));
}

TEST(ClassicGroups, SyncChecksGenerationAndProtocol) {
  ClassicBench test;
  const auto joined = test.join_twice();
  test.pass_ms(1);
  auto request = joined.value();
  request.generation_id = 7;
  EXPECT_EQ(test.sync(request).value().error_code, ErrorCode::illegal_generation);
  request = joined.value();
  request.protocol_type = "connect";
  EXPECT_EQ(test.sync(request).value().error_code, ErrorCode::inconsistent_group_protocol);
  request = joined.value();
  request.protocol_name = "roundrobin";
  EXPECT_EQ(test.sync(request).value().error_code, ErrorCode::inconsistent_group_protocol);
  request = joined.value();
  request.member_id = "stranger";
  EXPECT_EQ(test.sync(request).value().error_code, ErrorCode::unknown_member_id);
}

TEST(ClassicGroups, SyncOfAnUnknownGroupIsOfAnUnknownMember) {
  ClassicBench test;
  EXPECT_EQ(test.sync(protocol::JoinGroupResponse{}).value().error_code,
            ErrorCode::unknown_member_id);
  EXPECT_EQ(test.heartbeat("m", 1), ErrorCode::unknown_member_id);
  const auto left = test.leave({{.member_id = "m"}});
  EXPECT_EQ(left.error_code, ErrorCode::none);
  EXPECT_EQ(left.members.at(0).error_code, ErrorCode::unknown_member_id);
}

TEST(ClassicGroups, JoinWithAnIdDoesNotMakeAGroup) {
  ClassicBench test;
  const auto joined = test.join({.member_id = "m"});
  EXPECT_EQ(joined.value().error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(joined.value().member_id, "m");
  EXPECT_EQ(test.find(), nullptr);
}

TEST(ClassicGroups, MembersMustHaveTypeAndProtocolInCommon) {
  ClassicBench test;
  EXPECT_EQ(test.join({.protocol_type = ""}).value().error_code,
            ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(test.join({.protocols = {}}).value().error_code,
            ErrorCode::inconsistent_group_protocol);
  test.join({.version = 3});
  EXPECT_EQ(test.join({.protocol_type = "connect", .version = 3}).value().error_code,
            ErrorCode::inconsistent_group_protocol);
  const auto other =
      test.join({.protocols = {{"roundrobin", subscription_to({"t"})}}, .version = 3});
  EXPECT_EQ(other.value().error_code, ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(other.value().member_id, "");
}

TEST(ClassicGroups, ProtocolThatMostPreferIsSelected) {
  ClassicBench test;
  const auto a = subscription_to({"t"});
  test.join({.protocols = {{"only", a}, {"x", a}, {"y", a}}, .version = 3});
  test.join({.protocols = {{"y", a}, {"x", a}}, .version = 3});
  const auto third = test.join({.protocols = {{"y", a}, {"x", a}}, .version = 3});
  test.pass_ms(1);
  EXPECT_EQ(third.value().protocol_name, "y");
}

TEST(ClassicGroups, RepeatedProtocolNamesCountOnce) {
  ClassicBench test;
  const auto joined =
      test.join({.protocols = {{"x", text_bytes("1")}, {"x", text_bytes("2")}}, .version = 3});
  test.pass_ms(1);
  EXPECT_EQ(joined.value().members.at(0).metadata, text_bytes("1"));
}

TEST(ClassicGroups, InitialDelayIsExtendedByEachNewMemberUpToTheRebalanceTimeout) {
  GroupSettings settings;
  settings.initial_rebalance_delay_ms = 3'000;
  ClassicBench test(settings);
  const auto first = test.join({.rebalance_timeout_ms = 7'000, .version = 3});
  test.pass_ms(2'000);
  test.join({.rebalance_timeout_ms = 7'000, .version = 3});
  test.pass_ms(2'000);  // at 3 s a member was new: 3 s more
  EXPECT_FALSE(first.given());
  test.join({.rebalance_timeout_ms = 7'000, .version = 3});
  test.pass_ms(2'500);  // at 6 s again: what is left of 7 s
  EXPECT_FALSE(first.given());
  test.join({.rebalance_timeout_ms = 7'000, .version = 3});
  test.pass_ms(600);
  ASSERT_TRUE(first.given());
  EXPECT_EQ(first.value().members.size(), 4U);
}

TEST(ClassicGroups, InitialDelayEndsWhenNobodyElseComes) {
  GroupSettings settings;
  settings.initial_rebalance_delay_ms = 3'000;
  ClassicBench test(settings);
  const auto first = test.join({.version = 3});
  test.pass_ms(2'999);
  EXPECT_FALSE(first.given());
  test.pass_ms(1);
  EXPECT_TRUE(first.given());
}

TEST(ClassicGroups, NewMemberMakesTheOthersRejoin) {
  ClassicBench test;
  const std::string old = test.one_member();
  const auto joining = test.join_twice();
  EXPECT_EQ(test.group().state_name(), "PreparingRebalance");
  EXPECT_EQ(test.heartbeat(old, 1), ErrorCode::rebalance_in_progress);
  EXPECT_FALSE(joining.given());
  const auto again = test.join({.member_id = old});
  ASSERT_TRUE(again.given());
  ASSERT_TRUE(joining.given());
  EXPECT_EQ(again.value().generation_id, 2);
  EXPECT_EQ(again.value().leader, old);
}

TEST(ClassicGroups, RebalanceWaitsForMembersThatWereGivenAnId) {
  ClassicBench test;
  const std::string old = test.one_member();
  const auto pending = test.join({.session_timeout_ms = 6'000});
  const auto joining = test.join_twice();
  test.join({.member_id = old});
  EXPECT_FALSE(joining.given());
  EXPECT_EQ(test.group().holding_up(), std::vector<std::string>{pending.value().member_id});
  test.pass_ms(6'000);
  EXPECT_TRUE(joining.given());
  EXPECT_EQ(test.group().pending_count(), 0U);
  EXPECT_EQ(test.join({.member_id = pending.value().member_id}).value().error_code,
            ErrorCode::unknown_member_id);
}

TEST(ClassicGroups, MemberThatDoesNotRejoinInTimeIsLeftOut) {
  ClassicBench test;
  const std::string old = test.one_member({.session_timeout_ms = 1'000'000});
  const auto joining = test.join_twice({.rebalance_timeout_ms = 50'000});
  test.pass_ms(59'999);
  EXPECT_FALSE(joining.given());
  test.pass_ms(1);
  ASSERT_TRUE(joining.given());
  EXPECT_EQ(joining.value().leader, joining.value().member_id);
  EXPECT_EQ(test.group().members().size(), 1U);
  EXPECT_EQ(test.heartbeat(old, 1), ErrorCode::unknown_member_id);
}

TEST(ClassicGroups, SilentMemberIsRemovedAndTheOthersAreCalledTogether) {
  ClassicBench test;
  const auto a = test.join({.version = 3});
  const auto b = test.join({.version = 3});
  test.pass_ms(1);
  test.sync(a.value());
  test.sync(b.value());
  test.pass_ms(9'000);
  EXPECT_EQ(test.heartbeat(a.value().member_id, 1), ErrorCode::none);
  test.pass_ms(1'001);
  EXPECT_EQ(test.heartbeat(a.value().member_id, 1), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(test.heartbeat(b.value().member_id, 1), ErrorCode::unknown_member_id);
}

TEST(ClassicGroups, LastMemberToGoLeavesAnEmptyGeneration) {
  ClassicBench test;
  test.one_member();
  test.pass_ms(10'001);
  EXPECT_EQ(test.group().state_name(), "Empty");
  const auto value = test.stored();
  EXPECT_EQ(value.generation, 2);
  EXPECT_EQ(value.protocol_type, "consumer");
  EXPECT_EQ(value.protocol, std::nullopt);
  EXPECT_EQ(value.leader, std::nullopt);
  EXPECT_TRUE(value.members.empty());
}

TEST(ClassicGroups, HeartbeatKeepsTheSessionAndChecksTheGeneration) {
  ClassicBench test;
  const std::string id = test.one_member();
  EXPECT_EQ(test.heartbeat(id, 0), ErrorCode::illegal_generation);
  for (int i = 0; i < 5; ++i) {
    test.pass_ms(9'000);
    EXPECT_EQ(test.heartbeat(id, 1), ErrorCode::none);
  }
  test.pass_ms(10'000);
  EXPECT_EQ(test.heartbeat(id, 1), ErrorCode::unknown_member_id);
}

TEST(ClassicGroups, CommitKeepsTheSession) {
  ClassicBench test;
  const std::string id = test.one_member();
  test.pass_ms(9'000);
  test.bench.turn([&](Turn& turn) { test.group().on_offset_commit(turn, id); });
  test.pass_ms(9'000);
  EXPECT_EQ(test.heartbeat(id, 1), ErrorCode::none);
}

TEST(ClassicGroups, MemberThatWaitsIsNotExpected) {
  ClassicBench test;
  const auto leader = test.join({.session_timeout_ms = 60'000, .version = 3});
  const auto follower = test.join({.version = 3});
  test.pass_ms(1);
  const auto waiting = test.sync(follower.value());
  test.pass_ms(20'000);
  EXPECT_FALSE(waiting.given());
  test.sync(leader.value(), {{follower.value().member_id, "b"}});
  EXPECT_EQ(waiting.value().assignment, text_bytes("b"));
  test.pass_ms(9'000);
  EXPECT_EQ(test.heartbeat(follower.value().member_id, 1), ErrorCode::none);
}

TEST(ClassicGroups, NewMemberThatWaitsTooLongIsToldToJoinAnew) {
  GroupSettings settings = ClassicBench::quick();
  settings.new_member_join_timeout_ms = 20'000;
  ClassicBench test(settings);
  const std::string old =
      test.one_member({.session_timeout_ms = 600'000, .rebalance_timeout_ms = 600'000});
  const auto joining = test.join_twice();
  test.pass_ms(20'000);
  ASSERT_TRUE(joining.given());
  EXPECT_EQ(joining.value().error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(test.heartbeat(old, 1), ErrorCode::rebalance_in_progress);
}

TEST(ClassicGroups, MembersThatNeverSyncAreRemoved) {
  ClassicBench test;
  const auto leader = test.join({.session_timeout_ms = 600'000, .version = 3});
  const auto lazy = test.join({.session_timeout_ms = 600'000, .version = 3});
  test.pass_ms(1);
  test.sync(leader.value());
  EXPECT_EQ(test.group().state_name(), "Stable");
  EXPECT_EQ(test.group().holding_up(), std::vector<std::string>{lazy.value().member_id});
  test.pass_ms(60'000);
  EXPECT_EQ(test.group().state_name(), "PreparingRebalance");
  EXPECT_EQ(test.heartbeat(lazy.value().member_id, 1), ErrorCode::unknown_member_id);
}

TEST(ClassicGroups, LeaderThatNeverSyncsIsReplaced) {
  ClassicBench test;
  const auto leader = test.join({.session_timeout_ms = 600'000, .version = 3});
  const auto follower = test.join({.session_timeout_ms = 600'000, .version = 3});
  test.pass_ms(1);
  const auto waiting = test.sync(follower.value());
  test.pass_ms(60'000);
  EXPECT_EQ(waiting.value().error_code, ErrorCode::rebalance_in_progress);
  EXPECT_EQ(test.group().leader(), follower.value().member_id);
}

TEST(ClassicGroups, CompletingRebalanceAnswersTheSameJoinAgain) {
  ClassicBench test;
  const auto joined = test.join_twice();
  test.pass_ms(1);
  const auto again = test.join({.member_id = joined.value().member_id});
  EXPECT_EQ(again.value(), joined.value());
  EXPECT_EQ(test.heartbeat(joined.value().member_id, 1), ErrorCode::none);
}

TEST(ClassicGroups, ChangedMetadataMakeARebalance) {
  ClassicBench test;
  const auto a = test.join({.version = 3});
  const auto b = test.join({.version = 3});
  test.pass_ms(1);
  const auto waiting = test.sync(b.value());
  const auto changed = test.join(
      {.member_id = a.value().member_id, .protocols = {{"range", subscription_to({"t", "u"})}}});
  EXPECT_EQ(waiting.value().error_code, ErrorCode::rebalance_in_progress);
  EXPECT_FALSE(changed.given());
  test.join({.member_id = b.value().member_id});
  EXPECT_EQ(changed.value().generation_id, 2);
}

TEST(ClassicGroups, FollowerThatRejoinsUnchangedIsToldWhatIs) {
  ClassicBench test;
  const auto a = test.join({.version = 3});
  const auto b = test.join({.version = 3});
  test.pass_ms(1);
  test.sync(a.value());
  test.sync(b.value());
  const auto again = test.join({.member_id = b.value().member_id});
  EXPECT_EQ(again.value().generation_id, 1);
  EXPECT_TRUE(again.value().members.empty());
  EXPECT_EQ(test.group().state_name(), "Stable");
  test.join({.member_id = a.value().member_id});
  EXPECT_EQ(test.group().state_name(), "PreparingRebalance");
}

TEST(ClassicGroups, OlderRequestOfTheSameMemberIsAnswered) {
  ClassicBench test;
  test.one_member();
  const auto first = test.join_twice();
  const std::string id = test.group().leader() == test.group().members().begin()->first
                             ? std::string(test.group().members().rbegin()->first)
                             : std::string(test.group().members().begin()->first);
  const auto second = test.join({.member_id = id});
  EXPECT_EQ(first.value().error_code, ErrorCode::unknown_member_id);
  EXPECT_FALSE(second.given());
  EXPECT_EQ(test.group().awaiting_join_count(), 1U);
}

TEST(ClassicGroups, LeavingMembersAreAnsweredOneByOne) {
  ClassicBench test;
  const auto a = test.join({.version = 3});
  const auto b = test.join({.version = 3});
  test.pass_ms(1);
  const auto pending = test.join();
  const auto left = test.leave({{.member_id = a.value().member_id},
                                {.member_id = "stranger"},
                                {.member_id = pending.value().member_id},
                                {.member_id = a.value().member_id}});
  ASSERT_EQ(left.members.size(), 4U);
  EXPECT_EQ(left.members[0].error_code, ErrorCode::none);
  EXPECT_EQ(left.members[1].error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(left.members[2].error_code, ErrorCode::none);
  EXPECT_EQ(left.members[3].error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(left.members[0].group_instance_id, std::nullopt);
  EXPECT_EQ(test.group().state_name(), "PreparingRebalance");
  EXPECT_EQ(test.group().leader(), b.value().member_id);
}

TEST(ClassicGroups, LeavingMemberThatWaitsIsAnswered) {
  ClassicBench test;
  test.one_member();
  const auto joining = test.join_twice();
  std::string id;
  for (const auto& [member_id, member] : test.group().members()) {
    if (member->awaits_join()) id = member_id;
  }
  test.leave({{.member_id = id}});
  EXPECT_EQ(joining.value().error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(joining.value().member_id, "");
}

TEST(ClassicGroups, LoadedGroupIsWhatTheRecordsSay) {
  ClassicBench test;
  const std::string id = test.one_member();
  ClassicMachine other;
  test.bench.replay_into(other);
  MachineBench loaded(other);
  loaded.turn(
      [&](Turn& turn) { other.loaded(turn, std::make_shared<const metadata::MetadataImage>()); });
  const auto* group = other.groups().find_as<ClassicGroup>("g");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->value(), test.group().value());
  EXPECT_EQ(group->state_name(), "Stable");
  EXPECT_TRUE(group->is_subscribed_to("t"));
  EXPECT_FALSE(group->is_subscribed_to("u"));
  loaded.pass(env::milliseconds(10'001));
  EXPECT_EQ(group->state_name(), "Empty");
}

TEST(ClassicGroups, TombstoneRemovesTheGroup) {
  ClassicBench test;
  test.join();
  test.bench.turn([&](Turn& turn) { test.group().append_tombstones(turn); });
  EXPECT_EQ(test.find(), nullptr);
}

TEST(ClassicGroups, MachineThatGoesAwayTellsThoseWhoWait) {
  JoinAnswer joined;
  {
    ClassicBench test;
    joined = test.join_twice();
    ASSERT_FALSE(joined.given());
  }
  EXPECT_EQ(joined.result().error().code, ErrorCode::not_coordinator);
}

}  // namespace
}  // namespace arus::coordinator
