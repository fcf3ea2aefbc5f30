// A node on a simulated disk that loses power, fills up, and fails.
#include <fmt/core.h>

#include <cerrno>

#include "base/log.h"
#include "controller/quorum_node.h"
#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "raft/format.h"

namespace arus::controller {
namespace {

const std::string node_directory = "/data";

QuorumOptions options_for(const Uuid& directory_id) {
  return {.node_id = BrokerId{1},
          .cluster_id = "QXJ1c1BlZXJLYWZrYTAwMQ",
          .metadata_directory = node_directory,
          .directory_id = directory_id,
          .controller_endpoints = {{.listener = "CONTROLLER", .host = "10.0.0.1", .port = 9093}}};
}

Uuid format_disk(env::Environment& environment) {
  const auto formatted =
      raft::format(environment, {.cluster_id = "QXJ1c1BlZXJLYWZrYTAwMQ",
                                 .node_id = 1,
                                 .directories = {node_directory},
                                 .metadata_directory = node_directory,
                                 .endpoints = {{"CONTROLLER", "10.0.0.1", 9093}}});
  EXPECT_TRUE(formatted) << formatted.error().message;
  return formatted ? formatted->metadata_directory_id : Uuid{};
}

BrokerSelf self_of(const QuorumOptions& options) {
  return {.endpoints = {{.listener = "PLAINTEXT", .host = "10.0.0.1", .port = 9092}},
          .directories = {options.directory_id}};
}

protocol::CreateTopicsRequest one_topic(const std::string& name, std::int32_t partitions = 3) {
  protocol::CreateTopicsRequest request;
  request.topics.push_back({.name = name, .num_partitions = partitions, .replication_factor = 1});
  return request;
}

// What somebody outside knows about the cluster.
struct Ledger {
  std::map<std::string, Uuid> acknowledged;
  std::map<Uuid, LeaderEpoch> epochs;  // of each topic's first partition, as it was last seen
  int lives = 0;
};

// One life: everything that was ever acknowledged is there, every epoch is new; more topics are
// made until the power goes.
env::Task<void> live_until_power_goes(env::SimulatedEnvironment& environment, QuorumOptions options,
                                      Ledger* ledger) {
  auto node = co_await QuorumNode::start(environment, options);
  if (!node) {
    // The power went during the start.
    EXPECT_EQ(node.error().code, ErrorCode::kafka_storage_error) << node.error().message;
    co_return;
  }
  bool serving = false;
  if (co_await (*node)->register_broker(self_of(options))) {
    serving = (co_await (*node)->unfence()).has_value();
  }
  if (serving) {
    ++ledger->lives;
    const auto image = (*node)->images().current();
    for (const auto& [name, id] : ledger->acknowledged) {
      const auto topic = image->topic(name);
      EXPECT_NE(topic, nullptr) << name;
      if (topic == nullptr) continue;
      EXPECT_EQ(topic->id, id);
      EXPECT_EQ(topic->partitions.size(), 3U);
    }
    for (const auto& [name, topic] : image->topics) {
      const LeaderEpoch epoch = topic->partitions[0]->leader_epoch;
      const auto seen = ledger->epochs.find(topic->id);
      if (seen != ledger->epochs.end()) EXPECT_GT(epoch, seen->second);
      ledger->epochs[topic->id] = epoch;
      EXPECT_EQ(topic->partitions[0]->leader, BrokerId{1});
    }
  }
  for (int i = 0; serving; ++i) {
    const std::string name = fmt::format("t-{}-{}", ledger->lives, i);
    const auto created = co_await (*node)->api().create_topics({}, one_topic(name));
    if (!created) break;
    ledger->acknowledged[name] = created->topics.front().topic_id;
    const auto topic = (*node)->images().current()->topic(name);
    EXPECT_NE(topic, nullptr);
    if (topic) ledger->epochs[topic->id] = topic->partitions[0]->leader_epoch;
    if (i > 200) {
      ADD_FAILURE() << "the power stayed on";
      break;
    }
  }
  (*node)->stop_at_once();
  EXPECT_TRUE(co_await (*node)->stop());
}

env::Task<void> cut_power_after(env::SimulatedEnvironment& environment, env::Duration duration) {
  co_await env::sleep_for(duration);
  environment.disk().cut_power();
}

class QuorumNodeCrash : public testing::Test {
 protected:
  // Faults are what these tests are about; nobody needs to read of each.
  void SetUp() override { set_log_level("raft", LogLevel::off); }
  void TearDown() override { set_log_level("raft", LogLevel::info); }
};

TEST_F(QuorumNodeCrash, NothingAcknowledgedIsLostWhenThePowerGoes) {
  int lives = 0;
  std::size_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    env::Simulation simulation({.seed = seed});
    const auto disk = simulation.make_disk();
    Ledger ledger;
    Uuid directory_id;
    {
      const auto environment = simulation.make_environment({.disk = disk});
      directory_id = format_disk(*environment);
    }
    for (int life = 0; life < 6; ++life) {
      const auto environment = simulation.make_environment({.loops = 2, .disk = disk});
      const auto power =
          env::milliseconds(static_cast<std::int64_t>(simulation.random().below(60)));
      environment->loop(0).post(
          [&environment, power] { env::spawn_detached(cut_power_after(*environment, power)); });
      env::run_until_done(*environment,
                          live_until_power_goes(*environment, options_for(directory_id), &ledger));
      simulation.run_for(env::milliseconds(100));
      disk->crash();
    }
    EXPECT_EQ(disk->calls_from_loops(), 0U);
    lives += ledger.lives;
    acknowledged += ledger.acknowledged.size();
  }
  // The test has seen something.
  EXPECT_GT(lives, 60);
  EXPECT_GT(acknowledged, 100U);
}

env::Task<void> fill_the_disk(env::SimulatedEnvironment& environment, QuorumOptions options,
                              int* failures) {
  options.on_storage_failure = [failures](const Error&) { ++*failures; };
  auto node = co_await QuorumNode::start(environment, options);
  EXPECT_TRUE(co_await (*node)->register_broker(self_of(options)));
  EXPECT_TRUE(co_await (*node)->unfence());
  EXPECT_TRUE(co_await (*node)->api().create_topics({}, one_topic("before")));
  environment.disk().set_capacity(1);
  const auto full = co_await (*node)->api().create_topics({}, one_topic("lost", 1000));
  EXPECT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kafka_storage_error);
  EXPECT_EQ((*node)->images().current()->topic("lost"), nullptr);
  environment.disk().set_capacity(1LL << 40);
  const auto again = co_await (*node)->api().create_topics({}, one_topic("after"));
  EXPECT_TRUE(again) << again.error().message;
  EXPECT_NE((*node)->images().current()->topic("after"), nullptr);
  EXPECT_TRUE(co_await (*node)->leave());
  EXPECT_TRUE(co_await (*node)->stop());
}

