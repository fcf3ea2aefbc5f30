// The program: a seed in, a verdict out.
#include <fmt/core.h>

#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>

#include "base/log.h"
#include "simulation/run.h"

namespace arus::simulation {
namespace {

struct Options {
  std::uint64_t seed = 1;
  bool twice = false;
  bool aloud = false;
  bool plan_only = false;
  std::string dump_to;
  LogLevel log_level = LogLevel::off;
};

constexpr const char* help_text =
    R"(Runs one seed of the simulation; ./dev sim runs many.

Usage: arus_simulation --seed N [--twice] [--aloud] [--plan] [--dump DIR] [--log]

  --seed N   what is drawn: the node, its clients, faults and their moments
  --twice    runs it again, and compares the traces
  --aloud    prints what happens as it happens
  --plan     prints what would be done, and does nothing
  --dump DIR copies the node's files there after a failure
  --log      lets the node write its log to standard error

Exit status: 0 when every invariant holds, 1 when one does not, 2 for a wrong option.
)";

std::optional<Options> parse(std::span<const char* const> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--seed" && i + 1 < arguments.size()) {
      const std::string_view text = arguments[++i];
      const auto [end, error] = std::from_chars(text.begin(), text.end(), options.seed);
      if (error != std::errc{} || end != text.end()) return std::nullopt;
    } else if (argument == "--twice") {
      options.twice = true;
    } else if (argument == "--aloud") {
      options.aloud = true;
    } else if (argument == "--plan") {
      options.plan_only = true;
    } else if (argument == "--dump" && i + 1 < arguments.size()) {
      options.dump_to = arguments[++i];
    } else if (argument == "--log") {
      options.log_level = LogLevel::info;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

int report(const Options& options, const Verdict& verdict) {
  if (!verdict.ok()) {
    if (!options.aloud) fmt::print("{}", verdict.story);
    fmt::print("seed {} FAILED: {}\n", options.seed, *verdict.failure);
    return 1;
  }
  fmt::print(
      "seed {} ok: {} records, {} batches acknowledged, {} s of virtual time, {} steps, "
      "trace {:016x}\n",
      options.seed, verdict.records, verdict.acknowledged, verdict.virtual_ms / 1'000,
      verdict.steps, verdict.trace_hash);
  return 0;
}

int run_seed(const Options& options) {
  set_log_level("", options.log_level);
  const Plan plan = draw_plan(options.seed);
  if (options.plan_only) {
    fmt::print("{}\n", plan.to_string());
    return 0;
  }
  const Verdict verdict = run(plan, {.aloud = options.aloud, .dump_to = options.dump_to});
  const int status = report(options, verdict);
  if (status != 0 || !options.twice) return status;
  const Verdict again = run(plan);
  if (again.trace_hash == verdict.trace_hash) return 0;
  fmt::print("seed {} FAILED: two runs differ, {:016x} and {:016x}\n", options.seed,
             verdict.trace_hash, again.trace_hash);
  return 1;
}

}  // namespace
}  // namespace arus::simulation

int main(int count, char** arguments) {
  const auto options =
      arus::simulation::parse({arguments + 1, static_cast<std::size_t>(count - 1)});
  if (options) return arus::simulation::run_seed(*options);
  fmt::print(stderr, "{}", arus::simulation::help_text);
  return 2;
}
