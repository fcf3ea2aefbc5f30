#include "env/loop.h"

#include <atomic>

#include "env/environment.h"

namespace arus::env {
namespace {

// Everything about loops must hold with one loop and with several.
class LoopTest : public testing::TestWithParam<std::size_t> {
 protected:
  Loop& loop(std::size_t index) { return environment_->loop(index % environment_->loop_count()); }
  template <class T>
  T run(Task<T> task) {
    return run_until_done(*environment_, std::move(task));
  }

  std::unique_ptr<RealEnvironment> environment_ = make_real_environment({.loops = GetParam()});
};

INSTANTIATE_TEST_SUITE_P(Loops, LoopTest, testing::Values(1, 3));

Task<std::size_t> where_am_i() { co_return Loop::current()->index(); }

Task<void> visit(Environment& environment) {
  const std::size_t home = Loop::current()->index();
  for (std::size_t i = 0; i < environment.loop_count(); ++i) {
    Loop& target = environment.loop(i);
    EXPECT_EQ(co_await call(target, where_am_i), i);
    EXPECT_EQ(Loop::current()->index(), home);
    EXPECT_EQ(co_await call(target, [] { return Loop::current()->index(); }), i);
    EXPECT_EQ(Loop::current()->index(), home);
    bool ran = false;
    co_await call(target, [&ran] { ran = true; });
    EXPECT_TRUE(ran);
    EXPECT_EQ(Loop::current()->index(), home);
  }
}

TEST_P(LoopTest, ACallRunsOnItsTargetAndComesBack) { run(visit(*environment_)); }

Task<std::uint64_t> count_on(Loop& target, int calls) {
  std::uint64_t counter = 0;
  for (int i = 0; i < calls; ++i) co_await call(target, [&counter] { ++counter; });
  co_return counter;
}

TEST_P(LoopTest, ManyCallsInARowLoseNothing) { EXPECT_EQ(run(count_on(loop(2), 20'000)), 20'000U); }

Task<void> call_then_leave(Loop& target, std::uint64_t& counter, int calls) {
  for (int i = 0; i < calls; ++i) co_await call(target, [&counter] { ++counter; });
}

Task<std::uint64_t> count_in_parallel(Loop& target) {
  std::uint64_t counter = 0;
  Gate gate;
  for (int i = 0; i < 64; ++i) spawn(gate, call_then_leave(target, counter, 500));
  co_await gate.close();
  co_return counter;
}

TEST_P(LoopTest, CallsOutstandingTogetherLoseNothing) {
  EXPECT_EQ(run(count_in_parallel(loop(1))), 32'000U);
}

Task<std::vector<int>> post_from_home(Loop& target) {
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) target.post([&order, i] { order.push_back(i); });
  co_await call(target, [] {});
  // On the home loop the call above is direct: let the queue run first.
  for (int i = 0; i < 100; ++i) co_await yield();
  co_return order;
}

TEST_P(LoopTest, WhatOneThreadPostsInOneClassRunsInOrder) {
  const auto order = run(post_from_home(loop(2)));
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_P(LoopTest, NoClassStarvesAnother) {
  // Control work that never ends by itself, and one piece of background work behind it.
  struct Flood {
    Loop& loop;
    bool ended = false;
    std::uint64_t turns = 0;
    void go_on() {
      ++turns;
      if (!ended) loop.post([this] { go_on(); }, Priority::control);
    }
  } flood{loop(0)};
  loop(0).post([&] {
    for (int i = 0; i < 10; ++i) flood.go_on();
    loop(0).post(
        [&] {
          flood.ended = true;
          environment_->stop();
        },
        Priority::background);
  });
  environment_->run();
  EXPECT_TRUE(flood.ended);
  EXPECT_LT(flood.turns, 1000U);
}

TEST_P(LoopTest, ControlWorkGoesBeforeTheOtherClassesThatWait) {
  std::vector<Priority> order;
  for (const Priority priority : {Priority::background, Priority::client, Priority::control}) {
    for (int i = 0; i < 100; ++i) {
      loop(0).post([&order, priority] { order.push_back(priority); }, priority);
    }
  }
  environment_->stop();
  environment_->run();
  ASSERT_EQ(order.size(), 300U);
  const auto last = [&](Priority priority) {
    return order.rend() - std::find(order.rbegin(), order.rend(), priority);
  };
  EXPECT_LT(last(Priority::control), last(Priority::client));
  EXPECT_LT(last(Priority::client), last(Priority::background));
  EXPECT_LT(std::ranges::find(order, Priority::background) - order.begin(), 14);
}

Task<void> sleeps_are_never_short() {
  for (const int sleep_ms : {0, 1, 2, 5, 17, 40}) {
    const auto before = std::chrono::steady_clock::now();
    co_await sleep_for(milliseconds(sleep_ms));
    const auto slept = std::chrono::steady_clock::now() - before;
    EXPECT_GE(slept, milliseconds(sleep_ms));
    EXPECT_LT(slept, milliseconds(sleep_ms) + seconds(1));
  }
}

TEST_P(LoopTest, SleepsAreNeverShort) { run(sleeps_are_never_short()); }

Task<void> sleep_into(std::vector<int>& order, int sleep_ms) {
  co_await sleep_for(milliseconds(sleep_ms));
  order.push_back(sleep_ms);
}

Task<std::vector<int>> sleep_together() {
  std::vector<int> order;
  Gate gate;
  for (const int sleep_ms : {30, 10, 50, 20, 40}) spawn(gate, sleep_into(order, sleep_ms));
  co_await gate.close();
  co_return order;
}

TEST_P(LoopTest, SleepersWakeInTheOrderOfTheirDeadlines) {
  EXPECT_THAT(run(sleep_together()), testing::ElementsAre(10, 20, 30, 40, 50));
}

TEST_P(LoopTest, ThreadsThatAreNoLoopsMayPost) {
  std::atomic<int> count = 0;
  constexpr int each = 5000;
  std::vector<std::unique_ptr<Worker>> workers;
  for (int w = 0; w < 3; ++w) {
    workers.push_back(environment_->make_worker("poster"));
    workers.back()->submit([&, w] {
      EXPECT_EQ(Loop::current(), nullptr);
      for (int i = 0; i < each; ++i) {
        loop(static_cast<std::size_t>(w)).post([&] {
          if (++count == 3 * each) environment_->stop();
        });
      }
    });
  }
  environment_->run();
  EXPECT_EQ(count, 3 * each);
}

Task<int> one() { co_return 1; }

TEST_P(LoopTest, AnEnvironmentRunsAgainAfterItStopped) {
  EXPECT_EQ(run(one()), 1);
  EXPECT_EQ(run(count_on(loop(1), 10)), 10U);
}

Task<void> enter_until_told(int& left, OneShot<bool> told) {
  co_await told.wait();
  ++left;
}

Task<void> close_waits() {
  int left = 0;
  const OneShot<bool> told;
  Gate gate;
  spawn(gate, enter_until_told(left, told));
  EXPECT_EQ(gate.running(), 1U);
  Loop::current()->post([told] { told.set(true); }, Priority::background);
  co_await gate.close();
  EXPECT_EQ(left, 1);
  EXPECT_TRUE(gate.closed());
  // Refused: it would increment.
  spawn(gate, enter_until_told(left, told));
  EXPECT_EQ(left, 1);
  EXPECT_EQ(gate.running(), 0U);
}

TEST_P(LoopTest, ClosingAGateWaitsForThoseInsideAndRefusesOthers) { run(close_waits()); }

Task<void> close_empty() {
  Gate gate;
  co_await gate.close();
}

TEST_P(LoopTest, AnEmptyGateClosesAtOnce) { run(close_empty()); }

Task<void> keep_class(RealEnvironment& environment, Priority priority) {
  EXPECT_EQ(Loop::current()->priority(), priority);
  co_await yield();
  EXPECT_EQ(Loop::current()->priority(), priority);
  co_await sleep_for(milliseconds(1));
  EXPECT_EQ(Loop::current()->priority(), priority);
  environment.stop();
}

TEST_P(LoopTest, WorkGoesOnInTheClassItWaitedIn) {
  for (const Priority priority : {Priority::control, Priority::client, Priority::background}) {
    loop(0).post([&] { spawn_detached(keep_class(*environment_, priority)); }, priority);
    environment_->run();
  }
}

}  // namespace
}  // namespace arus::env
