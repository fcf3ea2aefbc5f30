// What goes wrong with the disk of a node, and when.
#pragma once

#include <functional>
#include <string>

#include "env/simulated/disk.h"
#include "simulation/plan.h"
#include "simulation/story.h"

namespace arus::simulation {

// Sits between a node and its disk. Owner: the thread of the simulation; made anew for each round.
class Faults {
 public:
  Faults(const RoundPlan& round, std::uint64_t seed, env::SimulatedDisk& disk, Story& story);
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // From now on the moment of the round's ending may come.
  void arm_moment() { armed_ = true; }
  // From now on the round's trouble may come; until it is over.
  void begin_trouble() { troubled_ = true; }
  void end_trouble() { troubled_ = false; }

  // The moment has come: the disk does nothing any more.
  [[nodiscard]] bool ended() const { return ended_; }
  // The path of the flush that has failed, and when.
  [[nodiscard]] const std::string& failed_flush() const { return failed_flush_; }
  [[nodiscard]] env::TimePoint failed_at() const { return failed_at_; }
  // A segment could not be written back, which its next flush has to notice.
  [[nodiscard]] bool write_back_failed() const { return write_back_failed_; }
  [[nodiscard]] bool stalled() const { return stalled_; }

 private:
  env::FileFault meet(const env::FileOperation& operation);
  env::FileFault trouble(const env::FileOperation& operation);
  [[nodiscard]] bool is_moment(const env::FileOperation& operation);

  const RoundPlan round_;
  env::SimulatedRandom random_;
  env::SimulatedDisk& disk_;
  Story& story_;
  bool armed_ = false;
  bool troubled_ = false;
  bool ended_ = false;
  bool stalled_ = false;
  bool write_back_failed_ = false;
  std::uint64_t passed_ = 0;       // operations of the moment's kind
  std::uint64_t left_behind_ = 0;  // operations from the one that decides to the end
  bool decided_ = false;
  std::uint64_t flushes_until_failure_;
  const bool unasked_;  // no flush fails, but writing back by the system itself
  std::string failed_flush_;
  env::TimePoint failed_at_{};
};

}  // namespace arus::simulation
