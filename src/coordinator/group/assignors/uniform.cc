#include <algorithm>
#include <numeric>
#include <queue>
#include <tuple>

#include "coordinator/group/assignors/assignor.h"

namespace arus::coordinator {
namespace {

using Index = std::uint32_t;
constexpr Index nobody = 0xffffffff;

bool all_subscribe_alike(const AssignmentInput& input) {
  return std::ranges::all_of(input.members, [&](const AssignedMember& member) {
    return member.topics == input.members.front().topics;
  });
}

// Calls visit(topic, partition) for what the member had and still subscribes to.
template <class Visit>
void for_each_kept(const AssignmentInput& input, const AssignedMember& member, Visit visit) {
  if (member.previous == nullptr) return;
  auto topic = member.topics.begin();
  for (const auto& had : *member.previous) {
    while (topic != member.topics.end() && input.topics[*topic].id < had.topic) ++topic;
    if (topic == member.topics.end()) return;
    if (input.topics[*topic].id != had.topic) continue;
    for (const auto partition : had.partitions) {
      if (partition < input.topics[*topic].partitions) visit(*topic, partition);
    }
  }
}

// All members subscribe to the same topics: everybody has the same number, or one fewer.
class AlikeSubscriptions {
 public:
  explicit AlikeSubscriptions(const AssignmentInput& input)
      : input_(input), kept_(input.members.size()), first_of_topic_(input.topics.size() + 1) {}

  std::vector<PartitionSet> assign() {
    number_partitions();
    keep_previous();
    trim(quotas());
    hand_out();
    return result();
  }

 private:
  // Partitions of subscribed topics are numbered through.
  void number_partitions() {
    std::size_t next = 0;
    const auto& subscribed = input_.members.front().topics;
    auto at = subscribed.begin();
    for (Index topic = 0; topic < input_.topics.size(); ++topic) {
      first_of_topic_[topic] = next;
      if (at == subscribed.end() || *at != topic) continue;
      ++at;
      next += static_cast<std::size_t>(input_.topics[topic].partitions);
    }
    first_of_topic_[input_.topics.size()] = next;
    owner_.assign(next, nobody);
  }

  void keep_previous() {
    for (Index member = 0; member < input_.members.size(); ++member) {
      for_each_kept(input_, input_.members[member], [&](Index topic, std::int32_t partition) {
        const std::size_t number = first_of_topic_[topic] + static_cast<std::size_t>(partition);
        if (owner_[number] != nobody) return;
        owner_[number] = member;
        kept_[member].push_back(static_cast<Index>(number));
      });
    }
  }

  // How many each member is to have. Where some have one more, it is those who have many now.
  [[nodiscard]] std::vector<std::size_t> quotas() const {
    const std::size_t members = input_.members.size();
    const std::size_t least = owner_.size() / members;
    std::vector<Index> order(members);
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, {}, [&](Index member) {
      return std::pair(least + 1 - std::min(kept_[member].size(), least + 1), member);
    });
    std::vector<std::size_t> quotas(members, least);
    for (std::size_t i = 0; i < owner_.size() % members; ++i) ++quotas[order[i]];
    return quotas;
  }

  void trim(std::vector<std::size_t> quotas) {
    for (Index member = 0; member < kept_.size(); ++member) {
      auto& kept = kept_[member];
      while (kept.size() > quotas[member]) {
        owner_[kept.back()] = nobody;
        kept.pop_back();
      }
    }
    quotas_ = std::move(quotas);
  }

  void hand_out() {
    Index member = 0;
    for (auto& owner : owner_) {
      if (owner != nobody) continue;
      while (kept_[member].size() == quotas_[member]) ++member;
      owner = member;
      kept_[member].push_back(static_cast<Index>(&owner - owner_.data()));
    }
  }

  [[nodiscard]] std::vector<PartitionSet> result() const {
    std::vector<PartitionSet> result(input_.members.size());
    Index topic = 0;
    for (std::size_t number = 0; number < owner_.size(); ++number) {
      while (first_of_topic_[topic + 1] <= number) ++topic;
      auto& set = result[owner_[number]];
      const Uuid& id = input_.topics[topic].id;
      if (set.empty() || set.back().topic != id) set.push_back({id, {}});
      set.back().partitions.push_back(static_cast<std::int32_t>(number - first_of_topic_[topic]));
    }
    return result;
  }

  const AssignmentInput& input_;
  std::vector<std::vector<Index>> kept_;  // by member: numbers of partitions
  std::vector<std::size_t> first_of_topic_;
  std::vector<Index> owner_;  // by number of partition
  std::vector<std::size_t> quotas_;
};

// Members subscribe to different topics: as even as moving single partitions makes it.
class MixedSubscriptions {
 public:
  explicit MixedSubscriptions(const AssignmentInput& input)
      : input_(input), topics_(input.topics.size()), load_(input.members.size(), 0) {
    for (Index member = 0; member < input.members.size(); ++member) {
      for (const auto topic : input.members[member].topics) {
        topics_[topic].subscribers.push_back(member);
      }
    }
    for (auto& topic : topics_) topic.held.resize(topic.subscribers.size());
  }

