#include "client/assignor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace arus::client {
namespace {

using Names = std::vector<TopicPartition>;

GroupMemberSubscription wants(std::vector<std::string> topics, Names owned = {},
                              std::int32_t generation = -1) {
  GroupMemberSubscription member;
  member.subscription.topics = std::move(topics);
  member.subscription.owned = std::move(owned);
  member.subscription.generation = generation;
  return member;
}

Names names(const std::string& topic, std::int32_t first, std::int32_t end) {
  Names all;
  for (std::int32_t i = first; i < end; ++i) all.push_back({topic, i});
  return all;
}

// Every partition that somebody wants is given once, to a member that wants it.
void expect_whole(const AssignmentInput& input, const GroupAssignment& assignment) {
  std::set<TopicPartition> given;
  for (const auto& [id, share] : assignment) {
    ASSERT_TRUE(input.members.contains(id));
    for (const auto& name : share.partitions) {
      EXPECT_TRUE(given.insert(name).second) << name.to_string() << " has two owners";
      const auto& topics = input.members.at(id).subscription.topics;
      EXPECT_NE(std::ranges::find(topics, name.topic), topics.end());
    }
  }
  std::set<TopicPartition> wanted;
  for (const auto& [topic, count] : input.partition_counts) {
    for (const auto& [id, member] : input.members) {
      const auto& topics = member.subscription.topics;
      if (std::ranges::find(topics, topic) == topics.end()) continue;
      for (const auto& name : names(topic, 0, count)) wanted.insert(name);
    }
  }
  EXPECT_EQ(given, wanted);
}

// The group as it is when everybody has done what an assignment says, and joins again.
AssignmentInput settled(AssignmentInput input, const GroupAssignment& assignment,
                        std::int32_t generation) {
  for (auto& [id, member] : input.members) {
    member.subscription.owned = assignment.at(id).partitions;
    member.subscription.generation = generation;
  }
  return input;
}

// A partition may only pass to another member in a step in which nobody owns it.
void expect_no_second_owner(const AssignmentInput& input, const GroupAssignment& assignment) {
  for (const auto& [id, share] : assignment) {
    for (const auto& name : share.partitions) {
      for (const auto& [other, member] : input.members) {
        if (other == id) continue;
        const auto& owned = member.subscription.owned;
        EXPECT_EQ(std::ranges::find(owned, name), owned.end())
            << name.to_string() << " still belongs to " << other;
      }
    }
  }
}

TEST(RangeAssignor, GivesTheFirstMembersOneMoreOfEachTopic) {
  AssignmentInput input;
  input.members = {{"a", wants({"t", "u"})}, {"b", wants({"t", "u"})}};
  input.partition_counts = {{"t", 3}, {"u", 3}};
  const auto assignment = range_assignor()->assign(input);
  EXPECT_EQ(assignment.at("a").partitions, (Names{{"t", 0}, {"t", 1}, {"u", 0}, {"u", 1}}));
  EXPECT_EQ(assignment.at("b").partitions, (Names{{"t", 2}, {"u", 2}}));
}

TEST(RangeAssignor, OrdersStaticMembersByInstanceBeforeOthers) {
  AssignmentInput input;
  input.members = {{"a", wants({"t"})}, {"b", wants({"t"})}, {"c", wants({"t"})}};
  input.members["c"].instance_id = "1";
  input.members["b"].instance_id = "2";
  input.partition_counts = {{"t", 3}};
  const auto assignment = range_assignor()->assign(input);
  EXPECT_EQ(assignment.at("c").partitions, (Names{{"t", 0}}));
  EXPECT_EQ(assignment.at("b").partitions, (Names{{"t", 1}}));
  EXPECT_EQ(assignment.at("a").partitions, (Names{{"t", 2}}));
}

TEST(RangeAssignor, GivesNothingOfTopicsThatNobodyKnows) {
  AssignmentInput input;
  input.members = {{"a", wants({"absent"})}};
  EXPECT_TRUE(range_assignor()->assign(input).at("a").partitions.empty());
}

TEST(RoundRobinAssignor, GoesOnInTurnOverTopicsAndSkipsWhoDoesNotSubscribe) {
  AssignmentInput input;
  input.members = {{"a", wants({"t"})}, {"b", wants({"t", "u"})}};
  input.partition_counts = {{"t", 3}, {"u", 2}};
  const auto assignment = round_robin_assignor()->assign(input);
  EXPECT_EQ(assignment.at("a").partitions, (Names{{"t", 0}, {"t", 2}}));
  EXPECT_EQ(assignment.at("b").partitions, (Names{{"t", 1}, {"u", 0}, {"u", 1}}));
}

TEST(CooperativeStickyAssignor, TakesFromTheOwnerFirstAndGivesInTheNextStep) {
  const auto assignor = cooperative_sticky_assignor();
  AssignmentInput input;
  input.members = {{"a", wants({"t"}, names("t", 0, 4), 1)}, {"b", wants({"t"})}};
  input.partition_counts = {{"t", 4}};
  const auto first = assignor->assign(input);
  EXPECT_EQ(first.at("a").partitions, names("t", 0, 2));
  EXPECT_TRUE(first.at("b").partitions.empty());
  const auto second = assignor->assign(settled(input, first, 2));
  EXPECT_EQ(second.at("a").partitions, names("t", 0, 2));
  EXPECT_EQ(second.at("b").partitions, names("t", 2, 4));
}

TEST(CooperativeStickyAssignor, BelievesTheNewerGenerationOfTwoOwners) {
  AssignmentInput input;
  input.members = {{"a", wants({"t"}, {{"t", 0}}, 4)}, {"b", wants({"t"}, {{"t", 0}}, 5)}};
  input.partition_counts = {{"t", 1}};
  const auto assignment = cooperative_sticky_assignor()->assign(input);
  EXPECT_TRUE(assignment.at("a").partitions.empty());
  EXPECT_EQ(assignment.at("b").partitions, (Names{{"t", 0}}));
}

TEST(CooperativeStickyAssignor, BelievesNeitherOfTwoOwnersInOneGeneration) {
  AssignmentInput input;
  input.members = {{"a", wants({"t"}, {{"t", 0}}, 5)}, {"b", wants({"t"}, {{"t", 0}}, 5)}};
  input.partition_counts = {{"t", 1}};
  const auto assignment = cooperative_sticky_assignor()->assign(input);
  EXPECT_TRUE(assignment.at("a").partitions.empty());
  EXPECT_TRUE(assignment.at("b").partitions.empty());
}

TEST(CooperativeStickyAssignor, MovesOnlyWhatANewMemberMustHave) {
  AssignmentInput input;
  for (const std::string id : {"a", "b", "c"}) input.members[id] = wants({"t"});
  input.partition_counts = {{"t", 12}};
  const auto assignor = cooperative_sticky_assignor();
  const auto before = assignor->assign(input);
  expect_whole(input, before);
  input = settled(input, before, 1);
  input.members["d"] = wants({"t"});
  const auto step = assignor->assign(input);
  std::size_t kept = 0;
  for (const std::string id : {"a", "b", "c"}) {
    EXPECT_EQ(step.at(id).partitions.size(), 3U);
    for (const auto& name : step.at(id).partitions) {
      const auto& owned = before.at(id).partitions;
      kept += std::ranges::find(owned, name) != owned.end() ? 1U : 0U;
    }
  }
  EXPECT_EQ(kept, 9U);
}

TEST(CooperativeStickyAssignor, IgnoresWhatIsOwnedOfTopicsThatAreGone) {
  AssignmentInput input;
  input.members = {{"a", wants({"t"}, {{"gone", 0}, {"t", 7}}, 1)}};
  input.partition_counts = {{"t", 2}};
  const auto assignment = cooperative_sticky_assignor()->assign(input);
  EXPECT_EQ(assignment.at("a").partitions, names("t", 0, 2));
}

// Random groups whose members come and go and change what they want.
TEST(CooperativeStickyAssignor, ComesToAWholeAndEvenAssignmentInAFewSteps) {
  const auto assignor = cooperative_sticky_assignor();
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random{seed};
    const auto below = [&](std::uint32_t bound) { return random() % bound; };
    AssignmentInput input;
    for (std::uint32_t t = 0; t <= below(5); ++t) {
      input.partition_counts["t" + std::to_string(t)] = static_cast<std::int32_t>(1 + below(20));
    }
    const bool uniform = below(2) == 0;
    std::int32_t generation = 0;
    for (int change = 0; change < 4; ++change) {
      const std::string id = "m" + std::to_string(below(8));
      if (input.members.size() > 1 && below(3) == 0) {
        input.members.erase(input.members.begin());
      } else {
        std::vector<std::string> topics;
        for (const auto& [topic, count] : input.partition_counts) {
          if (uniform || below(2) == 0) topics.push_back(topic);
        }
        input.members[id].subscription.topics = topics;
      }
      GroupAssignment assignment;
      for (int step = 0; step < 3; ++step) {
        assignment = assignor->assign(input);
        expect_no_second_owner(input, assignment);
        input = settled(input, assignment, ++generation);
      }
      expect_whole(input, assignment);
      EXPECT_EQ(assignor->assign(input).size(), assignment.size());
      for (const auto& [member, share] : assignor->assign(input)) {
        EXPECT_EQ(std::set(share.partitions.begin(), share.partitions.end()),
                  std::set(assignment.at(member).partitions.begin(),
                           assignment.at(member).partitions.end()))
            << "an assignment that nothing has changed moves";
      }
      if (!uniform) continue;
      std::size_t least = SIZE_MAX;
      std::size_t most = 0;
      for (const auto& [member, share] : assignment) {
        least = std::min(least, share.partitions.size());
        most = std::max(most, share.partitions.size());
      }
      EXPECT_LE(most, least + 1);
    }
  }
}

TEST(Assignors, AreFoundByClassNameAndByNameOnTheWire) {
  const auto by_class =
      find_assignor("org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
  ASSERT_TRUE(by_class);
  EXPECT_EQ((*by_class)->name(), "cooperative-sticky");
  ASSERT_TRUE(find_assignor("roundrobin"));
  EXPECT_FALSE(find_assignor("sticky"));
}

}  // namespace
}  // namespace arus::client
