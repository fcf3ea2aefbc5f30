#include "simulation/plan.h"

#include <fmt/core.h>

#include <array>

#include "env/simulated/scheduler.h"

namespace arus::simulation {
namespace {

using env::SimulatedRandom;

TopicPlan draw_topic(SimulatedRandom& random, std::string name, TopicKind kind, bool synced) {
  TopicPlan topic{.name = std::move(name),
                  .kind = kind,
                  .synced = synced,
                  .partitions = static_cast<std::int32_t>(1 + random.below(3)),
                  .configs = {}};
  topic.configs["internal.segment.bytes"] = std::to_string(2'000 + random.below(20'000));
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

RoundPlan draw_round(SimulatedRandom& random) {
  RoundPlan round;
  round.length = env::milliseconds(500 + random.below(8'000));
  if (random.below(2) == 0) round.trouble = static_cast<Trouble>(random.below(trouble_count));
  round.ending = static_cast<Ending>(random.below(3));
  if (round.ending != Ending::clean_stop) {
    round.moment = static_cast<Moment>(random.below(moment_count));
    static constexpr std::array<std::uint64_t, moment_count> ranges{1, 400, 200, 30, 60, 200, 60};
    round.moment_count = random.below(ranges.at(static_cast<std::size_t>(round.moment)));
  }
  static constexpr std::array<double, 3> tears{0, 0.2, 1};
  round.tear_page = tears.at(random.below(tears.size()));
  round.entries_in_order = random.below(2) == 0;
  if (random.below(4) == 0) round.damage = static_cast<Damage>(1 + random.below(2));
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
  std::string text = fmt::format(
      "seed {}: {} loops, {} log directories, commit log of {} + {} bytes{}; {} plain, {} "
      "idempotent, "
      "{} transactional producers, {} groups{}; topics",
      seed, loops, directories, commit_log.first_file_bytes, commit_log.later_file_bytes,
      commit_log.flush_each_up_to == 1 ? ", flushed together" : "", plain_producers,
      idempotent_producers, transactional_producers, groups,
      topics_come_and_go ? ", topics come and go" : "");
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
  SimulatedRandom random(seed * 0x9e3779b97f4a7c15ULL + 1);
  Plan plan;
  plan.seed = seed;
  plan.loops = random.below(3) == 0 ? 3 : 1;
  plan.directories = random.below(3) == 0 ? 2 : 1;
  plan.commit_log = draw_commit_log(random, seed % 2 == 0);
  plan.topics_by_id = random.below(2) == 0;
  // What moves before its flush is seen where flushes are slow and checkpoints frequent.
  if (random.below(2) == 0) {
    plan.checkpoint_interval_ms = 30;
    plan.longest_flush = env::milliseconds(40);
  }
  plan.topics.push_back(draw_topic(random, "plain", TopicKind::plain, true));
  if (random.below(2) == 0) {
    plan.topics.push_back(draw_topic(random, "cached", TopicKind::plain, false));
  }
  if (random.below(2) == 0) {
    plan.topics.push_back(
        draw_topic(random, "compacted", TopicKind::compacted, random.below(3) != 0));
  }
  if (random.below(2) == 0) {
    plan.topics.push_back(draw_topic(random, "retained", TopicKind::retained, true));
  }
  plan.transactional_producers = random.below(3);
  if (plan.transactional_producers > 0) {
    plan.topics.push_back(draw_topic(random, "exact", TopicKind::transactional, true));
  }
  plan.plain_producers = random.below(3);
  plan.idempotent_producers = plan.plain_producers == 0 ? 1 + random.below(3) : random.below(4);
  plan.groups = random.below(3);
  plan.topics_come_and_go = random.below(3) == 0;
  if (random.below(2) == 0) {
    plan.properties["metadata.log.max.record.bytes.between.snapshots"] = "2000";
  }
  const std::size_t rounds = 2 + random.below(4);
  for (std::size_t i = 0; i < rounds; ++i) plan.rounds.push_back(draw_round(random));
  return plan;
}

}  // namespace arus::simulation
