// How fast a coordinator loads: a million committed offsets, each in a batch of its own as single
// commits leave them, or many in a batch as a cleaned log has them.
#include <benchmark/benchmark.h>

#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/batches.h"
#include "protocol/record/offset_commit_key.h"
#include "protocol/record/offset_commit_value.h"
#include "record/batch.h"

namespace arus::coordinator {
namespace {

constexpr std::int64_t offsets = 1'000'000;
constexpr std::int64_t partitions_of_group = 100;

Record commit_of(std::int64_t i) {
  const protocol::OffsetCommitKey key{
      .group = "group-" + std::to_string(i / partitions_of_group),
      .topic = "some.ordinary.topic",
      .partition = static_cast<std::int32_t>(i % partitions_of_group)};
  protocol::OffsetCommitValue value;
  value.offset = i * 1'000;
  value.leader_epoch = 3;
  value.commit_timestamp = 1'700'000'000'000 + i;
  return Record::of(key, value, 3);
}

// The log in pieces, as a shard reads it.
std::vector<Bytes> log_of(std::int64_t records_of_batch) {
  std::vector<Bytes> pieces(1);
  for (std::int64_t i = 0; i < offsets;) {
    record::BatchBuilder builder({.base_offset = Offset{i}});
    for (std::int64_t n = 0; n < records_of_batch && i < offsets; ++n, ++i) {
      const Record record = commit_of(i);
      builder.append(1'700'000'000'000, record.key, *record.value);
    }
    const Bytes batch = builder.build();
    if (pieces.back().size() + batch.size() > (512U << 10U)) pieces.emplace_back();
    pieces.back().insert(pieces.back().end(), batch.begin(), batch.end());
  }
  return pieces;
}

void load_a_million_offsets(benchmark::State& state) {
  const auto pieces = log_of(state.range(0));
  for (auto _ : state) {
    GroupMachine machine({}, [] { return std::uint64_t{1}; }, env::TimePoint{});
    record::CodecScratch scratch;
    Offset at{0};
    for (const Bytes& piece : pieces) {
      const auto replayed = replay_batches(piece, at, machine, scratch, "offsets-0");
      ARUS_ASSERT(replayed && replayed->skipped == 0);
      at = replayed->next;
    }
    ARUS_ASSERT(at == Offset{offsets});
  }
  state.SetItemsProcessed(state.iterations() * offsets);
}
BENCHMARK(load_a_million_offsets)->Arg(1)->Arg(1'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace arus::coordinator
