#include "env/real/socket.h"

#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cerrno>

#include "env/event.h"
#include "env/os_error.h"
#include "env/real/endpoint.h"
#include "env/real/file.h"
#include "env/real/piece_cursor.h"
#include "env/real/readiness.h"

namespace arus::env {

namespace {

// A peer that is gone without a word is noticed after about two minutes.
constexpr int keepalive_idle_s = 60;
constexpr int keepalive_interval_s = 15;
constexpr int keepalive_probes = 4;
// After this many bytes without waiting, a transfer lets the loop's other work go first.
constexpr std::size_t bytes_in_a_row = 1 << 20;
constexpr std::size_t copy_buffer_bytes = 64 << 10;

void set_option(int descriptor, int level, int name, int value) {
  // Not having an option is not worth losing a connection for.
  static_cast<void>(::setsockopt(descriptor, level, name, &value, sizeof value));
}

void set_stream_options(int descriptor) {
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_s);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_s);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
}

// Shared by a socket and the operations under way, so that a socket may be closed and destroyed
// while they are suspended: they end with an error.
struct Connection {
  Connection(RealLoop& loop, int descriptor, Address its_remote)
      : readiness(loop, descriptor), remote(std::move(its_remote)) {}
  Readiness readiness;
  Address local;
  const Address remote;

  void set_connected() {
    set_stream_options(readiness.descriptor());
    local = local_address(readiness.descriptor());
  }

  [[nodiscard]] std::unexpected<Error> failure(const char* what, int error) const {
    return fail(network_error(std::string(what) + " " + remote.to_string(),
                              readiness.closed() ? ECANCELED : error));
  }
};
using ConnectionPtr = std::shared_ptr<Connection>;
using Direction = Readiness::Direction;

