#include "env/simulated/network.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "env/os_error.h"

namespace arus::env {

namespace {

constexpr std::size_t window_bytes = 256 << 10;  // sent and not yet read
constexpr std::size_t most_piece_bytes = 32 << 10;
constexpr Duration between_attempts = milliseconds(200);

std::pair<std::string, std::string> link_of(const std::string& a, const std::string& b) {
  return a < b ? std::pair{a, b} : std::pair{b, a};
}

bool is_own_host(const std::string& host) {
  return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

}  // namespace

// Both directions of one connection. Side 0 has connected, side 1 was accepted.
struct SimulatedNetwork::Connection : std::enable_shared_from_this<Connection> {
  struct Piece {
    Bytes bytes;
    bool is_end = false;
  };
  // What one side sends, the other reads.
  struct Stream {
    std::deque<Piece> under_way;
    std::size_t held = 0;  // of them: arrived at a link that was cut
    std::size_t under_way_bytes = 0;
    std::deque<std::uint8_t> arrived;
    bool end_sent = false;
    bool end_arrived = false;
    TimePoint last_arrival{};
    Event readable;
    Event writable;
  };
  struct Side {
    Address address;
    bool closed = false;
    int error = 0;
  };

  Connection(SimulatedNetwork& its_network, std::string from, std::string to)
      : network(its_network), hosts{std::move(from), std::move(to)} {}

  [[nodiscard]] int error_of(int side) const {
    const Side& state = sides[static_cast<std::size_t>(side)];
    return state.closed ? ECANCELED : state.error;
  }
  [[nodiscard]] std::unexpected<Error> failure(const char* what, int side, int error) const {
    const Address& peer = sides[static_cast<std::size_t>(1 - side)].address;
    return arus::fail(network_error(std::string(what) + " " + peer.to_string(), error));
  }
  Stream& from(int side) { return streams[static_cast<std::size_t>(side)]; }
  Stream& to(int side) { return streams[static_cast<std::size_t>(1 - side)]; }

  void send(int side, Piece piece);
  void schedule_arrival(Stream& stream);
  void arrive(Stream& stream);
  void fail_side(int side, int error);
  void close(int side);
  // −EAGAIN when nothing is there, another errno below zero, or the number of bytes.
  std::int64_t take(int side, MutableByteView buffer);

