#include "simulation/plan.h"

#include <fmt/core.h>

#include <array>

#include "env/simulated/scheduler.h"

namespace arus::simulation {
namespace {

using env::SimulatedRandom;

TopicPlan draw_topic(SimulatedRandom& random, Focus focus, std::string name, TopicKind kind,
                     bool synced) {
  TopicPlan topic{
      .name = std::move(name),
      .kind = kind,
      .synced = synced,
      .partitions = static_cast<std::int32_t>(1 + random.below(focus == Focus::everything ? 3 : 2)),
      .configs = {}};
  // What happens when segments end is seen where many do.
  const std::uint64_t segment_range = focus != Focus::everything ? 1'000
                                      : random.below(2) == 0     ? 2'000
                                                                 : 20'000;
  topic.configs["internal.segment.bytes"] = std::to_string(2'000 + random.below(segment_range));
  topic.configs["index.interval.bytes"] = std::to_string(200 + random.below(2'000));
  topic.configs["file.delete.delay.ms"] = std::to_string(random.below(3'000));
  topic.configs["arus.durability"] = synced ? "synced" : "page-cache";
  if (kind == TopicKind::compacted) {
    topic.configs["cleanup.policy"] = "compact";
    topic.configs["min.cleanable.dirty.ratio"] = "0.1";
    topic.configs["delete.retention.ms"] = std::to_string(delete_retention_ms);
  } else if (kind == TopicKind::retained) {
    topic.configs["retention.ms"] = std::to_string(retention_ms);
  }
  return topic;
}

// From a disk that has written hardly anything to one that has written nearly all; names and
// contents each for themselves, since a file system may be far ahead with either.
env::CrashPolicy draw_power_cut(SimulatedRandom& random) {
  static constexpr std::array<double, 4> shares{0, 0.5, 0.5, 1};
  static constexpr std::array<double, 3> tears{0, 0.2, 1};
  static constexpr std::array<double, 5> entries{0, 0.5, 0.5, 0.9, 1};
  env::CrashPolicy power;
  power.keep_page = shares.at(random.below(shares.size()));
  power.tear_page = tears.at(random.below(tears.size()));
  power.whole_file = shares.at(random.below(shares.size()));
  // As file systems do that keep small files where they keep names.
  power.inline_bytes = random.below(2) == 0 ? 0 : 1'000;
  power.keep_entry = entries.at(random.below(entries.size()));
  power.entries_in_order = random.below(2) == 0;
  return power;
}

RoundPlan draw_round(SimulatedRandom& random, Focus focus) {
  RoundPlan round;
  const std::uint64_t longest_ms = focus == Focus::everything ? 8'000 : 5'000;
  round.length = env::milliseconds(500 + random.below(longest_ms));
  if (random.below(2) == 0) round.trouble = static_cast<Trouble>(random.below(trouble_count));
  // A kill takes nothing of what the system has, a power cut may take all of it.
  static constexpr std::array<Ending, 4> endings{Ending::clean_stop, Ending::kill,
                                                 Ending::power_cut, Ending::power_cut};
  round.ending = endings.at(random.below(endings.size()));
  const bool focused = focus != Focus::everything && random.below(3) != 0;
  if (focused) round.ending = Ending::power_cut;
  if (round.ending != Ending::clean_stop) {
    round.moment = static_cast<Moment>(random.below(moment_count));
    if (focused) {
      round.moment = focus == Focus::compaction ? Moment::compaction : Moment::checkpoint;
    }
    static constexpr std::array<std::uint64_t, moment_count> ranges{1,  400, 200, 30,
                                                                    60, 15,  200, 60};
    round.moment_count = random.below(ranges.at(static_cast<std::size_t>(round.moment)));
  }
  round.power = draw_power_cut(random);
  if (!focused && random.below(4) == 0) round.damage = static_cast<Damage>(1 + random.below(2));
  return round;
}

storage::CommitLogOptions draw_commit_log(SimulatedRandom& random, bool wide) {
  // None; one that is hardly ever full; and some that are used again and again.
  switch (random.below(8)) {
    case 0:
      return {.first_file_bytes = 0};
    case 1:
      return {.first_file_bytes = std::size_t{1} << 20};
    default:
      return {.first_file_bytes = std::size_t{16} << 10,
              .later_file_bytes = std::size_t{32} << 10,
              .most_files = 2 + random.below(3),
              .direct_from_bytes = 2'000 + random.below(10'000),
              .flush_each_up_to = wide ? std::size_t{1} : std::size_t{256},
              .large_file_bytes = std::size_t{64} << 10,
              .large_from_segments = 5,
              .most_bytes = std::size_t{160} << 10};
  }
}

Focus draw_focus(SimulatedRandom& random) {
  static constexpr std::array<Focus, 4> all{Focus::everything, Focus::everything, Focus::compaction,
                                            Focus::checkpoints};
  return all.at(random.below(all.size()));
}

void draw_topics(SimulatedRandom& random, Plan& plan) {
  const auto add = [&](const char* name, TopicKind kind, bool synced) {
    plan.topics.push_back(draw_topic(random, plan.focus, name, kind, synced));
  };
  // One of two, always the one that the run is about.
  const auto draws = [&](Focus about) { return random.below(2) == 0 || plan.focus == about; };
  add("plain", TopicKind::plain, true);
  if (draws(Focus::checkpoints)) add("cached", TopicKind::plain, false);
  if (draws(Focus::compaction)) add("compacted", TopicKind::compacted, random.below(3) != 0);
  if (random.below(2) == 0) add("retained", TopicKind::retained, true);
  plan.transactional_producers = random.below(3);
  if (plan.transactional_producers > 0) add("exact", TopicKind::transactional, true);
}

std::string name_of(Trouble trouble) {
  static constexpr std::array<const char*, trouble_count> names{
      "no trouble",  "a failed flush",     "failed reads",
      "a full disk", "a clock that jumps", "a disk that stalls"};
  return names.at(static_cast<std::size_t>(trouble));
}

std::string name_of(Ending ending, Moment moment) {
  static constexpr std::array<const char*, 3> endings{"clean stop", "kill", "power cut"};
  static constexpr std::array<const char*, moment_count> moments{"",
                                                                 " in a write",
                                                                 " at a flush",
                                                                 " behind a rename",
                                                                 " in a compaction",
                                                                 " behind a checkpoint",
                                                                 " in the recovery after a kill",
                                                                 " in a clean stop"};
  return std::string(endings.at(static_cast<std::size_t>(ending))) +
         moments.at(static_cast<std::size_t>(moment));
}

}  // namespace

std::string RoundPlan::to_string() const {
  static constexpr std::array<const char*, 3> damages{
      "", ", then a bit of a sealed segment flips",
      ", then a bit of an index, snapshot or checkpoint flips"};
  return fmt::format(
      "{} ms, {}, {}{}", std::chrono::duration_cast<env::milliseconds>(length).count(),
      name_of(trouble), name_of(ending, moment), damages.at(static_cast<std::size_t>(damage)));
}

std::string Plan::to_string() const {
  static constexpr std::array<const char*, 3> abouts{"", ", most about compaction",
                                                     ", most about checkpoints"};
  std::string text = fmt::format(
      "seed {}: {} loops, {} log directories, commit log of {} + {} bytes{}; {} plain, {} "
      "idempotent, "
      "{} transactional producers, {} groups{}{}; topics",
      seed, loops, directories, commit_log.first_file_bytes, commit_log.later_file_bytes,
      commit_log.flush_each_up_to == 1 ? ", flushed together" : "", plain_producers,
      idempotent_producers, transactional_producers, groups,
      topics_come_and_go ? ", topics come and go" : "", abouts.at(static_cast<std::size_t>(focus)));
  for (const TopicPlan& topic : topics) text += fmt::format(" {}×{}", topic.name, topic.partitions);
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    text += fmt::format("\n  round {}: {}", i + 1, rounds[i].to_string());
  }
  return text;
}

Plan draw_plan(std::uint64_t seed, std::vector<RoundPlan> rounds) {
  Plan plan = draw_plan(seed);
  plan.rounds = std::move(rounds);
  return plan;
}

Plan draw_plan(std::uint64_t seed) {
  // Never a multiple of what its state moves by: neighbours would draw the same, one draw apart.
  SimulatedRandom random(seed ^ 0x2545f4914f6cdd1dULL);
  Plan plan;
  plan.seed = seed;
  plan.loops = random.below(3) == 0 ? 3 : 1;
  plan.directories = random.below(3) == 0 ? 2 : 1;
  plan.commit_log = draw_commit_log(random, seed % 2 == 0);
  plan.topics_by_id = random.below(2) == 0;
  plan.focus = draw_focus(random);
  // What moves before its flush is seen where flushes are slow and checkpoints frequent.
  if (plan.focus == Focus::checkpoints || random.below(2) == 0) {
    plan.checkpoint_interval_ms = 30;
    plan.longest_flush = env::milliseconds(40);
  }
  draw_topics(random, plan);
  plan.plain_producers = random.below(3);
  plan.idempotent_producers = plan.plain_producers == 0 || plan.focus == Focus::checkpoints
                                  ? 2 + random.below(2)
                                  : random.below(4);
  plan.groups = random.below(3);
  plan.topics_come_and_go = random.below(3) == 0;
  if (random.below(2) == 0) {
    plan.properties["metadata.log.max.record.bytes.between.snapshots"] = "2000";
  }
  if (plan.focus == Focus::compaction) plan.properties["log.cleaner.backoff.ms"] = "30";
  const std::size_t rounds = (plan.focus == Focus::everything ? 2 : 3) + random.below(4);
  for (std::size_t i = 0; i < rounds; ++i) plan.rounds.push_back(draw_round(random, plan.focus));
  // Fewer than segments: they are closed before they are flushed.
  if (random.below(2) == 0) plan.descriptors = 40;
  return plan;
}

}  // namespace arus::simulation
