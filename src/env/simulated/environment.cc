#include "env/simulated.h"
#include "env/simulated/actors.h"
#include "env/simulated/disk.h"
#include "env/simulated/network.h"
#include "env/simulated/scheduler.h"

namespace arus::env {

namespace {

class SimulatedClock final : public Clock {
 public:
  SimulatedClock(Scheduler& scheduler, std::int64_t wall_ms)
      : scheduler_(scheduler), wall_ms_(wall_ms) {}
  [[nodiscard]] TimePoint now() const override { return scheduler_.now(); }
  [[nodiscard]] std::int64_t wall_ms() const override {
    const Duration since_start = scheduler_.now().time_since_epoch();
    return wall_ms_ + std::chrono::duration_cast<milliseconds>(since_start).count();
  }
  void jump(std::int64_t by_ms) { wall_ms_ += by_ms; }

 private:
  Scheduler& scheduler_;
  std::int64_t wall_ms_;
};

class Node final : public SimulatedEnvironment {
 public:
  Node(Simulation& simulation, const Delays& delays, NodeOptions options)
      : simulation_(simulation),
        delays_(delays),
        host_(options.host),
        disk_(options.disk ? std::move(options.disk) : simulation.make_disk()),
        clock_(simulation.scheduler(), options.wall_ms),
        random_(simulation.random().next()),
        pool_(simulation.scheduler(), delays, options.pool_threads) {
    ARUS_ASSERT(options.loops > 0);
    for (std::size_t i = 0; i < options.loops; ++i) {
      loops_.push_back(std::make_shared<SimulatedLoop>(simulation.scheduler(), delays, i));
    }
    simulation.network().name_host(host_, host_);
    if (!options.name.empty()) simulation.network().name_host(options.name, host_);
  }

  Clock& clock() override { return clock_; }
  FileSystem& files() override { return *disk_; }
  Random& random() override { return random_; }
  Pool& pool() override { return pool_; }
  [[nodiscard]] std::size_t loop_count() const override { return loops_.size(); }
  Loop& loop(std::size_t index) override { return *loops_.at(index); }
  std::unique_ptr<Worker> make_worker(std::string) override {
    return std::make_unique<SimulatedWorker>(simulation_.scheduler(), delays_);
  }
  std::unique_ptr<Pool> make_pool(std::string, std::size_t threads) override {
    return std::make_unique<SimulatedPool>(simulation_.scheduler(), delays_, threads);
  }
  Result<std::unique_ptr<Listener>> listen(Loop&, const Address& address, int backlog) override {
    return simulation_.network().listen(host_, address, backlog);
  }
  [[clang::coro_wrapper]] Task<Result<std::unique_ptr<Socket>>> connect(
      Address address, TimePoint deadline) override {
    return simulation_.network().connect(host_, std::move(address), deadline);
  }
  void jump_wall_clock(std::int64_t by_ms) override { clock_.jump(by_ms); }
  SimulatedDisk& disk() override { return *disk_; }
  Simulation& simulation() override { return simulation_; }

 private:
  Simulation& simulation_;
  const Delays delays_;
  const std::string host_;
  const std::shared_ptr<SimulatedDisk> disk_;
  SimulatedClock clock_;
  SimulatedRandom random_;
  std::vector<std::shared_ptr<SimulatedLoop>> loops_;
  SimulatedPool pool_;
};

}  // namespace

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      scheduler_(std::make_unique<Scheduler>(options.seed)),
      network_(std::make_unique<SimulatedNetwork>(*scheduler_, options.delays)) {}

Simulation::~Simulation() = default;

std::unique_ptr<SimulatedEnvironment> Simulation::make_environment(NodeOptions options) {
  return std::make_unique<Node>(*this, options_.delays, std::move(options));
}

std::shared_ptr<SimulatedDisk> Simulation::make_disk() {
  return std::make_shared<SimulatedDisk>(*scheduler_, options_.delays);
}

Random& Simulation::random() { return scheduler_->random(); }

bool Simulation::step() {
  ARUS_ASSERT(scheduler_->steps() < options_.most_steps);
  return scheduler_->step();
}

void Simulation::run_for(Duration duration) {
  const TimePoint end = now() + duration;
  while (scheduler_->next_event() <= end && step()) {
  }
  scheduler_->rest_until(end);
}

TimePoint Simulation::now() const { return scheduler_->now(); }

std::uint64_t Simulation::trace_hash() const { return scheduler_->trace_hash(); }

}  // namespace arus::env