  SimulatedNetwork& network;
  const std::array<std::string, 2> hosts;
  std::array<Side, 2> sides;
  std::array<Stream, 2> streams;
};

void SimulatedNetwork::Connection::send(int side, Piece piece) {
  Stream& stream = from(side);
  stream.under_way_bytes += piece.bytes.size();
  stream.under_way.push_back(std::move(piece));
  schedule_arrival(stream);
}

void SimulatedNetwork::Connection::schedule_arrival(Stream& stream) {
  Scheduler& scheduler = network.scheduler_;
  const Duration delay =
      scheduler.random().between(network.delays_.network_least, network.delays_.network_most);
  stream.last_arrival = std::max(scheduler.now() + delay, stream.last_arrival + Duration(1));
  // An end that was closed may be gone, and its last bytes still arrive.
  scheduler.at(stream.last_arrival, network.id_,
               [self = shared_from_this(), &stream] { self->arrive(stream); });
}

void SimulatedNetwork::Connection::arrive(Stream& stream) {
  if (stream.under_way.empty()) return;  // reset since
  if (network.is_cut(hosts[0], hosts[1])) {
    ++stream.held;
    return;
  }
  Piece piece = std::move(stream.under_way.front());
  stream.under_way.pop_front();
  stream.under_way_bytes -= piece.bytes.size();
  network.scheduler_.trace(piece.bytes.size());
  const int sender = &stream == streams.data() ? 0 : 1;
  if (sides[static_cast<std::size_t>(1 - sender)].closed) {
    // Nobody reads this any more: the sender learns it.
    if (!piece.bytes.empty()) fail_side(sender, ECONNRESET);
    return;
  }
  stream.arrived.insert(stream.arrived.end(), piece.bytes.begin(), piece.bytes.end());
  stream.end_arrived = stream.end_arrived || piece.is_end;
  stream.readable.notify_all();
}

void SimulatedNetwork::Connection::fail_side(int side, int error) {
  Side& state = sides[static_cast<std::size_t>(side)];
  if (state.closed || state.error != 0) return;
  state.error = error;
  from(side).under_way.clear();
  from(side).under_way_bytes = 0;
  from(side).writable.notify_all();
  to(side).readable.notify_all();
}

void SimulatedNetwork::Connection::close(int side) {
  Side& state = sides[static_cast<std::size_t>(side)];
  if (std::exchange(state.closed, true)) return;
  from(side).writable.notify_all();
  to(side).readable.notify_all();
  if (state.error != 0) return;
  if (!to(side).arrived.empty()) {
    // As TCP does: what was not read is an error to the peer.
    Scheduler& scheduler = network.scheduler_;
    const Duration delay =
        scheduler.random().between(network.delays_.network_least, network.delays_.network_most);
    scheduler.at(scheduler.now() + delay, network.id_,
                 [self = shared_from_this(), side] { self->fail_side(1 - side, ECONNRESET); });
  } else if (!std::exchange(from(side).end_sent, true)) {
    send(side, {.bytes = {}, .is_end = true});
  }
}

std::int64_t SimulatedNetwork::Connection::take(int side, MutableByteView buffer) {
  Stream& stream = to(side);
  if (const int error = error_of(side); error != 0) return -error;
  if (stream.arrived.empty()) return stream.end_arrived ? 0 : -EAGAIN;
  const std::size_t count = std::min(buffer.size(), stream.arrived.size());
  const auto end = stream.arrived.begin() + static_cast<std::ptrdiff_t>(count);
  std::copy(stream.arrived.begin(), end, buffer.begin());
  stream.arrived.erase(stream.arrived.begin(), end);
  stream.writable.notify_all();
  return static_cast<std::int64_t>(count);
}

Task<Result<std::size_t>> SimulatedNetwork::read(ConnectionPtr connection, int side,
                                                 MutableByteView buffer) {
  for (;;) {
    const std::int64_t count = connection->take(side, buffer);
    if (count >= 0) co_return static_cast<std::size_t>(count);
    if (count != -EAGAIN) {
      co_return connection->failure("read from", side, static_cast<int>(-count));
    }
    co_await connection->to(side).readable.wait();
  }
}

Task<Result<>> SimulatedNetwork::wait_readable(ConnectionPtr connection, int side) {
  for (;;) {
    const std::int64_t count = connection->take(side, {});
    if (count == -ECANCELED) co_return connection->failure("read from", side, ECANCELED);
    if (count != -EAGAIN) co_return Result<>{};
    co_await connection->to(side).readable.wait();
  }
}

Task<Result<>> SimulatedNetwork::write(ConnectionPtr connection, int side,
                                       std::span<const ByteView> pieces) {
  Connection::Stream& stream = connection->from(side);
  SimulatedRandom& random = connection->network.scheduler_.random();
  for (ByteView rest : pieces) {
    while (!rest.empty()) {
      int error = connection->error_of(side);
      if (error == 0 && stream.end_sent) error = EPIPE;
      if (error != 0) co_return connection->failure("write to", side, error);
      const std::size_t used = stream.under_way_bytes + stream.arrived.size();
      if (used >= window_bytes) {
        co_await stream.writable.wait();
        continue;
      }
      const std::size_t most = std::min({rest.size(), window_bytes - used, most_piece_bytes});
      const std::size_t count = 1 + random.below(most);
      connection->send(
          side, {.bytes = Bytes(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count))});
      rest = rest.subspan(count);
    }
  }
  const int error = connection->error_of(side);
  if (error != 0) co_return connection->failure("write to", side, error);
  co_return Result<>{};
}

Task<Result<>> SimulatedNetwork::write_file(ConnectionPtr connection, int side, File& file,
                                            std::int64_t offset, std::int64_t length) {
  Bytes buffer(std::min(most_piece_bytes, static_cast<std::size_t>(length)));
  while (length > 0) {
    const std::size_t wanted = std::min(buffer.size(), static_cast<std::size_t>(length));
    const auto count = file.read_at({buffer.data(), wanted}, offset);
    if (!count) co_return arus::fail(count.error());
    if (*count == 0) co_return arus::fail(storage_error(file.path(), "send", ENODATA));
    const ByteView piece(buffer.data(), *count);
    ARUS_CO_TRY(co_await write(connection, side, {&piece, 1}));
    offset += static_cast<std::int64_t>(*count);
    length -= static_cast<std::int64_t>(*count);
  }
  co_return Result<>{};
}

class SimulatedNetwork::SocketEnd final : public Socket {
 public:
  SocketEnd(ConnectionPtr connection, int side) : connection_(std::move(connection)), side_(side) {}
  ~SocketEnd() override { connection_->close(side_); }

