// Classic members in consumer groups, and groups that change their protocol.
#include <gtest/gtest.h>

#include "base/writer.h"
#include "coordinator/group/consumer_groups_testing.h"
#include "coordinator/group/consumer_protocol.h"

namespace arus::coordinator {
namespace {

using JoinRequest = protocol::JoinGroupRequest;
using JoinResponse = protocol::JoinGroupResponse;
using SyncResponse = protocol::SyncGroupResponse;

Slice subscription(const std::vector<std::string>& topics, const PartitionSet& owned = {}) {
  protocol::ConsumerProtocolSubscription value{.topics = topics};
  for (const auto& topic : owned) value.owned_partitions.push_back({"t", topic.partitions});
  Writer out;
  out.i16(1);
  value.encode(out, 1);
  return Slice(out.take_bytes());
}

struct MigrationBench : ConsumerBench {
  using ConsumerBench::ConsumerBench;

  [[nodiscard]] ClassicGroup* classic() { return machine.groups().find_as<ClassicGroup>("g"); }
  bool is_consumer() { return group() != nullptr; }

  JoinResponse join_classic(const std::string& member, const PartitionSet& owned = {},
                            std::optional<std::string> instance = {}) {
    JoinRequest request;
    request.group_id = "g";
    request.member_id = member;
    request.group_instance_id = std::move(instance);
    request.session_timeout_ms = 10'000;
    request.rebalance_timeout_ms = 60'000;
    request.protocol_type = "consumer";
    auto& protocol = request.protocols.emplace_back();
    protocol.name = "range";
    protocol.metadata = subscription({"t"}, owned);
    Answer<JoinResponse> answer;
    bench.turn([&](Turn& turn) {
      const GroupCaller caller{.client_id = "old", .client_host = "/::1", .api_version = 9};
      if (is_consumer()) {
        machine.consumer().classic_join(turn, caller, request, answer.reply());
      } else {
        machine.classic().join(turn, caller, request, answer.reply());
      }
    });
    bench.pass(env::milliseconds(10));
    EXPECT_TRUE(answer.given());
    return answer.given() ? answer.value() : JoinResponse{};
  }
  // Joins twice, the second time with the id that it was given.
  JoinResponse join_new_classic() { return join_classic(join_classic("").member_id); }

  SyncResponse sync(const std::string& member, std::int32_t generation,
                    const PartitionSet& lead = {}) {
    protocol::SyncGroupRequest request;
    request.group_id = "g";
    request.member_id = member;
    request.generation_id = generation;
    if (!lead.empty()) {
      request.assignments.push_back(
          {.member_id = member, .assignment = write_assignment(lead, *machine.image(), 1)});
    }
    Answer<SyncResponse> answer;
    bench.turn([&](Turn& turn) {
      if (is_consumer()) {
        machine.consumer().classic_sync(turn, {}, request, answer.reply());
      } else {
        machine.classic().sync(turn, {.api_version = 5}, request, answer.reply());
      }
    });
    return answer.value();
  }
  ErrorCode beat_classic(const std::string& member, std::int32_t generation) {
    protocol::HeartbeatRequest request;
    request.group_id = "g";
    request.member_id = member;
    request.generation_id = generation;
    Answer<protocol::HeartbeatResponse> answer;
    bench.turn([&](Turn& turn) {
      if (is_consumer()) {
        machine.consumer().classic_heartbeat(turn, request, answer.reply());
      } else {
        machine.classic().heartbeat(turn, {.api_version = 4}, request, answer.reply());
      }
    });
    return answer.value().error_code;
  }
  PartitionSet assigned(const SyncResponse& response) {
    const auto assignment = read_assignment(response.assignment.view());
    EXPECT_TRUE(assignment);
    return by_id(assignment->assigned_partitions, *machine.image());
  }

