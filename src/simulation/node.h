// The node under test: a whole broker, its environment, and the disk that outlives both.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "simulation/plan.h"
#include "simulation/story.h"

namespace arus::simulation {

inline constexpr const char* node_host = "10.0.0.1";
inline constexpr const char* clients_host = "10.0.0.2";
inline constexpr const char* inspector_host = "10.0.0.3";
inline constexpr std::uint16_t node_port = 9092;

// Runs a task on loop 0, and everything else meanwhile. Nothing when it does not end in time: then
// the run has failed, and what it holds stays as it is.
template <class T>
std::optional<T> run_within(env::SimulatedEnvironment& environment, env::Task<T> task,
                            env::Duration limit) {
  struct Pending {
    env::Task<T> task;
    std::optional<T> result;
  };
  auto pending = std::make_shared<Pending>(std::move(task), std::nullopt);
  environment.loop(0).post(
      [pending] { env::detail::run_to_end(std::move(pending->task), pending->result); });
  env::Simulation& simulation = environment.simulation();
  const env::TimePoint deadline = simulation.now() + limit;
  while (!pending->result && simulation.now() < deadline && simulation.step()) {
  }
  if (pending->result) return std::move(pending->result);
  static std::vector<std::shared_ptr<Pending>> abandoned;
  abandoned.push_back(std::move(pending));
  return std::nullopt;
}

// Owner: the thread of the simulation.
class Node {
 public:
  Node(env::Simulation& simulation, const Plan& plan, Story& story);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // An error says why the node did not come up.
  Result<> start();
  // What the broker says of its stop. Its process is gone afterwards.
  Result<> stop();
  // The process is gone. What it had under way does not reach the disk or anybody; then the disk
  // loses what `power` says, or nothing when it was only killed.
  void end(const std::optional<env::CrashPolicy>& power);

  // For as long things that nobody waits for may go on after a stop, as they do until a process
  // ends.
  static constexpr env::Duration usual_afterlife = env::seconds(2);  // a job of sixteen flushes
  void set_afterlife(env::Duration duration) { afterlife_ = duration; }
  [[nodiscard]] env::SimulatedDisk& disk() { return *disk_; }
  [[nodiscard]] const std::vector<std::string>& directories() const { return directories_; }
  [[nodiscard]] bool is_directory(const std::string& path) const {
    return std::ranges::find(directories_, path) != directories_.end();
  }
  void jump_clock(std::int64_t by_ms);
  // Clients reach the node, or not: then what is under way to them is lost.
  void set_reachable(const char* host, bool reachable);
  // One of its metrics without labels, as it says itself; 0 while it is not up.
  [[nodiscard]] double metric(std::string_view name) const;
  // Whether every directory says that the last stop was clean, and has no commit log left.
  [[nodiscard]] bool is_clean();

 private:
  [[nodiscard]] std::shared_ptr<const config::BrokerConfig> make_config() const;
  Result<> take_down();
  void leave_environment();

  env::Simulation& simulation_;
  const Plan& plan_;
  Story& story_;
  std::vector<std::string> directories_;
  std::shared_ptr<env::SimulatedDisk> disk_;
  std::unique_ptr<env::SimulatedEnvironment> environment_;
  std::unique_ptr<broker::Broker> broker_;
  std::int64_t clock_ahead_ms_ = 0;
  env::Duration afterlife_ = usual_afterlife;
};

}  // namespace arus::simulation
