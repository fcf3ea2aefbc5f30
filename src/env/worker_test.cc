#include "env/worker.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "env/environment.h"

namespace arus::env {
namespace {

class WorkerTest : public testing::TestWithParam<std::size_t> {
 protected:
  std::unique_ptr<RealEnvironment> environment_ = make_real_environment({.loops = GetParam()});
};

INSTANTIATE_TEST_SUITE_P(Loops, WorkerTest, testing::Values(1, 3));

// Holds a thread until it is opened.
class Latch {
 public:
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

TEST_P(WorkerTest, AWorkerRunsInOrderOnOneThread) {
  std::vector<int> order;
  std::set<std::thread::id> threads;
  {
    const auto worker = environment_->make_worker("ordered");
    for (int i = 0; i < 10'000; ++i) {
      worker->submit([&, i] {
        order.push_back(i);
        threads.insert(std::this_thread::get_id());
      });
    }
  }
  ASSERT_EQ(order.size(), 10'000U) << "destroying a worker finishes what is queued";
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(threads.size(), 1U);
}

TEST_P(WorkerTest, QueuedCountsWhatHasNotBegun) {
  Latch begun;
  Latch latch;
  const auto worker = environment_->make_worker("counted");
  worker->submit([&] {
    begun.open();
    latch.wait();
  });
  begun.wait();
  for (int i = 0; i < 3; ++i) worker->submit([] {});
  EXPECT_EQ(worker->queued(), 3U);
  latch.open();
  Latch done;
  worker->submit([&] { done.open(); });
  done.wait();
  EXPECT_EQ(worker->queued(), 0U);
}

Task<int> compute_elsewhere(Environment& environment) {
  Loop* const home = Loop::current();
  const auto worker = environment.make_worker("elsewhere");
  int sum = 0;
  for (int i = 0; i < 1000; ++i) {
    sum += co_await run_on(*worker, [i] {
      EXPECT_EQ(Loop::current(), nullptr);
      return i;
    });
    EXPECT_EQ(Loop::current(), home);
  }
  bool ran = false;
  co_await run_on(environment.pool(), [&] { ran = true; }, Priority::background);
  EXPECT_TRUE(ran);
  EXPECT_EQ(Loop::current(), home);
  const auto boxed = co_await run_on(environment.pool(), [] { return std::make_unique<int>(5); });
  co_return sum + *boxed;
}

TEST_P(WorkerTest, RunOnGivesTheResultBackOnTheLoopOfTheCaller) {
  EXPECT_EQ(run_until_done(*environment_, compute_elsewhere(*environment_)), 499'505);
}

TEST_P(WorkerTest, ThePoolServesHigherClassesFirstAndStarvesNone) {
  environment_ = make_real_environment({.loops = 1, .pool_threads = 1});
  Latch latch;
  std::vector<Priority> order;
  Pool& pool = environment_->pool();
  pool.submit([&] { latch.wait(); });
  for (const Priority priority : {Priority::background, Priority::client, Priority::control}) {
    for (int i = 0; i < 50; ++i) {
      pool.submit([&order, priority] { order.push_back(priority); }, priority);
    }
  }
  latch.open();
  environment_.reset();
  ASSERT_EQ(order.size(), 150U);
  const auto first = [&](Priority priority) {
    return std::ranges::find(order, priority) - order.begin();
  };
  EXPECT_LT(first(Priority::control), first(Priority::background));
  EXPECT_LT(first(Priority::background), 10);
  EXPECT_GE(first(Priority::client), 50);
}

TEST_P(WorkerTest, BackgroundThatWaitsOnEveryThreadHoldsNoClientUp) {
  Pool& pool = environment_->pool();
  Latch stuck;
  Latch all_run;
  std::atomic<int> left{3};
  for (int i = 0; i < 10; ++i) pool.submit([&] { stuck.wait(); }, Priority::background);
  for (const Priority priority : {Priority::client, Priority::control, Priority::client}) {
    pool.submit(
        [&] {
          if (--left == 0) all_run.open();
        },
        priority);
  }
  all_run.wait();
  stuck.open();
  environment_.reset();
}

}  // namespace
}  // namespace arus::env