  // A classic group of one member that has all of "t"; gives its id.
  std::string classic_group() {
    const auto joined = join_new_classic();
    EXPECT_EQ(joined.error_code, ErrorCode::none);
    EXPECT_EQ(sync(joined.member_id, joined.generation_id, {{id_of("t"), {0, 1, 2, 3}}}).error_code,
              ErrorCode::none);
    return joined.member_id;
  }
};

TEST(Migration, ConsumerMemberMakesAConsumerGroupOfAClassicOne) {
  MigrationBench test;
  const auto old = test.classic_group();
  const auto joined = test.join("new");
  ASSERT_TRUE(joined) << joined.error().message;
  ASSERT_TRUE(test.is_consumer());
  EXPECT_EQ(test.group()->members().size(), 2U);
  EXPECT_TRUE(test.member(old).uses_classic_protocol());
  EXPECT_EQ(count(partitions_of(test.member(old).current().assigned)), 4U);
  EXPECT_EQ(test.group()->state_name(), "Reconciling");

  // The old member hears of it, joins, gives up, and joins again for the rest.
  EXPECT_EQ(test.beat_classic(old, 1), ErrorCode::rebalance_in_progress);
  auto again = test.join_classic(old, {{id_of("t"), {0, 1, 2, 3}}});
  EXPECT_EQ(again.error_code, ErrorCode::none);
  const auto kept = test.assigned(test.sync(old, again.generation_id));
  EXPECT_EQ(count(kept), 2U);
  EXPECT_EQ(test.beat_classic(old, again.generation_id), ErrorCode::rebalance_in_progress);
  again = test.join_classic(old, kept);
  EXPECT_EQ(test.assigned(test.sync(old, again.generation_id)), kept);
  EXPECT_EQ(test.beat_classic(old, again.generation_id), ErrorCode::none);
  const auto given = test.send(ConsumerBench::beating("new", joined->member_epoch));
  EXPECT_EQ(count(partitions_in(given->assignment)), 2U);
  EXPECT_EQ(test.group()->state_name(), "Stable");

  ConsumerMachine replayed;
  test.bench.replay_into(replayed);
  EXPECT_EQ(stored_state(*replayed.groups().find_as<ConsumerGroup>("g")),
            stored_state(*test.group()));
}

TEST(Migration, LastConsumerMemberLeavesAClassicGroupBehind) {
  MigrationBench test;
  const auto old = test.classic_group();
  EXPECT_TRUE(test.join("new"));
  EXPECT_TRUE(test.send(ConsumerBench::beating("new", leaving_epoch)));
  ASSERT_NE(test.classic(), nullptr);
  EXPECT_EQ(test.beat_classic(old, test.classic()->generation()), ErrorCode::rebalance_in_progress);
  const auto again = test.join_classic(old);
  EXPECT_EQ(again.error_code, ErrorCode::none);
  EXPECT_EQ(again.leader, old);
  ConsumerMachine replayed;
  test.bench.replay_into(replayed);
  EXPECT_NE(replayed.groups().find_as<ClassicGroup>("g"), nullptr);
}

TEST(Migration, SilentConsumerMemberLeavesAClassicGroupBehind) {
  MigrationBench test;
  const auto old = test.classic_group();
  EXPECT_TRUE(test.join("new"));
  for (int i = 0; i < 6 && test.is_consumer(); ++i) {
    test.bench.pass(env::seconds(9));
    const auto generation = test.is_consumer() ? test.member(old).current().epoch : 0;
    test.beat_classic(old, generation);
  }
  EXPECT_NE(test.classic(), nullptr);
}

TEST(Migration, PolicyForbidsWhatItForbids) {
  auto settings = ConsumerBench::quick();
  settings.migration_policy = MigrationPolicy::downgrade;
  MigrationBench test({{"t", 4}}, settings);
  test.classic_group();
  const auto refused = test.join("new");
  EXPECT_EQ(refused.error().code, ErrorCode::group_id_not_found);
  EXPECT_EQ(refused.error().message,
            "Cannot upgrade classic group g to consumer group because online upgrade is disabled.");
  EXPECT_NE(test.classic(), nullptr);

  settings.migration_policy = MigrationPolicy::upgrade;
  MigrationBench up({{"t", 4}}, settings);
  const auto old = up.classic_group();
  EXPECT_TRUE(up.join("new"));
  EXPECT_TRUE(up.send(ConsumerBench::beating("new", leaving_epoch)));
  ASSERT_TRUE(up.is_consumer());
  EXPECT_EQ(up.group()->members().size(), 1U);
  // It goes on as a classic member of a consumer group.
  EXPECT_EQ(up.beat_classic(old, up.member(old).current().epoch), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(up.join_classic(old).error_code, ErrorCode::none);
}

TEST(Migration, EmptyClassicGroupBecomesAConsumerGroup) {
  MigrationBench test;
  test.bench.turn([&](Turn&) { test.machine.classic().group_for_offsets("g"); });
  ASSERT_TRUE(test.join("new"));
  EXPECT_TRUE(test.is_consumer());
}

TEST(Migration, ClassicMemberJoinsAConsumerGroup) {
  MigrationBench test;
  EXPECT_TRUE(test.join("new"));
  const auto asked = test.join_classic("");
  EXPECT_EQ(asked.error_code, ErrorCode::member_id_required);
  const auto joined = test.join_classic(asked.member_id);
  EXPECT_EQ(joined.error_code, ErrorCode::none);
  EXPECT_EQ(joined.generation_id, 3);
  EXPECT_EQ(joined.protocol_name, "range");
  EXPECT_TRUE(joined.members.empty());
  EXPECT_EQ(test.assigned(test.sync(asked.member_id, 3)), PartitionSet{});
  EXPECT_EQ(test.sync(asked.member_id, 2).error_code, ErrorCode::illegal_generation);
  EXPECT_EQ(test.sync("new", 2).error_code, ErrorCode::unknown_member_id);
}

TEST(Migration, ClassicMemberThatNeverSyncsIsRemoved) {
  MigrationBench test;
  EXPECT_TRUE(test.join("new"));
  const auto joined = test.join_new_classic();
  for (int i = 0; i < 8; ++i) {
    test.bench.pass(env::seconds(8));
    if (test.group()->member(joined.member_id) == nullptr) break;
    test.beat_classic(joined.member_id, test.member(joined.member_id).current().epoch);
    EXPECT_TRUE(test.send(ConsumerBench::beating("new", test.member("new").current().epoch)));
  }
  EXPECT_EQ(test.group()->member(joined.member_id), nullptr);
}

TEST(Migration, LeaveGroupTakesClassicMembersOnly) {
  MigrationBench test;
  EXPECT_TRUE(test.join("new"));
  const auto joined = test.join_new_classic();
  protocol::LeaveGroupRequest request;
  request.group_id = "g";
  request.members.emplace_back().member_id = joined.member_id;
  request.members.emplace_back().member_id = "new";
  Answer<protocol::LeaveGroupResponse> answer;
  test.bench.turn([&](Turn& turn) {
    test.machine.consumer().classic_leave(turn, {}, request, answer.reply());
  });
  EXPECT_EQ(answer.value().members.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(answer.value().members.at(1).error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(test.group()->members().size(), 1U);
}

TEST(Migration, StaticConsumerMemberIsReplacedByAClassicOne) {
  MigrationBench test;
  auto request = ConsumerBench::joining("new");
  request.instance_id = "i";
  EXPECT_TRUE(test.send(request));
  const auto joined = test.join_classic("", {}, "i");
  EXPECT_EQ(joined.error_code, ErrorCode::none);
  ASSERT_NE(test.classic(), nullptr);
  EXPECT_EQ(test.classic()->members().size(), 1U);
  EXPECT_EQ(joined.leader, joined.member_id);
}

}  // namespace
}  // namespace arus::coordinator
