#include <gtest/gtest.h>

#include "coordinator/group/consumer_groups_testing.h"

namespace arus::coordinator {
namespace {

PartitionSet of_t(std::vector<std::int32_t> partitions) {
  if (partitions.empty()) return {};
  return {{id_of("t"), std::move(partitions)}};
}

// Two members that share the four partitions of "t" evenly and stand still.
struct TwoMembers : ConsumerBench {
  TwoMembers() {
    EXPECT_TRUE(join("a"));
    EXPECT_TRUE(join("b"));
    // "a" is told to give up two, does so, and "b" gets them.
    const auto told = send(beating("a", 2));
    const auto kept = partitions_in(told->assignment);
    EXPECT_TRUE(send(beating("a", 2, kept)));
    EXPECT_TRUE(send(beating("b", 3)));
  }
};

TEST(ConsumerGroups, FirstMemberGetsAllInItsFirstAnswer) {
  ConsumerBench test;
  const auto answer = test.join("a");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->error_code, ErrorCode::none);
  EXPECT_EQ(answer->member_id, "a");
  EXPECT_EQ(answer->member_epoch, 2);
  EXPECT_EQ(answer->heartbeat_interval_ms, 5'000);
  EXPECT_EQ(partitions_in(answer->assignment), of_t({0, 1, 2, 3}));
  EXPECT_EQ(test.group()->state_name(), "Stable");
  // As Kafka writes them: member, epoch, target, epoch of the target, what the member has.
  std::vector<std::int16_t> types;
  for (const auto& logged : test.bench.log()) {
    types.push_back(*protocol::coordinator_prefix(logged.record.key));
  }
  EXPECT_EQ(types, (std::vector<std::int16_t>{5, 3, 7, 6, 8}));
}

TEST(ConsumerGroups, HeartbeatOfSomebodyUpToDateStoresNothingAndSaysNoAssignment) {
  ConsumerBench test;
  EXPECT_TRUE(test.join("a"));
  const auto stored = test.bench.log().size();
  const auto answer = test.send(ConsumerBench::beating("a", 2));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->member_epoch, 2);
  EXPECT_FALSE(answer->assignment);
  EXPECT_EQ(test.bench.log().size(), stored);
}

TEST(ConsumerGroups, PartitionMovesOnlyAfterItsOwnerHasGivenItUp) {
  ConsumerBench test;
  EXPECT_TRUE(test.join("a"));
  const auto joined = test.join("b");
  EXPECT_EQ(joined->member_epoch, 3);
  EXPECT_EQ(partitions_in(joined->assignment), PartitionSet{});
  EXPECT_EQ(test.member("b").current().state, MemberState::unreleased_partitions);
  EXPECT_EQ(test.group()->state_name(), "Reconciling");

  // "a" stays in its epoch while it has something to give up, and says so.
  const auto told = test.send(ConsumerBench::beating("a", 2));
  EXPECT_EQ(told->member_epoch, 2);
  const auto kept = partitions_in(told->assignment);
  EXPECT_EQ(count(kept), 2U);
  EXPECT_EQ(test.member("a").current().state, MemberState::unrevoked_partitions);
  EXPECT_EQ(test.group()->holding_up(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(test.send(ConsumerBench::beating("a", 2, of_t({0, 1, 2, 3})))->member_epoch, 2);
  EXPECT_FALSE(test.send(ConsumerBench::beating("b", 3))->assignment);

  EXPECT_EQ(test.send(ConsumerBench::beating("a", 2, kept))->member_epoch, 3);
  const auto given = test.send(ConsumerBench::beating("b", 3));
  EXPECT_EQ(count(partitions_in(given->assignment)), 2U);
  EXPECT_EQ(test.group()->state_name(), "Stable");
  EXPECT_TRUE(test.group()->holding_up().empty());
}

TEST(ConsumerGroups, MemberThatDoesNotGiveUpInTimeIsRemoved) {
  ConsumerBench test;
  EXPECT_TRUE(test.join("a"));
  EXPECT_TRUE(test.join("b"));
  EXPECT_TRUE(test.send(ConsumerBench::beating("a", 2)));
  for (int i = 0; i < 2; ++i) {
    test.bench.pass(env::seconds(25));
    EXPECT_TRUE(test.send(ConsumerBench::beating("a", 2)));
    EXPECT_TRUE(test.send(ConsumerBench::beating("b", 3)));
  }
  test.bench.pass(env::seconds(11));
  EXPECT_EQ(test.group()->member("a"), nullptr);
  EXPECT_EQ(partitions_in(test.send(ConsumerBench::beating("b", 3))->assignment),
            of_t({0, 1, 2, 3}));
}

TEST(ConsumerGroups, SilentMemberIsRemovedAfterItsSession) {
  TwoMembers test;
  for (int i = 0; i < 4; ++i) {
    test.bench.pass(env::seconds(15));
    const auto epoch = test.member("b").current().epoch;
    EXPECT_TRUE(test.send(ConsumerBench::beating("b", epoch)));
  }
  EXPECT_EQ(test.group()->member("a"), nullptr);
  EXPECT_EQ(count(partitions_of(test.member("b").current().assigned)), 4U);
}

TEST(ConsumerGroups, LeavingFreesPartitionsAtOnce) {
  TwoMembers test;
  const auto left = test.send(ConsumerBench::beating("a", leaving_epoch));
  EXPECT_EQ(left->member_epoch, leaving_epoch);
  EXPECT_EQ(left->member_id, "a");
  EXPECT_EQ(test.group()->epoch(), 4);
  EXPECT_EQ(test.group()->state_name(), "Assigning");
  const auto answer = test.send(ConsumerBench::beating("b", 3));
  EXPECT_EQ(partitions_in(answer->assignment), of_t({0, 1, 2, 3}));
  EXPECT_EQ(answer->member_epoch, 4);
  EXPECT_TRUE(test.send(ConsumerBench::beating("b", leaving_epoch)));
  EXPECT_EQ(test.group()->state_name(), "Empty");
  EXPECT_EQ(test.group()->metadata_hash(), 0);
}

TEST(ConsumerGroups, WrongEpochsAreFenced) {
  TwoMembers test;
  const auto ahead = test.send(ConsumerBench::beating("a", 9));
  EXPECT_EQ(ahead.error().code, ErrorCode::fenced_member_epoch);
  EXPECT_EQ(ahead.error().message,
            "The consumer group member has a greater member epoch (9) than the one known by the "
            "group coordinator (3). The member must abandon all its partitions and rejoin.");
  EXPECT_EQ(test.send(ConsumerBench::beating("a", 1)).error().code, ErrorCode::fenced_member_epoch);
  // The previous epoch passes with what was assigned, since the answer may have been lost.
  const auto assigned = partitions_of(test.member("a").current().assigned);
  EXPECT_TRUE(test.send(ConsumerBench::beating("a", 2, assigned)));
  EXPECT_EQ(test.send(ConsumerBench::beating("a", 2)).error().code, ErrorCode::fenced_member_epoch);
  EXPECT_EQ(test.send(ConsumerBench::beating("a", 2, of_t({0, 1, 2, 3}))).error().code,
            ErrorCode::fenced_member_epoch);
  // Who was fenced begins again.
  const auto again = test.send(ConsumerBench::joining("a"));
  ASSERT_TRUE(again);
  EXPECT_EQ(partitions_in(again->assignment), assigned);
}

TEST(ConsumerGroups, UnknownGroupsAndMembersAreNamed) {
  ConsumerBench test;
  const auto no_group = test.send(ConsumerBench::beating("a", 1));
  EXPECT_EQ(no_group.error().code, ErrorCode::group_id_not_found);
  EXPECT_EQ(no_group.error().message, "Consumer group g not found.");
  EXPECT_TRUE(test.join("a"));
  const auto no_member = test.send(ConsumerBench::beating("x", 1));
  EXPECT_EQ(no_member.error().code, ErrorCode::unknown_member_id);
  EXPECT_EQ(no_member.error().message, "Member x is not a member of group g.");
}

TEST(ConsumerGroups, FullGroupTakesNobodyElse) {
  auto settings = ConsumerBench::quick();
  settings.consumer_max_size = 1;
  ConsumerBench test({{"t", 4}}, settings);
  EXPECT_TRUE(test.join("a"));
  const auto refused = test.join("b");
  EXPECT_EQ(refused.error().code, ErrorCode::group_max_size_reached);
  EXPECT_TRUE(test.join("a"));
}

TEST(ConsumerGroups, NewPartitionsAndTopicsBringANewEpoch) {
  ConsumerBench test;
  EXPECT_TRUE(test.join("a", {"t", "later"}));
  test.set_topics({{"t", 6}, {"other", 3}});
  const auto grown = test.send(ConsumerBench::beating("a", 2));
  EXPECT_EQ(grown->member_epoch, 3);
  EXPECT_EQ(count(partitions_in(grown->assignment)), 6U);
  test.set_topics({{"t", 6}, {"other", 3}, {"later", 2}});
  const auto created = test.send(ConsumerBench::beating("a", 3));
  EXPECT_EQ(created->member_epoch, 4);
  EXPECT_EQ(count(partitions_in(created->assignment)), 8U);
  // A topic that nobody reads changes nothing.
  const auto stored = test.bench.log().size();
  test.set_topics({{"t", 6}, {"other", 4}, {"later", 2}});
  EXPECT_TRUE(test.send(ConsumerBench::beating("a", 4)));
  EXPECT_EQ(test.bench.log().size(), stored);
}

TEST(ConsumerGroups, DeletedTopicIsTakenFromItsMembers) {
  ConsumerBench test({{"t", 4}, {"u", 2}});
  EXPECT_TRUE(test.join("a", {"t", "u"}));
  test.set_topics({{"t", 4}});
  const auto told = test.send(ConsumerBench::beating("a", 2));
  EXPECT_EQ(partitions_in(told->assignment), of_t({0, 1, 2, 3}));
  EXPECT_EQ(test.send(ConsumerBench::beating("a", 2, of_t({0, 1, 2, 3})))->member_epoch, 3);
}

TEST(ConsumerGroups, ChangedSubscriptionTakesTheTopicAtOnce) {
  ConsumerBench test({{"t", 4}, {"u", 2}});
  EXPECT_TRUE(test.join("a", {"t", "u"}));
  auto changed = ConsumerBench::beating("a", 2);
  changed.subscribed_topic_names = {"t"};
  const auto told = test.send(changed);
  EXPECT_EQ(partitions_in(told->assignment), of_t({0, 1, 2, 3}));
  EXPECT_EQ(test.group()->epoch(), 3);
}

TEST(ConsumerGroups, AssignmentsWaitForTheirInterval) {
  auto settings = ConsumerBench::quick();
  settings.consumer_assignment_interval_ms = 1'000;
  ConsumerBench test({{"t", 4}}, settings);
  EXPECT_TRUE(test.join("a"));
  const auto joined = test.join("b");
  EXPECT_EQ(joined->member_epoch, 2);
  EXPECT_EQ(test.group()->epoch(), 3);
  EXPECT_EQ(test.group()->state_name(), "Assigning");
  test.bench.pass(env::milliseconds(1'001));
  EXPECT_TRUE(test.send(ConsumerBench::beating("b", 2)));
  EXPECT_EQ(test.group()->assignment_epoch(), 3);
}

TEST(ConsumerGroups, GroupsHaveSettingsOfTheirOwnWithinTheBroker) {
  ConsumerBench test;
  test.set_group_config("consumer.heartbeat.interval.ms", "7000");
  EXPECT_EQ(test.join("a")->heartbeat_interval_ms, 7'000);
  test.set_group_config("consumer.heartbeat.interval.ms", "70000");
  EXPECT_EQ(test.send(ConsumerBench::beating("a", 2))->heartbeat_interval_ms, 15'000);
  test.set_group_config("consumer.session.timeout.ms", "50000");
  EXPECT_TRUE(test.send(ConsumerBench::beating("a", 2)));
  test.bench.pass(env::seconds(46));
  EXPECT_NE(test.group()->member("a"), nullptr);
  test.bench.pass(env::seconds(5));
  EXPECT_EQ(test.group()->member("a"), nullptr);
}

TEST(ConsumerGroups, MostMembersChooseTheAssignor) {
  ConsumerBench test({{"t", 3}, {"u", 3}});
  for (const auto* const id : {"a", "b", "c"}) {
    auto request = ConsumerBench::joining(id, {"t", "u"});
    request.server_assignor = id == std::string("a") ? "uniform" : "range";
    EXPECT_TRUE(test.send(request));
  }
  EXPECT_EQ(test.group()->preferred_assignor(), "range");
  // Ranges give each a partition of each.
  for (const auto& [id, target] : test.group()->targets()) EXPECT_EQ(target.size(), 2U) << id;
}

TEST(ConsumerGroups, CommitsAreCheckedAgainstTheMembersEpoch) {
  TwoMembers test;
  const auto commit = [&](const char* member, std::int32_t epoch, std::int16_t version = 9) {
    return test.group()->check_offset_commit(
        {.member_id = member, .generation_or_epoch = epoch, .api_version = version});
  };
  EXPECT_TRUE(commit("a", 3));
  EXPECT_EQ(commit("a", 4).error().code, ErrorCode::stale_member_epoch);
  EXPECT_EQ(commit("x", 3).error().code, ErrorCode::unknown_member_id);
  EXPECT_EQ(commit("a", 3, 8).error().code, ErrorCode::unsupported_version);
  EXPECT_EQ(commit("", -1).error().code, ErrorCode::unknown_member_id);
  // What it has owned since an older epoch it may still commit in that.
  const auto& owned = test.member("a").current().assigned.front();
  const OffsetCommitter older{.member_id = "a", .generation_or_epoch = 2, .api_version = 9};
  EXPECT_TRUE(commit("a", 2));
  EXPECT_TRUE(
      test.group()->check_partition_commit(older, owned.topic, owned.partitions[0].partition));
  const auto& other = test.member("b").current().assigned.front();
  EXPECT_EQ(test.group()
                ->check_partition_commit(older, other.topic, other.partitions[0].partition)
                .error()
                .code,
            ErrorCode::stale_member_epoch);
}

TEST(ConsumerGroups, DeletingAnEmptyGroupLeavesNothing) {
  ConsumerBench test;
  EXPECT_TRUE(test.join("a"));
  EXPECT_EQ(test.group()->check_delete().error().code, ErrorCode::non_empty_group);
  EXPECT_TRUE(test.send(ConsumerBench::beating("a", leaving_epoch)));
  ASSERT_TRUE(test.group()->check_delete());
  test.bench.turn([&](Turn& turn) { test.group()->append_tombstones(turn); });
  EXPECT_EQ(test.group(), nullptr);
  ConsumerMachine replayed;
  test.bench.replay_into(replayed);
  EXPECT_EQ(replayed.groups().size(), 0U);
}

TEST(ConsumerGroups, DescriptionNamesTopicsOfBothAssignments) {
  ConsumerBench test;
  EXPECT_TRUE(test.join("a"));
  EXPECT_TRUE(test.join("b"));
  const auto described = test.machine.consumer().describe(*test.group());
  EXPECT_EQ(described.group_state, "Reconciling");
  EXPECT_EQ(described.group_epoch, 3);
  EXPECT_EQ(described.assignment_epoch, 3);
  EXPECT_EQ(described.assignor_name, "uniform");
  ASSERT_EQ(described.members.size(), 2U);
  const auto& first = described.members[0];
  EXPECT_EQ(first.member_id, "a");
  EXPECT_EQ(first.client_host, "/127.0.0.1");
  EXPECT_EQ(first.member_type, 1);
  EXPECT_EQ(first.assignment.topic_partitions.at(0).topic_name, "t");
  EXPECT_EQ(first.assignment.topic_partitions.at(0).partitions.size(), 4U);
  EXPECT_EQ(first.target_assignment.topic_partitions.at(0).partitions.size(), 2U);
}

TEST(ConsumerGroups, LoadedMembersHaveTheirSessionsAgain) {
  TwoMembers test;
  ConsumerMachine loaded(ConsumerBench::quick());
  test.bench.replay_into(loaded);
  MachineBench bench(loaded, test.bench.now());
  bench.turn([&](Turn& turn) { loaded.loaded(turn, test.machine.image()); });
  const auto* const group = loaded.groups().find_as<ConsumerGroup>("g");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(stored_state(*group), stored_state(*test.group()));
  bench.pass(env::seconds(46));
  EXPECT_FALSE(group->has_members());
}

// A member that misses its heartbeats will be removed at a time that is known: the others come
// then.
TEST(ConsumerGroups, MembersComeWhenTheSessionOfASilentOneEnds) {
  TwoMembers test;
  const auto beat = [&] {
    return *test.send(ConsumerBench::beating("b", test.member("b").current().epoch));
  };
  test.bench.pass(env::milliseconds(500));
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(beat().heartbeat_interval_ms, 5'000) << i;
    test.bench.pass(env::seconds(5));
  }
  const std::int32_t early = beat().heartbeat_interval_ms;
  EXPECT_GE(early, 4'510);
  EXPECT_LT(early, 4'600);
  test.bench.pass(env::milliseconds(early));
  EXPECT_EQ(test.group()->member("a"), nullptr);
  const auto news = beat();
  EXPECT_EQ(partitions_in(news.assignment), of_t({0, 1, 2, 3}));
  EXPECT_EQ(news.heartbeat_interval_ms, 5'000);
}

}  // namespace
}  // namespace arus::coordinator
