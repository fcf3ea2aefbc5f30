// What a log costs: opening, memory while idle, appending, reading.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include "storage/log_testing.h"

namespace arus::storage {
namespace {

using env::Task;

struct Node {
  explicit Node(const std::string& path) : environment(env::make_real_environment({})) {
    directory = std::move(*LogDirectory::open(*environment, path));
  }
  Task<void> open(int count, const std::shared_ptr<config::TopicConfig>& config) {
    for (int i = 0; i < count; ++i) {
      logs.push_back(std::move(*co_await directory->open_log({"topic", i}, test_topic_id, config)));
    }
  }
  Task<bool> close() {
    logs.clear();
    co_return (co_await directory->close(1)).has_value();
  }
  std::unique_ptr<env::RealEnvironment> environment;
  std::unique_ptr<LogDirectory> directory;
  std::vector<std::unique_ptr<Log>> logs;
};

std::shared_ptr<config::TopicConfig> page_cache_config() {
  auto config = test_config();
  config->durability = config::Durability::page_cache;
  return config;
}

// Making empty logs until their folders are there; how much memory each keeps.
void make_logs(benchmark::State& state) {
  const auto count = static_cast<int>(state.range(0));
  for (auto _ : state) {
    const TemporaryFolder folder;
    Node node(folder.path());
    const std::size_t before = mallinfo2().uordblks;
    const auto start = std::chrono::steady_clock::now();
    env::run_until_done(*node.environment, node.open(count, test_config()));
    static_cast<void>(env::run_until_done(*node.environment, node.directory->space()));
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    state.counters["bytes_per_log"] =
        static_cast<double>(mallinfo2().uordblks - before) / static_cast<double>(count);
    env::run_until_done(*node.environment, node.close());
  }
}
BENCHMARK(make_logs)
    ->Arg(10'000)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->MeasureProcessCPUTime()
    ->UseManualTime();

// Opening logs that a clean stop left, each with a few records.
void open_logs_after_a_clean_stop(benchmark::State& state) {
  const auto count = static_cast<int>(state.range(0));
  const TemporaryFolder folder;
  {
    Node node(folder.path());
    env::run_until_done(*node.environment, node.open(count, page_cache_config()));
    env::run_until_done(*node.environment, [](Node* of) -> Task<void> {
      for (const auto& log : of->logs) static_cast<void>(append(*log, make_batch()));
      co_return;
    }(&node));
    env::run_until_done(*node.environment, node.close());
  }
  for (auto _ : state) {
    Node node(folder.path());
    env::run_until_done(*node.environment, node.open(count, page_cache_config()));
    state.PauseTiming();
    env::run_until_done(*node.environment, node.close());
    state.ResumeTiming();
  }
}
BENCHMARK(open_logs_after_a_clean_stop)->Arg(10'000)->Unit(benchmark::kMillisecond)->Iterations(1);

// Batches of these bytes into 64 logs until all are written; process CPU, the writer's included.
void append_page_cache(benchmark::State& state) {
  const TemporaryFolder folder;
  Node node(folder.path());
  env::run_until_done(*node.environment, node.open(64, page_cache_config()));
  const Slice batch = make_batch({.value_bytes = static_cast<std::size_t>(state.range(0))});
  const auto facts = facts_of(batch);
  for (auto _ : state) {
    env::run_until_done(*node.environment, [&]() -> Task<void> {
      for (int i = 0; i < 640; ++i) {
        const Slice copy = Slice::copy_of(batch.view());
        benchmark::DoNotOptimize(node.logs[static_cast<std::size_t>(i % 64)]->append(
            copy, facts, {.leader_epoch = LeaderEpoch{1}}));
      }
      while (node.logs.back()->written_end() < node.logs.back()->log_end()) {
        co_await env::sleep_for(env::microseconds{100});
      }
    }());
  }
  state.SetBytesProcessed(state.iterations() * 640 * static_cast<std::int64_t>(batch.size()));
  env::run_until_done(*node.environment, node.close());
}
BENCHMARK(append_page_cache)->Arg(4'000)->Arg(100'000)->MeasureProcessCPUTime()->UseRealTime();

// One append and its flush, one after the other.
void append_synced(benchmark::State& state) {
  const TemporaryFolder folder;
  Node node(folder.path());
  env::run_until_done(*node.environment, node.open(1, test_config()));
  for (auto _ : state) {
    env::run_until_done(*node.environment, [&]() -> Task<void> {
      benchmark::DoNotOptimize(append(*node.logs[0], make_batch({.value_bytes = 4'000})));
      benchmark::DoNotOptimize(co_await node.logs[0]->flush());
    }());
  }
  env::run_until_done(*node.environment, node.close());
}
BENCHMARK(append_synced)->UseRealTime();

// Reading on from where the last read stopped.
void read_on(benchmark::State& state) {
  const TemporaryFolder folder;
  Node node(folder.path());
  env::run_until_done(*node.environment, node.open(1, page_cache_config()));
  env::run_until_done(*node.environment, [&]() -> Task<void> {
    Log& log = *node.logs[0];
    for (int i = 0; i < 10'000; ++i) {
      static_cast<void>(append(log, make_batch({.value_bytes = 10'000})));
    }
    static_cast<void>(co_await log.flush());
  }());
  std::int64_t bytes = 0;
  for (auto _ : state) {
    env::run_until_done(*node.environment, [&]() -> Task<void> {
      Log& log = *node.logs[0];
      for (Offset at{0}; at < log.log_end();) {
        const auto got = co_await log.read(at, {.end = log.log_end(), .max_bytes = 1 << 20});
        bytes += static_cast<std::int64_t>(got->size_bytes);
        at += static_cast<std::int64_t>(got->size_bytes / 10'000);
      }
    }());
  }
  state.SetBytesProcessed(bytes);
  env::run_until_done(*node.environment, node.close());
}
BENCHMARK(read_on)->MeasureProcessCPUTime();

}  // namespace
}  // namespace arus::storage