  [[clang::coro_wrapper]] Task<Result<>> wait_readable() override {
    return SimulatedNetwork::wait_readable(connection_, side_);
  }
  [[clang::coro_wrapper]] Task<Result<std::size_t>> read_some(MutableByteView buffer) override {
    return read(connection_, side_, buffer);
  }
  Result<std::size_t> try_read(MutableByteView buffer) override {
    const std::int64_t count = connection_->take(side_, buffer);
    if (count < 0) return connection_->failure("read from", side_, static_cast<int>(-count));
    return static_cast<std::size_t>(count);
  }
  [[clang::coro_wrapper]] Task<Result<>> write(std::span<const ByteView> pieces) override {
    return SimulatedNetwork::write(connection_, side_, pieces);
  }
  [[clang::coro_wrapper]] Task<Result<>> write_head(std::span<const ByteView> pieces) override {
    return write(pieces);
  }
  [[clang::coro_wrapper]] Task<Result<>> write_file(File& file, std::int64_t offset,
                                                    std::int64_t length) override {
    return SimulatedNetwork::write_file(connection_, side_, file, offset, length);
  }
  void shutdown_write() override {
    if (connection_->error_of(side_) != 0) return;
    if (std::exchange(connection_->from(side_).end_sent, true)) return;
    connection_->send(side_, {.bytes = {}, .is_end = true});
  }
  void close() override { connection_->close(side_); }
  [[nodiscard]] const Address& local() const override {
    return connection_->sides[static_cast<std::size_t>(side_)].address;
  }
  [[nodiscard]] const Address& remote() const override {
    return connection_->sides[static_cast<std::size_t>(1 - side_)].address;
  }

 private:
  const ConnectionPtr connection_;
  const int side_;
};

struct SimulatedNetwork::Listening {
  Address local;
  std::size_t backlog = 0;
  std::deque<ConnectionPtr> waiting;
  bool closed = false;
  Event changed;
};

class SimulatedNetwork::ListenerEnd final : public Listener {
 public:
  explicit ListenerEnd(ListeningPtr listening) : listening_(std::move(listening)) {}
  ~ListenerEnd() override { ListenerEnd::close(); }
  [[clang::coro_wrapper]] Task<Result<std::unique_ptr<Socket>>> accept(Loop&) override {
    return SimulatedNetwork::accept(listening_);
  }
  void close() override {
    if (std::exchange(listening_->closed, true)) return;
    for (const auto& connection : std::exchange(listening_->waiting, {})) {
      connection->fail_side(0, ECONNRESET);
      connection->close(1);
    }
    listening_->changed.notify_all();
  }
  [[nodiscard]] const Address& local() const override { return listening_->local; }

