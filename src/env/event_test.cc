#include "env/event.h"

#include "env/environment.h"

namespace arus::env {
namespace {

class EventTest : public testing::Test {
 protected:
  std::unique_ptr<RealEnvironment> environment_ = make_real_environment({});
};

Task<void> wait_as(Event& event, int number, std::vector<int>& order) {
  co_await event.wait();
  order.push_back(number);
}

Task<void> wake_in_order() {
  Event event;
  Gate gate;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) spawn(gate, wait_as(event, i, order));
  EXPECT_TRUE(event.has_waiters());
  event.notify_all();
  EXPECT_FALSE(event.has_waiters());
  EXPECT_TRUE(order.empty()) << "woken on the next turn, not inside notify_all";
  co_await gate.close();
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(EventTest, WaitersWakeInOrderOnTheNextTurn) {
  run_until_done(*environment_, wake_in_order());
}

Task<void> outlive(std::unique_ptr<Event>& event, bool& woken) {
  woken = co_await event->wait_until(Loop::current()->now() + seconds(60));
}

Task<void> destroy_after_notify() {
  auto event = std::make_unique<Event>();
  bool woken = false;
  Gate gate;
  spawn(gate, outlive(event, woken));
  event->notify_all();
  event.reset();
  co_await gate.close();
  EXPECT_TRUE(woken);
}

TEST_F(EventTest, AnEventMayGoAfterItNotified) {
  run_until_done(*environment_, destroy_after_notify());
}

Task<void> wait_until_as(Event& event, TimePoint deadline, std::vector<bool>& woken) {
  woken.push_back(co_await event.wait_until(deadline));
}

Task<void> time_out_in_the_middle() {
  Event event;
  Gate gate;
  std::vector<bool> woken;
  const TimePoint now = Loop::current()->refresh_now();
  spawn(gate, wait_until_as(event, never, woken));
  spawn(gate, wait_until_as(event, now + milliseconds(5), woken));
  spawn(gate, wait_until_as(event, now + seconds(60), woken));
  co_await sleep_for(milliseconds(30));
  EXPECT_THAT(woken, testing::ElementsAre(false));
  EXPECT_TRUE(event.has_waiters());
  event.notify_all();
  co_await gate.close();
  EXPECT_THAT(woken, testing::ElementsAre(false, true, true));
}

TEST_F(EventTest, ADeadlineWakesOnlyItsOwnWaiter) {
  run_until_done(*environment_, time_out_in_the_middle());
}

Task<void> deadline_is_not_early() {
  Event event;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(co_await event.wait_until(before + milliseconds(10)));
  EXPECT_GE(std::chrono::steady_clock::now(), before + milliseconds(10));
  EXPECT_FALSE(co_await event.wait_until(before)) << "a deadline in the past";
}

TEST_F(EventTest, DeadlinesAreNeverEarly) {
  run_until_done(*environment_, deadline_is_not_early());
}

Task<void> take_one_shots() {
  const OneShot<std::unique_ptr<int>> before;
  before.set(std::make_unique<int>(7));
  EXPECT_TRUE(before.ready());
  EXPECT_EQ(*co_await before.wait(), 7);

  const OneShot<int> after;
  Loop::current()->post([after] { after.set(8); });
  EXPECT_EQ(co_await after.wait_until(never), 8);

  const OneShot<int> late;
  EXPECT_EQ(co_await late.wait_until(Loop::current()->now() + milliseconds(2)), std::nullopt);
  late.set(9);
}

TEST_F(EventTest, AOneShotGivesItsValueBeforeOrAfterItIsSetOrNothingAtTheDeadline) {
  run_until_done(*environment_, take_one_shots());
}

}  // namespace
}  // namespace arus::env
