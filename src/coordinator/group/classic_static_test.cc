#include <gtest/gtest.h>

#include <string>

#include "coordinator/group/classic_groups_testing.h"

namespace arus::coordinator {
namespace {

// A stable group of the static members "a", which leads, and "b".
class StaticMembers : public testing::Test {
 protected:
  void SetUp() override {
    a = test.join({.instance_id = "a", .session_timeout_ms = 30'000});
    b = test.join({.instance_id = "b", .session_timeout_ms = 30'000});
    test.pass_ms(1);
    const auto waiting = test.sync(b.value());
    test.sync(a.value(), {{a.value().member_id, "of a"}, {b.value().member_id, "of b"}});
    ASSERT_EQ(waiting.value().assignment, text_bytes("of b"));
    ASSERT_EQ(test.group().state_name(), "Stable");
  }

  ClassicBench test;
  JoinAnswer a;
  JoinAnswer b;
};

TEST_F(StaticMembers, NeedNoIdFirstAndAreNamedAfterTheirInstance) {
  EXPECT_EQ(a.value().error_code, ErrorCode::none);
  EXPECT_EQ(a.value().member_id.substr(0, 2), "a-");
  EXPECT_EQ(a.value().members.size(), 2U);
  EXPECT_EQ(a.value().members[0].group_instance_id, "a");
  EXPECT_EQ(test.stored().members[1].group_instance_id, "b");
}

TEST_F(StaticMembers, RejoinWithSameInstanceIdFencesTheOldMember) {
  const auto again = test.join({.instance_id = "b"});
  ASSERT_TRUE(again.given());
  EXPECT_EQ(again.value().error_code, ErrorCode::none);
  EXPECT_EQ(again.value().generation_id, 1);
  EXPECT_NE(again.value().member_id, b.value().member_id);
  EXPECT_FALSE(again.value().skip_assignment);
  EXPECT_EQ(test.group().state_name(), "Stable");

  EXPECT_EQ(test.heartbeat(b.value().member_id, 1, "b"), ErrorCode::fenced_instance_id);
  EXPECT_EQ(test.heartbeat(b.value().member_id, 1), ErrorCode::unknown_member_id);
  EXPECT_EQ(test.sync(b.value(), {}, "b").value().error_code, ErrorCode::fenced_instance_id);
  EXPECT_EQ(test.join({.member_id = b.value().member_id, .instance_id = "b"}).value().error_code,
            ErrorCode::fenced_instance_id);
  EXPECT_EQ(test.heartbeat(again.value().member_id, 1, "b"), ErrorCode::none);
  EXPECT_EQ(test.sync(again.value(), {}, "b").value().assignment, text_bytes("of b"));
}

TEST_F(StaticMembers, ReplacementIsStored) {
  const auto again = test.join({.instance_id = "b", .session_timeout_ms = 20'000});
  const auto value = test.stored();
  EXPECT_EQ(value.generation, 1);
  ASSERT_EQ(value.members.size(), 2U);
  EXPECT_EQ(value.members[1].member_id, again.value().member_id);
  EXPECT_EQ(value.members[1].session_timeout, 20'000);
  EXPECT_EQ(value.members[1].assignment, text_bytes("of b"));
}

TEST_F(StaticMembers, LeaderThatComesBackNeedNotAssign) {
  const auto again = test.join({.instance_id = "a"});
  EXPECT_TRUE(again.value().skip_assignment);
  EXPECT_EQ(again.value().leader, again.value().member_id);
  EXPECT_EQ(again.value().members.size(), 2U);
  EXPECT_EQ(test.group().leader(), again.value().member_id);
  EXPECT_EQ(test.stored().leader, again.value().member_id);
}

TEST_F(StaticMembers, OldLeaderIsNotToldThatItLeadsAgain) {
  const auto again = test.join({.instance_id = "a", .version = 8});
  EXPECT_FALSE(again.value().skip_assignment);
  EXPECT_EQ(again.value().leader, a.value().member_id);
  EXPECT_TRUE(again.value().members.empty());
  EXPECT_EQ(test.group().leader(), again.value().member_id);
}

TEST_F(StaticMembers, OtherProtocolMakesARebalance) {
  const auto both = std::vector<std::pair<std::string, Slice>>{{"sticky", subscription_to({"t"})},
                                                               {"range", subscription_to({"t"})}};
  // All offer "sticky" once the second comes, and most prefer it.
  const auto first = test.join({.instance_id = "b", .protocols = both});
  EXPECT_EQ(first.value().error_code, ErrorCode::none);
  EXPECT_EQ(test.group().state_name(), "Stable");
  const auto second = test.join({.instance_id = "a", .protocols = both});
  EXPECT_FALSE(second.given());
  EXPECT_EQ(test.group().state_name(), "PreparingRebalance");
}

TEST_F(StaticMembers, ReplacementThatDoesNotFitIsTakenBack) {
  test.machine.settings().max_batch_bytes = 200;
  const std::size_t stored = test.bench.log().size();
  const auto again = test.join({.instance_id = "a", .session_timeout_ms = 20'000});
  EXPECT_EQ(again.value().error_code, ErrorCode::unknown_server_error);
  EXPECT_EQ(again.value().member_id, "");
  EXPECT_EQ(again.value().leader, a.value().member_id);
  EXPECT_EQ(test.bench.log().size(), stored);
  EXPECT_EQ(test.heartbeat(a.value().member_id, 1, "a"), ErrorCode::none);
  EXPECT_EQ(test.group().leader(), a.value().member_id);
  EXPECT_EQ(test.group().member(a.value().member_id)->session_timeout_ms(), 30'000);
}

TEST_F(StaticMembers, StayInTheGroupWhileARebalanceIsDone) {
  test.join_twice();
  test.join({.member_id = a.value().member_id, .instance_id = "a"});
  for (int i = 0; i < 3; ++i) {
    test.pass_ms(20'000);
    test.heartbeat(b.value().member_id, 1, "b");
  }
  EXPECT_EQ(test.group().state_name(), "CompletingRebalance");
  EXPECT_EQ(test.group().generation(), 2);
  EXPECT_NE(test.group().static_member("b"), nullptr);
}

TEST_F(StaticMembers, RebalanceWithoutAnyOfThemWaits) {
  test.leave({{.member_id = "", .group_instance_id = "a"}});
  for (int i = 0; i < 4; ++i) {
    test.pass_ms(20'000);
    EXPECT_EQ(test.heartbeat(b.value().member_id, 1, "b"), ErrorCode::rebalance_in_progress);
  }
  test.pass_ms(30'001);
  EXPECT_EQ(test.group().state_name(), "Empty");
}

TEST_F(StaticMembers, ReplacedWhileTheyWaitAreToldAtOnce) {
  test.join_twice();
  test.join({.member_id = a.value().member_id, .instance_id = "a"});
  const auto waiting = test.join({.member_id = b.value().member_id, .instance_id = "b"});
  // All are there: the generation is complete, and what waits now is a sync.
  const auto syncing = test.sync(waiting.value(), {}, "b");
  ASSERT_FALSE(syncing.given());
  const auto newer = test.join({.instance_id = "b"});
  EXPECT_EQ(syncing.value().error_code, ErrorCode::fenced_instance_id);
  EXPECT_FALSE(newer.given());
  EXPECT_EQ(test.group().state_name(), "PreparingRebalance");
  const auto newest = test.join({.instance_id = "b"});
  EXPECT_EQ(newer.value().error_code, ErrorCode::fenced_instance_id);
  EXPECT_FALSE(newest.given());
}

TEST_F(StaticMembers, AreRemovedByTheirInstanceId) {
  const auto left = test.leave({{.member_id = "", .group_instance_id = "b"},
                                {.member_id = "", .group_instance_id = "c"},
                                {.member_id = "x", .group_instance_id = "a"},
                                {.member_id = ""}});
  EXPECT_EQ(left.members[0].error_code, ErrorCode::none);
  EXPECT_EQ(left.members[0].group_instance_id, "b");
  EXPECT_EQ(left.members[0].member_id, "");
  EXPECT_EQ(left.members[1].error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(left.members[2].error_code, ErrorCode::fenced_instance_id);
  EXPECT_EQ(left.members[3].error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(test.group().static_member("b"), nullptr);
}

TEST_F(StaticMembers, UnknownInstanceIsAnUnknownMember) {
  EXPECT_EQ(test.heartbeat(a.value().member_id, 1, "z"), ErrorCode::unknown_member_id);
  EXPECT_EQ(test.join({.member_id = a.value().member_id, .instance_id = "z"}).value().error_code,
            ErrorCode::unknown_member_id);
}

}  // namespace
}  // namespace arus::coordinator
