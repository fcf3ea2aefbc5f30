#include <algorithm>
#include <set>

#include "base/reader.h"
#include "base/writer.h"
#include "client/assignor.h"

namespace arus::client {
namespace {

// The generation in which a member got what it owns: the subscription says so from version 2 on,
// before that the assignor's own data.
std::int32_t generation_of(const ConsumerSubscription& subscription) {
  if (subscription.generation >= 0) return subscription.generation;
  if (!subscription.user_data || subscription.user_data->size() < sizeof(std::int32_t)) return -1;
  Reader in{*subscription.user_data};
  return in.i32();
}

// One division under way. Members are ordered by (load, id), so that both ends are at hand.
// Holds: every partition in `owner` is among its owner's partitions, and the owner subscribes to
// its topic.
class Balance {
 public:
  explicit Balance(const AssignmentInput& input) : input_(input) {
    for (const auto& [id, member] : input.members) {
      held_[id];
      for (const auto& topic : member.subscription.topics) {
        if (input.partition_counts.contains(topic)) subscribers_[topic].insert(id);
      }
    }
    keep_what_is_owned();
    give_out_the_rest();
    even_out();
  }

  [[nodiscard]] const std::map<std::string, std::set<TopicPartition>>& held() const {
    return held_;
  }
  // Who owned it before, as far as one member alone claims it in the newest generation.
  [[nodiscard]] const std::map<TopicPartition, std::string>& owners_before() const {
    return before_;
  }

 private:
  [[nodiscard]] std::size_t load(const std::string& id) const { return held_.at(id).size(); }

  void keep_what_is_owned() {
    std::map<TopicPartition, std::int32_t> generations;
    std::set<TopicPartition> disputed;
    for (const auto& [id, member] : input_.members) {
      const std::int32_t generation = generation_of(member.subscription);
      for (const auto& name : member.subscription.owned) {
        const auto count = input_.partition_counts.find(name.topic);
        if (count == input_.partition_counts.end() || name.partition < 0 ||
            name.partition >= count->second || !subscribers_[name.topic].contains(id)) {
          continue;
        }
        const auto [known, fresh] = generations.try_emplace(name, generation);
        if (fresh || generation > known->second) {
          known->second = generation;
          before_[name] = id;
          disputed.erase(name);
        } else if (generation == known->second) {
          disputed.insert(name);  // two members of one generation: neither can be believed
        }
      }
    }
    for (const auto& name : disputed) before_.erase(name);
    for (const auto& [name, id] : before_) held_[id].insert(name);
  }

  // The topics with the fewest subscribers first, as they leave the least choice.
  void give_out_the_rest() {
    std::vector<std::string> topics;
    for (const auto& [topic, ids] : subscribers_) topics.push_back(topic);
    std::ranges::sort(topics, {}, [&](const std::string& topic) {
      return std::pair(subscribers_.at(topic).size(), topic);
    });
    for (const auto& topic : topics) {
      std::set<std::pair<std::size_t, std::string>> by_load;
      for (const auto& id : subscribers_.at(topic)) by_load.emplace(load(id), id);
      if (by_load.empty()) continue;
      for (std::int32_t index = 0; index < input_.partition_counts.at(topic); ++index) {
        const TopicPartition name{topic, index};
        if (before_.contains(name)) continue;
        auto least = by_load.extract(by_load.begin());
        held_[least.value().second].insert(name);
        ++least.value().first;
        by_load.insert(std::move(least));
      }
    }
  }

  // Moves partitions, one at a time and from the most loaded member that can give, to members that
  // hold at least two less, until there is no such pair. Each move makes the sum of the squared
  // loads smaller, so it ends.
  void even_out() {
    std::set<std::pair<std::size_t, std::string>> by_load;
    for (const auto& [id, names] : held_) by_load.emplace(names.size(), id);
    for (auto giver = by_load.rbegin(); giver != by_load.rend();) {
      const std::string from = giver->second;
      const auto move = best_move(from);
      if (!move) {
        ++giver;
        continue;
      }
      const auto& [name, to] = *move;
      by_load.erase({load(from), from});
      by_load.erase({load(to), to});
      held_[from].erase(name);
      held_[to].insert(name);
      by_load.emplace(load(from), from);
      by_load.emplace(load(to), to);
      giver = by_load.rbegin();
    }
  }

  // A partition that somebody should have instead of `giver`, and who.
  [[nodiscard]] std::optional<std::pair<TopicPartition, std::string>> best_move(
      const std::string& giver) const {
    // From the end, so that the partitions of the lowest numbers stay. What the member has not
    // owned before goes first: that costs nothing.
    for (const bool owned : {false, true}) {
      const TopicPartition* best = nullptr;
      const std::string* taker = nullptr;
      const std::string* topic = nullptr;
      const auto& names = held_.at(giver);
      for (auto name = names.rbegin(); name != names.rend(); ++name) {
        const auto before = before_.find(*name);
        if ((before != before_.end() && before->second == giver) != owned) continue;
        if (topic != nullptr && name->topic == *topic) continue;  // the same subscribers again
        topic = &name->topic;
        for (const auto& id : subscribers_.at(*topic)) {
          if (load(id) + 1 >= load(giver)) continue;
          if (taker == nullptr || load(id) < load(*taker)) {
            taker = &id;
            best = &*name;
          }
        }
      }
      if (best != nullptr) return std::pair(*best, *taker);
    }
    return std::nullopt;
  }

  const AssignmentInput& input_;
  std::map<std::string, std::set<std::string>> subscribers_;  // by topic
  std::map<std::string, std::set<TopicPartition>> held_;      // by member
  std::map<TopicPartition, std::string> before_;
};

class CooperativeStickyAssignor final : public Assignor {
 public:
  [[nodiscard]] std::string_view name() const override { return "cooperative-sticky"; }
  [[nodiscard]] bool cooperative() const override { return true; }

  [[nodiscard]] std::optional<Bytes> user_data(std::int32_t generation) const override {
    Writer out;
    out.i32(generation);
    return out.take_bytes();
  }

  [[nodiscard]] GroupAssignment assign(const AssignmentInput& input) const override {
    const Balance balance{input};
    // What anybody claims to own has to be given up before another one gets it.
    std::map<TopicPartition, std::set<std::string>> claims;
    for (const auto& [id, member] : input.members) {
      for (const auto& name : member.subscription.owned) claims[name].insert(id);
    }
    GroupAssignment assignment;
    for (const auto& [id, names] : balance.held()) {
      auto& partitions = assignment[id].partitions;
      for (const auto& name : names) {
        const auto claimed = claims.find(name);
        const bool free = claimed == claims.end() ||
                          (claimed->second.size() == 1 && claimed->second.contains(id));
        if (free || owns(balance, name, id)) partitions.push_back(name);
      }
    }
    return assignment;
  }

 private:
  // Of several that claim it, the one of the newest generation is right; the others find out that
  // it is not theirs any more when they see this generation.
  static bool owns(const Balance& balance, const TopicPartition& name, const std::string& id) {
    const auto owner = balance.owners_before().find(name);
    return owner != balance.owners_before().end() && owner->second == id;
  }
};

}  // namespace

AssignorPointer cooperative_sticky_assignor() {
  return std::make_shared<CooperativeStickyAssignor>();
}

}  // namespace arus::client
