#include "client/group_consumer.h"

#include <gtest/gtest.h>

#include "client/scripted_broker_testing.h"
#include "protocol/api/consumer_group_heartbeat.h"
#include "protocol/api/heartbeat.h"
#include "protocol/api/join_group.h"
#include "protocol/api/leave_group.h"
#include "protocol/api/offset_commit.h"
#include "protocol/api/offset_fetch.h"
#include "protocol/api/sync_group.h"

namespace arus::client {
namespace {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;

// Writes down what happens, in order: the listener's calls and the requests that the test notes.
class Diary : public RebalanceListener {
 public:
  env::Task<void> on_assigned(std::vector<TopicPartition> partitions) override {
    note("assigned", partitions);
    co_return;
  }
  env::Task<void> on_revoked(std::vector<TopicPartition> partitions) override {
    note("revoked", partitions);
    co_return;
  }
  env::Task<void> on_lost(std::vector<TopicPartition> partitions) override {
    note("lost", partitions);
    co_return;
  }
  void note(std::string what) { entries.push_back(std::move(what)); }

  std::vector<std::string> entries;

 private:
  void note(std::string what, const std::vector<TopicPartition>& partitions) {
    for (const auto& name : partitions) what += " " + name.to_string();
    note(std::move(what));
  }
};

// One broker, one member of the group "g", in virtual time.
class GroupConsumerTest : public testing::Test {
 protected:
  GroupConsumerTest() {
    options_.bootstrap = {{"10.0.0.1", ScriptedBroker::port}};
    group_.group_id = "g";
    group_.auto_commit = false;
    group_.heartbeat_interval = env::seconds(1);
    broker_.on<protocol::OffsetFetchRequest>([](const protocol::OffsetFetchRequest& request) {
      protocol::OffsetFetchResponse answer;
      auto& group = answer.groups.emplace_back();
      group.group_id = request.groups.at(0).group_id;
      for (const auto& wanted : *request.groups.at(0).topics) {
        auto& topic = group.topics.emplace_back();
        topic.name = wanted.name;
        for (const std::int32_t index : wanted.partition_indexes) {
          auto& partition = topic.partitions.emplace_back();
          partition.partition_index = index;
          partition.committed_offset = 5;
        }
      }
      return answer;
    });
  }

  // Polls for so long, closes, and gives the errors that poll() gave.
  std::vector<ErrorCode> run(env::Duration duration) {
    return env::run_until_done(*environment_, body(duration));
  }

  env::Task<std::vector<ErrorCode>> body(env::Duration duration) {
    std::vector<ErrorCode> errors;
    broker_.start();
    Cluster cluster{*environment_, options_};
    {
      GroupConsumer consumer{cluster, group_};
      EXPECT_TRUE(consumer.subscribe({"t"}, &diary_));
      const env::TimePoint end = cluster.now() + duration;
      while (cluster.now() < end) {
        auto records = co_await consumer.poll(std::min(end, cluster.now() + env::seconds(1)));
        if (!records) errors.push_back(records.error().code);
        if (!records) co_await env::sleep_for(env::milliseconds(100));
      }
      owned_ = consumer.assignment();
      const auto position = consumer.position({"t", 0});
      position_ = position ? position->value() : -1;
      co_await consumer.close(cluster.now() + env::seconds(5));
    }
    co_await cluster.close();
    co_await broker_.stop();
    co_return errors;
  }

  // An answer to a heartbeat: the epoch, and these partitions of "t".
  static ConsumerGroupHeartbeatResponse heartbeat(std::int32_t epoch,
                                                  std::optional<std::vector<std::int32_t>> owned) {
    ConsumerGroupHeartbeatResponse answer;
    answer.member_epoch = epoch;
    answer.heartbeat_interval_ms = 1'000;
    if (owned) {
      auto& topic = answer.assignment.emplace().topic_partitions.emplace_back();
      topic.topic_id = ScriptedBroker::topic_id();
      topic.partitions = *owned;
    }
    return answer;
  }

