// Reads everything that a node has, before clients change it, and holds it against the model.
#pragma once

#include <set>
#include <vector>

#include "simulation/world.h"

namespace arus::simulation {

struct Inspection {
  // Clients are at rest: transactions have to be whole.
  bool at_rest = false;
  // A segment of this track is damaged: reads of it may fail there, and there only.
  std::optional<std::size_t> damaged;
};

// Failures are in the world's story; a partition that does not come back in time is one.
env::Task<bool> inspect(World* world, Inspection inspection);

}  // namespace arus::simulation
