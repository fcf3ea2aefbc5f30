#include "broker/write_turns.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "env/environment.h"

namespace arus::broker {
namespace {

template <class Test>
void on_loop(Test test) {
  const auto environment = env::make_real_environment({.loops = 1, .pool_threads = 1});
  env::run_until_done(*environment, test());
}

env::Task<void> write_in_turn(WriteTurns::Turn turn, std::string name, std::string* order) {
  co_await turn.wait();
  *order += name;
}

env::Task<void> later_ones_wait() {
  WriteTurns turns;
  std::string order;
  env::Gate gate;
  {
    std::optional<WriteTurns::Turn> first = turns.take(ProducerId{1});
    std::optional<WriteTurns::Turn> second = turns.take(ProducerId{1});
    env::spawn(gate, write_in_turn(turns.take(ProducerId{1}), "third ", &order));
    env::spawn(gate, write_in_turn(turns.take(ProducerId{1}), "fourth ", &order));
    env::spawn(gate, write_in_turn(turns.take(ProducerId{2}), "other ", &order));
    EXPECT_EQ(order, "other ");
    second.reset();
    co_await env::yield();
    EXPECT_EQ(order, "other ");
    first->end();
    EXPECT_EQ(order, "other ");  // whoever ends its turn goes on first
  }
  co_await gate.close();
  EXPECT_EQ(order, "other third fourth ");
  EXPECT_EQ(turns.producers(), 0U);
}
TEST(WriteTurns, LaterOnesWaitForEarlierOnes) { on_loop(later_ones_wait); }

}  // namespace
}  // namespace arus::broker
