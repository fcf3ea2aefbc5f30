// What a turn of a loop asks of storage, on a simulated disk: all threads are one, and each run
// does the same. The simulation's own instructions are among those that are counted.
#include "base/bench.h"
#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "storage/log_testing.h"
#include "storage/offset_index.h"

namespace arus::storage {
namespace {

using env::Task;

class SimulatedNode {
 public:
  explicit SimulatedNode(int partitions)
      : simulation_({.seed = 1}), environment_(simulation_.make_environment({})) {
    set_log_level("storage", LogLevel::off);
    auto opened = LogDirectory::open(*environment_, "/data");
    ARUS_ASSERT(opened);
    directory_ = std::move(*opened);
    run([this, partitions]() -> Task<void> {
      for (int i = 0; i < partitions; ++i) {
        auto log = co_await directory_->open_log({"topic", i}, test_topic_id, test_config());
        ARUS_ASSERT(log);
        logs.push_back(std::move(*log));
      }
      ARUS_ASSERT(co_await directory_->sync_recovered());
    });
  }
  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, body());
  }

 private:
  env::Simulation simulation_;
  std::unique_ptr<env::SimulatedEnvironment> environment_;
  std::unique_ptr<LogDirectory> directory_;

 public:
  std::vector<std::unique_ptr<Log>> logs;
};

// An iteration is a group: a batch of ten records of 100 bytes for each of so many partitions, one
// write to the commit log and one flush, and all of them told.
void group_commit(benchmark::State& state) {
  SimulatedNode node(static_cast<int>(state.range(0)));
  const Slice batch = make_batch({.records = 10, .value_bytes = 100});
  const auto facts = facts_of(batch);
  for (auto _ : state) {
    node.run([&]() -> Task<void> {
      for (const auto& log : node.logs) {
        const auto appended =
            log->append(Slice::copy_of(batch.view()), facts, {.leader_epoch = LeaderEpoch{1}});
        ARUS_ASSERT(appended);
      }
      for (const auto& log : node.logs) ARUS_ASSERT(co_await log->flush());
    });
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(group_commit)->Apply(counted)->Arg(1)->Arg(64)->Arg(1'000);

// An iteration is one append on its loop, without what the writer does with it later.
void append(benchmark::State& state) {
  SimulatedNode node(1);
  const Slice batch = make_batch({.records = 10, .value_bytes = 100});
  const auto facts = facts_of(batch);
  node.run([&]() -> Task<void> {
    Log& log = *node.logs[0];
    int together = 0;
    for (auto _ : state) {
      const auto appended =
          log.append(Slice::copy_of(batch.view()), facts, {.leader_epoch = LeaderEpoch{1}});
      ARUS_ASSERT(appended);
      if (++together % 1'000 == 0) ARUS_ASSERT(co_await log.flush());
    }
    ARUS_ASSERT(co_await log.flush());
  });
}
BENCHMARK(append)->Apply(counted);

// A log of 4 MiB, in batches of 4 KiB.
constexpr int batches_read = 1'024;
void fill(SimulatedNode& node) {
  const Slice batch = make_batch({.records = 36, .value_bytes = 100});
  node.run([&]() -> Task<void> {
    Log& log = *node.logs[0];
    for (int i = 0; i < batches_read; ++i) {
      ARUS_ASSERT(storage::append(log, Slice::copy_of(batch.view())));
    }
    ARUS_ASSERT(co_await log.flush());
  });
}

// An iteration is a read of 64 KiB that is cached, which goes on where the last one stopped.
void fetch_on_from_cache(benchmark::State& state) {
  SimulatedNode node(1);
  fill(node);
  Offset at{0};
  for (auto _ : state) {
    node.run([&]() -> Task<void> {
      Log& log = *node.logs[0];
      const auto got = co_await log.read(at, {.end = log.log_end(), .max_bytes = 64 << 10});
      ARUS_ASSERT(got && got->size_bytes > 0);
      at += 36 * 15;
      if (at + 36 * 16 > log.log_end()) at = Offset{0};
    });
  }
}
BENCHMARK(fetch_on_from_cache)->Apply(counted);

// An iteration is a read of one batch somewhere: found in the index, from the cache.
void fetch_somewhere_from_cache(benchmark::State& state) {
  SimulatedNode node(1);
  fill(node);
  int at = 0;
  for (auto _ : state) {
    node.run([&]() -> Task<void> {
      Log& log = *node.logs[0];
      at = (at + 389) % batches_read;
      const auto got =
          co_await log.read(Offset{36 * at}, {.end = log.log_end(), .max_bytes = 4 << 10});
      ARUS_ASSERT(got && got->size_bytes > 0);
    });
  }
}
BENCHMARK(fetch_somewhere_from_cache)->Apply(counted);

// An iteration is a look-up among the entries of a full index of 10 MiB.
void index_lookup(benchmark::State& state) {
  std::vector<OffsetIndexEntry> entries;
  for (std::int32_t i = 0; i < (10 << 20) / 8; ++i) entries.push_back({Offset{36 * i + 35}, i});
  const auto span = 36 * static_cast<std::int64_t>(entries.size());
  std::int64_t at = 0;
  for (auto _ : state) {
    at = (at + 7'919 * 104'729LL) % span;
    benchmark::DoNotOptimize(floor_entry(entries, Offset{at}));
  }
}
BENCHMARK(index_lookup)->Apply(counted);

}  // namespace
}  // namespace arus::storage
