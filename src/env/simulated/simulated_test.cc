#include "env/simulated.h"

#include <cerrno>

#include "env/simulated/disk.h"
#include "env/simulated/network.h"

namespace arus::env {
namespace {

using SocketPtr = std::unique_ptr<Socket>;

Task<void> send_lines(Environment& environment, Address address, int client, int count) {
  auto socket = co_await environment.connect(address, never);
  EXPECT_TRUE(socket);
  for (int i = 0; i < count; ++i) {
    const std::string line = std::to_string(client) + ":" + std::to_string(i) + "\n";
    const ByteView piece = as_bytes(line);
    EXPECT_TRUE(co_await (*socket)->write({&piece, 1}));
    if (i % 10 == 0) co_await sleep_for(milliseconds(1));
  }
}

Task<void> receive_lines(SocketPtr socket, std::string& all) {
  Bytes buffer(100);
  for (;;) {
    const auto count = co_await socket->read_some(buffer);
    if (!count || *count == 0) break;
    all += as_text({buffer.data(), *count});
  }
}

Task<void> count_on_loops(Environment& environment, std::vector<std::size_t>& order) {
  for (int round = 0; round < 50; ++round) {
    for (std::size_t i = 0; i < environment.loop_count(); ++i) {
      environment.loop(i).post([&order, i] { order.push_back(i); });
    }
    co_await call(environment.loop(environment.loop_count() - 1), [] {});
  }
  co_await sleep_for(milliseconds(5));
}

Task<void> busy_node(SimulatedEnvironment& server, SimulatedEnvironment& client,
                     std::vector<std::string>& received, std::vector<std::size_t>& order) {
  auto listener = server.listen(server.loop(0), {"", 9092}, 10);
  EXPECT_TRUE(listener);
  received.resize(4);
  Gate gate;
  for (int i = 0; i < 4; ++i) {
    client.loop(0).post(
        [&client, i] { spawn_detached(send_lines(client, {"server", 9092}, i, 100)); });
  }
  for (std::string& all : received) {
    auto socket = co_await (*listener)->accept(server.loop(0));
    EXPECT_TRUE(socket);
    spawn(gate, receive_lines(std::move(*socket), all));
  }
  co_await count_on_loops(server, order);
  const auto worker = server.make_worker("writer");
  auto file = server.files().open("data", OpenMode::create);
  EXPECT_TRUE(file);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(co_await run_on(*worker, [&file, i]() -> Result<> {
      const Bytes bytes(static_cast<std::size_t>(i) * 100, 1);
      ARUS_TRY((*file)->write_at(bytes, std::int64_t{50} * i));
      return (*file)->sync();
    }));
  }
  co_await gate.close();
}

struct Outcome {
  std::uint64_t hash = 0;
  std::int64_t took_ns = 0;
  std::vector<std::string> received;
  std::vector<std::size_t> order;
};

Outcome run_busy_node(std::uint64_t seed, std::size_t loops) {
  Outcome outcome;
  Simulation simulation({.seed = seed});
  const TimePoint begin = simulation.now();
  const auto server =
      simulation.make_environment({.host = "10.0.0.1", .name = "server", .loops = loops});
  const auto client = simulation.make_environment({.host = "10.0.0.2"});
  run_until_done(*server, busy_node(*server, *client, outcome.received, outcome.order));
  simulation.run_for(seconds(10));
  outcome.took_ns = (simulation.now() - begin).count();
  outcome.hash = simulation.trace_hash();
  return outcome;
}

TEST(SimulationTest, TheSameSeedGivesTheSameRun) {
  for (const std::size_t loops : {1U, 3U}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const Outcome first = run_busy_node(seed, loops);
      const Outcome second = run_busy_node(seed, loops);
      EXPECT_EQ(first.hash, second.hash);
      EXPECT_EQ(first.took_ns, second.took_ns);
      EXPECT_EQ(first.received, second.received);
      EXPECT_EQ(first.order, second.order);
    }
  }
}

TEST(SimulationTest, DifferentSeedsGiveDifferentOrders) {
  std::set<std::uint64_t> hashes;
  std::set<std::vector<std::size_t>> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Outcome outcome = run_busy_node(seed, 3);
    hashes.insert(outcome.hash);
    orders.insert(std::move(outcome.order));
  }
  EXPECT_EQ(hashes.size(), 20U);
  EXPECT_GT(orders.size(), 10U);
}

TEST(SimulationTest, BytesOfAConnectionArriveInOrder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome outcome = run_busy_node(seed, 1);
    ASSERT_EQ(outcome.received.size(), 4U);
    for (const std::string& all : outcome.received) {
      const std::string client = all.substr(0, 2);
      std::string expected;
      for (int i = 0; i < 100; ++i) expected += client + std::to_string(i) + "\n";
      EXPECT_EQ(all, expected);
    }
  }
}

