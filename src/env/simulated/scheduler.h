// Virtual time, and the order in which everything in a simulation happens.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "env/environment.h"

namespace arus::env {

// A reproducible stream of numbers (splitmix64).
class SimulatedRandom final : public Random {
 public:
  explicit SimulatedRandom(std::uint64_t seed) : state_(seed) {}
  void fill(MutableByteView bytes) override;
  // True with this probability.
  bool chance(double probability);
  Duration between(Duration least, Duration most);

 private:
  std::uint64_t state_;
};

// Runs one event at a time, in the order of virtual time; equal times are ordered by the seed.
// Actors (loops, workers, threads of pools, the network) are events' subjects. Within an event an
// actor may spend time, as a thread does that blocks: what it causes comes after that time, and
// what others do meanwhile does not wait. Two runs with one seed give one trace hash. Everything
// happens on one thread.
class Scheduler {
 public:
  using ActorId = std::uint32_t;
  static constexpr ActorId outside = 0;  // the program that drives the simulation

  explicit Scheduler(std::uint64_t seed) : random_(seed) {}

  ActorId add_actor() { return ++last_actor_; }
  [[nodiscard]] ActorId running() const { return running_; }
  // The running actor's time.
  [[nodiscard]] TimePoint now() const { return now_ + spent_; }
  void spend(Duration duration) { spent_ += duration; }
  SimulatedRandom& random() { return random_; }

  void at(TimePoint time, ActorId actor, Work work);
  // The first time from `earliest` on that is later than what this gave for the same three.
  TimePoint in_order(ActorId from, ActorId to, std::uint32_t channel, TimePoint earliest);
  // Runs the next event; false when there is none.
  bool step();
  // Lets time pass in which nothing happens.
  void rest_until(TimePoint time) { now_ = std::max(now_, time); }
  [[nodiscard]] TimePoint next_event() const { return events_.empty() ? never : events_[0].time; }

  // Makes a fact part of the trace.
  void trace(std::uint64_t fact);
  void trace(std::string_view text);
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_hash_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  struct Happening {
    TimePoint time;
    std::uint64_t tie;
    std::uint64_t sequence;
    ActorId actor;
    Work work;
    [[nodiscard]] bool after(const Happening& other) const {
      return std::tie(time, tie, sequence) > std::tie(other.time, other.tie, other.sequence);
    }
  };
  static bool later(const Happening& a, const Happening& b) { return a.after(b); }

  SimulatedRandom random_;
  TimePoint now_{seconds(1)};
  Duration spent_{};
  ActorId running_ = outside;
  ActorId last_actor_ = outside;
  std::vector<Happening> events_;  // a heap, the next one first
  std::uint64_t sequence_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t trace_hash_ = 0x9e3779b97f4a7c15ULL;
  std::map<std::tuple<ActorId, ActorId, std::uint32_t>, TimePoint> last_in_order_;
};

}  // namespace arus::env