  std::vector<PartitionSet> assign() {
    keep_previous();
    hand_out();
    balance();
    return result();
  }

 private:
  struct Topic {
    std::vector<Index> subscribers;               // ascending
    std::vector<std::vector<std::int32_t>> held;  // parallel
  };
  // By load, then by place among the topic's subscribers.
  using Entry = std::tuple<std::size_t, Index>;
  using LeastLoaded = std::priority_queue<Entry, std::vector<Entry>, std::greater<>>;
  using MostLoaded = std::priority_queue<Entry>;

  // Sums of squares shrink with each move, so this ends by itself; the limit bounds its time.
  static constexpr int max_rounds = 32;

  void keep_previous() {
    std::vector<std::vector<bool>> taken(topics_.size());
    for (std::size_t i = 0; i < topics_.size(); ++i) {
      taken[i].resize(static_cast<std::size_t>(input_.topics[i].partitions));
    }
    for (Index member = 0; member < input_.members.size(); ++member) {
      for_each_kept(input_, input_.members[member], [&](Index topic, std::int32_t partition) {
        if (taken[topic][static_cast<std::size_t>(partition)]) return;
        taken[topic][static_cast<std::size_t>(partition)] = true;
        const auto& subscribers = topics_[topic].subscribers;
        const auto place = std::ranges::lower_bound(subscribers, member) - subscribers.begin();
        topics_[topic].held[static_cast<std::size_t>(place)].push_back(partition);
        ++load_[member];
      });
    }
    free_.resize(topics_.size());
    for (std::size_t i = 0; i < topics_.size(); ++i) {
      for (std::size_t partition = 0; partition < taken[i].size(); ++partition) {
        if (!taken[i][partition]) free_[i].push_back(static_cast<std::int32_t>(partition));
      }
    }
  }

  // Topics that few can take first.
  void hand_out() {
    std::vector<Index> order(topics_.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, {},
                      [&](Index i) { return std::pair(topics_[i].subscribers.size(), i); });
    for (const auto i : order) {
      Topic& topic = topics_[i];
      if (topic.subscribers.empty()) continue;
      LeastLoaded least;
      for (Index place = 0; place < topic.subscribers.size(); ++place) {
        least.emplace(load_[topic.subscribers[place]], place);
      }
      for (const auto partition : free_[i]) {
        const Index place = std::get<1>(least.top());
        least.pop();
        topic.held[place].push_back(partition);
        least.emplace(++load_[topic.subscribers[place]], place);
      }
    }
  }

  void balance() {
    for (int round = 0; round < max_rounds; ++round) {
      bool moved = false;
      for (auto& topic : topics_) moved = balance(topic) || moved;
      if (!moved) return;
    }
  }

  // Moves partitions of one topic from those with most to those with least.
  bool balance(Topic& topic) {
    LeastLoaded least;
    MostLoaded most;
    for (Index place = 0; place < topic.subscribers.size(); ++place) {
      const std::size_t load = load_[topic.subscribers[place]];
      least.emplace(load, place);
      if (!topic.held[place].empty()) most.emplace(load, place);
    }
    bool moved = false;
    while (!most.empty() && !least.empty()) {
      const auto [from_load, from] = most.top();
      const auto [to_load, to] = least.top();
      // Entries stay behind when loads change, and are brought up to date when they surface.
      if (from_load != load_[topic.subscribers[from]] || topic.held[from].empty()) {
        most.pop();
        if (!topic.held[from].empty()) most.emplace(load_[topic.subscribers[from]], from);
        continue;
      }
      if (to_load != load_[topic.subscribers[to]]) {
        least.pop();
        least.emplace(load_[topic.subscribers[to]], to);
        continue;
      }
      if (from_load < to_load + 2) break;
      topic.held[to].push_back(topic.held[from].back());
      topic.held[from].pop_back();
      --load_[topic.subscribers[from]];
      ++load_[topic.subscribers[to]];
      moved = true;
    }
    return moved;
  }

  [[nodiscard]] std::vector<PartitionSet> result() {
    std::vector<PartitionSet> result(input_.members.size());
    for (std::size_t i = 0; i < topics_.size(); ++i) {
      for (std::size_t place = 0; place < topics_[i].subscribers.size(); ++place) {
        auto& held = topics_[i].held[place];
        if (held.empty()) continue;
        std::ranges::sort(held);
        result[topics_[i].subscribers[place]].push_back({input_.topics[i].id, std::move(held)});
      }
    }
    return result;
  }

  const AssignmentInput& input_;
  std::vector<Topic> topics_;
  std::vector<std::vector<std::int32_t>> free_;  // by topic
  std::vector<std::size_t> load_;                // by member
};

}  // namespace

std::vector<PartitionSet> assign_uniformly(const AssignmentInput& input) {
  if (input.members.empty()) return {};
  if (all_subscribe_alike(input)) return AlikeSubscriptions(input).assign();
  return MixedSubscriptions(input).assign();
}

}  // namespace arus::coordinator