env::Task<void> see_topics(env::SimulatedEnvironment& environment, QuorumOptions options,
                           std::vector<std::string>* names) {
  auto node = co_await QuorumNode::start(environment, options);
  EXPECT_TRUE(node) << node.error().message;
  if (!node) co_return;
  for (const auto& [name, topic] : (*node)->images().current()->topics) names->push_back(name);
  EXPECT_TRUE(co_await (*node)->stop());
}

TEST_F(QuorumNodeCrash, AFullDiskRefusesChangesUntilThereIsSpace) {
  env::Simulation simulation({.seed = 3});
  const auto environment = simulation.make_environment({});
  const Uuid directory_id = format_disk(*environment);
  int failures = 0;
  env::run_until_done(*environment,
                      fill_the_disk(*environment, options_for(directory_id), &failures));
  EXPECT_EQ(failures, 0);
  std::vector<std::string> names;
  env::run_until_done(*environment, see_topics(*environment, options_for(directory_id), &names));
  EXPECT_EQ(names, (std::vector<std::string>{"after", "before"}));
}

env::Task<void> fail_a_flush(env::SimulatedEnvironment& environment, QuorumOptions options,
                             int* failures) {
  options.on_storage_failure = [failures](const Error&) { ++*failures; };
  auto node = co_await QuorumNode::start(environment, options);
  EXPECT_TRUE(co_await (*node)->register_broker(self_of(options)));
  EXPECT_TRUE(co_await (*node)->unfence());
  EXPECT_TRUE(co_await (*node)->api().create_topics({}, one_topic("before")));
  environment.disk().set_fault_hook([](const env::FileOperation& operation) {
    return env::FileFault{.os_error = operation.act == env::FileAct::sync ? EIO : 0};
  });
  const auto lost = co_await (*node)->api().create_topics({}, one_topic("lost"));
  EXPECT_FALSE(lost);
  environment.disk().set_fault_hook(nullptr);
  // It is not tried again as if it had worked.
  const auto refused = co_await (*node)->api().create_topics({}, one_topic("refused"));
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kafka_storage_error);
  EXPECT_NE((*node)->images().current()->topic("before"), nullptr);
  EXPECT_EQ((*node)->images().current()->topic("lost"), nullptr);
  EXPECT_TRUE(co_await (*node)->stop());
}

