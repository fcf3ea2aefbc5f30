#include "env/timer_wheel.h"

#include <random>

namespace arus::env {
namespace {

class Recorded final : public Timer {
 public:
  void fire() override { fired_at.push_back(*clock); }
  const TimePoint* clock = nullptr;
  std::vector<TimePoint> fired_at;
};

class TimerWheelTest : public testing::Test {
 protected:
  void advance_to(TimePoint time) {
    now_ = time;
    wheel_.advance(now_);
    while (wheel_.fire_some(7) > 0) {
    }
  }
  // Goes from one announced time to the next, as a loop does.
  void run_until(TimePoint end) {
    for (TimePoint next = wheel_.next_advance(); next <= end; next = wheel_.next_advance()) {
      advance_to(std::max(next, now_));
    }
    advance_to(end);
  }

  TimePoint start_{Duration(123'456'789)};
  TimePoint now_ = start_;
  TimerWheel wheel_{start_};
};

TEST_F(TimerWheelTest, FiresAtTheFirstTickAtOrAfterTheDeadline) {
  std::mt19937_64 random(1);
  std::vector<std::unique_ptr<Recorded>> timers;
  std::vector<TimePoint> deadlines;
  for (int i = 0; i < 3000; ++i) {
    const auto digits = random() % 40;
    const Duration after(static_cast<std::int64_t>(random() % (2ULL << digits)) * 1000);
    timers.push_back(std::make_unique<Recorded>());
    timers.back()->clock = &now_;
    deadlines.push_back(start_ + after);
    wheel_.arm(*timers.back(), deadlines.back());
  }
  EXPECT_EQ(wheel_.size(), 3000U);
  run_until(*std::ranges::max_element(deadlines) + seconds(1));
  EXPECT_EQ(wheel_.size(), 0U);
  for (std::size_t i = 0; i < timers.size(); ++i) {
    ASSERT_EQ(timers[i]->fired_at.size(), 1U);
    EXPECT_GE(timers[i]->fired_at[0], deadlines[i]);
    EXPECT_LT(timers[i]->fired_at[0] - deadlines[i], milliseconds(1));
  }
}

TEST_F(TimerWheelTest, AJumpOverManyDeadlinesFiresThemInOrder) {
  std::vector<int> order;
  struct Numbered final : Timer {
    void fire() override { order->push_back(number); }
    std::vector<int>* order = nullptr;
    int number = 0;
  };
  std::vector<std::unique_ptr<Numbered>> timers;
  for (int i = 0; i < 200; ++i) {
    timers.push_back(std::make_unique<Numbered>());
    timers.back()->order = &order;
    timers.back()->number = i;
  }
  for (std::size_t i = timers.size(); i-- > 0;) {
    wheel_.arm(*timers[i], start_ + milliseconds(37) * static_cast<int>(i));
  }
  advance_to(start_ + seconds(100));
  EXPECT_EQ(order.size(), 200U);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_F(TimerWheelTest, DisarmedAndDestroyedTimersDoNotFire) {
  Recorded kept;
  kept.clock = &now_;
  wheel_.arm(kept, start_ + seconds(5));
  {
    Recorded gone;
    wheel_.arm(gone, start_ + seconds(5));
    EXPECT_TRUE(gone.armed());
  }
  Recorded disarmed;
  wheel_.arm(disarmed, start_ + seconds(5));
  wheel_.disarm(disarmed);
  wheel_.disarm(disarmed);
  EXPECT_FALSE(disarmed.armed());
  run_until(start_ + seconds(10));
  EXPECT_EQ(kept.fired_at.size(), 1U);
}

TEST_F(TimerWheelTest, ArmingAgainMovesTheDeadline) {
  Recorded timer;
  timer.clock = &now_;
  wheel_.arm(timer, start_ + seconds(5));
  wheel_.arm(timer, start_ + seconds(70'000));
  EXPECT_EQ(wheel_.size(), 1U);
  run_until(start_ + seconds(69'999));
  EXPECT_TRUE(timer.fired_at.empty());
  run_until(start_ + seconds(70'000));
  EXPECT_EQ(timer.fired_at.size(), 1U);
  wheel_.arm(timer, start_);
  EXPECT_TRUE(wheel_.has_due());
  EXPECT_EQ(wheel_.fire_some(1), 1U);
}

TEST_F(TimerWheelTest, ATimerDestroyedByAnotherThatIsDueWithItDoesNotFire) {
  auto victim = std::make_unique<Recorded>();
  struct Killer final : Timer {
    void fire() override { victim->reset(); }
    std::unique_ptr<Recorded>* victim = nullptr;
  } killer;
  killer.victim = &victim;
  wheel_.arm(killer, start_ + milliseconds(3));
  wheel_.arm(*victim, start_ + milliseconds(3));
  advance_to(start_ + milliseconds(3));
  EXPECT_EQ(victim, nullptr);
  EXPECT_EQ(wheel_.size(), 0U);
}

TEST_F(TimerWheelTest, DeadlinesBeyondTheReachStillFireOnTime) {
  Recorded timer;
  timer.clock = &now_;
  const TimePoint deadline = start_ + std::chrono::hours(24 * 365 * 9);
  wheel_.arm(timer, deadline);
  run_until(deadline - milliseconds(1));
  EXPECT_TRUE(timer.fired_at.empty());
  run_until(deadline);
  EXPECT_EQ(timer.fired_at.size(), 1U);
}

TEST_F(TimerWheelTest, ADeadlineOfNeverIsNoDeadline) {
  Recorded timer;
  wheel_.arm(timer, never);
  EXPECT_FALSE(timer.armed());
  EXPECT_EQ(wheel_.next_advance(), never);
}

}  // namespace
}  // namespace arus::env
