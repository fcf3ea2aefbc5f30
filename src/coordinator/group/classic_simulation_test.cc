// Random interleavings of requests, lost answers, passing time and restarts, from a seed.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/log.h"
#include "coordinator/group/classic_groups_testing.h"

namespace arus::coordinator {
namespace {

constexpr std::size_t steps = 1'500;
constexpr std::size_t clients = 6;
constexpr std::int32_t session_timeout_ms = 6'000;
constexpr std::int32_t rebalance_timeout_ms = 9'000;

// A consumer as clients are: joins, syncs, sends heartbeats, forgets, comes back.
struct Client {
  std::optional<std::string> instance_id;
  std::string member_id;
  std::int32_t generation = -1;
  std::optional<JoinAnswer> joining;
  std::optional<SyncAnswer> syncing;
  protocol::JoinGroupResponse joined;
  bool owns = false;
};

// How often what happened: a simulation that never comes there tests nothing.
struct Seen {
  std::size_t joined = 0;
  std::size_t synced = 0;
  std::size_t fenced = 0;
  std::size_t full = 0;
  std::size_t too_large = 0;
  std::size_t restarted = 0;
};
Seen seen;

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < clients; ++i) {
      // Two of them believe to be the same static member.
      if (i % 3 == 2) clients_[i].instance_id = "instance";
    }
    begin();
  }

  void run() {
    for (step_ = 0; step_ < steps && !testing::Test::HasFatalFailure(); ++step_) {
      act(clients_[draw(clients)]);
      check();
    }
    settle();
  }

 private:
  std::size_t draw(std::size_t below) { return random_() % below; }
  bool chance(std::size_t percent) { return draw(100) < percent; }

  void begin() {
    GroupSettings settings;
    settings.min_session_timeout_ms = 1;
    settings.initial_rebalance_delay_ms = chance(50) ? 0 : 500;
    settings.new_member_join_timeout_ms = 12'000;
    settings.max_size = 4;
    test_ = std::make_unique<ClassicBench>(settings);
    test_->machine.surroundings().random = [this] { return random_(); };
  }

  // Another machine with what is stored: what the log says is what the group was.
  void restart() {
    auto old = std::move(test_);
    begin();
    old->bench.replay_into(test_->machine);
    for (const auto& logged : old->bench.log()) {
      history_.push_back(logged.record);
    }
    test_->bench.turn([&](Turn& turn) {
      test_->machine.loaded(turn, std::make_shared<const metadata::MetadataImage>());
    });
    // Its log begins with what it was loaded from.
    prefix_.insert(prefix_.end(), history_.begin(), history_.end());
    history_.clear();
    for (auto& client : clients_) {
      client.joining.reset();
      client.syncing.reset();
    }
    ++seen.restarted;
  }

  void act(Client& client) {
    const std::size_t what = draw(100);
    if (what < 8) {
      test_->pass_ms(static_cast<std::int64_t>(draw(4'000)));
    } else if (what < 11) {
      forget(client);
    } else if (what == 11) {
      // From time to time a record that holds the whole group is too large.
      test_->machine.settings().max_batch_bytes = chance(40) ? 700 : 1'048'588;
    } else if (what < 15 && !client.member_id.empty()) {
      test_->leave({{.member_id = client.member_id, .group_instance_id = client.instance_id}});
      forget(client);
    } else if (what < 20) {
      take_answers(client, chance(10));
      join(client);
    } else {
      take_answers(client, chance(3));
      go_on(client);
    }
  }

  // What a client that is well does next.
  void go_on(Client& client) {
    if (client.joining || client.syncing) return;
    if (client.generation < 0) {
      join(client);
    } else if (!client.owns) {
      sync(client);
    } else {
      const ErrorCode code =
          test_->heartbeat(client.member_id, client.generation, client.instance_id);
      if (code == ErrorCode::rebalance_in_progress) join(client);
      if (code == ErrorCode::fenced_instance_id) ++seen.fenced;
      if (code == ErrorCode::unknown_member_id || code == ErrorCode::fenced_instance_id) {
        forget(client);
      }
      if (code == ErrorCode::illegal_generation) client.generation = -1;
    }
  }

  void join(Client& client) {
    static const std::array<std::vector<std::string>, 3> offers = {
        {{"range", "sticky"}, {"sticky", "range"}, {"range"}}};
    JoinOptions options{.member_id = client.member_id,
                        .instance_id = client.instance_id,
                        .protocols = {},
                        .session_timeout_ms = session_timeout_ms,
                        .rebalance_timeout_ms = rebalance_timeout_ms,
                        .version = static_cast<std::int16_t>(chance(50) ? 9 : 3)};
    for (const auto& name : offers[draw(offers.size())]) {
      options.protocols.emplace_back(name, subscription_to({chance(50) ? "t" : "u"}));
    }
    client.owns = false;
    client.generation = -1;
    client.syncing.reset();
    client.joining = test_->join(options);
  }

  void sync(Client& client) {
    std::vector<std::pair<std::string, std::string>> assignments;
    for (const auto& member : client.joined.members) {
      assignments.emplace_back(member.member_id,
                               std::to_string(client.generation) + " " + member.member_id);
    }
    client.syncing = test_->sync(client.joined, assignments, client.instance_id);
  }

  void take_answers(Client& client, bool lose) {
    if (client.joining && client.joining->given()) {
      const auto& result = client.joining->result();
      if (result && !lose) on_joined(client, *result);
      client.joining.reset();
    }
    if (client.syncing && client.syncing->given()) {
      const auto& result = client.syncing->result();
      if (result && !lose) on_synced(client, *result);
      client.syncing.reset();
    }
  }

  void on_joined(Client& client, const protocol::JoinGroupResponse& answer) {
    if (answer.error_code == ErrorCode::member_id_required) {
      client.member_id = answer.member_id;
    } else if (answer.error_code == ErrorCode::none) {
      client.member_id = answer.member_id;
      client.generation = answer.generation_id;
      client.joined = answer;
      ++seen.joined;
    } else {
      if (answer.error_code == ErrorCode::unknown_server_error) ++seen.too_large;
      if (answer.error_code == ErrorCode::fenced_instance_id) ++seen.fenced;
      if (answer.error_code == ErrorCode::group_max_size_reached) ++seen.full;
      forget(client);
    }
  }

  void on_synced(Client& client, const protocol::SyncGroupResponse& answer) {
    if (answer.error_code == ErrorCode::unknown_member_id ||
        answer.error_code == ErrorCode::fenced_instance_id) {
      forget(client);
    } else if (answer.error_code != ErrorCode::none) {
      if (answer.error_code == ErrorCode::unknown_server_error) ++seen.too_large;
      client.generation = -1;
    } else {
      client.owns = true;
      ++seen.synced;
      // Nobody is told what another, or another generation, was assigned. A static member has
      // taken its part over from the one before.
      const std::string said(as_text(answer.assignment.view()));
      if (!client.instance_id && !said.empty()) {
        EXPECT_EQ(said, std::to_string(client.generation) + " " + client.member_id)
            << "step " << step_;
      }
    }
  }

  void forget(Client& client) {
    client.member_id.clear();
    client.generation = -1;
    client.owns = false;
    client.joining.reset();
    client.syncing.reset();
  }

  void check() {
    if (chance(1)) {
      restart();
      return;
    }
    const ClassicGroup* const group = test_->find();
    if (group == nullptr) return;
    std::size_t awaiting = 0;
    std::size_t bytes = 0;
    for (const auto& [id, member] : group->members()) {
      ASSERT_EQ(id, member->id());
      awaiting += member->awaits_join() ? 1 : 0;
      bytes += member->held_bytes();
      if (member->instance_id()) {
        ASSERT_EQ(group->static_member(*member->instance_id()), member.get()) << "step " << step_;
      }
      // Nobody is forgotten: a session ends, or an answer is owed.
      ASSERT_TRUE(member->armed() || member->awaits_join() || member->awaits_sync())
          << "step " << step_;
    }
    ASSERT_EQ(awaiting, group->awaiting_join_count()) << "step " << step_;
    ASSERT_GE(group->held_bytes(), bytes);
    ASSERT_EQ(group->members().empty(), group->leader().empty()) << "step " << step_;
    if (!group->leader().empty()) {
      ASSERT_NE(group->member(group->leader()), nullptr);
    }
    switch (group->state()) {
      case ClassicState::empty:
        ASSERT_TRUE(group->members().empty()) << "step " << step_;
        break;
      case ClassicState::preparing_rebalance:
        break;
      case ClassicState::completing_rebalance:
      case ClassicState::stable:
        ASSERT_EQ(awaiting, 0U) << "step " << step_;
        ASSERT_TRUE(group->protocol_name());
        // A static member that has not come back yet is in it besides.
        ASSERT_LE(group->members().size(), 5U);
        break;
    }
    check_stored(*group);
  }

  // In Stable and Empty the log alone gives the group as it is.
  void check_stored(const ClassicGroup& group) {
    const bool is_at_rest =
        group.state() == ClassicState::stable || group.state() == ClassicState::empty;
    if (!is_at_rest || !chance(20)) return;
    ClassicMachine other;
    for (const auto& record : prefix_) replay(other, record);
    for (const auto& logged : test_->bench.log()) replay(other, logged.record);
    const auto* const loaded = other.groups().find_as<ClassicGroup>("g");
    ASSERT_NE(loaded, nullptr);
    ASSERT_EQ(loaded->value(), group.value()) << "step " << step_;
  }
  static void replay(ClassicMachine& machine, const Record& record) {
    ASSERT_TRUE(machine.replay(
        {.key = record.key,
         .value = record.value ? std::optional<ByteView>(*record.value) : std::nullopt}));
  }

  // When all that is left are clients that are well, the group becomes stable.
  void settle() {
    test_->machine.settings().max_batch_bytes = 1'048'588;
    test_->machine.settings().max_size = clients;
    for (int round = 0; round < 200; ++round) {
      for (auto& client : clients_) {
        if (&client == &clients_.back()) continue;  // the other of the two
        take_answers(client, false);
        go_on(client);
      }
      test_->pass_ms(500);
      if (all_own()) return;
    }
    FAIL() << "the group is " << test_->group().state_name() << " at the end";
  }
  bool all_own() {
    std::size_t owners = 0;
    for (std::size_t i = 0; i + 1 < clients; ++i) owners += clients_[i].owns ? 1 : 0;
    return owners == clients - 1 && test_->group().state() == ClassicState::stable;
  }

  std::mt19937_64 random_;
  std::unique_ptr<ClassicBench> test_;
  std::array<Client, clients> clients_;
  std::vector<Record> prefix_;
  std::vector<Record> history_;
  std::size_t step_ = 0;
};

TEST(ClassicSimulation, InvariantsHoldInRandomInterleavings) {
  set_log_level("coordinator.group.classic", LogLevel::warning);
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation(seed).run();
    if (HasFailure()) break;
  }
  for (const std::size_t times :
       {seen.joined, seen.synced, seen.restarted, seen.full, seen.too_large, seen.fenced}) {
    EXPECT_GT(times, 10U);
  }
  set_log_level("coordinator.group.classic", LogLevel::info);
}

}  // namespace
}  // namespace arus::coordinator
