// The simulated environment: whole nodes on one thread, in virtual time, with faults on demand.
// A seed names a run: the same seed gives the same run, as trace_hash() proves.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "env/environment.h"

namespace arus::env {

class Scheduler;
class SimulatedDisk;
class SimulatedNetwork;

// Bounds between which delays are drawn.
struct Delays {
  Duration step_least = Duration(50), step_most = microseconds(2);            // between two turns
  Duration message_least = microseconds(1), message_most = microseconds(60);  // between threads
  Duration timer_least = Duration(0), timer_most = milliseconds(1);           // beyond the deadline
  Duration network_least = microseconds(20), network_most = milliseconds(2);  // one way
  Duration file_least = microseconds(1), file_most = microseconds(20);        // reads, writes
  Duration flush_least = microseconds(80), flush_most = milliseconds(3);
};

struct SimulationOptions {
  std::uint64_t seed = 1;
  Delays delays;
  // A run that takes more is stuck, and the process stops.
  std::uint64_t most_steps = 200'000'000;
};

struct NodeOptions {
  std::string host = "10.0.0.1";  // its address; also known by `name`
  std::string name;
  std::size_t loops = 1;
  std::size_t pool_threads = 2;
  std::shared_ptr<SimulatedDisk> disk;       // null is a new, empty one
  std::int64_t wall_ms = 1'750'000'000'000;  // what its clock says at the start of the simulation
};

// One node's environment. It must not outlive its simulation, nor anything of the node outlive it.
class SimulatedEnvironment : public Environment {
 public:
  // The wall clock jumps; timeouts do not notice.
  virtual void jump_wall_clock(std::int64_t by_ms) = 0;
  [[nodiscard]] virtual SimulatedDisk& disk() = 0;
  virtual class Simulation& simulation() = 0;
};

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  std::unique_ptr<SimulatedEnvironment> make_environment(NodeOptions options);
  std::shared_ptr<SimulatedDisk> make_disk();
  SimulatedNetwork& network() { return *network_; }
  Scheduler& scheduler() { return *scheduler_; }
  // For decisions of the test itself.
  Random& random();

  // Runs the next event; false when nothing is left to do.
  bool step();
  // Runs everything that happens within this time.
  void run_for(Duration duration);
  [[nodiscard]] TimePoint now() const;
  // Agrees between two runs that did the same.
  [[nodiscard]] std::uint64_t trace_hash() const;

 private:
  const SimulationOptions options_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<SimulatedNetwork> network_;
};

namespace detail {
template <class T>
Detached run_to_end(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}
inline Detached run_to_end(Task<void> task, bool& done) {
  co_await std::move(task);
  done = true;
}
}  // namespace detail

// Runs one task to its end on loop 0 of a node, and everything else that happens meanwhile. Nothing
// left to do before the end is a bug.
template <class T>
T run_until_done(SimulatedEnvironment& environment, Task<T> task) {
  std::conditional_t<std::is_void_v<T>, bool, std::optional<T>> result{};
  environment.loop(0).post([&] { detail::run_to_end(std::move(task), result); });
  while (!result && environment.simulation().step()) {
  }
  ARUS_ASSERT(result);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace arus::env
