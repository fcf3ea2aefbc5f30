// What the micro-benchmarks share.
#pragma once

#include <benchmark/benchmark.h>

namespace arus {

// For BENCHMARK(...)->Apply(counted): one thread does the same each time, so that its instructions
// can be compared between two versions of the code (./dev bench micro --count, --against). What
// stands in the loop counts, paused or not. An iteration should take no more than some ten million.
void counted(benchmark::internal::Benchmark* benchmark);

}  // namespace arus
