#include "cli/group_view.h"

#include <gtest/gtest.h>

namespace arus::cli {
namespace {

client::GroupMember member(std::string id, std::int32_t epoch,
                           std::vector<TopicPartition> assignment,
                           std::vector<TopicPartition> target) {
  client::GroupMember member;
  member.id = std::move(id);
  member.epoch = epoch;
  member.assignment = std::move(assignment);
  member.target_assignment = std::move(target);
  return member;
}

client::GroupDescription consumer_group(std::int32_t epoch,
                                        std::vector<client::GroupMember> members) {
  client::GroupDescription group;
  group.id = "g";
  group.classic = false;
  group.state = "Reconciling";
  group.group_epoch = epoch;
  group.assignment_epoch = epoch;
  group.members = std::move(members);
  return group;
}

const TopicPartition zero{"t", 0};
const TopicPartition one{"t", 1};

TEST(GroupHoldups, AStableGroupWaitsForNobody) {
  EXPECT_TRUE(find_holdups(consumer_group(5, {member("a", 5, {zero}, {zero})})).empty());
  client::GroupDescription classic;
  classic.state = "Stable";
  EXPECT_TRUE(find_holdups(classic).empty());
}

TEST(GroupHoldups, TheMemberThatKeepsAPartitionIsNamedAndNotTheOneThatWaits) {
  const auto holdups = find_holdups(
      consumer_group(6, {member("a", 5, {zero, one}, {zero}), member("b", 5, {}, {one})}));
  ASSERT_EQ(holdups.size(), 1U);
  EXPECT_EQ(holdups[0].member_id, "a");
  EXPECT_EQ(holdups[0].why, "has to give up t-1 and has not confirmed it; waiting for it: b");
}

TEST(GroupHoldups, AMemberThatOnlyHasToTakeUpTheEpochIsNamed) {
  const auto holdups =
      find_holdups(consumer_group(6, {member("a", 6, {zero}, {zero}), member("b", 5, {}, {one})}));
  ASSERT_EQ(holdups.size(), 1U);
  EXPECT_EQ(holdups[0].member_id, "b");
  EXPECT_EQ(holdups[0].why, "is at epoch 5 and has not taken up epoch 6: its heartbeat is awaited");
}

TEST(GroupHoldups, AnAssignmentThatIsBehindIsTheCoordinatorsTurn) {
  auto group = consumer_group(7, {member("a", 6, {zero}, {zero})});
  group.assignment_epoch = 6;
  const auto holdups = find_holdups(group);
  ASSERT_EQ(holdups.size(), 1U);
  EXPECT_EQ(holdups[0].member_id, "");
}

client::GroupDescription preparing_group() {
  client::GroupDescription group;
  group.state = "PreparingRebalance";
  group.members.resize(3);
  group.members[0].id = "a";
  group.members[1].id = "b";
  group.members[2].id = "c";
  return group;
}

TEST(GroupHoldups, ClassicMembersThatBroughtNothingHaveNotJoined) {
  auto group = preparing_group();
  group.members[0].metadata = Bytes(3);
  group.members[2].metadata = Bytes(3);
  const auto holdups = find_holdups(group);
  ASSERT_EQ(holdups.size(), 1U);
  EXPECT_EQ(holdups[0].member_id, "b");
}

TEST(GroupHoldups, WithoutThatOnlyMembersOfTheGenerationBeforeCanBeLate) {
  auto group = preparing_group();
  group.members[1].assignment_data = Bytes(9);
  auto holdups = find_holdups(group);
  ASSERT_EQ(holdups.size(), 1U);
  EXPECT_EQ(holdups[0].member_id, "b");
  group.members[2].assignment_data = Bytes(9);
  holdups = find_holdups(group);
  ASSERT_EQ(holdups.size(), 1U);
  EXPECT_EQ(holdups[0].member_id, "");
  EXPECT_TRUE(holdups[0].why.ends_with(": b, c")) << holdups[0].why;
}

TEST(GroupHoldups, NewMembersAloneWaitForTheDelay) {
  const auto holdups = find_holdups(preparing_group());
  ASSERT_EQ(holdups.size(), 1U);
  EXPECT_EQ(holdups[0].member_id, "");
}

TEST(GroupHoldups, AClassicLeaderThatDoesNotAssignIsWaitedFor) {
  auto group = preparing_group();
  group.state = "CompletingRebalance";
  ASSERT_EQ(find_holdups(group).size(), 1U);
}

TEST(GroupPartitionView, LagNeedsBothOffsets) {
  GroupPartitionView view;
  view.end = Offset{10};
  EXPECT_FALSE(view.lag());
  view.committed = Offset{4};
  EXPECT_EQ(view.lag(), 6);
}

}  // namespace
}  // namespace arus::cli
