// The main() of all micro-benchmarks. With --iterations=N those that are counted run so often, and
// "/iterations:N" at the end of their names tells them from the others.
#include <charconv>
#include <string_view>
#include <vector>

#include "base/bench.h"

namespace arus {
namespace {

using Benchmarks = std::vector<benchmark::internal::Benchmark*>;

// Filled before main() begins.
Benchmarks& counted_benchmarks() {
  static Benchmarks all;
  return all;
}

// Whether the only argument left says how often, and a number.
bool take_iterations(int argc, char** argv) {
  constexpr std::string_view option = "--iterations=";
  if (argc != 2 || !std::string_view(argv[1]).starts_with(option)) return false;
  const std::string_view text = std::string_view(argv[1]).substr(option.size());
  int iterations = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), iterations);
  if (parsed.ptr != text.data() + text.size() || iterations < 1) return false;
  for (auto* one : counted_benchmarks()) one->Iterations(iterations);
  return true;
}

}  // namespace

void counted(benchmark::internal::Benchmark* benchmark) {
  counted_benchmarks().push_back(benchmark);
}

}  // namespace arus

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (!arus::take_iterations(argc, argv) && benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
