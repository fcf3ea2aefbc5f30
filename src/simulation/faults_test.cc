// One test for each fault of docs/internals/simulation.md: a whole node meets it, and what has to
// hold does. The program meets them mixed, with many more seeds.
#include <gtest/gtest.h>

#include "base/log.h"
#include "simulation/run.h"

namespace arus::simulation {
namespace {

constexpr std::uint64_t seeds = 4;

// Runs several seeds whose rounds are these, and expects that the story tells of the fault.
void expect_survival(const std::vector<RoundPlan>& rounds, const std::string& fault) {
  set_log_level("", LogLevel::off);
  std::size_t met = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    std::vector<RoundPlan> drawn = rounds;
    for (RoundPlan& round : drawn) round.moment_count = seed * 17 % (round.moment_count + 1);
    Plan plan = draw_plan(seed, drawn);
    const Verdict verdict = run(plan);
    ASSERT_TRUE(verdict.ok()) << verdict.story;
    if (verdict.story.contains(fault)) ++met;
  }
  EXPECT_GT(met, 0U) << "no run met it: " << fault;
}

RoundPlan round_with(Ending ending, Moment moment, std::uint64_t count) {
  return {.length = env::seconds(4), .ending = ending, .moment = moment, .moment_count = count};
}
RoundPlan round_with(Trouble trouble, Ending ending = Ending::power_cut) {
  return {.length = env::seconds(4), .trouble = trouble, .ending = ending};
}
RoundPlan round_with(Damage damage) {
  return {.length = env::seconds(5), .ending = Ending::clean_stop, .damage = damage};
}

TEST(Simulation, ASeedIsARun) {
  set_log_level("", LogLevel::off);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Verdict once = run(draw_plan(seed));
    const Verdict again = run(draw_plan(seed));
    EXPECT_EQ(once.trace_hash, again.trace_hash) << seed;
    EXPECT_NE(once.trace_hash, run(draw_plan(seed + 1)).trace_hash);
  }
}

TEST(Simulation, Fault01KillInAWriteLosesNothingAcknowledged) {
  expect_survival(
      {round_with(Ending::kill, Moment::write, 300), round_with(Ending::kill, Moment::write, 30)},
      "the end comes at the write");
}

TEST(Simulation, Fault02PowerCutLosesNothingAcknowledged) {
  expect_survival({round_with(Ending::power_cut, Moment::any, 0),
                   round_with(Ending::power_cut, Moment::flush, 100),
                   round_with(Ending::power_cut, Moment::recovery, 40)},
                  "the power was cut");
}

TEST(Simulation, Fault03TornWriteIsCutAtAWholeBatch) {
  RoundPlan torn = round_with(Ending::power_cut, Moment::write, 200);
  torn.power.tear_page = 1;
  expect_survival({torn, torn}, "the power was cut");
}

TEST(Simulation, Fault04FlippedBitInASealedSegmentIsNeverServed) {
  expect_survival({round_with(Damage::sealed_segment)}, "the bit flips back");
}

TEST(Simulation, Fault05FlippedBitInAnIndexOrCheckpointChangesNoAnswer) {
  expect_survival({round_with(Damage::derived_file), round_with(Damage::derived_file)}, " flips");
}

TEST(Simulation, Fault06NothingIsAcknowledgedAfterAFailedFlush) {
  expect_survival({round_with(Trouble::failed_flush)}, " fails");
}

TEST(Simulation, Fault06AndALaterPowerCutTakesNothingThatTheSystemTookForWritten) {
  RoundPlan cut = round_with(Ending::power_cut, Moment::any, 0);
  cut.length = env::milliseconds(300);
  cut.power.tear_page = 0;
  expect_survival({round_with(Trouble::failed_flush, Ending::kill), cut}, " fails");
}

TEST(Simulation, Fault07FailedReadsAreErrorsOfThoseFetchesOnly) {
  expect_survival({round_with(Trouble::failed_reads, Ending::kill)}, "failed reads");
}

TEST(Simulation, Fault08FullDiskIsServedAgainWithSpace) {
  expect_survival({round_with(Trouble::disk_full, Ending::kill), round_with(Trouble::disk_full)},
                  "the disk has room");
}

TEST(Simulation, Fault09PowerCutBehindARenameLeavesOneGeneration) {
  expect_survival({round_with(Ending::power_cut, Moment::rename, 30),
                   round_with(Ending::power_cut, Moment::rename, 12)},
                  "the end comes at");
}

TEST(Simulation, Fault10PowerCutInACompactionKeepsTheNewestValues) {
  expect_survival({round_with(Ending::power_cut, Moment::compaction, 40),
                   round_with(Ending::kill, Moment::compaction, 25)},
                  "the end comes at");
}

TEST(Simulation, Fault11ClockThatJumpsDeletesNothing) {
  expect_survival({round_with(Trouble::clock_jump, Ending::kill)}, "the clock jumps");
}

TEST(Simulation, Fault14StalledDiskIsAnsweredInTime) {
  expect_survival({round_with(Trouble::stall, Ending::kill)}, "takes 30 s");
}

}  // namespace
}  // namespace arus::simulation