class SimulatedTest : public testing::TestWithParam<std::uint64_t> {
 protected:
  template <class T>
  T run(Task<T> task) {
    return run_until_done(*node_, std::move(task));
  }
  Simulation simulation_{{.seed = GetParam()}};
  std::unique_ptr<SimulatedEnvironment> node_ =
      simulation_.make_environment({.host = "10.0.0.1", .name = "one", .loops = 3});
  std::unique_ptr<SimulatedEnvironment> other_ =
      simulation_.make_environment({.host = "10.0.0.2", .name = "two"});
};

INSTANTIATE_TEST_SUITE_P(Seeds, SimulatedTest, testing::Range<std::uint64_t>(1, 21));

Task<void> order_of_posts(Environment& environment) {
  std::vector<int> order;
  Loop& target = environment.loop(1);
  for (int i = 0; i < 100; ++i) target.post([&order, i] { order.push_back(i); });
  co_await call(target, [] {});
  EXPECT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_P(SimulatedTest, WhatOneLoopPostsInOneClassRunsInOrder) { run(order_of_posts(*node_)); }

Task<void> call_round(Environment& environment) {
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(co_await call(environment.loop(i), [] { return Loop::current()->index(); }), i);
    EXPECT_EQ(Loop::current()->index(), 0U);
  }
  EXPECT_EQ(co_await run_on(environment.pool(), [] { return Loop::current(); }), nullptr);
}

TEST_P(SimulatedTest, CallsRunOnTheirTargetAndComeBack) { run(call_round(*node_)); }

