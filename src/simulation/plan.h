// What a run does, drawn from its seed before it begins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/properties.h"
#include "env/simulated/disk.h"
#include "env/time.h"
#include "storage/commit_log.h"

namespace arus::simulation {

// What goes wrong while a node serves. Numbers are the rows of the table of faults in
// docs/internals/simulation.md.
enum class Trouble : std::uint8_t {
  none,
  failed_flush,  // 6: one flush fails, later ones succeed
  failed_reads,  // 7: reads fail, or give less than was asked for
  disk_full,     // 8
  clock_jump,    // 11: a year, and back
  stall,         // 14: one write or flush takes 30 s
};
inline constexpr std::size_t trouble_count = 6;

// How a node ends.
enum class Ending : std::uint8_t { clean_stop, kill, power_cut };

// When an ending that is not clean comes.
enum class Moment : std::uint8_t {
  any,         // at an instant
  write,       // 1, 3: in the middle of a write
  flush,       // 2: at a flush, which does not happen
  rename,      // 9: at a rename or in the few operations behind it
  compaction,  // 10: while files of a compaction are written or exchanged
  checkpoint,  // behind a checkpoint or snapshot, which speaks for other files
  recovery,    // while the next start recovers
  stopping,    // in a clean stop
};
inline constexpr std::size_t moment_count = 8;

// What happens to files while the node is down.
enum class Damage : std::uint8_t {
  none,
  sealed_segment,  // 4
  derived_file,    // 5: an index, a producer snapshot, a checkpoint
};

struct RoundPlan {
  env::Duration length = env::seconds(5);
  Trouble trouble = Trouble::none;
  Ending ending = Ending::clean_stop;
  Moment moment = Moment::any;
  std::uint64_t moment_count = 0;                    // so many such operations pass first
  env::CrashPolicy power{.entries_in_order = true};  // of a power cut
  Damage damage = Damage::none;                      // after the end
  [[nodiscard]] std::string to_string() const;
};

enum class TopicKind : std::uint8_t { plain, compacted, retained, transactional, internal };

struct TopicPlan {
  std::string name;
  TopicKind kind = TopicKind::plain;
  bool synced = true;
  std::int32_t partitions = 1;
  config::ConfigMap configs;
};

// What most of a run is about. What is rare in a run that has a bit of everything is frequent in
// one that has little else.
enum class Focus : std::uint8_t {
  everything,
  compaction,   // few small topics, that are cleaned all the time
  checkpoints,  // small segments, slow flushes and frequent checkpoints
};

struct Plan {
  std::uint64_t seed = 1;
  Focus focus = Focus::everything;
  std::size_t loops = 1;
  std::size_t directories = 1;
  storage::CommitLogOptions commit_log;
  std::int64_t checkpoint_interval_ms = 500;
  std::size_t descriptors = 100;
  env::Duration longest_flush = env::milliseconds(3);
  config::ConfigMap properties;  // beside those that every run has
  std::vector<TopicPlan> topics;
  std::size_t plain_producers = 1;
  std::size_t idempotent_producers = 1;
  std::size_t transactional_producers = 1;
  std::size_t groups = 1;
  bool topics_come_and_go = true;
  bool topics_by_id = false;  // requests of the newest versions name topics by their id
  std::vector<RoundPlan> rounds;

  [[nodiscard]] std::string to_string() const;
};

inline constexpr std::int64_t retention_ms = 4'000;         // of retained topics
inline constexpr std::int64_t delete_retention_ms = 1'000;  // of tombstones
inline constexpr std::int64_t upkeep_interval_ms = 2'000;

[[nodiscard]] Plan draw_plan(std::uint64_t seed);
// The same, with these rounds instead of drawn ones.
[[nodiscard]] Plan draw_plan(std::uint64_t seed, std::vector<RoundPlan> rounds);

}  // namespace arus::simulation
