// Who gets which partitions: pure functions, chosen by name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "coordinator/group/partition_set.h"

namespace arus::coordinator {

// A topic that somebody subscribes to.
struct AssignedTopic {
  Uuid id;
  std::int32_t partitions = 0;
};

// A member as assignors see it. Views and pointers live for the call.
struct AssignedMember {
  std::string_view id;
  std::optional<std::string_view> instance_id;
  // Indices of topics, ascending.
  std::vector<std::uint32_t> topics;
  // What it is to have so far; a topic may be gone, or not be subscribed to any more. Null: none.
  const PartitionSet* previous = nullptr;
};

struct AssignmentInput {
  std::vector<AssignedTopic> topics;    // in ascending order of ids
  std::vector<AssignedMember> members;  // in ascending order of ids
};

// What each member is to have, parallel to the members. Every partition of a topic that anybody
// subscribes to goes to exactly one of its subscribers. The same input gives the same answer.
using Assignor = std::vector<PartitionSet> (*)(const AssignmentInput& input);

// Every member has as many partitions as any other, or one fewer, where all subscribe to the same;
// otherwise as even as subscriptions and moving little allow. A member keeps what it has, as far as
// that is even.
[[nodiscard]] std::vector<PartitionSet> assign_uniformly(const AssignmentInput& input);
// Of each topic every subscriber has one run of partitions; the same members have the same
// numbers of topics of the same size. Static members come first, in the order of their instances.
[[nodiscard]] std::vector<PartitionSet> assign_ranges(const AssignmentInput& input);

// Null for a name that there is none of: "uniform" and "range" exist. The names that Kafka's
// settings also allow for them, their classes, are known.
[[nodiscard]] Assignor find_assignor(std::string_view name);
// "uniform" or "range" for a name or a class; the text itself where there is none.
[[nodiscard]] std::string_view assignor_name(std::string_view configured);

}  // namespace arus::coordinator