  env::Simulation simulation_{{}};
  std::unique_ptr<env::SimulatedEnvironment> environment_ = simulation_.make_environment({});
  ScriptedBroker broker_{*environment_, "10.0.0.1"};
  ClientOptions options_;
  GroupConsumerOptions group_;
  Diary diary_;
  std::vector<TopicPartition> owned_;
  std::int64_t position_ = -1;
};

using Entries = std::vector<std::string>;

TEST_F(GroupConsumerTest, BeginsWhereTheGroupHasCommitted) {
  group_.protocol = GroupProtocol::consumer;
  broker_.on<ConsumerGroupHeartbeatRequest>([&](const ConsumerGroupHeartbeatRequest& request) {
    if (request.member_epoch < 0) return heartbeat(request.member_epoch, {});
    return request.member_epoch == 0 ? heartbeat(1, {{0, 1}}) : heartbeat(1, {});
  });
  EXPECT_TRUE(run(env::seconds(3)).empty());
  EXPECT_EQ(owned_, (std::vector<TopicPartition>{{"t", 0}, {"t", 1}}));
  EXPECT_EQ(position_, 5);
}

TEST_F(GroupConsumerTest, AFencedMemberLosesItsPartitionsAndJoinsAgain) {
  group_.protocol = GroupProtocol::consumer;
  int beats = 0;
  broker_.on<ConsumerGroupHeartbeatRequest>([&](const ConsumerGroupHeartbeatRequest& request) {
    if (request.member_epoch < 0) return heartbeat(request.member_epoch, {});
    if (request.member_epoch == 0) {
      diary_.note("join");
      EXPECT_TRUE(request.topic_partitions && request.topic_partitions->empty());
      return beats == 0 ? heartbeat(1, {{0, 1}}) : heartbeat(7, {{1}});
    }
    auto answer = heartbeat(request.member_epoch, {});
    if (++beats == 3) answer.error_code = ErrorCode::fenced_member_epoch;
    return answer;
  });
  EXPECT_TRUE(run(env::seconds(8)).empty());
  EXPECT_EQ(diary_.entries, (Entries{"join", "assigned t-0 t-1", "lost t-0 t-1", "join",
                                     "assigned t-1", "revoked t-1"}));
}

TEST_F(GroupConsumerTest, APartitionIsGivenUpBeforeTheCoordinatorHearsOfIt) {
  group_.protocol = GroupProtocol::consumer;
  bool shrunk = false;
  broker_.on<ConsumerGroupHeartbeatRequest>([&](const ConsumerGroupHeartbeatRequest& request) {
    if (request.member_epoch < 0) {
      diary_.note("leave");
      return heartbeat(request.member_epoch, {});
    }
    if (request.member_epoch == 0) return heartbeat(1, {{0, 1}});
    if (request.topic_partitions) {
      std::size_t count = 0;
      for (const auto& topic : *request.topic_partitions) count += topic.partitions.size();
      diary_.note("owns " + std::to_string(count));
      if (!std::exchange(shrunk, true)) return heartbeat(2, {{0}});
    }
    return heartbeat(request.member_epoch, {});
  });
  EXPECT_TRUE(run(env::seconds(4)).empty());
  EXPECT_EQ(diary_.entries, (Entries{"assigned t-0 t-1", "owns 2", "revoked t-1", "assigned",
                                     "owns 1", "revoked t-0", "leave"}));
}

TEST_F(GroupConsumerTest, ACoordinatorThatHasMovedIsLookedUpAgain) {
  group_.protocol = GroupProtocol::consumer;
  int lookups = 0;
  broker_.on<protocol::FindCoordinatorRequest>(
      [&](const protocol::FindCoordinatorRequest& request) {
        protocol::FindCoordinatorResponse answer;
        auto& one = answer.coordinators.emplace_back();
        one.key = request.coordinator_keys.at(0);
        one.node_id = BrokerId{1};
        one.host = "10.0.0.1";
        one.port = ScriptedBroker::port;
        if (++lookups == 1) one.error_code = ErrorCode::coordinator_not_available;
        return answer;
      });
  int beats = 0;
  broker_.on<ConsumerGroupHeartbeatRequest>([&](const ConsumerGroupHeartbeatRequest& request) {
    if (request.member_epoch < 0) return heartbeat(request.member_epoch, {});
    auto answer = request.member_epoch == 0 ? heartbeat(1, {{0, 1}}) : heartbeat(1, {});
    if (++beats == 1) answer.error_code = ErrorCode::not_coordinator;
    if (beats == 2) answer.error_code = ErrorCode::coordinator_load_in_progress;
    return answer;
  });
  EXPECT_TRUE(run(env::seconds(5)).empty());
  EXPECT_EQ(lookups, 3);  // not there, found, and found again after it had moved
  EXPECT_EQ(owned_.size(), 2U);
}

TEST_F(GroupConsumerTest, WhatNoTryCanCureIsTheApplicationsToHear) {
  group_.protocol = GroupProtocol::consumer;
  int joins = 0;
  broker_.on<ConsumerGroupHeartbeatRequest>([&](const ConsumerGroupHeartbeatRequest& request) {
    joins += request.member_epoch == 0 ? 1 : 0;
    auto answer = heartbeat(0, {});
    answer.error_code = ErrorCode::group_authorization_failed;
    return answer;
  });
  EXPECT_EQ(run(env::seconds(5)), (std::vector{ErrorCode::group_authorization_failed}));
  EXPECT_EQ(joins, 1);
}

// The classic protocol: this broker's group has one member, which leads it.
class ClassicGroupTest : public GroupConsumerTest {
 protected:
  ClassicGroupTest() {
    broker_.on<protocol::JoinGroupRequest>([this](const protocol::JoinGroupRequest& request) {
      protocol::JoinGroupResponse answer;
      diary_.note("join " + request.member_id);
      if (request.member_id.empty()) {
        answer.error_code = ErrorCode::member_id_required;
        answer.member_id = "m" + std::to_string(++members_);
        return answer;
      }
      answer.generation_id = ++generation_;
      answer.protocol_type = "consumer";
      answer.protocol_name = request.protocols.at(0).name;
      answer.leader = request.member_id;
      answer.member_id = request.member_id;
      auto& member = answer.members.emplace_back();
      member.member_id = request.member_id;
      member.metadata = request.protocols.at(0).metadata;
      return answer;
    });
    broker_.on<protocol::SyncGroupRequest>([](const protocol::SyncGroupRequest& request) {
      protocol::SyncGroupResponse answer;
      answer.protocol_type = request.protocol_type;
      answer.protocol_name = request.protocol_name;
      answer.assignment = request.assignments.at(0).assignment;
      return answer;
    });
    broker_.on<protocol::LeaveGroupRequest>([this](const protocol::LeaveGroupRequest& request) {
      diary_.note("leave " + request.members.at(0).member_id);
      return protocol::LeaveGroupResponse{};
    });
    broker_.on<protocol::HeartbeatRequest>([this](const protocol::HeartbeatRequest&) {
      protocol::HeartbeatResponse answer;
      if (++beats_ == 2) answer.error_code = second_beat_;
      return answer;
    });
  }

