// Bits that flip in files while the node is down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "env/simulated/disk.h"
#include "simulation/model.h"
#include "simulation/node.h"

namespace arus::simulation {

struct FlippedBit {
  std::string path;
  std::int64_t offset = 0;
  std::uint8_t mask = 0;
  std::size_t track = 0;  // whose file it is, for segments
};

// Flips it, durably; the same again repairs it.
void flip(env::SimulatedDisk& disk, const FlippedBit& bit);
// A bit in a segment that is not the newest of its partition, of topics that nothing rewrites.
[[nodiscard]] std::optional<FlippedBit> draw_segment_bit(Node& node, Model& model,
                                                         env::SimulatedRandom& random);
// A bit in an index, a producer snapshot, or a checkpoint.
[[nodiscard]] std::optional<FlippedBit> draw_derived_bit(Node& node, env::SimulatedRandom& random);

}  // namespace arus::simulation
