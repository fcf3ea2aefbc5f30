#include <algorithm>
#include <numeric>

#include "coordinator/group/assignors/assignor.h"

namespace arus::coordinator {
namespace {

// Static members first, so that a topic's ranges stay where they are when such a member comes back
// under another id.
std::vector<std::uint32_t> ordered(const std::vector<AssignedMember>& members) {
  std::vector<std::uint32_t> order(members.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    const auto& x = members[a].instance_id;
    const auto& y = members[b].instance_id;
    if (x && y) return *x < *y;
    if (x || y) return x.has_value();
    return members[a].id < members[b].id;
  });
  return order;
}

struct Range {
  std::int32_t subscribers = 0;
  std::int32_t next = 0;    // first partition that nobody has yet
  std::int32_t larger = 0;  // how many of the next members get one more
};

}  // namespace

std::vector<PartitionSet> assign_ranges(const AssignmentInput& input) {
  std::vector<Range> ranges(input.topics.size());
  for (const auto& member : input.members) {
    for (const auto topic : member.topics) ++ranges[topic].subscribers;
  }
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].subscribers > 0)
      ranges[i].larger = input.topics[i].partitions % ranges[i].subscribers;
  }
  std::vector<PartitionSet> result(input.members.size());
  for (const auto index : ordered(input.members)) {
    for (const auto topic : input.members[index].topics) {
      Range& range = ranges[topic];
      std::int32_t size = input.topics[topic].partitions / range.subscribers;
      if (range.larger > 0) {
        ++size;
        --range.larger;
      }
      if (size == 0) continue;
      // Indices of topics ascend with their ids, so the set is in order.
      auto& into =
          result[index].emplace_back(TopicPartitions{input.topics[topic].id, {}}).partitions;
      into.resize(static_cast<std::size_t>(size));
      std::iota(into.begin(), into.end(), range.next);
      range.next += size;
    }
  }
  return result;
}

}  // namespace arus::coordinator
