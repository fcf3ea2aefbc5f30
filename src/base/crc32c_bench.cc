#include "base/bench.h"
#include "base/crc32c.h"

namespace arus {
namespace {

void crc32c_of(benchmark::State& state, std::size_t index) {
  const auto& method = crc32c_methods()[index];
  if (!method.available) {
    state.SkipWithError("this processor lacks it");
    return;
  }
  const Bytes bytes(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) benchmark::DoNotOptimize(method.compute(bytes, 0));
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.SetLabel(std::string(method.name));
}

void fastest(benchmark::State& state) { crc32c_of(state, 0); }
void table(benchmark::State& state) { crc32c_of(state, crc32c_methods().size() - 1); }

BENCHMARK(fastest)->Apply(counted)->Arg(100)->Arg(4096)->Arg(65536)->Arg(1 << 20);
BENCHMARK(table)->Apply(counted)->Arg(4096)->Arg(1 << 20);

}  // namespace
}  // namespace arus
