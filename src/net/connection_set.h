// All connections of one loop, and what they share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "env/loop.h"
#include "env/socket.h"
#include "metrics/metrics.h"
#include "net/answer.h"
#include "net/connection.h"
#include "net/limits.h"
#include "net/memory_budget.h"

namespace arus::net {

struct NetworkMetrics {
  explicit NetworkMetrics(metrics::Registry& registry);
  metrics::Gauge& connections;
  metrics::Counter& connections_accepted;
  metrics::Counter& connections_refused;
  metrics::Counter& connections_closed_idle;
  metrics::Counter& connections_closed_slow;
  metrics::Counter& connections_closed_garbage;
  metrics::Counter& bytes_received;
  metrics::Counter& bytes_sent;
};

// Holds the connections of one loop until they have ended, their common read buffer and budget.
// Owner: its loop; made and destroyed anywhere while the loop does not touch it.
class ConnectionSet {
 public:
  ConnectionSet(env::Loop& loop, const ConnectionLimits& limits, MemoryBudget& budget,
                NetworkMetrics& metrics);

  // Takes over a fresh socket; `ended` is called on this loop when it is closed and forgotten.
  void adopt(std::unique_ptr<env::Socket> socket, std::string listener, FrameService& service,
             env::Work ended);
  // Stops reading everywhere, lets what is under way be answered until `deadline`, then closes.
  env::Task<void> drain(env::TimePoint deadline);
  // Closes the connections for which this is true.
  void close_where(const std::function<bool(const Peer&)>& condition);
  [[nodiscard]] std::size_t size() const { return connections_.size(); }

  [[nodiscard]] env::Loop& loop() { return loop_; }
  [[nodiscard]] const ConnectionLimits& limits() const { return limits_; }
  void set_limits(const ConnectionLimits& limits) { limits_ = limits; }
  [[nodiscard]] MemoryBudget& budget() { return budget_; }
  [[nodiscard]] NetworkMetrics& metrics() { return metrics_; }
  // Valid until the next suspension of whoever asks.
  [[nodiscard]] MutableByteView scratch() { return {scratch_.get(), scratch_bytes}; }
  [[nodiscard]] std::vector<Slice>& frame_list() { return frame_list_; }
  // Somebody has waited for the budget in vain: closes a connection that holds part of a frame and
  // has stopped sending, or lets one exceed the budget.
  void relieve_budget();

 private:
  env::Task<void> run(std::shared_ptr<Connection> connection, env::Work ended);

  env::Loop& loop_;
  ConnectionLimits limits_;
  MemoryBudget& budget_;
  NetworkMetrics& metrics_;
  std::unique_ptr<std::uint8_t[]> scratch_;
  std::vector<Slice> frame_list_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::uint64_t next_id_ = 0;
  bool draining_ = false;
  env::Gate gate_;
};

}  // namespace arus::net
