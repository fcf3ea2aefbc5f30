// One run of the simulation: a plan in, a verdict out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "simulation/plan.h"

namespace arus::simulation {

struct Verdict {
  std::optional<std::string> failure;  // the invariant that does not hold
  std::string story;                   // what happened, a line for each thing
  std::uint64_t trace_hash = 0;        // agrees between two runs of one plan
  std::uint64_t steps = 0;
  std::uint64_t virtual_ms = 0;
  std::uint64_t acknowledged = 0;  // batches
  std::uint64_t records = 0;       // that were sent
  [[nodiscard]] bool ok() const { return !failure; }
};

// A node on one disk lives through the plan's rounds; clients use it all the while. At the end
// faults cease, and everything has to be there.
struct RunOptions {
  bool aloud = false;
  std::string dump_to;  // a directory of the machine for the node's files after a failure
};
[[nodiscard]] Verdict run(const Plan& plan, const RunOptions& options = {});

}  // namespace arus::simulation
