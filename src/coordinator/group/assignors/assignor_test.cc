#include "coordinator/group/assignors/assignor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>

namespace arus::coordinator {
namespace {

Uuid topic_id(std::size_t number) { return Uuid::of_halves(number + 1, 7); }

// Members and what they have, as a group would keep it.
struct Cluster {
  std::vector<AssignedTopic> topics;
  std::map<std::string, std::vector<std::uint32_t>> members;
  std::map<std::string, PartitionSet> assigned;

  explicit Cluster(const std::vector<std::int32_t>& partitions) {
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      topics.push_back({topic_id(i), partitions[i]});
    }
  }
  void subscribe_to_all(const std::string& member) {
    auto& subscribed = members[member];
    subscribed.clear();
    for (std::uint32_t i = 0; i < topics.size(); ++i) subscribed.push_back(i);
  }
  [[nodiscard]] AssignmentInput input() const {
    AssignmentInput input{.topics = topics, .members = {}};
    for (const auto& [id, subscribed] : members) {
      AssignedMember member{.id = id, .instance_id = std::nullopt, .topics = subscribed};
      const auto had = assigned.find(id);
      if (had != assigned.end()) member.previous = &had->second;
      input.members.push_back(std::move(member));
    }
    return input;
  }
  // Assigns, checks what always holds, and gives the number of partitions that changed owners.
  std::size_t assign(Assignor assignor) {
    const auto result = assignor(input());
    EXPECT_EQ(result.size(), members.size());
    std::map<std::pair<Uuid, std::int32_t>, std::string> owners;
    std::size_t index = 0;
    std::size_t moved = 0;
    for (const auto& [id, subscribed] : members) {
      const auto& set = result[index++];
      EXPECT_EQ(set, normalized(set));
      for (const auto& topic : set) {
        EXPECT_TRUE(
            std::ranges::any_of(subscribed, [&](auto i) { return topics[i].id == topic.topic; }));
        for (const auto partition : topic.partitions) {
          EXPECT_TRUE(owners.emplace(std::pair(topic.topic, partition), id).second);
        }
      }
    }
    index = 0;
    std::map<std::string, PartitionSet> next;
    for (const auto& [id, subscribed] : members) next[id] = result[index++];
    for (const auto& [id, set] : assigned) {
      for (const auto& topic : set) {
        for (const auto partition : topic.partitions) {
          const auto now = next.find(id);
          if (now == next.end() || !contains(now->second, topic.topic, partition)) ++moved;
        }
      }
    }
    std::size_t expected = 0;
    for (std::uint32_t i = 0; i < topics.size(); ++i) {
      const bool wanted = std::ranges::any_of(members, [&](const auto& member) {
        return std::ranges::binary_search(member.second, i);
      });
      if (wanted) expected += static_cast<std::size_t>(topics[i].partitions);
    }
    EXPECT_EQ(owners.size(), expected);
    assigned = std::move(next);
    return moved;
  }
  [[nodiscard]] std::pair<std::size_t, std::size_t> spread() const {
    std::size_t least = SIZE_MAX;
    std::size_t most = 0;
    for (const auto& [id, set] : assigned) {
      least = std::min(least, count(set));
      most = std::max(most, count(set));
    }
    return {least, most};
  }
};

TEST(Assignors, AreFoundByNameAndByKafkasClassName) {
  EXPECT_EQ(find_assignor("uniform"), assign_uniformly);
  EXPECT_EQ(find_assignor("range"), assign_ranges);
  EXPECT_EQ(find_assignor("sticky"), nullptr);
  EXPECT_EQ(assignor_name("org.apache.kafka.coordinator.group.assignor.RangeAssignor"), "range");
}

TEST(UniformAssignor, MemberThatJoinsTakesOnlyItsShare) {
  Cluster cluster({10, 20, 7});
  for (int i = 0; i < 5; ++i) cluster.subscribe_to_all("m" + std::to_string(i));
  EXPECT_EQ(cluster.assign(assign_uniformly), 0U);
  EXPECT_EQ(cluster.spread(), std::pair(std::size_t{7}, std::size_t{8}));
  cluster.subscribe_to_all("m9");
  EXPECT_LE(cluster.assign(assign_uniformly), 7U);
  EXPECT_EQ(cluster.spread(), std::pair(std::size_t{6}, std::size_t{7}));
  EXPECT_EQ(cluster.assign(assign_uniformly), 0U);
}

TEST(UniformAssignor, MemberThatLeavesMovesOnlyWhatItHad) {
  Cluster cluster({30});
  for (int i = 0; i < 6; ++i) cluster.subscribe_to_all("m" + std::to_string(i));
  cluster.assign(assign_uniformly);
  cluster.members.erase("m2");
  EXPECT_EQ(cluster.assign(assign_uniformly), 5U);
  EXPECT_EQ(cluster.spread(), std::pair(std::size_t{6}, std::size_t{6}));
}

TEST(UniformAssignor, TopicThatGrowsIsSharedEvenly) {
  Cluster cluster({4});
  for (int i = 0; i < 4; ++i) cluster.subscribe_to_all("m" + std::to_string(i));
  cluster.assign(assign_uniformly);
  cluster.topics[0].partitions = 9;
  EXPECT_EQ(cluster.assign(assign_uniformly), 0U);
  EXPECT_EQ(cluster.spread(), std::pair(std::size_t{2}, std::size_t{3}));
}

TEST(UniformAssignor, MoreMembersThanPartitionsLeavesSomeWithout) {
  Cluster cluster({2});
  for (int i = 0; i < 5; ++i) cluster.subscribe_to_all("m" + std::to_string(i));
  cluster.assign(assign_uniformly);
  EXPECT_EQ(cluster.spread(), std::pair(std::size_t{0}, std::size_t{1}));
}

TEST(UniformAssignor, BalancesWhereSubscriptionsDiffer) {
  Cluster cluster({12, 12});
  cluster.members["both"] = {0, 1};
  cluster.members["first"] = {0};
  cluster.assign(assign_uniformly);
  // Only one can take the second topic; it gives up all of the first.
  EXPECT_EQ(count(cluster.assigned["both"]), 12U);
  // A third of the whole goes over, half of it by way of the one that can take both.
  cluster.members["second"] = {1};
  EXPECT_LE(cluster.assign(assign_uniformly), 12U);
  const auto [least, most] = cluster.spread();
  EXPECT_LE(most - least, 2U);
  EXPECT_EQ(cluster.assign(assign_uniformly), 0U);
}

TEST(RangeAssignor, CopartitionedTopicsGoToTheSameMembers) {
  Cluster cluster({7, 7});
  for (int i = 0; i < 3; ++i) cluster.subscribe_to_all("m" + std::to_string(i));
  cluster.assign(assign_ranges);
  for (const auto& [id, set] : cluster.assigned) {
    ASSERT_EQ(set.size(), 2U);
    EXPECT_EQ(set[0].partitions, set[1].partitions);
  }
  EXPECT_EQ(cluster.assigned["m0"][0].partitions, (std::vector<std::int32_t>{0, 1, 2}));
  EXPECT_EQ(cluster.assigned["m2"][0].partitions, (std::vector<std::int32_t>{5, 6}));
}

TEST(RangeAssignor, StaticMembersComeFirstInOrderOfTheirInstances) {
  AssignmentInput input{.topics = {{topic_id(0), 3}}, .members = {}};
  input.members.push_back({.id = "a", .instance_id = std::nullopt, .topics = {0}});
  input.members.push_back({.id = "b", .instance_id = "z", .topics = {0}});
  input.members.push_back({.id = "c", .instance_id = "y", .topics = {0}});
  const auto result = assign_ranges(input);
  EXPECT_EQ(result[2][0].partitions, std::vector<std::int32_t>{0});
  EXPECT_EQ(result[1][0].partitions, std::vector<std::int32_t>{1});
  EXPECT_EQ(result[0][0].partitions, std::vector<std::int32_t>{2});
}

TEST(Assignors, AnySequenceOfMembersAndTopicsKeepsTheRules) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Cluster cluster({5, 1, 16, 3, 8});
    const Assignor assignor = seed % 3 == 0 ? assign_ranges : assign_uniformly;
    for (int step = 0; step < 30; ++step) {
      const std::string member = "m" + std::to_string(random() % 8);
      switch (random() % 4) {
        case 0:
          cluster.subscribe_to_all(member);
          break;
        case 1: {
          auto& subscribed = cluster.members[member];
          subscribed.clear();
          for (std::uint32_t i = 0; i < cluster.topics.size(); ++i) {
            if (random() % 2 == 0) subscribed.push_back(i);
          }
          break;
        }
        case 2:
          cluster.members.erase(member);
          cluster.assigned.erase(member);
          break;
        default:
          cluster.topics[random() % 5].partitions += 1;
      }
      cluster.assign(assignor);
      if (HasFailure()) return;
    }
  }
}