  int members_ = 0;
  int beats_ = 0;
  std::int32_t generation_ = 0;
  ErrorCode second_beat_ = ErrorCode::none;
};

TEST_F(ClassicGroupTest, AnEagerMemberGivesUpEverythingBeforeItJoinsAgain) {
  second_beat_ = ErrorCode::rebalance_in_progress;
  EXPECT_TRUE(run(env::seconds(5)).empty());
  EXPECT_EQ(diary_.entries,
            (Entries{"join ", "join m1", "assigned t-0 t-1", "revoked t-0 t-1", "join m1",
                     "assigned t-0 t-1", "revoked t-0 t-1", "leave m1"}));
}

TEST_F(ClassicGroupTest, ACooperativeMemberKeepsWhatItIsGivenAgain) {
  group_.assignors = {cooperative_sticky_assignor()};
  second_beat_ = ErrorCode::rebalance_in_progress;
  EXPECT_TRUE(run(env::seconds(5)).empty());
  EXPECT_EQ(diary_.entries, (Entries{"join ", "join m1", "assigned t-0 t-1", "join m1", "assigned",
                                     "revoked t-0 t-1", "leave m1"}));
}

TEST_F(ClassicGroupTest, AMemberThatTheGroupHasForgottenJoinsAsANewOne) {
  second_beat_ = ErrorCode::unknown_member_id;
  EXPECT_TRUE(run(env::seconds(5)).empty());
  EXPECT_EQ(diary_.entries,
            (Entries{"join ", "join m1", "assigned t-0 t-1", "lost t-0 t-1", "join ", "join m2",
                     "assigned t-0 t-1", "revoked t-0 t-1", "leave m2"}));
}

TEST_F(ClassicGroupTest, AStaticMemberDoesNotLeave) {
  group_.instance_id = "one";
  EXPECT_TRUE(run(env::seconds(2)).empty());
  EXPECT_EQ(diary_.entries, (Entries{"join ", "join m1", "assigned t-0 t-1", "revoked t-0 t-1"}));
}

}  // namespace
}  // namespace arus::client
