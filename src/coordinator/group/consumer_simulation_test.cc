// Random members, lost answers, timeouts and topics against a consumer group; a failure prints its
// seed.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "coordinator/group/consumer_groups_testing.h"

namespace arus::coordinator {
namespace {

// A consumer that behaves, but for answers that it never sees.
struct Client {
  std::string id;
  std::optional<std::string> instance_id;
  std::int32_t epoch = joining_epoch;
  PartitionSet owned;       // what it reads from
  bool tells_owned = true;  // the next heartbeat says so
  std::vector<std::string> topics = {"t", "u"};
  std::string regex;
};

class Simulation {
 public:
  explicit Simulation(std::uint32_t seed)
      : random_(seed), topics_{{"t", 4}, {"u", 3}}, test_(topics_, settings(seed)) {}

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      act();
      check_owners();
      if (step % 16 == 0) check_replay();
    }
    check_replay();
    settle();
  }

 private:
  static GroupSettings settings(std::uint32_t seed) {
    auto settings = ConsumerBench::quick();
    settings.consumer_assignment_interval_ms = seed % 2 == 0 ? 0 : 2'000;
    return settings;
  }
  std::uint32_t draw(std::uint32_t below) { return random_() % below; }

  void act() {
    const std::uint32_t what = draw(20);
    if (what == 0 && clients_.size() < 6) {
      const std::string id = "m" + std::to_string(++made_);
      Client client{.id = id};
      if (draw(3) == 0) client.instance_id = "i" + std::to_string(draw(2));
      if (draw(4) == 0) {
        client.topics.clear();
        client.regex = draw(2) == 0 ? "t.*" : "[tu]";
      }
      clients_.emplace(id, std::move(client));
    } else if (what == 1) {
      test_.bench.pass(env::milliseconds(draw(20'000)));
    } else if (what == 2) {
      topics_[draw(2) == 0 ? "t" : "u"] += 1;
      test_.set_topics(topics_);
    } else if (what == 3 && draw(3) == 0) {
      if (topics_.contains("u") && draw(2) == 0) {
        topics_.erase("u");
      } else {
        topics_["u"] = 2;
      }
      test_.set_topics(topics_);
    } else if (!clients_.empty()) {
      auto at = clients_.begin();
      std::advance(at, draw(static_cast<std::uint32_t>(clients_.size())));
      if (what == 4) {
        leave(at);
      } else if (what == 5) {
        clients_.erase(at);  // dies without a word
      } else {
        if (what == 6 && at->second.regex.empty()) {
          at->second.topics =
              draw(2) == 0 ? std::vector<std::string>{"t"} : std::vector<std::string>{"t", "u"};
          at->second.tells_owned = true;
          beat(at->second, draw(6) == 0, true);
        } else {
          beat(at->second, draw(6) == 0, false);
        }
      }
    }
  }

  void leave(std::map<std::string, Client>::iterator at) {
    Client& client = at->second;
    if (client.epoch > 0) {
      auto request = ConsumerBench::beating(
          client.id, client.instance_id && draw(2) == 0 ? static_leaving_epoch : leaving_epoch);
      request.instance_id = client.instance_id;
      static_cast<void>(test_.send(request));
    }
    clients_.erase(at);
  }

  void beat(Client& client, bool answer_is_lost, bool subscribes) {
    protocol::ConsumerGroupHeartbeatRequest request;
    if (client.epoch == joining_epoch) {
      client.owned.clear();
      request = ConsumerBench::joining(client.id, client.topics);
      if (!client.regex.empty()) {
        request.subscribed_topic_names.reset();
        request.subscribed_topic_regex = client.regex;
      }
    } else {
      request = ConsumerBench::beating(
          client.id, client.epoch, client.tells_owned ? std::optional(client.owned) : std::nullopt);
      if (subscribes) request.subscribed_topic_names = client.topics;
    }
    request.instance_id = client.instance_id;
    const auto answer = test_.send(request);
    client.tells_owned = answer_is_lost;
    if (answer_is_lost) return;
    if (!answer) {
      switch (answer.error().code) {
        case ErrorCode::fenced_member_epoch:
        case ErrorCode::unknown_member_id:
        case ErrorCode::group_id_not_found:
          client.epoch = joining_epoch;
          client.owned.clear();
          break;
        case ErrorCode::unreleased_instance_id:
        case ErrorCode::fenced_instance_id:
          client.instance_id.reset();
          client.epoch = joining_epoch;
          client.owned.clear();
          client.id = "m" + std::to_string(++made_);
          break;
        default:
          ADD_FAILURE() << answer.error().message;
      }
      return;
    }
    client.epoch = answer->member_epoch;
    if (answer->assignment) {
      client.owned = partitions_in(answer->assignment);
      client.tells_owned = true;
    }
  }

  // By what is stored nobody shares a partition; the epochs are in order.
  void check_owners() {
    const auto* const group = test_.group();
    if (group == nullptr) return;
    EXPECT_LE(group->assignment_epoch(), group->epoch());
    std::map<std::pair<Uuid, std::int32_t>, std::string> owners;
    std::map<std::pair<Uuid, std::int32_t>, std::string> targets;
    for (const auto& [id, member] : group->members()) {
      EXPECT_LE(member->current().epoch, group->assignment_epoch());
      for (const auto* const set :
           {&member->current().assigned, &member->current().pending_revocation}) {
        for (const auto& topic : *set) {
          for (const auto& one : topic.partitions) {
            const auto [other, is_new] = owners.emplace(std::pair(topic.topic, one.partition), id);
            EXPECT_TRUE(is_new) << id << " and " << other->second << " share " << one.partition;
            EXPECT_EQ(group->owner(topic.topic, one.partition), member.get());
          }
        }
      }
    }
    for (const auto& [id, target] : group->targets()) {
      for (const auto& topic : target) {
        for (const auto partition : topic.partitions) {
          EXPECT_TRUE(targets.emplace(std::pair(topic.topic, partition), id).second);
        }
      }
    }
    // Nor do clients that have heard of their assignment in time.
    std::set<std::pair<Uuid, std::int32_t>> read;
    for (const auto& [key, client] : clients_) {
      const auto* const member = group->member(client.id);
      if (member == nullptr || client.epoch <= 0 || member->current().epoch != client.epoch) {
        continue;
      }
      for (const auto& topic : client.owned) {
        for (const auto partition : topic.partitions) {
          EXPECT_TRUE(read.emplace(topic.topic, partition).second) << client.id;
        }
      }
    }
  }

  // Any prefix, and then the rest, gives the state that decided.
  void check_replay() {
    const std::size_t records = test_.bench.log().size();
    ConsumerMachine replayed;
    const std::size_t prefix = records == 0 ? 0 : draw(static_cast<std::uint32_t>(records));
    test_.bench.replay_into(replayed, prefix);
    ConsumerMachine whole;
    test_.bench.replay_into(whole);
    const auto* const group = test_.group();
    const auto* const again = whole.groups().find_as<ConsumerGroup>("g");
    ASSERT_EQ(group == nullptr, again == nullptr);
    if (group != nullptr) EXPECT_EQ(stored_state(*again), stored_state(*group));
  }

  // Left alone the group comes to rest, and everything is read by somebody who wants it.
  void settle() {
    for (int round = 0; round < 40; ++round) {
      test_.bench.pass(env::milliseconds(2'500));
      for (auto& [key, client] : clients_) beat(client, false, false);
      check_owners();
      if (testing::Test::HasFailure()) return;
    }
    const auto* const group = test_.group();
    if (group == nullptr || clients_.empty()) return;
    EXPECT_EQ(group->state_name(), "Stable");
    EXPECT_EQ(group->members().size(), clients_.size());
    for (const auto& [key, client] : clients_) {
      const auto* const member = group->member(client.id);
      ASSERT_NE(member, nullptr);
      EXPECT_EQ(client.owned, group->target_of(client.id));
      EXPECT_EQ(client.owned, partitions_of(member->current().assigned));
    }
  }

  std::mt19937 random_;
  std::map<std::string, std::int32_t> topics_;
  ConsumerBench test_;
  std::map<std::string, Client> clients_;
  int made_ = 0;
};

TEST(ConsumerGroupSimulation, NoPartitionHasTwoOwnersAndReplayGivesTheState) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation(seed).run(300);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace arus::coordinator
