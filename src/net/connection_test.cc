// Connections over real sockets, with a service that answers what the test wants.
#include <gtest/gtest.h>

#include <deque>

#include "base/endian.h"
#include "env/environment.h"
#include "net/acceptor.h"
#include "net/connection_set.h"
#include "protocol/frame.h"

namespace arus::net {
namespace {

using env::Task;

// The first byte of a request says what happens: 'e' echoes, 'w' waits for release(), 'b' answers
// with a big answer, 'f' with a part of a file before an echo, 'n' with none, 'c' closes.
class TestService final : public FrameService {
 public:
  Task<Answer> serve(Slice frame, std::shared_ptr<Peer> peer) override {
    ++started;
    const char what = static_cast<char>(frame.data()[0]);
    if (what == 'w') {
      while (!released && !peer->watchers.closed()) co_await release_event.wait();
    }
    if (what == 'c') co_return Answer{.bytes = {}, .close = true};
    if (what == 'n') co_return Answer{};
    Writer out;
    if (what == 'f') out.share(env::slice_of({file, file_offset, big_bytes}));
    out.share(what == 'b' ? Slice(Bytes(big_bytes, 'b')) : frame);
    co_return Answer{.bytes = protocol::make_frame(std::move(out))};
  }
  void release() {
    released = true;
    release_event.notify_all();
  }

  std::size_t big_bytes = 1 << 20;
  std::shared_ptr<env::File> file;
  std::int64_t file_offset = 0;
  int started = 0;
  bool released = false;
  env::Event release_event;
};

Bytes request_of(std::string_view text) {
  Bytes bytes(4);
  store_big(bytes.data(), static_cast<std::int32_t>(text.size()));
  bytes.insert(bytes.end(), text.begin(), text.end());
  return bytes;
}

// One listener on loop 0 and what a test needs around it.
class Net {
 public:
  explicit Net(env::RealEnvironment& environment, const ConnectionLimits& limits = {},
               std::size_t request_budget = 64 << 20)
      : environment_(environment),
        metrics(registry),
        budget(request_budget, 64 << 20),
        set(environment.loop(0), limits, budget, metrics) {
    auto listener = environment.listen(environment.loop(0), {"127.0.0.1", 0}, 64);
    ARUS_ASSERT(listener);
    acceptor = std::make_unique<Acceptor>(
        "TEST", std::move(*listener), std::vector<ConnectionSet*>{&set}, service, count, limits);
    env::spawn(gate, acceptor->run());
  }
  Task<std::unique_ptr<env::Socket>> connect() {
    auto socket = co_await environment_.connect({"127.0.0.1", acceptor->local().port},
                                                environment_.clock().now() + env::seconds(5));
    ARUS_ASSERT(socket);
    co_return std::move(*socket);
  }
  Task<void> stop() {
    acceptor->close();
    co_await gate.close();
    service.release();
    co_await set.drain(environment_.loop(0).now() + env::milliseconds(200));
  }

 private:
  env::RealEnvironment& environment_;

