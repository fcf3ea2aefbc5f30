// Threads behind Worker and Pool.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "env/ring.h"
#include "env/worker.h"

namespace arus::env {

// Takes all that is queued at once, so that a burst costs one lock for each batch.
class RealWorker final : public Worker {
 public:
  explicit RealWorker(std::string name);
  ~RealWorker() override;
  void submit(Work work) override;
  // Not yet begun.
  [[nodiscard]] std::size_t queued() const override;

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Work> queue_;
  std::size_t taken_ = 0;  // of the batch in hand, not yet begun
  bool idle_ = false;
  bool ending_ = false;
  std::thread thread_;
};

// A fixed number of threads. A class is served only when those above it are empty, but every
// eighth piece comes from the lowest class that waits, so that none starves. Where there are
// several, one more leaves the background class alone: flushes that wait for the disk on all the
// others hold up nobody's read.
class RealPool final : public Pool {
 public:
  RealPool(const std::string& name, std::size_t threads);
  // Finishes what is queued.
  ~RealPool() override;
  void submit(Work work, Priority priority) override;

 private:
  void run();
  void run_without_background();
  Work take();
  Work take_highest();
  [[nodiscard]] std::size_t queued_before_background() const {
    return queued_ - queues_[static_cast<std::size_t>(Priority::background)].size();
  }

  std::mutex mutex_;
  std::condition_variable changed_;         // for the threads that serve all classes
  std::condition_variable client_changed_;  // for the one that does not
  std::array<Ring<Work>, priority_count> queues_;
  std::size_t queued_ = 0;
  std::size_t waiting_ = 0;  // threads that serve all classes
  std::size_t served_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

// Shown by ps and debuggers; cut to the 15 characters that Linux keeps.
void name_this_thread(const std::string& name);

}  // namespace arus::env
