#include "env/task.h"

#include "env/environment.h"

namespace arus::env {
namespace {

Task<int> immediate(int value) { co_return value; }

Task<std::int64_t> sum_of_immediate(int count) {
  std::int64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await immediate(1);
  co_return sum;
}

Task<int> nested(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await nested(depth - 1);
}

Task<std::unique_ptr<int>> boxed(std::unique_ptr<int> value) {
  ++*value;
  co_return value;
}

Task<void> set(bool& done) {
  done = true;
  co_return;
}

class TaskTest : public testing::Test {
 protected:
  std::unique_ptr<RealEnvironment> environment_ = make_real_environment({});
};

TEST_F(TaskTest, AMillionAwaitsInALoopDoNotDeepenTheStack) {
  EXPECT_EQ(run_until_done(*environment_, sum_of_immediate(1'000'000)), 1'000'000);
}

TEST_F(TaskTest, AMillionNestedAwaitsDoNotDeepenTheStack) {
  EXPECT_EQ(run_until_done(*environment_, nested(1'000'000)), 1'000'000);
}

TEST_F(TaskTest, ResultsMayBeMoveOnly) {
  const auto result = run_until_done(*environment_, boxed(std::make_unique<int>(1)));
  EXPECT_EQ(*result, 2);
}

TEST_F(TaskTest, ATaskRunsOnlyWhenAwaited) {
  bool done = false;
  {
    const auto dropped = set(done);
  }
  EXPECT_FALSE(done);
  run_until_done(*environment_, set(done));
  EXPECT_TRUE(done);
}

Task<void> hold(std::shared_ptr<int> held) {
  co_await yield();
  ++*held;
}

TEST_F(TaskTest, ATaskThatWasNeverAwaitedFreesItsArguments) {
  const auto held = std::make_shared<int>(0);
  {
    const auto dropped = hold(held);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(TaskTest, ATaskFreesItsArgumentsWhenItEnds) {
  const auto held = std::make_shared<int>(0);
  run_until_done(*environment_, hold(held));
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 1);
}

TEST_F(TaskTest, MovingATaskKeepsItsWork) {
  Task<int> first = immediate(1);
  Task<int> second = immediate(2);
  first = std::move(second);
  EXPECT_EQ(run_until_done(*environment_, std::move(first)), 2);
}

}  // namespace
}  // namespace arus::env
