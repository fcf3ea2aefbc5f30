#include "coordinator/group/classic_groups.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "coordinator/group/classic_group.h"

namespace arus::coordinator {

ClassicGroups::ClassicGroups(GroupSurroundings& surroundings, Groups& groups, Timers& timers)
    : surroundings_(surroundings), groups_(groups), timers_(timers) {}

// The groups may outlive whoever decides about them.
ClassicGroups::~ClassicGroups() {
  groups_.for_each([](Group& group) {
    if (group.kind() == GroupKind::classic) static_cast<ClassicGroup&>(group).decisions_ = nullptr;
  });
}

ClassicGroup& ClassicGroups::put(std::unique_ptr<ClassicGroup> group) {
  group->decisions_ = this;
  held_bytes_ += group->held_bytes();
  return static_cast<ClassicGroup&>(groups_.put(std::move(group)));
}

ClassicGroup& ClassicGroups::group_for_offsets(std::string_view id) {
  if (ClassicGroup* const known = groups_.find_as<ClassicGroup>(id)) return *known;
  ARUS_ASSERT(groups_.find(id) == nullptr);
  return put(std::make_unique<ClassicGroup>(std::string(id)));
}

ClassicGroup& ClassicGroups::take_over(Turn& turn, std::unique_ptr<ClassicGroup> group,
                                       std::string_view reason) {
  ClassicGroup& taken = put(std::move(group));
  turn.append(taken.record());
  for (const auto& [id, member] : taken.members()) arm_session(turn, *member);
  prepare_rebalance(turn, taken, reason);
  return taken;
}

Result<> ClassicGroups::replay(const protocol::GroupMetadataKey& key,
                               const std::optional<protocol::GroupMetadataValue>& value) {
  ClassicGroup* group = groups_.find_as<ClassicGroup>(key.group);
  if (!value) {
    // Of another kind: the tombstone is older than what made it so.
    if (group != nullptr) groups_.erase(key.group);
    return {};
  }
  if (group == nullptr) group = &put(std::make_unique<ClassicGroup>(key.group));
  if (!group->apply(*value)) {
    return fail(ErrorCode::corrupt_message,
                "Group '" + key.group + "' is stored with two members of one id");
  }
  return {};
}

void ClassicGroups::loaded(Turn& turn) {
  std::vector<ClassicGroup*> groups;
  groups_.for_each([&groups](Group& group) {
    if (group.kind() == GroupKind::classic) groups.push_back(static_cast<ClassicGroup*>(&group));
  });
  std::ranges::sort(groups, {}, [](const ClassicGroup* group) { return group->id(); });
  for (ClassicGroup* const group : groups) {
    group->subscribe();
    for (const auto& [id, member] : group->members()) arm_session(turn, *member);
    const auto most = static_cast<std::size_t>(std::max(surroundings_.settings.max_size, 0));
    if (group->members().size() > most) {
      prepare_rebalance(turn, *group, "it has more members than group.max.size");
    }
  }
}

protocol::DescribeGroupsResponse::DescribedGroup ClassicGroups::describe(
    const ClassicGroup& group, std::int16_t api_version) const {
  static_cast<void>(api_version);
  const bool is_stable = group.state() == ClassicState::stable;
  protocol::DescribeGroupsResponse::DescribedGroup described;
  described.group_id = group.id();
  described.group_state = group.state_name();
  described.protocol_type = group.protocol_type();
  // Between generations nobody knows what the next will use.
  if (is_stable) described.protocol_data = group.protocol_name().value_or(std::string{});
  described.members.reserve(group.members().size());
  for (const auto& [id, member] : group.members()) {
    auto& entry = described.members.emplace_back();
    entry.member_id = member->id();
    entry.group_instance_id = member->instance_id();
    entry.client_id = member->client_id();
    entry.client_host = member->client_host();
    if (is_stable) entry.member_metadata = member->metadata(described.protocol_data);
    entry.member_assignment = member->assignment();
  }
  return described;
}

}  // namespace arus::coordinator