 private:
  const ListeningPtr listening_;
};

Task<Result<std::unique_ptr<Socket>>> SimulatedNetwork::accept(ListeningPtr listening) {
  for (;;) {
    if (listening->closed) {
      co_return arus::fail(network_error("accept on " + listening->local.to_string(), ECANCELED));
    }
    if (!listening->waiting.empty()) {
      auto connection = std::move(listening->waiting.front());
      listening->waiting.pop_front();
      co_return std::make_unique<SocketEnd>(std::move(connection), 1);
    }
    co_await listening->changed.wait();
  }
}

SimulatedNetwork::SimulatedNetwork(Scheduler& scheduler, const Delays& delays)
    : scheduler_(scheduler), delays_(delays), id_(scheduler.add_actor()) {}

SimulatedNetwork::~SimulatedNetwork() = default;

void SimulatedNetwork::cut(const std::string& a, const std::string& b) {
  cut_.insert(link_of(a, b));
}

void SimulatedNetwork::heal(const std::string& a, const std::string& b) {
  cut_.erase(link_of(a, b));
  for (const auto& weak : connections_) {
    const auto connection = weak.lock();
    if (!connection || link_of(connection->hosts[0], connection->hosts[1]) != link_of(a, b)) {
      continue;
    }
    for (auto& stream : connection->streams) {
      for (std::size_t held = std::exchange(stream.held, 0); held > 0; --held) {
        connection->schedule_arrival(stream);
      }
    }
  }
}

void SimulatedNetwork::reset(const std::string& a, const std::string& b) {
  for (const auto& weak : connections_) {
    const auto connection = weak.lock();
    if (!connection || link_of(connection->hosts[0], connection->hosts[1]) != link_of(a, b)) {
      continue;
    }
    connection->fail_side(0, ECONNRESET);
    connection->fail_side(1, ECONNRESET);
  }
}

bool SimulatedNetwork::is_cut(const std::string& a, const std::string& b) const {
  return cut_.contains(link_of(a, b));
}

std::size_t SimulatedNetwork::connection_count() {
  std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
  return connections_.size();
}

std::string SimulatedNetwork::host_of(const std::string& from, const std::string& host) const {
  if (is_own_host(host)) return from;
  const auto found = names_.find(host);
  return found == names_.end() ? std::string() : found->second;
}

SimulatedNetwork::ListeningPtr SimulatedNetwork::listening_at(const std::string& host,
                                                              std::uint16_t port) const {
  const auto found = listening_.find({host, port});
  if (found == listening_.end()) return nullptr;
  auto listening = found->second.lock();
  return listening && !listening->closed ? listening : nullptr;
}

Result<std::unique_ptr<Listener>> SimulatedNetwork::listen(const std::string& host,
                                                           const Address& address, int backlog) {
  const bool wildcard = address.host.empty() || address.host == "0.0.0.0" || address.host == "::";
  if (!wildcard && host_of(host, address.host) != host) {
    return arus::fail(Error{ErrorCode::network_exception,
                            "address " + address.host + " is not one of this machine",
                            EADDRNOTAVAIL});
  }
  std::uint16_t port = address.port;
  while (port == 0) {
    if (listening_at(host, next_port_) == nullptr) port = next_port_;
    if (++next_port_ == 0) next_port_ = 49152;
  }
  if (listening_at(host, port) != nullptr) {
    return arus::fail(Error{ErrorCode::network_exception,
                            "port " + std::to_string(port) + " is in use", EADDRINUSE});
  }
  auto listening = std::make_shared<Listening>();
  listening->local = {wildcard || is_own_host(address.host) ? host : address.host, port};
  listening->backlog = static_cast<std::size_t>(std::max(backlog, 1));
  listening_[{host, port}] = listening;
  return std::make_unique<ListenerEnd>(std::move(listening));
}

std::unique_ptr<Socket> SimulatedNetwork::establish(const std::string& from, const Address& to,
                                                    Listening& listening) {
  auto connection = std::make_shared<Connection>(*this, from, host_of(from, to.host));
  connection->sides[0].address = {from, next_port_};
  if (++next_port_ == 0) next_port_ = 49152;
  connection->sides[1].address = {connection->hosts[1], to.port};
  static_cast<void>(connection_count());  // forgets those that are gone
  connections_.push_back(connection);
  listening.waiting.push_back(connection);
  listening.changed.notify_all();
  return std::make_unique<SocketEnd>(std::move(connection), 0);
}

Task<Result<std::unique_ptr<Socket>>> SimulatedNetwork::connect(std::string from, Address address,
                                                                TimePoint deadline) {
  const std::string host = host_of(from, address.host);
  if (host.empty()) {
    co_return arus::fail(
        Error{ErrorCode::network_exception,
              "host " + address.host + " cannot be resolved: Name or service not known", 0});
  }
  for (;;) {
    const Duration delay = scheduler_.random().between(delays_.network_least, delays_.network_most);
    co_await sleep_for(std::min(delay, deadline - scheduler_.now()));
    if (scheduler_.now() >= deadline) {
      co_return arus::fail(network_error("connect to " + address.to_string(), ETIMEDOUT));
    }
    if (!is_cut(from, host)) {
      const ListeningPtr listening = listening_at(host, address.port);
      if (listening == nullptr) {
        co_return arus::fail(network_error("connect to " + address.to_string(), ECONNREFUSED));
      }
      if (listening->waiting.size() < listening->backlog) {
        co_return establish(from, address, *listening);
      }
    }
    // No answer: try again, as TCP does.
    co_await sleep_for(std::min(between_attempts, deadline - scheduler_.now()));
  }
}

}  // namespace arus::env
