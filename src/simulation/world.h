// What all parts of a run share.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "env/simulated.h"
#include "env/simulated/scheduler.h"
#include "simulation/caller.h"
#include "simulation/model.h"
#include "simulation/plan.h"
#include "simulation/story.h"

namespace arus::simulation {

// A flush that has failed, and the partitions that lie where it did.
struct FailedFlush {
  env::TimePoint at{};
  std::string directory;
};

// Owner: the thread of the simulation; it outlives everything that runs in it.
struct World {
  const Plan& plan;
  Story& story;
  Model& model;
  env::SimulatedEnvironment& environment;  // of the clients
  env::Address node;
  env::SimulatedRandom random;
  std::vector<std::size_t> tracks;  // of the plan's topics
  bool stopping = false;            // clients finish what they have begun
  bool reads_fail = false;          // any error is a right answer to a fetch
  // A bit of this track has flipped. The epochs of its batches, which no checksum covers, say
  // nothing then.
  std::optional<std::size_t> damaged;
  // Nothing that is sent from now on may be acknowledged for this track.
  std::function<bool(const Track&, env::TimePoint)> must_not_acknowledge;
  std::uint64_t acknowledged = 0;
  std::uint64_t fetched = 0;

  [[nodiscard]] env::TimePoint now() const { return environment.clock().now(); }
  [[nodiscard]] env::Duration between_ms(std::uint64_t least, std::uint64_t most) {
    return random.between(env::milliseconds(least), env::milliseconds(most));
  }
  [[nodiscard]] std::size_t pick(const std::vector<std::size_t>& from) {
    return from[random.below(from.size())];
  }
  // Those of the plan's tracks that are of this kind.
  [[nodiscard]] std::vector<std::size_t> tracks_of(TopicKind kind) const;
};

// Producers have numbers that tell their records apart.
[[nodiscard]] inline std::size_t transactional_number(std::size_t i) { return 200 + i; }
[[nodiscard]] inline std::string transactional_name(std::size_t number) {
  return "transactional-" + std::to_string(number);
}

// Clients. Each runs until the world is stopping, and then finishes what it has begun: an answer to
// it is due then.
env::Task<void> run_plain_producer(World* world, std::size_t number);
env::Task<void> run_idempotent_producer(World* world, std::size_t number);
env::Task<void> run_transactions(World* world, std::size_t number);
env::Task<void> run_reader(World* world, std::size_t track, bool committed_only);
env::Task<void> run_group(World* world, std::size_t number);
env::Task<void> run_topics(World* world);

}  // namespace arus::simulation
