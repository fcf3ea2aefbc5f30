// A network in memory between simulated nodes.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "env/simulated.h"
#include "env/simulated/scheduler.h"

namespace arus::env {

// Bytes travel in pieces of drawn sizes and delays: never reordered within a connection, freely
// between connections. A link that is cut holds what is sent until it is healed, as TCP does by
// sending again; connecting over it waits for the deadline. Owner: the one thread of the
// simulation; it outlives all sockets.
class SimulatedNetwork {
 public:
  SimulatedNetwork(Scheduler& scheduler, const Delays& delays);
  SimulatedNetwork(const SimulatedNetwork&) = delete;
  SimulatedNetwork& operator=(const SimulatedNetwork&) = delete;
  ~SimulatedNetwork();

  // Hosts are the addresses of nodes ("10.0.0.1"). A link has two hosts, in any order, or one.
  void cut(const std::string& a, const std::string& b);
  void heal(const std::string& a, const std::string& b);
  // Every connection of the link breaks with ECONNRESET on both sides.
  void reset(const std::string& a, const std::string& b);
  [[nodiscard]] bool is_cut(const std::string& a, const std::string& b) const;
  [[nodiscard]] std::size_t connection_count();

  // For the environments of nodes.
  void name_host(const std::string& name, const std::string& host) { names_[name] = host; }
  Result<std::unique_ptr<Listener>> listen(const std::string& host, const Address& address,
                                           int backlog);
  Task<Result<std::unique_ptr<Socket>>> connect(std::string from, Address address,
                                                TimePoint deadline);

 private:
  struct Connection;
  struct Listening;
  class ListenerEnd;
  class SocketEnd;
  using ConnectionPtr = std::shared_ptr<Connection>;
  using ListeningPtr = std::shared_ptr<Listening>;

  static Task<Result<std::size_t>> read(ConnectionPtr connection, int side, MutableByteView buffer);
  static Task<Result<>> wait_readable(ConnectionPtr connection, int side);
  static Task<Result<>> write(ConnectionPtr connection, int side, std::span<const ByteView> pieces);
  static Task<Result<>> write_file(ConnectionPtr connection, int side, File& file,
                                   std::int64_t offset, std::int64_t length);
  static Task<Result<std::unique_ptr<Socket>>> accept(ListeningPtr listening);

  // The node that a host means to another, or nothing.
  [[nodiscard]] std::string host_of(const std::string& from, const std::string& host) const;
  [[nodiscard]] ListeningPtr listening_at(const std::string& host, std::uint16_t port) const;
  std::unique_ptr<Socket> establish(const std::string& from, const Address& to,
                                    Listening& listening);

  Scheduler& scheduler_;
  const Delays delays_;
  const Scheduler::ActorId id_;
  std::map<std::string, std::string> names_;
  std::set<std::pair<std::string, std::string>> cut_;  // the lesser host first
  std::map<std::pair<std::string, std::uint16_t>, std::weak_ptr<Listening>> listening_;
  std::vector<std::weak_ptr<Connection>> connections_;
  std::uint16_t next_port_ = 49152;
};

}  // namespace arus::env
