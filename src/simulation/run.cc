#include "simulation/run.h"

#include <algorithm>
#include <memory>
#include <set>

#include "protocol/api/find_coordinator.h"
#include "simulation/damage.h"
#include "simulation/faults.h"
#include "simulation/inspection.h"
#include "simulation/node.h"
#include "simulation/requests.h"
#include "simulation/world.h"
#include "storage/checkpoint_file.h"
#include "storage/commit_log_reader.h"
#include "storage/file_names.h"

namespace arus::simulation {
namespace {

constexpr std::int64_t year_ms = std::int64_t{365} * 24 * 3'600'000;
constexpr env::Duration inspection_limit = env::seconds(400);

env::Task<bool> create_topics(World* world, std::vector<std::size_t>* tracks) {
  Caller caller(world->environment, world->node);
  // The node would make these by itself, with segments that no run ever fills.
  std::vector<TopicPlan> topics = world->plan.topics;
  for (const char* const name : {"__consumer_offsets", "__transaction_state"}) {
    topics.push_back({.name = name,
                      .kind = TopicKind::internal,
                      .partitions = 2,
                      .configs = {{"cleanup.policy", "compact"},
                                  {"min.cleanable.dirty.ratio", "0.2"},
                                  {"internal.segment.bytes", "4000"}}});
  }
  for (const TopicPlan& topic : topics) {
    if (!co_await caller.connect()) co_return false;
    auto made = co_await create_topic(world, &caller, topic);
    if (!made) {
      world->story.fail(topic.name, "cannot be made: {}", made.error().message);
      break;
    }
    if (topic.kind == TopicKind::internal) continue;
    tracks->insert(tracks->end(), made->begin(), made->end());
  }
  co_await caller.close();
  co_return !world->story.failed();
}

class Run {
 public:
  Run(const Plan& plan, bool aloud)
      : plan_(plan),
        simulation_({.seed = plan.seed, .delays = {.flush_most = plan.longest_flush}}),
        story_(simulation_, aloud),
        model_(story_, simulation_),
        random_(plan.seed ^ 0x5851f42d4c957f2dULL),
        clients_environment_(
            simulation_.make_environment({.host = clients_host, .name = {}, .disk = {}})),
        inspector_environment_(
            simulation_.make_environment({.host = inspector_host, .name = {}, .disk = {}})),
        clients_(make_world(*clients_environment_)),
        inspector_(make_world(*inspector_environment_)),
        node_(simulation_, plan_, story_) {}

  Verdict go() {
    story_.headline("{}", plan_.to_string());
    live();
    return {.failure = story_.failure(),
            .story = story_.text(),
            .trace_hash = simulation_.trace_hash(),
            .steps = simulation_.scheduler().steps(),
            .virtual_ms = static_cast<std::uint64_t>(
                std::chrono::duration_cast<env::milliseconds>(simulation_.now().time_since_epoch())
                    .count()),
            .acknowledged = clients_.acknowledged,
            .records = model_.record_count()};
  }

  // Copies what the node's disk holds.
  void dump(const std::string& to) {
    const auto machine = env::make_real_environment({});
    env::SimulatedDisk& disk = node_.disk();
    disk.set_fault_hook(nullptr);
    const auto copy = [&](const auto& self, const std::string& path) -> void {
      static_cast<void>(machine->files().create_directories(to + path));
      const auto entries = disk.list(path).value();
      for (const auto& entry : entries) {
        const std::string name = path + "/" + entry.name;
        if (entry.is_directory) {
          self(self, name);
        } else if (const auto bytes = disk.read_file(name)) {
          static_cast<void>(machine->files().replace_file(to + name, *bytes, false));
        }
      }
    };
    for (const auto& directory : node_.directories()) copy(copy, directory);
  }

 private:
  World make_world(env::SimulatedEnvironment& environment) {
    return {.plan = plan_,
            .story = story_,
            .model = model_,
            .environment = environment,
            .node = {.host = node_host, .port = node_port},
            .random = env::SimulatedRandom(random_.next()),
            .tracks = {},
            .must_not_acknowledge = {}};
  }

  // Each step ends early once the story has failed.
  void live() {
    if (!start({}) || !make_topics()) return;
    spawn_clients();
    bool up = true;
    for (const RoundPlan& round : plan_.rounds) {
      if (!up && !start({})) return;
      live_through(round);
      up = false;
      if (story_.failed()) return;
    }
    finish();
  }

