#include <malloc.h>

#include "base/bench.h"
#include "coordinator/group/classic_group.h"
#include "coordinator/group/classic_groups.h"
#include "coordinator/group/offset_records.h"
#include "coordinator/group/offsets.h"
#include "protocol/record/offset_commit_key.h"

namespace arus::coordinator {
namespace {

// Places for offsets only, as a log that is loaded makes them.
struct Standalone {
  Timers timers{env::TimePoint{}};
  GroupSurroundings surroundings;
  Groups groups;
  ClassicGroups classic{surroundings, groups, timers};
  Offsets offsets{surroundings, groups, timers,
                  [this](std::string_view id) -> Group& { return classic.group_for_offsets(id); }};
};

std::vector<Record> commits(std::int64_t groups, std::int32_t each) {
  std::vector<Record> records;
  for (std::int64_t group = 0; group < groups; ++group) {
    for (std::int32_t partition = 0; partition < each; ++partition) {
      records.push_back(offset_record(
          {"consumer-group-" + std::to_string(group), "a.topic.of.some.team", partition},
          {.offset = group * 1'000 + partition,
           .leader_epoch = 3,
           .metadata = {},
           .commit_timestamp_ms = 1'750'000'000'000,
           .topic_id = Uuid::of_halves(1, 2)}));
    }
  }
  return records;
}

void replay(Offsets& offsets, const std::vector<Record>& records) {
  std::int64_t at = 0;
  for (const Record& record : records) {
    const auto done = offsets.replay(
        protocol::OffsetCommitKey::record_key,
        {.offset = Offset{at++}, .key = record.key, .value = ByteView(*record.value)});
    ARUS_ASSERT(done);
  }
}

// Groups, and partitions that each has committed. Memory is what the allocator handed out.
void load_offsets(benchmark::State& state) {
  const auto records = commits(state.range(0), static_cast<std::int32_t>(state.range(1)));
  double bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const std::size_t before = mallinfo2().uordblks;
    auto all = std::make_unique<Standalone>();
    state.ResumeTiming();
    replay(all->offsets, records);
    state.PauseTiming();
    bytes = static_cast<double>(mallinfo2().uordblks - before);
    all = nullptr;
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records.size()));
  state.counters["bytes_per_group"] = bytes / static_cast<double>(state.range(0));
  state.counters["bytes_per_offset"] = bytes / static_cast<double>(records.size());
}

BENCHMARK(load_offsets)
    ->Args({100'000, 10})
    ->Args({1'000, 1'000})
    ->Args({1, 1'000'000})
    ->Unit(benchmark::kMillisecond);

// Few enough to be counted: 100 groups that have committed ten partitions each.
void replay_a_thousand_offsets(benchmark::State& state) {
  const auto records = commits(100, 10);
  for (auto _ : state) {
    Standalone all;
    replay(all.offsets, records);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records.size()));
}
BENCHMARK(replay_a_thousand_offsets)->Apply(counted);

}  // namespace
}  // namespace arus::coordinator
