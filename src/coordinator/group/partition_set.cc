#include "coordinator/group/partition_set.h"

#include <algorithm>
#include <utility>

namespace arus::coordinator {
namespace {

// Sorts by topic and moves what stands twice together.
template <class Set, class Sorted>
Set joined(Set set, Sorted sort_partitions) {
  std::ranges::sort(set, {}, [](const auto& one) -> const Uuid& { return one.topic; });
  Set result;
  for (auto& one : set) {
    if (one.partitions.empty()) continue;
    if (!result.empty() && result.back().topic == one.topic) {
      auto& into = result.back().partitions;
      into.insert(into.end(), one.partitions.begin(), one.partitions.end());
    } else {
      result.push_back(std::move(one));
    }
  }
  for (auto& one : result) sort_partitions(one.partitions);
  return result;
}

template <class Set>
auto find_in(const Set& set, const Uuid& topic) -> const typename Set::value_type* {
  const auto found = std::ranges::lower_bound(
      set, topic, {}, [](const auto& one) -> const Uuid& { return one.topic; });
  return found == set.end() || found->topic != topic ? nullptr : &*found;
}

}  // namespace

PartitionSet normalized(PartitionSet set) {
  return joined(std::move(set), [](std::vector<std::int32_t>& partitions) {
    std::ranges::sort(partitions);
    const auto repeated = std::ranges::unique(partitions);
    partitions.erase(repeated.begin(), repeated.end());
  });
}

OwnedPartitions normalized(OwnedPartitions owned) {
  return joined(std::move(owned), [](std::vector<OwnedPartition>& partitions) {
    std::ranges::sort(partitions, {}, [](const OwnedPartition& one) {
      return std::pair(one.partition, one.epoch);
    });
    const auto repeated = std::ranges::unique(partitions, {}, &OwnedPartition::partition);
    partitions.erase(repeated.begin(), repeated.end());
  });
}

const TopicPartitions* find_topic(const PartitionSet& set, const Uuid& topic) {
  return find_in(set, topic);
}

const OwnedTopic* find_topic(const OwnedPartitions& owned, const Uuid& topic) {
  return find_in(owned, topic);
}

bool contains(const PartitionSet& set, const Uuid& topic, std::int32_t partition) {
  const auto* const found = find_topic(set, topic);
  return found != nullptr && std::ranges::binary_search(found->partitions, partition);
}

const OwnedPartition* find_partition(const OwnedPartitions& owned, const Uuid& topic,
                                     std::int32_t partition) {
  const auto* const found = find_topic(owned, topic);
  if (found == nullptr) return nullptr;
  const auto at =
      std::ranges::lower_bound(found->partitions, partition, {}, &OwnedPartition::partition);
  return at == found->partitions.end() || at->partition != partition ? nullptr : &*at;
}

PartitionSet partitions_of(const OwnedPartitions& owned) {
  PartitionSet set;
  set.reserve(owned.size());
  for (const auto& topic : owned) {
    auto& into = set.emplace_back(TopicPartitions{topic.topic, {}}).partitions;
    into.reserve(topic.partitions.size());
    for (const auto& one : topic.partitions) into.push_back(one.partition);
  }
  return set;
}

std::size_t count(const PartitionSet& set) {
  std::size_t sum = 0;
  for (const auto& topic : set) sum += topic.partitions.size();
  return sum;
}

bool same_partitions(const OwnedPartitions& a, const OwnedPartitions& b) {
  return std::ranges::equal(a, b, [](const OwnedTopic& x, const OwnedTopic& y) {
    return x.topic == y.topic &&
           std::ranges::equal(x.partitions, y.partitions, {}, &OwnedPartition::partition,
                              &OwnedPartition::partition);
  });
}

}  // namespace arus::coordinator
