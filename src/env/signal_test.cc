#include <csignal>

#include "env/environment.h"

namespace arus::env {
namespace {

TEST(SignalTest, AStopSignalRunsTheHandlerOnLoopZeroEachTime) {
  const auto environment = make_real_environment({.loops = 2});
  int stops = 0;
  environment->on_stop_signal([&] {
    EXPECT_EQ(Loop::current(), &environment->loop(0));
    if (++stops == 2) {
      environment->stop();
    } else {
      std::raise(SIGINT);
    }
  });
  std::raise(SIGHUP);
  std::raise(SIGPIPE);
  std::raise(SIGTERM);
  environment->run();
  EXPECT_EQ(stops, 2);
}

}  // namespace
}  // namespace arus::env
