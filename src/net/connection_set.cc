#include "net/connection_set.h"

#include <utility>

#include "base/log.h"

namespace arus::net {
namespace {

const LogComponent connections_log{"net.connection"};

}  // namespace

NetworkMetrics::NetworkMetrics(metrics::Registry& registry)
    : connections(registry.gauge("arus_connections", "Open connections.")),
      connections_accepted(
          registry.counter("arus_connections_accepted_total", "Connections accepted.")),
      connections_refused(registry.counter("arus_connections_refused_total",
                                           "Connections closed at once by a limit.")),
      connections_closed_idle(registry.counter("arus_connections_closed_idle_total",
                                               "Connections closed for being silent.")),
      connections_closed_slow(registry.counter("arus_connections_closed_slow_total",
                                               "Connections closed for not taking answers.")),
      connections_closed_garbage(
          registry.counter("arus_connections_closed_invalid_total",
                           "Connections closed for sending what is no request.")),
      bytes_received(registry.counter("arus_network_received_bytes_total", "Bytes received.")),
      bytes_sent(registry.counter("arus_network_sent_bytes_total", "Bytes sent.")) {}

ConnectionSet::ConnectionSet(env::Loop& loop, const ConnectionLimits& limits, MemoryBudget& budget,
                             NetworkMetrics& metrics)
    : loop_(loop),
      limits_(limits),
      budget_(budget),
      metrics_(metrics),
      scratch_(std::make_unique_for_overwrite<std::uint8_t[]>(scratch_bytes)) {}

void ConnectionSet::adopt(std::unique_ptr<env::Socket> socket, std::string listener,
                          FrameService& service, env::Work ended) {
  if (draining_) {
    socket->close();
    ended();
    return;
  }
  auto peer = std::make_shared<Peer>();
  // Loops number their connections without asking each other.
  peer->connection = (static_cast<std::uint64_t>(loop_.index()) << 48) | next_id_++;
  peer->listener = std::move(listener);
  peer->local = socket->local();
  peer->remote = socket->remote();
  peer->caller = security::Caller(security::Principal{}, peer->remote.host);
  const std::uint64_t id = peer->connection;
  auto connection =
      std::make_shared<Connection>(*this, std::move(socket), std::move(peer), service);
  connections_.emplace(id, connection);
  metrics_.connections.add(1);
  metrics_.connections_accepted.add();
  env::spawn(gate_, run(std::move(connection), std::move(ended)));
}

env::Task<void> ConnectionSet::run(std::shared_ptr<Connection> connection, env::Work ended) {
  co_await connection->run();
  connections_.erase(connection->peer().connection);
  metrics_.connections.add(-1);
  connection.reset();
  ended();
}

env::Task<void> ConnectionSet::drain(env::TimePoint deadline) {
  draining_ = true;
  std::vector<std::shared_ptr<Connection>> all;
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->drain();
  while (!connections_.empty() && loop_.now() < deadline) {
    co_await env::sleep_for(env::milliseconds(5));
  }
  for (const auto& connection : all) connection->close();
  all.clear();
  co_await gate_.close();
}

void ConnectionSet::close_where(const std::function<bool(const Peer&)>& condition) {
  std::vector<std::shared_ptr<Connection>> chosen;
  for (const auto& [id, connection] : connections_) {
    if (condition(connection->peer())) chosen.push_back(connection);
  }
  for (const auto& connection : chosen) connection->close();
}

void ConnectionSet::relieve_budget() {
  const auto stalled_before = loop_.now() - env::milliseconds(limits_.stalled_frame_timeout_ms);
  std::shared_ptr<Connection> largest;
  std::shared_ptr<Connection> nearest;
  bool overdrawn = false;
  for (const auto& [id, connection] : connections_) {
    overdrawn = overdrawn || connection->has_overdraft();
    if (!connection->in_frame()) continue;
    if (!connection->waits_for_budget() && connection->last_read() <= stalled_before &&
        connection->partial_bytes() > 0 &&
        (!largest || connection->partial_bytes() > largest->partial_bytes())) {
      largest = connection;
    }
    if (connection->waits_for_budget() &&
        (!nearest || connection->missing_bytes() < nearest->missing_bytes())) {
      nearest = connection;
    }
  }
  if (largest) {
    connections_log.warning(
        "closing connection from {}: {} bytes of an unfinished request hold memory",
        largest->peer().remote.host, largest->partial_bytes());
    metrics_.connections_closed_slow.add();
    largest->close();
  } else if (nearest && !overdrawn) {
    nearest->allow_overdraft();
  }
}

}  // namespace arus::net