TEST_F(QuorumNodeCrash, AFailedFlushTakesTheLogOfflineAndReadersGoOn) {
  env::Simulation simulation({.seed = 4});
  const auto environment = simulation.make_environment({});
  const Uuid directory_id = format_disk(*environment);
  int failures = 0;
  env::run_until_done(*environment,
                      fail_a_flush(*environment, options_for(directory_id), &failures));
  EXPECT_EQ(failures, 1);
}

env::Task<void> create_on_loop(QuorumNode& node, env::Loop& loop, std::string name, int* done) {
  // The lambda outlives the call.
  auto here = [&node, &name] [[clang::coro_wrapper]] () {
    return node.api().create_topics({}, one_topic(name));
  };
  const auto created = co_await env::call(loop, here);
  EXPECT_TRUE(created);
  // What the answer says, the asker's loop sees.
  auto seen = [&node, &name] { return node.images().current()->topic(name) != nullptr; };
  EXPECT_TRUE(co_await env::call(loop, seen));
  ++*done;
}

class OrderedImages final : public metadata::ImageSubscriber {
 public:
  void on_image(const metadata::ImagePointer& image, const metadata::MetadataDelta&) override {
    EXPECT_GT(image->offset, last_);
    last_ = image->offset;
  }
  [[nodiscard]] Offset last() const { return last_; }

 private:
  Offset last_ = no_offset;
};

env::Task<void> ask_from_everywhere(env::SimulatedEnvironment& environment, QuorumOptions options,
                                    int* done) {
  auto node = co_await QuorumNode::start(environment, options);
  EXPECT_TRUE(co_await (*node)->register_broker(self_of(options)));
  EXPECT_TRUE(co_await (*node)->unfence());
  std::vector<OrderedImages> subscribers(environment.loop_count());
  for (std::size_t i = 0; i < environment.loop_count(); ++i) {
    auto subscribe = [&, i] { (*node)->images().subscribe(subscribers[i]); };
    co_await env::call(environment.loop(i), subscribe);
  }
  env::Gate gate;
  for (int i = 0; i < 60; ++i) {
    env::Loop& loop = environment.loop(static_cast<std::size_t>(i) % environment.loop_count());
    env::spawn(gate, create_on_loop(**node, loop, "topic-" + std::to_string(i), done));
  }
  co_await gate.close();
  const Offset last = (*node)->images().current()->offset;
  for (std::size_t i = 0; i < environment.loop_count(); ++i) {
    EXPECT_EQ(subscribers[i].last(), last);
    auto unsubscribe = [&, i] { (*node)->images().unsubscribe(subscribers[i]); };
    co_await env::call(environment.loop(i), unsubscribe);
  }
  EXPECT_TRUE(co_await (*node)->leave());
  EXPECT_TRUE(co_await (*node)->stop());
}

TEST(QuorumNode, AnswersLeaveWhenEveryLoopSeesTheChange) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    env::Simulation simulation({.seed = seed});
    const auto environment = simulation.make_environment({.loops = 3});
    const Uuid directory_id = format_disk(*environment);
    int done = 0;
    env::run_until_done(*environment,
                        ask_from_everywhere(*environment, options_for(directory_id), &done));
    EXPECT_EQ(done, 60);
  }
}

}  // namespace
}  // namespace arus::controller
