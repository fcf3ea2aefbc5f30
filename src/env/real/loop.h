// A loop that is a thread waiting in epoll.
#pragma once

#include <array>
#include <mutex>
#include <vector>

#include "env/loop.h"
#include "env/real/asio.h"
#include "env/ring.h"
#include "env/timer_wheel.h"

namespace arus::env {

// One turn: take what other threads posted, fire timers, run work in weighted order for at most
// `turn_completions` pieces or `turn_time`, look for ready descriptors. It sleeps only when there
// is nothing to run, and whoever posts wakes it once for a batch. Descriptors only mark coroutines
// as ready; they run in the turn, in their class. The one system timer is the time-out of epoll.
// Owner: the thread inside run().
class RealLoop final : public Loop {
 public:
  explicit RealLoop(std::size_t index);

  void post(Work work, Priority priority) override;
  [[nodiscard]] TimePoint now() const override { return now_; }
  TimePoint refresh_now() override { return now_ = std::chrono::steady_clock::now(); }
  [[nodiscard]] Priority priority() const override { return running_class_; }
  void arm(Timer& timer, TimePoint deadline) override { wheel_.arm(timer, deadline); }
  void disarm(Timer& timer) override { wheel_.disarm(timer); }
  [[nodiscard]] std::size_t index() const override { return index_; }

  // Turns until stop(), then until nothing is left to run or `turns_after_stop` are over.
  void run();
  // Thread-safe. Before run() it makes run() return as soon as nothing is left to run.
  void stop();
  asio::io_context& io() { return io_; }

 private:
  static constexpr std::size_t turn_completions = 64;
  static constexpr Duration turn_time = milliseconds(1);
  static constexpr std::size_t completions_per_clock_reading = 4;
  static constexpr int turns_after_stop = 10'000;
  // Pieces in a row for control, client and background work while others wait.
  static constexpr std::array<std::size_t, priority_count> weights{8, 4, 1};

  struct Inbox {
    std::mutex mutex;
    std::array<std::vector<Work>, priority_count> work;
    bool has_work = false;
    bool asleep = false;
    bool stopping = false;
  };

  void push(Work work, Priority priority);
  void take_posted();
  void run_ready();
  // False when the loop has stopped.
  bool poll_or_sleep();
  void wake();

  const std::size_t index_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> io_has_work_;
  TimePoint now_;
  TimerWheel wheel_;
  std::array<Ring<Work>, priority_count> ready_;
  std::size_t ready_count_ = 0;
  std::size_t class_ = 0;   // whose turn it is, and
  std::size_t credit_ = 0;  // how many pieces more
  Priority running_class_ = Priority::client;
  int turns_since_stop_ = 0;
  Inbox inbox_;
  std::array<std::vector<Work>, priority_count> taken_;  // empty, kept for its memory
};

}  // namespace arus::env
