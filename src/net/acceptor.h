// Takes in connections and deals them to the loops.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "env/environment.h"
#include "net/connection_set.h"

namespace arus::net {

// Counts the connections of the process, for max.connections and max.connections.per.ip.
// Owner: the loop of the acceptors.
class ConnectionCount {
 public:
  [[nodiscard]] std::int64_t total() const { return total_; }
  [[nodiscard]] std::int64_t of(const std::string& host) const;
  void add(const std::string& host);
  void remove(const std::string& host);
  // Notified when a connection has ended.
  [[nodiscard]] env::Event& ended() { return ended_; }

 private:
  std::int64_t total_ = 0;
  std::unordered_map<std::string, std::int64_t> by_host_;
  env::Event ended_;
};

// One listening address. Connections go to the loops in turn. At max.connections it stops
// accepting until one has ended; a host that has too many is hung up on; when the process has no
// descriptors left it waits and tries again. Owner: the loop of its listener.
class Acceptor {
 public:
  Acceptor(std::string name, std::unique_ptr<env::Listener> listener,
           std::vector<ConnectionSet*> sets, FrameService& service, ConnectionCount& count,
           const ConnectionLimits& limits);

  // Until close().
  env::Task<void> run();
  // Stops accepting; run() completes afterwards.
  void close();
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const env::Address& local() const { return listener_->local(); }
  void set_limits(const ConnectionLimits& limits) { limits_ = limits; }

 private:
  void hand_over(std::unique_ptr<env::Socket> socket, ConnectionSet& set);

  std::string name_;
  std::unique_ptr<env::Listener> listener_;
  std::vector<ConnectionSet*> sets_;
  FrameService& service_;
  ConnectionCount& count_;
  ConnectionLimits limits_;
  env::Loop& loop_;
  std::size_t next_set_ = 0;
  bool closed_ = false;
};

}  // namespace arus::net