Task<void> sleep_a_year(Environment& environment) {
  const TimePoint before = environment.clock().now();
  const std::int64_t wall_before = environment.clock().wall_ms();
  co_await sleep_for(std::chrono::hours(24 * 365));
  const Duration slept = environment.clock().now() - before;
  EXPECT_GE(slept, std::chrono::hours(24 * 365));
  EXPECT_LT(slept, std::chrono::hours(24 * 365) + milliseconds(10));
  EXPECT_NEAR(static_cast<double>(environment.clock().wall_ms() - wall_before), 365 * 86'400e3, 10);
}

TEST_P(SimulatedTest, SleepsTakeNoRealTimeAndAreNeverShort) { run(sleep_a_year(*node_)); }

TEST_P(SimulatedTest, TheWallClockJumpsAlone) {
  const TimePoint now = node_->clock().now();
  const std::int64_t wall = node_->clock().wall_ms();
  node_->jump_wall_clock(-1'000'000);
  EXPECT_EQ(node_->clock().wall_ms(), wall - 1'000'000);
  EXPECT_EQ(node_->clock().now(), now);
  EXPECT_EQ(other_->clock().wall_ms(), wall);
}

Task<void> stall_one_worker(SimulatedEnvironment& environment) {
  environment.disk().set_fault_hook([](const FileOperation& operation) {
    return FileFault{.stall = operation.act == FileAct::sync ? Duration(seconds(30)) : Duration{}};
  });
  const auto slow = environment.make_worker("slow");
  const auto fast = environment.make_worker("fast");
  auto file = environment.files().open("f", OpenMode::create);
  const TimePoint begin = environment.clock().now();
  const OneShot<TimePoint> slow_end;
  slow->submit([&, home = Loop::current()] {
    EXPECT_TRUE((*file)->sync());
    home->post([slow_end] { slow_end.set(Loop::current()->refresh_now()); });
  });
  for (int i = 0; i < 100; ++i) co_await run_on(*fast, [] {});
  EXPECT_LT(environment.clock().now() - begin, seconds(1)) << "others do not wait";
  EXPECT_FALSE(slow_end.ready());
  EXPECT_GE(co_await slow_end.wait() - begin, seconds(30));
}

TEST_P(SimulatedTest, AStallHoldsUpOnlyWhoWaitsForIt) { run(stall_one_worker(*node_)); }

// ---- The network.

struct SimulatedPair {
  SocketPtr client;
  SocketPtr server;
};
Task<SimulatedPair> connect_pair(SimulatedEnvironment& from, SimulatedEnvironment& to) {
  auto listener = to.listen(to.loop(0), {"", 0}, 10);
  EXPECT_TRUE(listener);
  auto client = co_await from.connect({"10.0.0.2", (*listener)->local().port}, never);
  EXPECT_TRUE(client);
  // Both ends on one loop: the test's own.
  auto server = co_await (*listener)->accept(from.loop(0));
  EXPECT_TRUE(server);
  co_return SimulatedPair{std::move(*client), std::move(*server)};
}

Task<void> write_text(Socket& socket, std::string text, int& os_error) {
  const ByteView piece = as_bytes(text);
  const auto written = co_await socket.write({&piece, 1});
  os_error = written ? 0 : written.error().os_error;
}

Task<void> read_all(Socket& socket, std::string& text, int& os_error) {
  Bytes buffer(1000);
  for (;;) {
    const auto count = co_await socket.read_some(buffer);
    os_error = count ? 0 : count.error().os_error;
    if (!count || *count == 0) co_return;
    text += as_text({buffer.data(), *count});
  }
}

Task<void> cut_and_heal(SimulatedEnvironment& one, SimulatedEnvironment& two) {
  SimulatedNetwork& network = one.simulation().network();
  SimulatedPair pair = co_await connect_pair(one, two);
  int write_error = -1;
  int read_error = -1;
  std::string read;
  Gate gate;
  spawn(gate, read_all(*pair.server, read, read_error));
  network.cut("10.0.0.1", "10.0.0.2");
  co_await write_text(*pair.client, std::string(50'000, 'a') + "b", write_error);
  EXPECT_EQ(write_error, 0);
  pair.client->shutdown_write();
  co_await sleep_for(seconds(5));
  EXPECT_EQ(read, "");
  const auto refused = co_await one.connect({"two", 1}, one.clock().now() + seconds(1));
  EXPECT_FALSE(refused);
  if (!refused) EXPECT_EQ(refused.error().os_error, ETIMEDOUT);
  network.heal("10.0.0.2", "10.0.0.1");
  co_await gate.close();
  EXPECT_EQ(read, std::string(50'000, 'a') + "b");
  EXPECT_EQ(read_error, 0);
}

TEST_P(SimulatedTest, ACutLinkHoldsWhatIsSentUntilItHeals) { run(cut_and_heal(*node_, *other_)); }

Task<void> reset_link(SimulatedEnvironment& one, SimulatedEnvironment& two) {
  SimulatedPair pair = co_await connect_pair(one, two);
  std::string read;
  int read_error = -1;
  int write_error = -1;
  Gate gate;
  spawn(gate, read_all(*pair.server, read, read_error));
  spawn(gate, write_text(*pair.server, std::string(1 << 20, 'x'), write_error));
  co_await sleep_for(seconds(1));
  EXPECT_EQ(write_error, -1) << "nobody reads: the write waits";
  one.simulation().network().reset("10.0.0.1", "10.0.0.2");
  co_await gate.close();
  EXPECT_EQ(read_error, ECONNRESET);
  EXPECT_EQ(write_error, ECONNRESET);
}

TEST_P(SimulatedTest, AResetBreaksBothDirections) { run(reset_link(*node_, *other_)); }

Task<void> close_ends(SimulatedEnvironment& one, SimulatedEnvironment& two) {
  SimulatedPair pair = co_await connect_pair(one, two);
  int error = -1;
  std::string read;
  co_await write_text(*pair.client, "last", error);
  pair.client.reset();
  co_await read_all(*pair.server, read, error);
  EXPECT_EQ(read, "last");
  EXPECT_EQ(error, 0);
  co_await write_text(*pair.server, "to nobody", error);
  co_await sleep_for(seconds(1));
  co_await write_text(*pair.server, "again", error);
  EXPECT_EQ(error, ECONNRESET);

  SimulatedPair second = co_await connect_pair(one, two);
  Gate gate;
  spawn(gate, read_all(*second.server, read, error));
  co_await sleep_for(seconds(1));
  second.server->close();
  co_await gate.close();
  EXPECT_EQ(error, ECANCELED);
  Bytes buffer(1);
  EXPECT_EQ(second.client->try_read(buffer).error().os_error, EAGAIN);
}

TEST_P(SimulatedTest, ClosingEndsAndCancels) { run(close_ends(*node_, *other_)); }

Task<void> listen_twice(SimulatedEnvironment& one) {
  const auto first = one.listen(one.loop(0), {"10.0.0.1", 9092}, 10);
  EXPECT_TRUE(first);
  const auto second = one.listen(one.loop(0), {"", 9092}, 10);
  EXPECT_FALSE(second);
  if (!second) EXPECT_EQ(second.error().message, "port 9092 is in use");
  const auto refused = co_await one.connect({"localhost", 9093}, never);
  EXPECT_FALSE(refused);
  if (!refused) EXPECT_EQ(refused.error().os_error, ECONNREFUSED);
  EXPECT_FALSE(co_await one.connect({"nowhere", 9093}, never));
}

TEST_P(SimulatedTest, PortsAndNamesAreChecked) { run(listen_twice(*node_)); }

}  // namespace
}  // namespace arus::env