 public:
  metrics::Registry registry;
  NetworkMetrics metrics;
  MemoryBudget budget;
  TestService service;
  ConnectionCount count;
  ConnectionSet set;
  std::unique_ptr<Acceptor> acceptor;
  env::Gate gate;
};

Task<void> send(env::Socket& socket, Bytes bytes) {
  const ByteView view = bytes;
  static_cast<void>(co_await socket.write({&view, 1}));
}

// The next answer's body, or nothing when the connection has ended.
Task<std::optional<std::string>> receive(env::Socket& socket) {
  Bytes head(4);
  Bytes body;
  for (Bytes* part : {&head, &body}) {
    std::size_t have = 0;
    while (have < part->size()) {
      const auto count = co_await socket.read_some({part->data() + have, part->size() - have});
      if (!count || *count == 0) co_return std::nullopt;
      have += *count;
    }
    if (part == &head) body.resize(static_cast<std::size_t>(load_big<std::int32_t>(head.data())));
  }
  co_return std::string(as_text(body));
}

// Runs a test's task on loop 0 of a fresh machine.
template <class Test>
void on_loop(Test test) {
  const auto environment = env::make_real_environment({.loops = 1, .pool_threads = 1});
  env::run_until_done(*environment, test(*environment));
}

Task<void> answers_keep_order(env::RealEnvironment& environment) {
  Net net(environment);
  auto socket = co_await net.connect();
  Bytes both = request_of("wait....");
  const Bytes second = request_of("echo....");
  both.insert(both.end(), second.begin(), second.end());
  co_await send(*socket, both);
  while (net.service.started < 2) co_await env::sleep_for(env::milliseconds(1));
  net.service.release();
  EXPECT_EQ(co_await receive(*socket), "wait....");
  EXPECT_EQ(co_await receive(*socket), "echo....");
  socket->close();
  co_await net.stop();
}
TEST(Connection, AnswersKeepTheOrderOfRequestsThatOverlap) { on_loop(answers_keep_order); }

Task<void> files_are_sent_in_their_place(env::RealEnvironment& environment) {
  const std::string path = ::testing::TempDir() + "/arus-connection-file";
  Bytes bytes(600'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
  Net net(environment);
  {
    auto file = environment.files().open(path, env::OpenMode::create);
    EXPECT_TRUE(file && (*file)->write_at(bytes, 0));
    net.service.file = std::move(*file);
  }
  net.service.file_offset = 1'000;
  net.service.big_bytes = 500'000;
  auto socket = co_await net.connect();
  co_await send(*socket, request_of("file...."));
  co_await send(*socket, request_of("echo...."));
  const auto answer = co_await receive(*socket);
  EXPECT_TRUE(answer && *answer == std::string(as_text(ByteView(bytes).subspan(1'000, 500'000))) +
                                       "file....");
  EXPECT_EQ(co_await receive(*socket), "echo....");
  // A file that ends too early cannot be told to the client any more: the connection ends.
  EXPECT_TRUE(net.service.file->truncate(2'000));
  co_await send(*socket, request_of("file...."));
  EXPECT_EQ(co_await receive(*socket), std::nullopt);
  co_await net.stop();
  EXPECT_TRUE(environment.files().remove(path));
}
TEST(Connection, PartsOfFilesAreSentInTheirPlace) { on_loop(files_are_sent_in_their_place); }

Task<void> no_answer_where_none_is_due(env::RealEnvironment& environment) {
  Net net(environment);
  auto socket = co_await net.connect();
  co_await send(*socket, request_of("nothing.."));
  co_await send(*socket, request_of("echo me.."));
  EXPECT_EQ(co_await receive(*socket), "echo me..");
  co_await send(*socket, request_of("close me."));
  EXPECT_EQ(co_await receive(*socket), std::nullopt);
  co_await net.stop();
}
TEST(Connection, ASilentAnswerTakesNoPlaceAndACloseEndsIt) { on_loop(no_answer_where_none_is_due); }

Task<void> garbage_is_hung_up_on(env::RealEnvironment& environment) {
  Net net(environment);
  auto neighbour = co_await net.connect();
  for (const std::string_view garbage :
       {std::string_view("\xff\xff\xff\xff", 4), std::string_view("\0\0\0\0", 4),
        std::string_view("\0\0\0\3", 4), std::string_view("\x7f\xff\xff\xff", 4),
        std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01", 8),
        std::string_view("GET / HTTP/1.1\r\n\r\n")}) {
    auto socket = co_await net.connect();
    co_await send(*socket, Bytes(garbage.begin(), garbage.end()));
    EXPECT_EQ(co_await receive(*socket), std::nullopt);
  }
  EXPECT_EQ(net.metrics.connections_closed_garbage.value(), 6U);
  co_await send(*neighbour, request_of("echo....."));
  EXPECT_EQ(co_await receive(*neighbour), "echo.....");
  neighbour->close();
  co_await net.stop();
}
TEST(Connection, GarbageEndsOnlyItsOwnConnection) { on_loop(garbage_is_hung_up_on); }

Task<void> claims_cost_nothing(env::RealEnvironment& environment) {
  Net net(environment);
  std::vector<std::unique_ptr<env::Socket>> sockets;
  for (int i = 0; i < 200; ++i) {
    sockets.push_back(co_await net.connect());
    Bytes claim(5);
    store_big(claim.data(), std::int32_t{100 << 20});
    co_await send(*sockets.back(), claim);
  }
  while (net.metrics.bytes_received.value() < 1000) {
    co_await env::sleep_for(env::milliseconds(1));
  }
  EXPECT_EQ(net.budget.used(Share::requests), 1000U);
  for (const auto& socket : sockets) socket->close();
  co_await net.stop();
  EXPECT_EQ(net.budget.used(Share::requests), 0U);
}
TEST(Connection, ClaimedBytesAreChargedOnlyWhenTheyArrive) { on_loop(claims_cost_nothing); }

Task<void> flood_is_bounded(env::RealEnvironment& environment) {
  Net net(environment, {.send_timeout_ms = 300});
  auto socket = co_await net.connect();
  Bytes flood;
  for (int i = 0; i < 2000; ++i) {
    const Bytes one = request_of("bigbigbig");
    flood.insert(flood.end(), one.begin(), one.end());
  }
  env::Gate gate;
  env::spawn(gate, send(*socket, flood));
  // Nothing is read from the answers; the connection ends when it has taken no byte for a while.
  while (net.metrics.connections_closed_slow.value() == 0) {
    EXPECT_LE(net.service.started, static_cast<int>(2 * max_requests_in_flight));
    co_await env::sleep_for(env::milliseconds(10));
  }
  EXPECT_LT(net.service.started, 1000);
  socket->close();
  co_await gate.close();
  co_await net.stop();
  EXPECT_EQ(net.budget.used(Share::answers), 0U);
}
TEST(Connection, WhoNeverReadsAnswersIsNotReadAndThenClosed) { on_loop(flood_is_bounded); }

Task<void> stalled_frames_give_way(env::RealEnvironment& environment) {
  Net net(environment, {.stalled_frame_timeout_ms = 100}, 64 * 1024);
  auto hoarder = co_await net.connect();
  Bytes part(60'000 + 4, 'x');
  store_big(part.data(), std::int32_t{1 << 20});
  co_await send(*hoarder, part);
  auto second = co_await net.connect();
  co_await send(*second, part);
  while (net.metrics.bytes_received.value() < 64 * 1024) {
    co_await env::sleep_for(env::milliseconds(1));
  }
  auto honest = co_await net.connect();
  co_await send(*honest, request_of("echo....."));
  EXPECT_EQ(co_await receive(*honest), "echo.....");
  EXPECT_GE(net.metrics.connections_closed_slow.value(), 1U);
  hoarder->close();
  second->close();
  honest->close();
  co_await net.stop();
}
TEST(Connection, UnfinishedRequestsThatHoldTheBudgetGiveWayToOthers) {
  on_loop(stalled_frames_give_way);
}

Task<void> idle_ones_are_closed(env::RealEnvironment& environment) {
  Net net(environment, {.connections_max_idle_ms = 100});
  auto idle = co_await net.connect();
  EXPECT_EQ(co_await receive(*idle), std::nullopt);
  EXPECT_EQ(net.metrics.connections_closed_idle.value(), 1U);
  co_await net.stop();
}
TEST(Connection, SilentOnesAreClosed) { on_loop(idle_ones_are_closed); }

Task<void> limits_of_connections(env::RealEnvironment& environment) {
  Net net(environment, {.max_connections = 3, .max_connections_per_ip = 2});
  auto first = co_await net.connect();
  auto second = co_await net.connect();
  co_await send(*second, request_of("echo....."));
  EXPECT_EQ(co_await receive(*second), "echo.....");
  auto third = co_await net.connect();
  EXPECT_EQ(co_await receive(*third), std::nullopt);
  first->close();
  while (net.count.total() > 1) co_await env::sleep_for(env::milliseconds(1));
  auto fourth = co_await net.connect();
  co_await send(*fourth, request_of("echo....."));
  EXPECT_EQ(co_await receive(*fourth), "echo.....");
  second->close();
  fourth->close();
  co_await net.stop();
}
TEST(Acceptor, AHostWithTooManyConnectionsIsHungUpOn) { on_loop(limits_of_connections); }

Task<void> resets_leave_nothing(env::RealEnvironment& environment) {
  Net net(environment);
  for (int i = 0; i < 300; ++i) {
    auto socket = co_await net.connect();
    co_await send(*socket, request_of("wait....."));
    socket->close();
  }
  auto honest = co_await net.connect();
  co_await send(*honest, request_of("echo....."));
  EXPECT_EQ(co_await receive(*honest), "echo.....");
  honest->close();
  net.service.release();
  while (net.count.total() > 0) co_await env::sleep_for(env::milliseconds(1));
  EXPECT_EQ(net.budget.used(Share::requests), 0U);
  EXPECT_EQ(net.set.size(), 0U);
  co_await net.stop();
}
TEST(Connection, ThousandsThatVanishLeaveNothingBehind) { on_loop(resets_leave_nothing); }

Task<void> half_close_is_answered(env::RealEnvironment& environment) {
  Net net(environment);
  auto socket = co_await net.connect();
  co_await send(*socket, request_of("bigbigbig"));
  socket->shutdown_write();
  const auto answer = co_await receive(*socket);
  EXPECT_TRUE(answer && answer->size() == net.service.big_bytes);
  EXPECT_EQ(co_await receive(*socket), std::nullopt);
  co_await net.stop();
}
TEST(Connection, WhatWasAskedBeforeAHalfCloseIsAnswered) { on_loop(half_close_is_answered); }

}  // namespace
}  // namespace arus::net