  // The node comes up, has everything, and serves clients again.
  bool start(const Inspection& inspection, bool serve = true) {
    const auto started = node_.start();
    if (!started) {
      story_.fail("node", "does not start: {}", started.error().message);
      return false;
    }
    story_.headline("the node is up");
    return look(inspection) && (!serve || let_in());
  }
  bool look(const Inspection& inspection) {
    node_.set_reachable(inspector_host, true);
    inspector_.damaged = inspection.damaged;
    const auto right =
        run_within(*inspector_environment_, inspect(&inspector_, inspection), inspection_limit);
    if (!right) story_.fail("node", "the inspection does not end");
    return right.value_or(false);
  }
  bool let_in() {
    clients_.reads_fail = false;
    clients_.must_not_acknowledge = nullptr;
    node_.set_reachable(clients_host, true);
    return true;
  }

  bool make_topics() {
    std::vector<std::size_t> tracks;
    const auto made =
        run_within(*inspector_environment_, create_topics(&inspector_, &tracks), env::seconds(60));
    if (!made) story_.fail("node", "topics cannot be made");
    clients_.tracks = tracks;
    inspector_.tracks = tracks;
    return made.value_or(false);
  }

  env::Task<void> run_named(std::string name, env::Task<void> task) {
    busy_.insert(name);
    co_await std::move(task);
    busy_.erase(name);
  }

  void spawn_clients() {
    const auto spawn = [this](std::string name, env::Task<void> task) {
      clients_environment_->loop(0).post(
          [this, held = run_named(std::move(name), std::move(task))]() mutable {
            env::spawn(gate_, std::move(held));
          });
    };
    for (std::size_t i = 0; i < plan_.plain_producers; ++i) {
      spawn(fmt::format("plain producer {}", i), run_plain_producer(&clients_, i));
    }
    for (std::size_t i = 0; i < plan_.idempotent_producers; ++i) {
      spawn(fmt::format("idempotent producer {}", 100 + i),
            run_idempotent_producer(&clients_, 100 + i));
    }
    for (std::size_t i = 0; i < plan_.transactional_producers; ++i) {
      const std::size_t number = transactional_number(i);
      spawn(transactional_name(number), run_transactions(&clients_, number));
    }
    for (std::size_t i = 0; i < plan_.groups; ++i) {
      spawn(fmt::format("group {}", i), run_group(&clients_, i));
    }
    for (const std::size_t track : clients_.tracks) {
      const std::string name = model_.track(track).name();
      spawn("reader of " + name, run_reader(&clients_, track, false));
      if (model_.track(track).kind == TopicKind::transactional) {
        spawn("reader of the committed of " + name, run_reader(&clients_, track, true));
      }
    }
    if (plan_.topics_come_and_go) spawn("topics", run_topics(&clients_));
  }

  void run_until(env::TimePoint end, const Faults& faults) {
    while (simulation_.now() < end && !faults.ended() && !story_.failed()) {
      if (simulation_.scheduler().next_event() > end) {
        simulation_.scheduler().rest_until(end);
        break;
      }
      simulation_.step();
    }
  }

  void live_through(const RoundPlan& round) {
    story_.headline("round: {}", round.to_string());
    Faults faults(round, random_.next(), node_.disk(), story_);
    begin_trouble(round, faults);
    if (round.ending != Ending::clean_stop && round.moment != Moment::recovery &&
        round.moment != Moment::stopping) {
      faults.arm_moment();
    }
    // The power may go while the disk stalls: what waits for it was told to nobody.
    const bool in_stall = round.ending == Ending::power_cut && round.moment == Moment::any &&
                          round.length / env::milliseconds(1) % 2 == 0;
    const bool outlives_stall = round.trouble == Trouble::stall && !in_stall;
    const env::TimePoint end =
        simulation_.now() + round.length + (outlives_stall ? env::seconds(35) : env::Duration{});
    if (round.trouble == Trouble::clock_jump) {
      jump_there_and_back(round, faults);
    }
    run_until(end, faults);
    if (round.trouble != Trouble::failed_reads) check_soundness();
    if (story_.failed()) return;
    end_trouble(round, faults);
    end_node(round, faults);
    if (!story_.failed() && node_.disk().calls_from_loops() > 0) {
      story_.fail("node", "a loop has waited for the disk");
    }
    if (!story_.failed()) damage(round);
  }