// Prints what it took; no time is asserted.
TEST(Assignors, AThousandMembersOfTenThousandPartitions) {
  for (const auto& [name, assignor] :
       {std::pair<const char*, Assignor>("uniform", assign_uniformly),
        std::pair<const char*, Assignor>("range", assign_ranges)}) {
    for (const bool alike : {true, false}) {
      Cluster cluster(std::vector<std::int32_t>(100, 100));
      for (int i = 0; i < 1000; ++i) {
        const std::string id = "member-" + std::to_string(10'000 + i);
        cluster.subscribe_to_all(id);
        if (!alike && i % 2 == 0) cluster.members[id].resize(60);
      }
      const auto measure = [&](const char* what) {
        const auto begin = std::chrono::steady_clock::now();
        const auto input = cluster.input();
        const auto result = assignor(input);
        const auto took = std::chrono::steady_clock::now() - begin;
        EXPECT_EQ(result.size(), cluster.members.size());
        std::printf("%s, %s subscriptions, %s: %.1f ms\n", name, alike ? "equal" : "mixed", what,
                    std::chrono::duration<double, std::milli>(took).count());
      };
      measure("new");
      cluster.assign(assignor);
      cluster.subscribe_to_all("one-more");
      measure("one joins");
    }
  }
}

}  // namespace
}  // namespace arus::coordinator
