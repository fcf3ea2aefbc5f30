// What the environment itself costs: compare with the rules of the design when they change.
#include "base/bench.h"
#include "env/environment.h"
#include "env/simulated.h"

namespace arus::env {
namespace {

Task<int> immediate(int value) { co_return value; }

Task<void> await_immediate(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(co_await immediate(1));
}

// In the simulated one no other thread is counted with it.
void task(benchmark::State& state) {
  Simulation simulation({});
  const auto environment = simulation.make_environment({});
  run_until_done(*environment, await_immediate(state));
}
BENCHMARK(task)->Apply(counted);

Task<void> yield_often(benchmark::State& state) {
  for (auto _ : state) co_await yield();
}

void post_on_own_loop(benchmark::State& state) {
  const auto environment = make_real_environment({});
  run_until_done(*environment, yield_often(state));
}
BENCHMARK(post_on_own_loop);

Task<void> call_often(benchmark::State& state, Loop& target) {
  for (auto _ : state) co_await call(target, [] {});
}

void call_other_loop(benchmark::State& state) {
  const auto environment = make_real_environment({.loops = 2});
  run_until_done(*environment, call_often(state, environment->loop(1)));
}
BENCHMARK(call_other_loop)->UseRealTime();

Task<void> call_n_times(Loop& target, int times) {
  for (int i = 0; i < times; ++i) co_await call(target, [] {});
}

Task<void> call_together(benchmark::State& state, Loop& target) {
  constexpr int outstanding = 64;
  constexpr int times = 100;
  for (auto _ : state) {
    Gate gate;
    for (int i = 0; i < outstanding; ++i) spawn(gate, call_n_times(target, times));
    co_await gate.close();
  }
  state.SetItemsProcessed(state.iterations() * outstanding * times);
}

void call_other_loop_64_outstanding(benchmark::State& state) {
  const auto environment = make_real_environment({.loops = 2});
  run_until_done(*environment, call_together(state, environment->loop(1)));
}
BENCHMARK(call_other_loop_64_outstanding)->UseRealTime();

Task<void> hand_over_often(benchmark::State& state, Worker& worker) {
  for (auto _ : state) co_await run_on(worker, [] {});
}

void worker_hand_over(benchmark::State& state) {
  const auto environment = make_real_environment({});
  const auto worker = environment->make_worker("bench");
  run_until_done(*environment, hand_over_often(state, *worker));
}
BENCHMARK(worker_hand_over)->UseRealTime();

Task<void> hand_over_n_times(Worker& worker, int times) {
  for (int i = 0; i < times; ++i) co_await run_on(worker, [] {});
}

Task<void> hand_over_together(benchmark::State& state, Worker& worker) {
  constexpr int outstanding = 64;
  constexpr int times = 100;
  for (auto _ : state) {
    Gate gate;
    for (int i = 0; i < outstanding; ++i) spawn(gate, hand_over_n_times(worker, times));
    co_await gate.close();
  }
  state.SetItemsProcessed(state.iterations() * outstanding * times);
}

void worker_hand_over_64_outstanding(benchmark::State& state) {
  const auto environment = make_real_environment({});
  const auto worker = environment->make_worker("bench");
  run_until_done(*environment, hand_over_together(state, *worker));
}
BENCHMARK(worker_hand_over_64_outstanding)->UseRealTime();

class Silent final : public Timer {
 public:
  void fire() override {}
};

Task<void> arm_often(benchmark::State& state) {
  Loop* const loop = Loop::current();
  std::vector<Silent> others(10'000);
  int after_ms = 1000;
  for (Silent& other : others) loop->arm(other, loop->now() + milliseconds(after_ms += 7));
  Silent timer;
  for (auto _ : state) {
    loop->arm(timer, loop->now() + milliseconds(500));
    loop->disarm(timer);
  }
  co_return;
}

void arm_and_disarm_a_timer(benchmark::State& state) {
  const auto environment = make_real_environment({});
  run_until_done(*environment, arm_often(state));
}
BENCHMARK(arm_and_disarm_a_timer);

Task<void> echo(Environment& environment, Listener& listener) {
  auto socket = co_await listener.accept(environment.loop(0));
  Bytes buffer(4096);
  for (;;) {
    const auto count = co_await (*socket)->read_some(buffer);
    if (!count || *count == 0) break;
    const ByteView piece(buffer.data(), *count);
    if (!co_await (*socket)->write({&piece, 1})) break;
  }
}

Task<void> echo_often(benchmark::State& state, Environment& environment) {
  auto listener = environment.listen(environment.loop(0), {"127.0.0.1", 0}, 10);
  Gate gate;
  spawn(gate, echo(environment, **listener));
  auto socket = co_await environment.connect((*listener)->local(), never);
  Bytes buffer(14);
  const ByteView piece(buffer);
  for (auto _ : state) {
    if (!co_await (*socket)->write({&piece, 1})) break;
    if (!co_await (*socket)->read_some(buffer)) break;
  }
  socket->reset();
  co_await gate.close();
}

void echo_14_bytes_on_one_loop(benchmark::State& state) {
  const auto environment = make_real_environment({});
  run_until_done(*environment, echo_often(state, *environment));
}
BENCHMARK(echo_14_bytes_on_one_loop)->UseRealTime();

}  // namespace
}  // namespace arus::env