  // What a checkpoint says to be on stable storage is there, so a disk that has kept what it was
  // told to keep holds no damage, and no log ends before its recovery point.
  void check_soundness() {
    if (flipped_ || story_.failed()) return;
    const double damaged = node_.metric("arus_log_damaged_partitions");
    if (damaged > 0) story_.fail("node", "has found damage in {} partitions", damaged);
  }

  void begin_trouble(const RoundPlan& round, Faults& faults) {
    clients_.reads_fail = round.trouble == Trouble::failed_reads;
    clients_.must_not_acknowledge = [this, &faults](const Track& track, env::TimePoint sent_at) {
      constexpr env::Duration to_be_known = env::milliseconds(5);
      if (faults.failed_flush().empty() || sent_at < faults.failed_at() + to_be_known) return false;
      const std::string& path = faults.failed_flush();
      // What a failed directory still has of a deleted topic says nothing of its successor.
      return std::ranges::all_of(node_.directories(), [&](const std::string& directory) {
        return path.starts_with(directory) || !node_.disk().exists(directory + "/" + track.name());
      });
    };
    if (round.trouble == Trouble::disk_full) {
      const auto space = node_.disk().space("/").value();
      const auto used = space.total_bytes - space.usable_bytes;
      const auto room = static_cast<std::int64_t>(random_.below(40'000));
      node_.disk().set_capacity(used + room);
      story_.headline("the disk has room for {} bytes", room);
    }
    const bool stalls = round.trouble == Trouble::stall;
    node_.set_afterlife(stalls ? env::seconds(40) : Node::usual_afterlife);
    faults.begin_trouble();
  }

  void end_trouble(const RoundPlan& round, Faults& faults) {
    faults.end_trouble();
    clients_.must_not_acknowledge = nullptr;
    constexpr std::int64_t plenty = std::int64_t{1} << 40;
    if (round.trouble == Trouble::disk_full) node_.disk().set_capacity(plenty);
  }

  // Nobody but the upkeep of logs looks at the clock for long enough to believe it.
  void jump_there_and_back(const RoundPlan& round, const Faults& faults) {
    model_.clock_jumped = true;
    const std::int64_t by_ms = random_.below(2) == 0 ? year_ms : -year_ms;
    run_until(simulation_.now() + random_.between(env::Duration{}, round.length / 2), faults);
    node_.jump_clock(by_ms);
    story_.headline("the clock jumps by a year {}", by_ms > 0 ? "ahead" : "back");
    const auto wrong_for = env::milliseconds(random_.below(upkeep_interval_ms - 200));
    run_until(simulation_.now() + wrong_for, faults);
    node_.jump_clock(-by_ms);
    story_.headline("the clock is right again");
  }

  // After a failed flush the system holds pages that it takes for written, and a process that is
  // started again reads them.
  [[nodiscard]] static std::optional<env::CrashPolicy> power_of(const RoundPlan& round) {
    if (round.ending != Ending::power_cut) return std::nullopt;
    return round.power;
  }

  // Compacted partitions in which the node notices gaps that a power cut has made: it knows how far
  // they were on stable storage, and that it was the last to use the directory.
  std::set<std::string> where_gaps_are_seen() {
    env::SimulatedDisk& disk = node_.disk();
    std::set<std::string> seen;
    for (const std::string& directory : node_.directories()) {
      // Files without a lap were made ahead, and say nothing of who wrote last.
      const bool ours = !storage::read_commit_log(disk, directory).value().laps.empty();
      const auto text =
          disk.read_file(storage::join_path(directory, storage::recovery_point_checkpoint_name));
      if (!ours || !text) continue;
      const auto points = storage::parse_offset_checkpoint(as_text(*text));
      if (!points) continue;
      for (const auto& point : *points) {
        if (point.offset > Offset{0}) seen.insert(point.partition.to_string());
      }
    }
    return seen;
  }

  void end_abruptly(const RoundPlan& round) {
    const auto power = power_of(round);
    node_.end(power);
    if (power) model_.lose_power(where_gaps_are_seen());
    story_.headline("{}", power ? "the power was cut" : "the process was killed");
  }

  void end_node(const RoundPlan& round, Faults& faults) {
    flush_failed_ = !faults.failed_flush().empty() || faults.write_back_failed();
    clean_ = false;
    if (faults.ended()) return end_abruptly(round);
    if (round.ending == Ending::clean_stop || round.moment == Moment::stopping) {
      if (round.ending != Ending::clean_stop) faults.arm_moment();
      const auto stopped = node_.stop();
      if (story_.failed()) return;
      story_.headline("the node stops: {}", stopped ? "done" : stopped.error().message);
      if (round.ending != Ending::clean_stop) return end_abruptly(round);
      const bool may_fail = round.trouble == Trouble::failed_flush ||
                            round.trouble == Trouble::disk_full ||
                            round.trouble == Trouble::failed_reads;
      if (!stopped && !may_fail) {
        story_.fail("node", "does not stop cleanly: {}", stopped.error().message);
      } else if (stopped && !node_.is_clean()) {
        story_.fail("node", "has stopped and is not clean");
      }
      clean_ = stopped.has_value();
      if (flush_failed_) return end_abruptly(round);
      return node_.end({});
    }
    end_abruptly(round);
    clean_ = false;
    if (round.moment != Moment::recovery || story_.failed()) return;
    Faults again(round, random_.next(), node_.disk(), story_);
    again.arm_moment();
    const auto started = node_.start();
    if (story_.failed()) return;
    if (!started && !again.ended()) {
      story_.fail("node", "does not start: {}", started.error().message);
      return;
    }
    end_abruptly(round);
  }

  void damage(const RoundPlan& round) {
    if (round.damage == Damage::derived_file) {
      const auto bit = draw_derived_bit(node_, random_);
      if (!bit) return;
      story_.headline("bit {:#x} of byte {} of {} flips", bit->mask, bit->offset, bit->path);
      flip(node_.disk(), *bit);
      flipped_ = true;
    }
    // Only what is below a recovery point can be told from what a crash has left.
    if (round.damage != Damage::sealed_segment || !clean_) return;
    const auto bit = draw_segment_bit(node_, model_, random_);
    if (!bit) return;
    story_.headline("bit {:#x} of byte {} of {} flips", bit->mask, bit->offset, bit->path);
    flip(node_.disk(), *bit);
    flipped_ = true;
    if (!start({.damaged = bit->track}, false)) return;
    const auto stopped = node_.stop();
    if (!stopped) story_.fail("node", "does not stop cleanly: {}", stopped.error().message);
    node_.end({});
    flip(node_.disk(), *bit);
    story_.headline("the bit flips back");
  }

  void finish() {
    story_.headline("faults cease");
    if (!start({})) return;
    simulation_.run_for(env::seconds(2));
    clients_.stopping = true;
    const auto rest = [](env::Gate* gate) -> env::Task<bool> {
      co_await gate->close();
      co_return true;
    };
    const auto at_rest = run_within(*clients_environment_, rest(&gate_), env::seconds(200));
    if (!at_rest) {
      story_.fail("clients", "{} do not finish, {} among them", busy_.size(),
                  busy_.empty() ? "nobody" : *busy_.begin());
    }
    if (story_.failed()) return;
    story_.headline("clients are at rest");
    check_soundness();
    if (!look({.at_rest = true})) return;
    const auto stopped = node_.stop();
    if (!stopped) story_.fail("node", "does not stop cleanly: {}", stopped.error().message);
    if (stopped && !node_.is_clean()) story_.fail("node", "has stopped and is not clean");
    node_.end({});
    if (story_.failed() || !start({.at_rest = true})) return;
    if (!node_.stop()) story_.fail("node", "does not stop cleanly at last");
  }

  const Plan plan_;
  env::Simulation simulation_;
  Story story_;
  Model model_;
  env::SimulatedRandom random_;
  std::unique_ptr<env::SimulatedEnvironment> clients_environment_;
  std::unique_ptr<env::SimulatedEnvironment> inspector_environment_;
  World clients_;
  World inspector_;
  Node node_;
  env::Gate gate_;
  std::set<std::string> busy_;  // clients
  bool clean_ = false;          // the last stop
  bool flush_failed_ = false;   // in this round
  bool flipped_ = false;        // a bit, at any time
};

}  // namespace

Verdict run(const Plan& plan, const RunOptions& options) {
  auto simulated = std::make_unique<Run>(plan, options.aloud);
  Verdict verdict = simulated->go();
  if (!verdict.ok() && !options.dump_to.empty()) simulated->dump(options.dump_to);
  // What a failure leaves under way cannot be taken down in order.
  if (!verdict.ok()) static_cast<void>(simulated.release());
  return verdict;
}

}  // namespace arus::simulation