// As recv, with an errno below zero: −EAGAIN when nothing is there.
::ssize_t receive(const Connection& connection, MutableByteView buffer, int flags) {
  if (connection.readiness.closed()) return -ECANCELED;
  ::ssize_t count = 0;
  do {
    count = ::recv(connection.readiness.descriptor(), buffer.data(), buffer.size(),
                   flags | MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

::ssize_t send(const Connection& connection, const PieceCursor& pieces, int flags) {
  if (connection.readiness.closed()) return -ECANCELED;
  std::array<::iovec, PieceCursor::most_vectors> vectors;
  ::msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = pieces.fill(vectors);
  ::ssize_t count = 0;
  do {
    count =
        ::sendmsg(connection.readiness.descriptor(), &message, flags | MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

Task<Result<>> wait_until_readable(ConnectionPtr connection) {
  std::uint8_t byte = 0;
  const ::ssize_t peeked = receive(*connection, {&byte, 1}, MSG_PEEK);
  int error = peeked < 0 ? static_cast<int>(-peeked) : 0;
  if (error == EAGAIN) error = co_await connection->readiness.wait(Direction::read);
  if (error != 0) co_return connection->failure("read from", error);
  co_return Result<>{};
}

Task<Result<std::size_t>> read_from(ConnectionPtr connection, MutableByteView buffer) {
  for (;;) {
    const ::ssize_t count = receive(*connection, buffer, 0);
    if (count >= 0) co_return static_cast<std::size_t>(count);
    if (count != -EAGAIN) co_return connection->failure("read from", static_cast<int>(-count));
    const int error = co_await connection->readiness.wait(Direction::read);
    if (error != 0) co_return connection->failure("read from", error);
  }
}

Task<Result<>> write_to(ConnectionPtr connection, std::span<const ByteView> pieces, int flags = 0) {
  std::size_t in_a_row = 0;
  for (PieceCursor rest(pieces); !rest.at_end();) {
    const ::ssize_t count = send(*connection, rest, flags);
    if (count >= 0) {
      rest.advance(static_cast<std::size_t>(count));
      in_a_row += static_cast<std::size_t>(count);
      if (in_a_row >= bytes_in_a_row && !rest.at_end()) {
        in_a_row = 0;
        co_await yield();
      }
      continue;
    }
    if (count != -EAGAIN) co_return connection->failure("write to", static_cast<int>(-count));
    in_a_row = 0;
    const int error = co_await connection->readiness.wait(Direction::write);
    if (error != 0) co_return connection->failure("write to", error);
  }
  co_return Result<>{};
}

// For files that are no descriptors.
Task<Result<>> copy_to(ConnectionPtr connection, File& file, std::int64_t offset,
                       std::int64_t length) {
  Bytes buffer(std::min(copy_buffer_bytes, static_cast<std::size_t>(length)));
  while (length > 0) {
    const std::size_t wanted = std::min(buffer.size(), static_cast<std::size_t>(length));
    const auto count = file.read_at({buffer.data(), wanted}, offset);
    if (!count) co_return fail(count.error());
    if (*count == 0) co_return fail(storage_error(file.path(), "read", ENODATA));
    const ByteView piece(buffer.data(), *count);
    ARUS_CO_TRY(co_await write_to(connection, {&piece, 1}));
    offset += static_cast<std::int64_t>(*count);
    length -= static_cast<std::int64_t>(*count);
  }
  co_return Result<>{};
}

Task<Result<>> send_file(ConnectionPtr connection, const RealFile& file, std::int64_t offset,
                         std::int64_t length) {
  ::off_t position = offset;
  while (length > 0) {
    if (connection->readiness.closed()) co_return connection->failure("write to", ECANCELED);
    const std::size_t wanted = std::min(bytes_in_a_row, static_cast<std::size_t>(length));
    const ::ssize_t count =
        ::sendfile(connection->readiness.descriptor(), file.descriptor(), &position, wanted);
    if (count > 0) {
      length -= count;
      if (length > 0) co_await yield();
      continue;
    }
    if (count == 0) co_return fail(storage_error(file.path(), "send", ENODATA));
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return connection->failure("write to", errno);
    const int error = co_await connection->readiness.wait(Direction::write);
    if (error != 0) co_return connection->failure("write to", error);
  }
  co_return Result<>{};
}

class RealSocket final : public Socket {
 public:
  explicit RealSocket(ConnectionPtr connection) : connection_(std::move(connection)) {}
  ~RealSocket() override { connection_->readiness.close(); }

  [[clang::coro_wrapper]] Task<Result<>> wait_readable() override {
    return wait_until_readable(connection_);
  }
  [[clang::coro_wrapper]] Task<Result<std::size_t>> read_some(MutableByteView buffer) override {
    return read_from(connection_, buffer);
  }
  Result<std::size_t> try_read(MutableByteView buffer) override {
    const ::ssize_t count = receive(*connection_, buffer, 0);
    // Too common for a sentence.
    if (count == -EAGAIN) return fail(Error{ErrorCode::network_exception, {}, EAGAIN});
    if (count < 0) return connection_->failure("read from", static_cast<int>(-count));
    return static_cast<std::size_t>(count);
  }
  [[clang::coro_wrapper]] Task<Result<>> write(std::span<const ByteView> pieces) override {
    return write_to(connection_, pieces);
  }
  [[clang::coro_wrapper]] Task<Result<>> write_head(std::span<const ByteView> pieces) override {
    return write_to(connection_, pieces, MSG_MORE);
  }
  [[clang::coro_wrapper]] Task<Result<>> write_file(File& file, std::int64_t offset,
                                                    std::int64_t length) override {
    if (const auto* const real = dynamic_cast<const RealFile*>(&file)) {
      return send_file(connection_, *real, offset, length);
    }
    return copy_to(connection_, file, offset, length);
  }
  void shutdown_write() override {
    if (connection_->readiness.closed()) return;
    // A connection that is broken already says so to the next read.
    static_cast<void>(::shutdown(connection_->readiness.descriptor(), SHUT_WR));
  }
  void close() override { connection_->readiness.close(); }
  [[nodiscard]] const Address& local() const override { return connection_->local; }
  [[nodiscard]] const Address& remote() const override { return connection_->remote; }

 private:
  ConnectionPtr connection_;
};

// The same for a listener.
struct Listening {
  Listening(RealLoop& loop, int descriptor)
      : readiness(loop, descriptor), local(local_address(descriptor)) {}
  Readiness readiness;
  const Address local;
};

// Connections that died in the queue are nobody's error.
bool concerns_one_connection(int error) {
  return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM ||
         error == ENETDOWN || error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET ||
         error == EHOSTUNREACH || error == ENETUNREACH;
}

Task<Result<std::unique_ptr<Socket>>> accept_from(std::shared_ptr<Listening> listening,
                                                  RealLoop& owner) {
  for (;;) {
    int error = ECANCELED;
    if (!listening->readiness.closed()) {
      Endpoint peer;
      peer.size = sizeof peer.storage;
      const int descriptor =
          ::accept4(listening->readiness.descriptor(), reinterpret_cast<::sockaddr*>(&peer.storage),
                    &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0) {
        auto connection = std::make_shared<Connection>(owner, descriptor, address_of(peer));
        connection->set_connected();
        co_return std::make_unique<RealSocket>(std::move(connection));
      }
      error = errno;
    }
    if (concerns_one_connection(error)) continue;
    if (error == EAGAIN) error = co_await listening->readiness.wait(Direction::read);
    if (error != 0) {
      co_return fail(network_error("accept on " + listening->local.to_string(), error));
    }
  }
}

class RealListener final : public Listener {
 public:
  RealListener(RealLoop& loop, int descriptor)
      : listening_(std::make_shared<Listening>(loop, descriptor)) {}
  ~RealListener() override { listening_->readiness.close(); }
  [[clang::coro_wrapper]] Task<Result<std::unique_ptr<Socket>>> accept(Loop& owner) override {
    return accept_from(listening_, static_cast<RealLoop&>(owner));
  }
  void close() override { listening_->readiness.close(); }
  [[nodiscard]] const Address& local() const override { return listening_->local; }

 private:
  std::shared_ptr<Listening> listening_;
};

std::string why_not_bound(const Address& address, int error) {
  const std::string port = std::to_string(address.port);
  switch (error) {
    case EADDRINUSE:
      return "port " + port + " is in use";
    case EACCES:
      return "port " + port + " needs a privilege that this process does not have";
    case EADDRNOTAVAIL:
      return "address " + address.host + " is not one of this machine";
    default:
      return "listen on " + address.to_string() + ": " + describe_os_error(error);
  }
}

// A descriptor that listens, or −errno.
int bind_and_listen(const Endpoint& endpoint, int backlog) {
  const int descriptor =
      ::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return -errno;
  set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  // The wildcard of IPv6 takes IPv4 as well, as Java's does.
  if (endpoint.family() == AF_INET6) set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(descriptor, endpoint.address(), endpoint.size) != 0 ||
      ::listen(descriptor, backlog) != 0) {
    const int error = errno;
    ::close(descriptor);
    return -error;
  }
  return descriptor;
}

Result<std::vector<Endpoint>> endpoints_to_bind(const Address& address) {
  if (address.host.empty()) {
    std::vector<Endpoint> wildcards = numeric_endpoints({"::", address.port});
    for (const Endpoint& ipv4 : numeric_endpoints({"0.0.0.0", address.port})) {
      wildcards.push_back(ipv4);
    }
    return wildcards;
  }
  auto numeric = numeric_endpoints(address);
  if (!numeric.empty()) return numeric;
  return resolve(address);
}

// 0, or an errno.
Task<int> connect_endpoint(ConnectionPtr connection, const Endpoint& endpoint, TimePoint deadline) {
  const int descriptor = connection->readiness.descriptor();
  int error = ::connect(descriptor, endpoint.address(), endpoint.size) == 0 ? 0 : errno;
  if (error == EINPROGRESS || error == EINTR) {
    error = co_await connection->readiness.wait(Direction::write, deadline);
    ::socklen_t size = sizeof error;
    if (error == 0) ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == 0) connection->set_connected();
  co_return error;
}

Task<Result<std::vector<Endpoint>>> resolve_on(Pool& pool, Address address, TimePoint deadline) {
  auto numeric = numeric_endpoints(address);
  if (!numeric.empty()) co_return numeric;
  Loop* const home = Loop::current();
  OneShot<Result<std::vector<Endpoint>>> resolved;
  pool.submit(
      [home, address, resolved]() mutable {
        // The event belongs to the home loop: it is moved there, not copied.
        auto found = resolve(address);
        home->post([resolved = std::move(resolved), found = std::move(found)]() mutable {
          resolved.set(std::move(found));
        });
      },
      home->priority());
  auto found = co_await resolved.wait_until(deadline);
  if (found) co_return std::move(*found);
  co_return fail(network_error("resolve " + address.host, ETIMEDOUT));
}

}  // namespace

Result<std::unique_ptr<Listener>> listen_on(RealLoop& owner, const Address& address, int backlog) {
  const auto endpoints = endpoints_to_bind(address);
  if (!endpoints) return fail(endpoints.error());
  int error = EADDRNOTAVAIL;
  for (const Endpoint& endpoint : *endpoints) {
    const int descriptor = bind_and_listen(endpoint, backlog);
    if (descriptor >= 0) return std::make_unique<RealListener>(owner, descriptor);
    error = -descriptor;
    // The next one only where the machine lacks this family of addresses.
    if (error != EAFNOSUPPORT && error != EADDRNOTAVAIL) break;
  }
  return fail(Error{ErrorCode::network_exception, why_not_bound(address, error), error});
}

Task<Result<std::unique_ptr<Socket>>> connect_to(Pool& pool, Address address, TimePoint deadline) {
  auto* const loop = static_cast<RealLoop*>(Loop::current());
  ARUS_ASSERT(loop != nullptr);
  const auto endpoints = co_await resolve_on(pool, address, deadline);
  if (!endpoints) co_return fail(endpoints.error());
  int error = EADDRNOTAVAIL;
  for (const Endpoint& endpoint : *endpoints) {
    const int descriptor =
        ::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor < 0) {
      error = errno;
      continue;
    }
    auto connection = std::make_shared<Connection>(*loop, descriptor, address_of(endpoint));
    error = co_await connect_endpoint(connection, endpoint, deadline);
    if (error == 0) co_return std::make_unique<RealSocket>(std::move(connection));
    if (loop->refresh_now() >= deadline) break;
  }
  co_return fail(network_error("connect to " + address.to_string(), error));
}

}  // namespace arus::env
