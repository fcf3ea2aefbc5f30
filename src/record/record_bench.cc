#include "base/bench.h"
#include "record/builder.h"
#include "record/record.h"
#include "record/validator.h"

namespace arus::record {
namespace {

// Records of 100 bytes that look a little like logs.
Bytes make_batch(std::int64_t count, Compression compression) {
  BatchBuilder builder{{.compression = compression}};
  for (std::int64_t i = 0; i < count; ++i) {
    std::string value = "level=info user=" + std::to_string(i * 7919 % 100003) +
                        " path=/api/v1/orders/" + std::to_string(i * 104729 % 999983);
    value.resize(100, static_cast<char>('a' + i % 26));
    builder.append(1700000000000 + i, as_bytes("key"), as_bytes(value));
  }
  return builder.build();
}

void validate(benchmark::State& state) {
  const auto compression = static_cast<Compression>(state.range(1));
  const Bytes batch = make_batch(state.range(0), compression);
  CodecScratch scratch;
  BatchValidator validator{scratch};
  for (auto _ : state) {
    auto validation = validator.validate(batch, {.now_ms = 1700000000000});
    if (!validation) state.SkipWithError("refused");
    benchmark::DoNotOptimize(validation);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.size()));
  state.SetLabel(std::string(compression_name(compression)));
}

void read_records(benchmark::State& state) {
  const auto compression = static_cast<Compression>(state.range(1));
  const Bytes bytes = make_batch(state.range(0), compression);
  const auto batch = BatchView::parse(bytes);
  CodecScratch scratch;
  for (auto _ : state) {
    RecordReader reader{*batch, scratch};
    while (auto record = reader.next()) benchmark::DoNotOptimize(record);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetLabel(std::string(compression_name(compression)));
}

void build(benchmark::State& state) {
  const auto compression = static_cast<Compression>(state.range(1));
  CodecScratch scratch;
  const Bytes value(100, 'v');
  for (auto _ : state) {
    BatchBuilder builder{{.compression = compression}};
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      builder.append(1700000000000 + i, as_bytes("key"), ByteView{value});
    }
    benchmark::DoNotOptimize(builder.build(scratch));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetLabel(std::string(compression_name(compression)));
}

BENCHMARK(validate)->Apply(counted)->ArgsProduct({{36, 9000}, {0, 1, 2, 3, 4}});
BENCHMARK(read_records)->Apply(counted)->ArgsProduct({{9000}, {0, 1, 2, 3, 4}});
BENCHMARK(build)->Apply(counted)->ArgsProduct({{9000}, {0, 1, 2, 3, 4}});

}  // namespace
}  // namespace arus::record
