// Which part of the machine answers, and what administrators see of all of them.
#include "coordinator/group/group_machine.h"

#include <gtest/gtest.h>

#include "coordinator/runtime/machine_testing.h"
#include "protocol/record/consumer_group_metadata_key.h"
#include "protocol/record/consumer_group_metadata_value.h"
#include "protocol/record/share_group_metadata_key.h"
#include "protocol/record/share_group_metadata_value.h"

namespace arus::coordinator {
namespace {

using Described = protocol::DescribeGroupsResponse::DescribedGroup;
using Listed = std::vector<protocol::ListGroupsResponse::ListedGroup>;

class GroupMachineTest : public ::testing::Test {
 protected:
  GroupMachineTest() {
    bench_.turn([&](Turn& turn) {
      machine_.loaded(turn, std::make_shared<const metadata::MetadataImage>());
    });
  }

  void replay(const Record& record) {
    ARUS_ASSERT(machine_.replay({.offset = Offset{0}, .key = record.key, .value = *record.value}));
  }
  // A share group and a consumer group, both without members, as a log has them.
  void replay_groups() {
    replay(Record::of(protocol::ShareGroupMetadataKey{.group_id = "shared"},
                      protocol::ShareGroupMetadataValue{.epoch = 1}, 0));
    replay(Record::of(protocol::ConsumerGroupMetadataKey{.group_id = "modern"},
                      protocol::ConsumerGroupMetadataValue{.epoch = 1}, 0));
  }

  void commit(const std::string& group) {
    Answer<protocol::OffsetCommitResponse> answer;
    protocol::OffsetCommitRequest request;
    request.group_id = group;
    auto& topic = request.topics.emplace_back();
    topic.name = "events";
    topic.partitions.emplace_back().committed_offset = 7;
    bench_.turn([&](Turn& turn) {
      machine_.commit_offsets(turn, {.client_id = "test", .client_host = "/127.0.0.1"}, request,
                              answer.reply());
    });
    EXPECT_EQ(answer.value().topics.front().partitions.front().error_code, ErrorCode::none);
  }
  Listed list(std::vector<std::string> states = {}, std::vector<std::string> types = {}) {
    Answer<Listed> answer;
    bench_.turn([&](Turn& turn) { machine_.list_groups(turn, states, types, answer.reply()); });
    return answer.value();
  }
  Described describe(const std::string& group, std::int16_t version) {
    Answer<Described> answer;
    bench_.turn([&](Turn& turn) { machine_.describe_group(turn, group, version, answer.reply()); });
    return answer.value();
  }
  ErrorCode remove(const std::string& group) {
    Answer<ErrorCode> answer;
    bench_.turn([&](Turn& turn) { machine_.delete_group(turn, group, answer.reply()); });
    return answer.value();
  }
  protocol::JoinGroupResponse join(const std::string& group, const std::string& member = {},
                                   std::int32_t session_timeout_ms = 10'000) {
    Answer<protocol::JoinGroupResponse> answer;
    protocol::JoinGroupRequest request;
    request.group_id = group;
    request.member_id = member;
    request.session_timeout_ms = session_timeout_ms;
    request.rebalance_timeout_ms = 10'000;
    request.protocol_type = "consumer";
    request.protocols.emplace_back().name = "range";
    bench_.turn([&](Turn& turn) {
      machine_.join_group(turn,
                          {.client_id = "test", .client_host = "/127.0.0.1", .api_version = 9},
                          request, answer.reply());
    });
    return answer.value();
  }

