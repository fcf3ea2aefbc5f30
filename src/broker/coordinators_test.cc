// Coordinators of a whole broker, asked over a socket and from inside.
#include "broker/coordinators.h"

#include <gtest/gtest.h>

#include "broker/broker_testing.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"
#include "protocol/api/delete_groups.h"
#include "protocol/api/describe_configs.h"
#include "protocol/api/describe_groups.h"
#include "protocol/api/find_coordinator.h"
#include "protocol/api/list_groups.h"

namespace arus::broker {
namespace {

using coordinator::GroupMachine;
using coordinator::Reply;
using coordinator::Turn;
using env::Task;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using testing::Client;
using testing::metadata_of;
using testing::on_machine;
using testing::ScratchDirectory;

constexpr std::int8_t group_type = 0;
constexpr std::int8_t transaction_type = 1;

protocol::FindCoordinatorRequest find(std::vector<std::string> keys, std::int8_t type) {
  protocol::FindCoordinatorRequest request;
  request.key_type = type;
  request.coordinator_keys = std::move(keys);
  return request;
}

Task<std::unique_ptr<Broker>> start_broker(env::Environment& environment,
                                           const std::string& directory,
                                           config::ConfigMap overrides = {}) {
  auto broker = co_await Broker::start(
      environment, {.config = testing::config_for(directory, std::move(overrides))});
  if (!broker) ADD_FAILURE() << broker.error().message;
  ARUS_ASSERT(broker);
  co_return std::move(*broker);
}

Task<void> stop_broker(std::unique_ptr<Broker>& broker) {
  const auto stopped = co_await broker->stop();
  EXPECT_TRUE(stopped) << stopped.error().message;
  broker.reset();
}

Task<void> finds_coordinators(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  auto broker = co_await start_broker(environment, directory.path());
  const auto address = broker->addresses().front();
  auto client = co_await Client::connect(environment, address);
  auto other = co_await Client::connect(environment, address);
  // Both at once: the topic is created once.
  co_await client->send(find({"readers", "writers"}, group_type), 4);
  co_await other->send(find({"readers"}, group_type), 4);
  const auto found = co_await client->receive<protocol::FindCoordinatorRequest>(4);
  const auto found_too = co_await other->receive<protocol::FindCoordinatorRequest>(4);
  EXPECT_EQ(found->coordinators.size(), 2U);
  for (const auto& coordinator : found->coordinators) {
    EXPECT_EQ(coordinator.error_code, ErrorCode::none);
    EXPECT_EQ(coordinator.error_message, "");
    EXPECT_EQ(coordinator.node_id, BrokerId{1});
    EXPECT_EQ(coordinator.port, address.port);
  }
  EXPECT_EQ(found->coordinators[1].key, "writers");
  EXPECT_EQ(found_too->coordinators.front().error_code, ErrorCode::none);
  protocol::FindCoordinatorRequest old;
  old.key = "readers";
  const auto found_old = co_await client->ask(old, 1);
  EXPECT_EQ(found_old->error_code, ErrorCode::none);
  EXPECT_EQ(found_old->error_message, "NONE");
  EXPECT_EQ(found_old->node_id, BrokerId{1});

  const auto metadata = co_await client->ask(metadata_of(group_topic, false), 12);
  EXPECT_EQ(metadata->topics.front().partitions.size(), 50U);
  EXPECT_TRUE(metadata->topics.front().is_internal);
  protocol::DescribeConfigsRequest configs;
  auto& resource = configs.resources.emplace_back();
  resource.resource_type = 2;
  resource.resource_name = group_topic;
  resource.configuration_keys = {"cleanup.policy", "segment.bytes"};
  const auto described = co_await client->ask(configs, 4);
  for (const auto& config : described->results.front().configs) {
    EXPECT_EQ(config.value, config.name == "cleanup.policy" ? "compact" : "104857600");
  }
  const auto unknown = co_await client->ask(find({"a"}, 7), 4);
  EXPECT_EQ(unknown->coordinators.front().error_code, ErrorCode::invalid_request);
  // Metadata makes the other topic with the settings that its coordinator needs.
  const auto made = co_await client->ask(metadata_of(transaction_topic), 12);
  EXPECT_EQ(made->topics.front().partitions.size(), 50U);
  const auto transactional = co_await client->ask(find({"copy"}, transaction_type), 4);
  EXPECT_EQ(transactional->coordinators.front().error_code, ErrorCode::none);
  client.reset();
  other.reset();
  co_await stop_broker(broker);
}
TEST(Coordinators, AreFoundAtOnceAndTheirTopicsCreatedOnce) { on_machine(finds_coordinators, 1); }
TEST(Coordinators, AreFoundAcrossLoops) { on_machine(finds_coordinators, 3); }

OffsetCommitRequest commit_of(const std::string& group, std::int64_t offset) {
  OffsetCommitRequest request;
  request.group_id = group;
  auto& topic = request.topics.emplace_back();
  topic.name = "events";
  topic.partitions.emplace_back().committed_offset = offset;
  return request;
}

Task<Result<OffsetCommitResponse>> commit(Broker& broker, std::string group, std::int64_t offset) {
  co_return co_await broker.services().groups().ask<OffsetCommitResponse>(
      group, [request = commit_of(group, offset)](GroupMachine& machine, Turn& turn,
                                                  Reply<OffsetCommitResponse> reply) mutable {
        machine.commit_offsets(turn, {.client_id = "test", .client_host = "/127.0.0.1"},
                               std::move(request), std::move(reply));
      });
}

using FetchedGroup = protocol::OffsetFetchResponse::OffsetFetchResponseGroup;

Task<std::int64_t> committed(Broker& broker, std::string group) {
  auto answer = co_await broker.services().groups().ask<FetchedGroup>(
      group, [group](GroupMachine& machine, Turn& turn, Reply<FetchedGroup> reply) {
        protocol::OffsetFetchRequest::OffsetFetchRequestGroup request;
        request.group_id = group;
        request.topics.reset();
        machine.fetch_offsets(turn, std::move(request), true, std::move(reply));
      });
  if (!answer || answer->topics.empty()) co_return -1;
  co_return answer->topics.front().partitions.front().committed_offset;
}

// How far the log of a group's partition is durable behind its end.
Task<std::int64_t> not_durable(Broker& broker, std::string group) {
  const Services& services = broker.services();
  const auto partition = services.groups().partition_of(group);
  const auto topic = services.image()->topic(group_topic);
  replication::PartitionTable& table = services.partitions();
  const std::size_t loop = table.loop_index(group_topic, *partition);
  co_return co_await env::call(services.environment().loop(loop), [&] {
    const auto found = table.on(loop).find({topic->id, *partition});
    return (*found)->log().log_end() - (*found)->log().durable_end();
  });
}

Task<void> offsets_survive(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  auto broker = co_await start_broker(environment, directory.path());
  auto client = co_await Client::connect(environment, broker->addresses().front());
  EXPECT_EQ((co_await commit(*broker, "readers", 1)).error().code,
            ErrorCode::coordinator_not_available);
  static_cast<void>(co_await client->ask(find({"readers"}, group_type), 4));
  for (std::int64_t offset = 1; offset <= 20; ++offset) {
    const auto answer = co_await commit(*broker, "readers", offset);
    EXPECT_TRUE(answer && answer->topics.front().partitions.front().error_code == ErrorCode::none);
    EXPECT_EQ(co_await not_durable(*broker, "readers"), 0);
  }
  EXPECT_EQ(co_await committed(*broker, "readers"), 20);
  client.reset();
  co_await stop_broker(broker);

  broker = co_await start_broker(environment, directory.path());
  const auto deadline = environment.clock().now() + env::seconds(30);
  auto& groups = broker->services().groups();
  co_await groups.settled(*groups.partition_of("readers"), deadline);
  EXPECT_EQ(co_await committed(*broker, "readers"), 20);
  co_await stop_broker(broker);
}
TEST(Coordinators, KeepCommittedOffsetsAcrossARestart) { on_machine(offsets_survive, 1); }
TEST(Coordinators, KeepCommittedOffsetsOnSeveralLoops) { on_machine(offsets_survive, 3); }

Task<void> groups_are_administered(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  auto broker = co_await start_broker(environment, directory.path());
  auto client = co_await Client::connect(environment, broker->addresses().front());
  const auto nothing = co_await client->ask(protocol::ListGroupsRequest{}, 5);
  EXPECT_EQ(nothing->error_code, ErrorCode::none);
  EXPECT_TRUE(nothing->groups.empty());
  static_cast<void>(co_await client->ask(find({"readers"}, group_type), 4));
  for (std::int32_t i = 0; i < 50; ++i) {
    co_await broker->services().groups().settled(i, environment.clock().now() + env::seconds(30));
  }
  EXPECT_TRUE(co_await commit(*broker, "readers", 7));

  const auto listed = co_await client->ask(protocol::ListGroupsRequest{}, 5);
  EXPECT_EQ(listed->groups.size(), 1U);
  EXPECT_EQ(listed->groups.front().group_id, "readers");
  EXPECT_EQ(listed->groups.front().group_state, "Empty");
  EXPECT_EQ(listed->groups.front().group_type, "classic");
  protocol::ListGroupsRequest filtered;
  filtered.states_filter = {"stable"};
  EXPECT_TRUE((co_await client->ask(filtered, 5))->groups.empty());
  filtered.states_filter = {"eMPTY"};
  filtered.types_filter = {"Classic"};
  EXPECT_EQ((co_await client->ask(filtered, 5))->groups.size(), 1U);

  protocol::DescribeGroupsRequest describe;
  describe.groups = {"readers", "nobody"};
  const auto described = co_await client->ask(describe, 6);
  EXPECT_EQ(described->groups[0].error_code, ErrorCode::none);
  EXPECT_EQ(described->groups[0].group_state, "Empty");
  EXPECT_EQ(described->groups[1].error_code, ErrorCode::group_id_not_found);
  EXPECT_EQ(described->groups[1].error_message, "Group nobody not found.");
  const auto described_before = co_await client->ask(describe, 5);
  EXPECT_EQ(described_before->groups[1].error_code, ErrorCode::none);
  EXPECT_EQ(described_before->groups[1].group_state, "Dead");

  protocol::DeleteGroupsRequest remove;
  remove.groups_names = {"readers", "nobody", "readers"};
  const auto removed = co_await client->ask(remove, 2);
  EXPECT_EQ(removed->results.size(), 2U);
  EXPECT_EQ(removed->results[0].error_code, ErrorCode::none);
  EXPECT_EQ(removed->results[1].error_code, ErrorCode::group_id_not_found);
  EXPECT_EQ(co_await committed(*broker, "readers"), -1);
  EXPECT_TRUE((co_await client->ask(protocol::ListGroupsRequest{}, 5))->groups.empty());
  client.reset();
  co_await stop_broker(broker);
}
TEST(Coordinators, ListDescribeAndDeleteGroups) { on_machine(groups_are_administered, 1); }

}  // namespace
}  // namespace arus::broker
