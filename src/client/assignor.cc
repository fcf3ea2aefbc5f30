#include "client/assignor.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace arus::client {
namespace {

using Members = std::vector<std::string>;

bool subscribes(const GroupMemberSubscription& member, const std::string& topic) {
  const auto& topics = member.subscription.topics;
  return std::ranges::find(topics, topic) != topics.end();
}

// Static members first, by their instance id, so that the order outlives a restart; then the
// others by member id.
Members in_order(const AssignmentInput& input) {
  Members ids;
  for (const auto& [id, member] : input.members) ids.push_back(id);
  std::ranges::sort(ids, [&](const std::string& a, const std::string& b) {
    const auto& left = input.members.at(a).instance_id;
    const auto& right = input.members.at(b).instance_id;
    if (left && right) return *left < *right;
    if (left.has_value() != right.has_value()) return left.has_value();
    return a < b;
  });
  return ids;
}

GroupAssignment nothing_for_all(const AssignmentInput& input) {
  GroupAssignment assignment;
  for (const auto& [id, member] : input.members) assignment[id];
  return assignment;
}

class RangeAssignor final : public Assignor {
 public:
  [[nodiscard]] std::string_view name() const override { return "range"; }

  [[nodiscard]] GroupAssignment assign(const AssignmentInput& input) const override {
    GroupAssignment assignment = nothing_for_all(input);
    const Members ids = in_order(input);
    for (const auto& [topic, count] : input.partition_counts) {
      Members subscribers;
      std::ranges::copy_if(ids, std::back_inserter(subscribers), [&](const std::string& id) {
        return subscribes(input.members.at(id), topic);
      });
      if (subscribers.empty()) continue;
      const auto members = static_cast<std::int32_t>(subscribers.size());
      std::int32_t next = 0;
      for (std::int32_t i = 0; i < members; ++i) {
        const std::int32_t share = count / members + (i < count % members ? 1 : 0);
        auto& partitions = assignment[subscribers[static_cast<std::size_t>(i)]].partitions;
        for (std::int32_t end = next + share; next < end; ++next) {
          partitions.push_back({topic, next});
        }
      }
    }
    return assignment;
  }
};

class RoundRobinAssignor final : public Assignor {
 public:
  [[nodiscard]] std::string_view name() const override { return "roundrobin"; }

  [[nodiscard]] GroupAssignment assign(const AssignmentInput& input) const override {
    GroupAssignment assignment = nothing_for_all(input);
    const Members ids = in_order(input);
    std::size_t turn = 0;
    for (const auto& [topic, count] : input.partition_counts) {
      const bool wanted = std::ranges::any_of(
          input.members, [&](const auto& entry) { return subscribes(entry.second, topic); });
      if (!wanted) continue;
      for (std::int32_t index = 0; index < count; ++index) {
        while (!subscribes(input.members.at(ids[turn % ids.size()]), topic)) ++turn;
        assignment[ids[turn % ids.size()]].partitions.push_back({topic, index});
        ++turn;
      }
    }
    return assignment;
  }
};

}  // namespace

AssignorPointer range_assignor() { return std::make_shared<RangeAssignor>(); }
AssignorPointer round_robin_assignor() { return std::make_shared<RoundRobinAssignor>(); }

std::vector<AssignorPointer> default_assignors() {
  return {range_assignor(), cooperative_sticky_assignor()};
}

Result<AssignorPointer> find_assignor(std::string_view name) {
  constexpr std::string_view package = "org.apache.kafka.clients.consumer.";
  if (name == "range" || name == std::string(package) + "RangeAssignor") return range_assignor();
  if (name == "roundrobin" || name == std::string(package) + "RoundRobinAssignor") {
    return round_robin_assignor();
  }
  if (name == "cooperative-sticky" || name == std::string(package) + "CooperativeStickyAssignor") {
    return cooperative_sticky_assignor();
  }
  return fail(ErrorCode::invalid_config,
              fmt::format("There is no assignor {}: range, roundrobin and cooperative-sticky are "
                          "built in",
                          name));
}

}  // namespace arus::client
