#include "env/real/worker.h"

#include <pthread.h>

namespace arus::env {

void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

RealWorker::RealWorker(std::string name)
    : thread_([this, name = std::move(name)] {
        name_this_thread(name);
        run();
      }) {}

RealWorker::~RealWorker() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void RealWorker::submit(Work work) {
  bool wakes = false;
  {
    const std::scoped_lock lock(mutex_);
    ARUS_ASSERT(!ending_);
    queue_.push_back(std::move(work));
    wakes = std::exchange(idle_, false);
  }
  if (wakes) changed_.notify_one();
}

std::size_t RealWorker::queued() const {
  const std::scoped_lock lock(mutex_);
  return queue_.size() + taken_;
}

void RealWorker::run() {
  std::vector<Work> batch;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      taken_ = 0;
      while (queue_.empty() && !ending_) {
        idle_ = true;
        changed_.wait(lock);
      }
      idle_ = false;
      if (queue_.empty()) return;
      batch.swap(queue_);
      taken_ = batch.size();
    }
    for (Work& work : batch) {
      {
        const std::scoped_lock lock(mutex_);
        --taken_;
      }
      work();
      work = nullptr;
    }
    batch.clear();
  }
}

RealPool::RealPool(const std::string& name, std::size_t threads) {
  ARUS_ASSERT(threads > 0);
  const auto start = [this, &name](const std::string& which, void (RealPool::*serve)()) {
    threads_.emplace_back([this, name = name + "-" + which, serve] {
      name_this_thread(name);
      (this->*serve)();
    });
  };
  for (std::size_t i = 0; i < threads; ++i) start(std::to_string(i), &RealPool::run);
  if (threads > 1) start("client", &RealPool::run_without_background);
}

RealPool::~RealPool() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  client_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void RealPool::submit(Work work, Priority priority) {
  bool others_are_enough = false;
  {
    const std::scoped_lock lock(mutex_);
    queues_[static_cast<std::size_t>(priority)].push(std::move(work));
    ++queued_;
    others_are_enough = queued_ <= waiting_;
  }
  changed_.notify_one();
  if (priority != Priority::background && !others_are_enough) client_changed_.notify_one();
}

void RealPool::run() {
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      ++waiting_;
      changed_.wait(lock, [this] { return queued_ > 0 || ending_; });
      --waiting_;
      if (queued_ == 0) return;
      work = take();
    }
    work();
  }
}

void RealPool::run_without_background() {
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      client_changed_.wait(lock, [this] { return queued_before_background() > 0 || ending_; });
      if (queued_before_background() == 0) return;
      work = take_highest();
    }
    work();
  }
}

Work RealPool::take() {
  constexpr std::size_t lowest_class_every = 8;
  if (++served_ % lowest_class_every != 0) return take_highest();
  --queued_;
  for (std::size_t i = priority_count; i-- > 0;) {
    if (queues_[i].empty()) continue;
    Work lowest = queues_[i].pop();
    // This thread may have been woken for what it leaves.
    if (queued_before_background() > 0) client_changed_.notify_one();
    return lowest;
  }
  ARUS_ASSERT(false);
  return {};
}

Work RealPool::take_highest() {
  --queued_;
  for (auto& queue : queues_) {
    if (!queue.empty()) return queue.pop();
  }
  ARUS_ASSERT(false);
  return {};
}

}  // namespace arus::env
