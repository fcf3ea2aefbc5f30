#include "env/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "env/environment.h"

namespace arus::env {
namespace {

using SocketPtr = std::unique_ptr<Socket>;

// With one loop, and with the two ends on different loops.
class SocketTest : public testing::TestWithParam<std::size_t> {
 protected:
  template <class T>
  T run(Task<T> task) {
    return run_until_done(*environment_, std::move(task));
  }
  std::unique_ptr<RealEnvironment> environment_ = make_real_environment({.loops = GetParam()});
};

INSTANTIATE_TEST_SUITE_P(Loops, SocketTest, testing::Values(1, 3));

TimePoint soon() { return Loop::current()->refresh_now() + seconds(20); }

std::unique_ptr<Listener> listen(Environment& environment, const std::string& host = "127.0.0.1") {
  auto listener = environment.listen(*Loop::current(), {host, 0}, 128);
  EXPECT_TRUE(listener) << listener.error().message;
  return std::move(*listener);
}

Task<Result<>> write_text(Socket& socket, std::string text) {
  const ByteView piece = as_bytes(text);
  co_return co_await socket.write({&piece, 1});
}

Task<std::string> read_text(Socket& socket, std::size_t size) {
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const auto count = co_await socket.read_some(
        {reinterpret_cast<std::uint8_t*>(text.data()) + done, size - done});
    if (!count || *count == 0) break;
    done += *count;
  }
  text.resize(done);
  co_return text;
}

// Both ends of one connection on the current loop.
struct Pair {
  SocketPtr client;
  SocketPtr server;
};
Task<Pair> connect_pair(Environment& environment, const std::string host = "127.0.0.1") {
  const auto listener = listen(environment, host);
  auto client = co_await environment.connect(listener->local(), soon());
  EXPECT_TRUE(client) << client.error().message;
  auto server = co_await listener->accept(*Loop::current());
  EXPECT_TRUE(server) << server.error().message;
  co_return Pair{std::move(*client), std::move(*server)};
}

// Sends back whatever comes until the peer ends.
Task<void> echo(SocketPtr socket) {
  Bytes buffer(8192);
  for (;;) {
    const auto count = co_await socket->read_some(buffer);
    if (!count || *count == 0) break;
    const ByteView piece(buffer.data(), *count);
    if (!co_await socket->write({&piece, 1})) break;
  }
}

Task<void> accept_and_echo(Environment& environment, Listener& listener, int connections) {
  for (int i = 0; i < connections; ++i) {
    Loop& owner = environment.loop(static_cast<std::size_t>(i) % environment.loop_count());
    auto socket = co_await listener.accept(owner);
    EXPECT_TRUE(socket);
    if (!socket) co_return;
    // The socket is used and destroyed on its owner only.
    auto* const raw = socket->release();
    owner.post([raw] { spawn_detached(echo(SocketPtr(raw))); });
  }
}

Task<void> send_numbers(Socket& socket, int count) {
  for (int i = 0; i < count; ++i) {
    EXPECT_TRUE(co_await write_text(socket, std::to_string(100'000 + i)));
  }
  socket.shutdown_write();
}

Task<void> pipeline(Environment& environment, Address address) {
  constexpr int count = 2000;
  auto socket = co_await environment.connect(address, soon());
  EXPECT_TRUE(socket);
  Gate gate;
  spawn(gate, send_numbers(**socket, count));
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(co_await read_text(**socket, 6), std::to_string(100'000 + i));
  }
  EXPECT_EQ(co_await read_text(**socket, 1), "") << "the echo ends after us";
  co_await gate.close();
}

Task<void> pipeline_many(Environment& environment) {
  const auto listener = listen(environment);
  Gate gate;
  spawn(gate, accept_and_echo(environment, *listener, 6));
  for (int i = 0; i < 6; ++i) spawn(gate, pipeline(environment, listener->local()));
  co_await gate.close();
}

TEST_P(SocketTest, PipelinedBytesComeBackInOrderOnManyConnections) {
  run(pipeline_many(*environment_));
}

Task<void> write_all(Socket& socket, const std::vector<ByteView>& pieces) {
  EXPECT_TRUE(co_await socket.write(pieces));
}

Task<void> write_large(Environment& environment) {
  auto pair = co_await connect_pair(environment);
  Bytes bytes(24 << 20);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * i >> 7);
  std::vector<ByteView> pieces;
  for (std::size_t at = 0, size = 1; at < bytes.size(); at += size, size = size % 50'000 + 977) {
    size = std::min(size, bytes.size() - at);
    pieces.push_back(ByteView(bytes).subspan(at, size));
    pieces.push_back({});
  }
  Gate gate;
  spawn(gate, write_all(*pair.client, pieces));
  Bytes read;
  Bytes buffer(100'000);
  while (read.size() < bytes.size()) {
    const auto count = co_await pair.server->read_some(buffer);
    EXPECT_TRUE(count && *count > 0);
    if (!count || *count == 0) break;
    read.insert(read.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*count));
  }
  co_await gate.close();
  EXPECT_TRUE(read == bytes);
}

TEST_P(SocketTest, LargeWritesOfManyPiecesArriveWhole) { run(write_large(*environment_)); }

Task<void> write_file_to(Socket& socket, File& file, std::int64_t offset, std::int64_t length) {
  EXPECT_TRUE(co_await socket.write_file(file, offset, length));
  socket.shutdown_write();
}

Task<void> send_file(Environment& environment, std::string path) {
  auto file = environment.files().open(path, OpenMode::create);
  EXPECT_TRUE(file);
  std::string text;
  while (text.size() < 5'000'000) text += std::to_string(text.size()) + ",";
  EXPECT_TRUE((*file)->write_at(as_bytes(text), 0));
  auto pair = co_await connect_pair(environment);
  Gate gate;
  spawn(gate, write_file_to(*pair.server, **file, 1000, 4'000'000));
  const std::string read = co_await read_text(*pair.client, text.size());
  EXPECT_TRUE(read == text.substr(1000, 4'000'000));
  co_await gate.close();
  const auto beyond = co_await pair.client->write_file(**file, 5'000'000 - 10, 1 << 20);
  EXPECT_FALSE(beyond) << "a file that is shorter than promised is an error";
  EXPECT_TRUE(environment.files().remove(path));
}

TEST_P(SocketTest, FilesAreSentFromAnyOffset) {
  run(send_file(*environment_, testing::TempDir() + "/arus-send-file"));
}

Task<void> read_expecting_error(Socket& socket, int& os_error) {
  Bytes buffer(16);
  const auto count = co_await socket.read_some(buffer);
  os_error = count ? 0 : count.error().os_error;
  if (!count) EXPECT_EQ(count.error().code, ErrorCode::network_exception);
}

Task<void> close_while_reading(Environment& environment) {
  auto pair = co_await connect_pair(environment);
  int os_error = 0;
  Gate gate;
  spawn(gate, read_expecting_error(*pair.server, os_error));
  co_await sleep_for(milliseconds(2));
  pair.server->close();
  co_await gate.close();
  EXPECT_EQ(os_error, ECANCELED);
  Bytes buffer(1);
  EXPECT_EQ((co_await pair.server->read_some(buffer)).error().os_error, ECANCELED);
  EXPECT_EQ((co_await pair.server->wait_readable()).error().os_error, ECANCELED);
  EXPECT_EQ((co_await write_text(*pair.server, "x")).error().os_error, ECANCELED);
  EXPECT_EQ(pair.server->try_read(buffer).error().os_error, ECANCELED);
  // Destroying is closing, too.
  auto other = co_await connect_pair(environment);
  Gate second;
  spawn(second, read_expecting_error(*other.server, os_error = 0));
  co_await sleep_for(milliseconds(2));
  other.server.reset();
  co_await second.close();
  EXPECT_EQ(os_error, ECANCELED);
}

TEST_P(SocketTest, ClosingEndsWhatIsPendingWithAnError) { run(close_while_reading(*environment_)); }

Task<void> write_until_error(Socket& socket, int& os_error) {
  const Bytes bytes(1 << 20);
  const ByteView piece(bytes);
  for (;;) {
    const auto written = co_await socket.write({&piece, 1});
    if (written) continue;
    os_error = written.error().os_error;
    co_return;
  }
}

Task<void> close_while_writing(Environment& environment) {
  auto pair = co_await connect_pair(environment);
  int os_error = 0;
  Gate gate;
  spawn(gate, write_until_error(*pair.server, os_error));
  co_await sleep_for(milliseconds(20));
  EXPECT_EQ(os_error, 0) << "the peer reads nothing, so the write waits";
  pair.server->close();
  co_await gate.close();
  EXPECT_EQ(os_error, ECANCELED);
}

TEST_P(SocketTest, ClosingEndsAWriteThatWaits) { run(close_while_writing(*environment_)); }

Task<void> peer_resets(Environment& environment) {
  auto pair = co_await connect_pair(environment);
  // Closing with unread bytes in hand resets the connection.
  EXPECT_TRUE(co_await write_text(*pair.server, "unread"));
  EXPECT_TRUE(co_await pair.client->wait_readable());
  int os_error = 0;
  Gate gate;
  spawn(gate, read_expecting_error(*pair.server, os_error));
  pair.client->close();
  co_await gate.close();
  EXPECT_EQ(os_error, ECONNRESET);
  os_error = 0;
  co_await write_until_error(*pair.server, os_error);
  EXPECT_TRUE(os_error == EPIPE || os_error == ECONNRESET) << os_error;
}

TEST_P(SocketTest, AResetOfThePeerIsAnError) { run(peer_resets(*environment_)); }

Task<void> half_open(Environment& environment) {
  auto pair = co_await connect_pair(environment);
  EXPECT_TRUE(co_await write_text(*pair.client, "last words"));
  pair.client->shutdown_write();
  EXPECT_EQ(co_await read_text(*pair.server, 100), "last words");
  Bytes buffer(4);
  EXPECT_EQ((co_await pair.server->read_some(buffer)).value(), 0U);
  EXPECT_TRUE(co_await write_text(*pair.server, "answer")) << "the other direction is open";
  EXPECT_EQ(co_await read_text(*pair.client, 6), "answer");
}

TEST_P(SocketTest, OneDirectionMayEndBeforeTheOther) { run(half_open(*environment_)); }

Task<void> try_first(Environment& environment) {
  auto pair = co_await connect_pair(environment);
  Bytes buffer(4);
  EXPECT_EQ(pair.server->try_read(buffer).error().os_error, EAGAIN);
  EXPECT_TRUE(co_await write_text(*pair.client, "abcdef"));
  EXPECT_TRUE(co_await pair.server->wait_readable());
  EXPECT_TRUE(co_await pair.server->wait_readable()) << "waiting reads nothing";
  EXPECT_EQ(pair.server->try_read(buffer).value(), 4U);
  EXPECT_EQ(pair.server->try_read(buffer).value(), 2U);
  pair.client->close();
  EXPECT_TRUE(co_await pair.server->wait_readable()) << "the end is readable";
  EXPECT_EQ(pair.server->try_read(buffer).value(), 0U);
}

TEST_P(SocketTest, TryingNeverWaits) { run(try_first(*environment_)); }

Task<void> ipv6(Environment& environment) {
  auto pair = co_await connect_pair(environment, "::1");
  EXPECT_EQ(pair.client->remote().host, "0:0:0:0:0:0:0:1");
  EXPECT_EQ(pair.server->local(), pair.client->remote());
  EXPECT_EQ(pair.server->remote(), pair.client->local());
  EXPECT_EQ(pair.client->remote().to_string(),
            "[0:0:0:0:0:0:0:1]:" + std::to_string(pair.client->remote().port));
  // What we print is understood again.
  EXPECT_TRUE(co_await write_text(*pair.client, "six"));
  EXPECT_EQ(co_await read_text(*pair.server, 3), "six");
}

Task<void> wildcard(Environment& environment) {
  const auto listener = listen(environment, "");
  auto client = co_await environment.connect({"127.0.0.1", listener->local().port}, soon());
  EXPECT_TRUE(client) << client.error().message;
  auto server = co_await listener->accept(*Loop::current());
  EXPECT_TRUE(server);
  EXPECT_EQ((*server)->local().host, "127.0.0.1") << "the address the client came in on";
  EXPECT_EQ((*server)->remote().host, "127.0.0.1");
}

bool has_ipv6() {
  const int descriptor = ::socket(AF_INET6, SOCK_STREAM, 0);
  if (descriptor < 0) return false;
  ::sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool bound =
      ::bind(descriptor, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0;
  ::close(descriptor);
  return bound;
}

TEST_P(SocketTest, Ipv6IsWrittenAsJavaWritesIt) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 on this machine";
  run(ipv6(*environment_));
}

TEST_P(SocketTest, AnEmptyHostTakesIpv4AndNamesItPlainly) { run(wildcard(*environment_)); }

Task<void> names(Environment& environment) {
  const auto listener = listen(environment);
  auto client = co_await environment.connect({"localhost", listener->local().port}, soon());
  EXPECT_TRUE(client) << client.error().message;
  const auto unknown = co_await environment.connect({"no-such-host.invalid", 1}, soon());
  EXPECT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::network_exception);
  EXPECT_THAT(unknown.error().message,
              testing::StartsWith("host no-such-host.invalid cannot be resolved: "));
}

TEST_P(SocketTest, NamesAreResolved) { run(names(*environment_)); }

Task<void> fail_to_connect(Environment& environment) {
  auto listener = listen(environment);
  const Address address = listener->local();
  listener.reset();
  const auto refused = co_await environment.connect(address, soon());
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.error().os_error, ECONNREFUSED);
  EXPECT_EQ(refused.error().message, "connect to " + address.to_string() + ": Connection refused");
}

TEST_P(SocketTest, ARefusedConnectionIsAnError) { run(fail_to_connect(*environment_)); }

Task<void> time_out(Environment& environment) {
  // A queue of one that nobody accepts from: further connections get no answer.
  auto listener = environment.listen(*Loop::current(), {"127.0.0.1", 0}, 0);
  EXPECT_TRUE(listener);
  std::vector<SocketPtr> connected;
  Result<SocketPtr> last = fail(ErrorCode::none);
  const TimePoint begin = Loop::current()->refresh_now();
  for (int i = 0; i < 16; ++i) {
    const TimePoint deadline = Loop::current()->refresh_now() + milliseconds(50);
    last = co_await environment.connect((*listener)->local(), deadline);
    if (!last) break;
    connected.push_back(std::move(*last));
  }
  EXPECT_FALSE(last);
  if (!last) EXPECT_EQ(last.error().os_error, ETIMEDOUT);
  EXPECT_GE(Loop::current()->refresh_now() - begin, milliseconds(50));
}

TEST_P(SocketTest, ConnectingEndsAtItsDeadline) { run(time_out(*environment_)); }

Task<void> accept_until_closed(Environment& environment, Listener& listener, int& os_error) {
  const auto socket = co_await listener.accept(environment.loop(0));
  os_error = socket ? 0 : socket.error().os_error;
}

Task<void> close_listener(Environment& environment) {
  const auto listener = listen(environment);
  int os_error = 0;
  Gate gate;
  spawn(gate, accept_until_closed(environment, *listener, os_error));
  co_await sleep_for(milliseconds(2));
  listener->close();
  co_await gate.close();
  EXPECT_EQ(os_error, ECANCELED);
}

TEST_P(SocketTest, ClosingAListenerEndsAccept) { run(close_listener(*environment_)); }

Task<void> take_port_twice(Environment& environment) {
  const auto listener = listen(environment);
  const auto second = environment.listen(*Loop::current(), listener->local(), 10);
  EXPECT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "port " + std::to_string(listener->local().port) + " is in use");
  EXPECT_EQ(second.error().os_error, EADDRINUSE);
  const auto foreign = environment.listen(*Loop::current(), {"192.0.2.1", 0}, 10);
  EXPECT_FALSE(foreign);
  EXPECT_EQ(foreign.error().message, "address 192.0.2.1 is not one of this machine");
  co_return;
}

TEST_P(SocketTest, APortInUseIsSaidPlainly) { run(take_port_twice(*environment_)); }

// Takes descriptors away until destroyed.
class DescriptorLimit {
 public:
  DescriptorLimit() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    ::close(next);
    ::rlimit none = before_;
    none.rlim_cur = static_cast<::rlim_t>(next);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  ::rlimit before_{};
};

Task<void> run_out_of_descriptors(Environment& environment) {
  const auto listener = listen(environment);
  auto client = co_await environment.connect(listener->local(), soon());
  EXPECT_TRUE(client);
  {
    const DescriptorLimit limit;
    const auto refused = co_await listener->accept(*Loop::current());
    EXPECT_FALSE(refused);
    if (!refused) EXPECT_EQ(refused.error().os_error, EMFILE);
  }
  EXPECT_TRUE(co_await listener->accept(*Loop::current())) << "the error passes";
}

// Due again by the time it has fired.
class Busy final : public Timer {
 public:
  void fire() override {
    const auto end = std::chrono::steady_clock::now() + milliseconds(2);
    while (std::chrono::steady_clock::now() < end) {
    }
    arm();
  }
  void arm() { Loop::current()->arm(*this, Loop::current()->now() + milliseconds(1)); }
};

Task<void> read_beside_timers(Environment& environment) {
  auto pair = co_await connect_pair(environment);
  Busy busy;
  busy.arm();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(co_await write_text(*pair.client, "ping"));
    EXPECT_EQ(co_await read_text(*pair.server, 4), "ping");
    EXPECT_TRUE(co_await write_text(*pair.server, "pong"));
    EXPECT_EQ(co_await read_text(*pair.client, 4), "pong");
    co_await sleep_for(milliseconds(3));
  }
}

TEST_P(SocketTest, TimersThatAreAlwaysDueDoNotStarveSockets) {
  run(read_beside_timers(*environment_));
}

TEST_P(SocketTest, AcceptSaysWhenDescriptorsRunOut) { run(run_out_of_descriptors(*environment_)); }

}  // namespace
}  // namespace arus::env
