// Loops, workers and pools of a simulated node.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "env/simulated.h"
#include "env/simulated/scheduler.h"
#include "env/timer_wheel.h"

namespace arus::env {

// A loop that runs one piece of work for each event of the scheduler, of a class drawn by weight.
// What other actors post arrives after a drawn delay, in order for each sender and class.
class SimulatedLoop final : public Loop, public std::enable_shared_from_this<SimulatedLoop> {
 public:
  SimulatedLoop(Scheduler& scheduler, const Delays& delays, std::size_t index);
  ~SimulatedLoop() override { ARUS_ASSERT(!is_current()); }

  void post(Work work, Priority priority) override;
  [[nodiscard]] TimePoint now() const override { return now_; }
  TimePoint refresh_now() override { return now_ = scheduler_.now(); }
  [[nodiscard]] Priority priority() const override { return running_class_; }
  void arm(Timer& timer, TimePoint deadline) override;
  void disarm(Timer& timer) override { wheel_.disarm(timer); }
  [[nodiscard]] std::size_t index() const override { return index_; }

  // Makes a loop, or none, the current one while it lives.
  class Scope {
   public:
    explicit Scope(SimulatedLoop* loop) : before_(current()) { set_current(loop); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { set_current(before_); }

   private:
    Loop* before_;
  };

 private:
  void push(Work work, Priority priority);
  void schedule_turn();
  void schedule_timers();
  void run_turn();
  void run_timers(TimePoint scheduled);
  [[nodiscard]] std::size_t draw_class();

  Scheduler& scheduler_;
  const Delays delays_;
  const std::size_t index_;
  const Scheduler::ActorId id_;
  TimePoint now_;
  TimePoint busy_until_{};
  TimerWheel wheel_;
  TimePoint timers_scheduled_ = never;
  std::array<std::deque<Work>, priority_count> ready_;
  bool turn_scheduled_ = false;
  Priority running_class_ = Priority::client;
};

// A few threads that share a queue; with one thread it is an ordered worker.
class SimulatedThreads : public std::enable_shared_from_this<SimulatedThreads> {
 public:
  SimulatedThreads(Scheduler& scheduler, const Delays& delays, std::size_t threads);
  void submit(Work work, Priority priority);
  [[nodiscard]] std::size_t queued() const;
  // Runs what is queued, now.
  void finish();

 private:
  struct Thread {
    Scheduler::ActorId id;
    TimePoint busy_until{};
    bool scheduled = false;
  };
  void schedule(Thread& thread);
  void run_one(Thread& thread);
  Work take();

  Scheduler& scheduler_;
  const Delays delays_;
  std::vector<Thread> threads_;
  std::array<std::deque<Work>, priority_count> queues_;
};

class SimulatedWorker final : public Worker {
 public:
  SimulatedWorker(Scheduler& scheduler, const Delays& delays)
      : thread_(std::make_shared<SimulatedThreads>(scheduler, delays, 1)) {}
  ~SimulatedWorker() override { thread_->finish(); }
  // One class: the order is that of submitting.
  void submit(Work work) override { thread_->submit(std::move(work), Priority::client); }
  [[nodiscard]] std::size_t queued() const override { return thread_->queued(); }

 private:
  std::shared_ptr<SimulatedThreads> thread_;
};

class SimulatedPool final : public Pool {
 public:
  SimulatedPool(Scheduler& scheduler, const Delays& delays, std::size_t threads)
      : threads_(std::make_shared<SimulatedThreads>(scheduler, delays, threads)) {}
  ~SimulatedPool() override { threads_->finish(); }
  void submit(Work work, Priority priority) override {
    threads_->submit(std::move(work), priority);
  }

 private:
  std::shared_ptr<SimulatedThreads> threads_;
};

}  // namespace arus::env
