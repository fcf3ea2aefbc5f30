// Classic groups of a whole broker, asked over a socket in old and new versions.
#include <gtest/gtest.h>

#include "broker/broker_testing.h"
#include "protocol/api/describe_groups.h"
#include "protocol/api/find_coordinator.h"
#include "protocol/api/heartbeat.h"
#include "protocol/api/join_group.h"
#include "protocol/api/leave_group.h"
#include "protocol/api/sync_group.h"

namespace arus::broker {
namespace {

using env::Task;
using protocol::DescribeGroupsRequest;
using protocol::HeartbeatRequest;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using protocol::LeaveGroupRequest;
using protocol::SyncGroupRequest;
using testing::Client;
using testing::Node;
using testing::on_machine;
using testing::ScratchDirectory;

Task<Node> start_groups(env::Environment& environment, const std::string& directory) {
  Node node =
      co_await testing::start(environment, directory, {{"group.initial.rebalance.delay.ms", "0"}});
  co_await testing::find_coordinator(*node.client, 0);
  co_return node;
}

JoinGroupRequest join_of(const std::string& member_id = {}) {
  JoinGroupRequest request;
  request.group_id = "g";
  request.session_timeout_ms = 30'000;
  request.rebalance_timeout_ms = 60'000;
  request.member_id = member_id;
  request.protocol_type = "home-made";
  request.protocols.push_back({.name = "p", .metadata = Slice(Bytes{1, 0, 255})});
  return request;
}

SyncGroupRequest sync_of(const JoinGroupResponse& joined) {
  SyncGroupRequest request;
  request.group_id = "g";
  request.generation_id = joined.generation_id;
  request.member_id = joined.member_id;
  request.assignments.push_back(
      {.member_id = joined.member_id, .assignment = Slice(Bytes{9, 0, 8})});
  return request;
}

Task<void> speaks_old_versions(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  auto node = co_await start_groups(environment, directory.path());
  Client& client = *node.client;
  auto join = join_of();
  join.rebalance_timeout_ms = -1;
  const auto joined = co_await client.ask(join, 0);
  EXPECT_EQ(joined->error_code, ErrorCode::none);
  EXPECT_EQ(joined->member_id.substr(0, 5), "test-");
  EXPECT_EQ(joined->leader, joined->member_id);
  EXPECT_EQ(joined->members.at(0).metadata.view()[2], 255);
  const auto synced = co_await client.ask(sync_of(*joined), 0);
  EXPECT_EQ(synced->assignment, Slice(Bytes{9, 0, 8}));
  HeartbeatRequest heartbeat{.group_id = "g", .generation_id = 1, .member_id = joined->member_id};
  EXPECT_EQ((co_await client.ask(heartbeat, 0))->error_code, ErrorCode::none);
  LeaveGroupRequest leave;
  leave.group_id = "g";
  leave.member_id = "stranger";
  EXPECT_EQ((co_await client.ask(leave, 0))->error_code, ErrorCode::unknown_member_id);
  leave.member_id = joined->member_id;
  EXPECT_EQ((co_await client.ask(leave, 2))->error_code, ErrorCode::none);
  EXPECT_EQ((co_await client.ask(heartbeat, 3))->error_code, ErrorCode::unknown_member_id);
  auto refused = join_of();
  refused.session_timeout_ms = 1;
  const auto old = co_await client.ask(refused, 6);
  EXPECT_EQ(old->error_code, ErrorCode::invalid_session_timeout);
  EXPECT_EQ(old->protocol_name, "");
  const auto newer = co_await client.ask(refused, 7);
  EXPECT_EQ(newer->protocol_name, std::nullopt);
  co_await stop(node);
}
TEST(ClassicGroupsOfABroker, SpeakOldVersions) { on_machine(speaks_old_versions, 2); }

Task<void> survives_a_restart(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  auto node = co_await start_groups(environment, directory.path());
  const auto first = co_await node.client->ask(join_of(), 9);
  EXPECT_EQ(first->error_code, ErrorCode::member_id_required);
  const auto joined = co_await node.client->ask(join_of(first->member_id), 9);
  EXPECT_EQ(joined->error_code, ErrorCode::none);
  EXPECT_EQ(joined->protocol_type, "home-made");
  EXPECT_EQ(joined->protocol_name, "p");
  auto sync = sync_of(*joined);
  EXPECT_EQ((co_await node.client->ask(sync, 5))->error_code,
            ErrorCode::inconsistent_group_protocol);
  sync.protocol_type = "home-made";
  sync.protocol_name = "p";
  const auto synced = co_await node.client->ask(sync, 5);
  EXPECT_EQ(synced->error_code, ErrorCode::none);
  EXPECT_EQ(synced->protocol_name, "p");
  co_await stop(node);

  node = co_await start_groups(environment, directory.path());
  HeartbeatRequest heartbeat{.group_id = "g", .generation_id = 1, .member_id = joined->member_id};
  EXPECT_EQ((co_await node.client->ask(heartbeat, 4))->error_code, ErrorCode::none);
  DescribeGroupsRequest describe;
  describe.groups = {"g"};
  const auto described = co_await node.client->ask(describe, 5);
  EXPECT_EQ(described->groups.at(0).group_state, "Stable");
  EXPECT_EQ(described->groups.at(0).members.at(0).client_host, "/127.0.0.1");
  EXPECT_EQ(described->groups.at(0).members.at(0).member_assignment, Slice(Bytes{9, 0, 8}));
  LeaveGroupRequest leave;
  leave.group_id = "g";
  leave.members.push_back({.member_id = joined->member_id});
  leave.members.push_back({.member_id = "", .group_instance_id = "nobody"});
  const auto left = co_await node.client->ask(leave, 5);
  EXPECT_EQ(left->error_code, ErrorCode::none);
  EXPECT_EQ(left->members.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(left->members.at(1).error_code, ErrorCode::unknown_member_id);
  co_await stop(node);
}
TEST(ClassicGroupsOfABroker, SurviveARestart) { on_machine(survives_a_restart, 2); }

Task<void> needs_an_id(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  auto node = co_await start_groups(environment, directory.path());
  auto join = join_of("m");
  join.group_id.clear();
  const auto joined = co_await node.client->ask(join, 9);
  EXPECT_EQ(joined->error_code, ErrorCode::invalid_group_id);
  EXPECT_EQ(joined->member_id, "m");
  EXPECT_EQ((co_await node.client->ask(SyncGroupRequest{}, 4))->error_code,
            ErrorCode::invalid_group_id);
  EXPECT_EQ((co_await node.client->ask(HeartbeatRequest{}, 4))->error_code,
            ErrorCode::invalid_group_id);
  EXPECT_EQ((co_await node.client->ask(LeaveGroupRequest{}, 5))->error_code,
            ErrorCode::invalid_group_id);
  co_await stop(node);
}
TEST(ClassicGroupsOfABroker, NeedAnId) { on_machine(needs_an_id, 2); }

}  // namespace
}  // namespace arus::broker