  GroupMachine machine_{{}, [] { return std::uint64_t{7}; }, env::TimePoint{}};
  MachineBench bench_{machine_};
};

TEST_F(GroupMachineTest, ListsGroupsOfEveryKindByStateAndType) {
  replay_groups();
  commit("simple");
  const Listed all = list();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].group_id, "modern");
  EXPECT_EQ(all[0].group_type, "consumer");
  EXPECT_EQ(all[1].group_id, "shared");
  EXPECT_EQ(all[1].protocol_type, "share");
  EXPECT_EQ(all[2].group_id, "simple");
  EXPECT_EQ(all[2].group_state, "Empty");
  EXPECT_EQ(list({}, {"Share", "CLASSIC"}).size(), 2U);
  EXPECT_EQ(list({"empty"}).size(), 3U);
  EXPECT_TRUE(list({"Stable"}).empty());
  EXPECT_TRUE(list({}, {"nonsense"}).empty());
}

TEST_F(GroupMachineTest, DescribesUnknownGroupsAsDeadAndSaysSoFromVersion6) {
  replay_groups();
  EXPECT_EQ(describe("nobody", 5).error_code, ErrorCode::none);
  EXPECT_EQ(describe("nobody", 5).group_state, "Dead");
  EXPECT_EQ(describe("nobody", 5).error_message, std::nullopt);
  EXPECT_EQ(describe("nobody", 6).error_code, ErrorCode::group_id_not_found);
  EXPECT_EQ(describe("nobody", 6).error_message, "Group nobody not found.");
  EXPECT_EQ(describe("modern", 6).error_message, "Group modern is not a classic group.");
}

TEST_F(GroupMachineTest, DeletesAGroupWithItsOffsetsOnce) {
  commit("simple");
  EXPECT_EQ(remove("simple"), ErrorCode::none);
  EXPECT_EQ(remove("simple"), ErrorCode::group_id_not_found);
  EXPECT_TRUE(list().empty());
  // What is in the log has gone, too.
  GroupMachine again({}, [] { return std::uint64_t{7}; }, env::TimePoint{});
  bench_.replay_into(again);
  MachineBench other(again);
  Answer<Listed> listed;
  other.turn([&](Turn& turn) { again.list_groups(turn, {}, {}, listed.reply()); });
  EXPECT_TRUE(listed.value().empty());
}

TEST_F(GroupMachineTest, KeepsGroupsOfOtherProtocolsAsTheyAre) {
  replay_groups();
  EXPECT_EQ(remove("shared"), ErrorCode::group_id_not_found);
  EXPECT_EQ(join("shared").error_code, ErrorCode::inconsistent_group_protocol);
  Answer<protocol::HeartbeatResponse> heartbeat;
  Answer<protocol::LeaveGroupResponse> leave;
  Answer<protocol::SyncGroupResponse> sync;
  bench_.turn([&](Turn& turn) {
    machine_.heartbeat(turn, {}, {.group_id = "shared"}, heartbeat.reply());
    machine_.leave_group(turn, {}, {.group_id = "shared"}, leave.reply());
    machine_.sync_group(turn, {}, {.group_id = "shared"}, sync.reply());
  });
  EXPECT_EQ(heartbeat.value().error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(leave.value().error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(sync.value().error_code, ErrorCode::unknown_member_id);
  EXPECT_TRUE(bench_.log().empty());
}

TEST_F(GroupMachineTest, GivesTheNameOfAnEmptyConsumerGroupToWhoMayMakeAClassicOne) {
  replay_groups();
  EXPECT_EQ(join("modern", "somebody").error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(join("modern", "", 1).error_code, ErrorCode::invalid_session_timeout);
  EXPECT_TRUE(bench_.log().empty());
  EXPECT_EQ(join("modern").error_code, ErrorCode::member_id_required);
  EXPECT_FALSE(bench_.log().empty());
  EXPECT_EQ(list({}, {"consumer"}).size(), 0U);
}

TEST_F(GroupMachineTest, RefusesRecordsThatItDoesNotKnow) {
  const Bytes unknown = {0, 99, 0, 0};
  EXPECT_FALSE(machine_.replay({.key = unknown, .value = ByteView(unknown)}));
  const Bytes nothing;
  EXPECT_FALSE(machine_.replay({.key = nothing}));
}

}  // namespace
}  // namespace arus::coordinator
