// Share and streams groups that a directory brought along.
#include "coordinator/group/foreign_groups.h"

#include <gtest/gtest.h>

#include "protocol/record/share_group_member_metadata_key.h"
#include "protocol/record/share_group_metadata_key.h"
#include "protocol/record/share_group_target_assignment_member_key.h"
#include "protocol/record/streams_group_metadata_key.h"

namespace arus::coordinator {
namespace {

const Bytes something = {0, 0, 1};

template <class Key>
ReplayedRecord record_of(const Bytes& encoded, bool tombstone = false) {
  return {.key = encoded,
          .value = tombstone ? std::nullopt : std::optional<ByteView>(ByteView(something))};
}

template <class Key>
Result<bool> replay(ForeignGroups& foreign, const Key& key, bool tombstone = false) {
  const Bytes encoded = protocol::encode_coordinator_key(key);
  return foreign.replay(Key::record_key, record_of<Key>(encoded, tombstone));
}

TEST(ForeignGroups, TakeTheirNamesAndKnowWhetherTheyHaveMembers) {
  Groups groups;
  ForeignGroups foreign(groups);
  EXPECT_TRUE(*replay(foreign, protocol::ShareGroupMetadataKey{.group_id = "shared"}));
  const Group* const group = groups.find("shared");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->kind(), GroupKind::share);
  EXPECT_EQ(group->protocol_type(), "share");
  EXPECT_EQ(group->state_name(), "Empty");
  const protocol::ShareGroupMemberMetadataKey member{.group_id = "shared", .member_id = "m"};
  EXPECT_TRUE(*replay(foreign, member));
  EXPECT_EQ(group->state_name(), "Stable");
  EXPECT_TRUE(*replay(foreign, member, true));
  EXPECT_FALSE(group->has_members());
  EXPECT_EQ(group->check_delete().error().code, ErrorCode::group_id_not_found);
  EXPECT_FALSE(group->expiry());
}

TEST(ForeignGroups, AreThereFromTheirFirstRecordToTheTombstoneOfTheGroup) {
  Groups groups;
  ForeignGroups foreign(groups);
  // After compaction a member's record may come first.
  EXPECT_TRUE(*replay(foreign, protocol::ShareGroupTargetAssignmentMemberKey{.group_id = "shared",
                                                                             .member_id = "m"}));
  EXPECT_NE(groups.find("shared"), nullptr);
  EXPECT_TRUE(*replay(foreign, protocol::ShareGroupMetadataKey{.group_id = "shared"}, true));
  EXPECT_EQ(groups.find("shared"), nullptr);
  EXPECT_TRUE(*replay(foreign, protocol::StreamsGroupMetadataKey{.group_id = "flow"}));
  EXPECT_EQ(groups.find("flow")->kind(), GroupKind::streams);
}

TEST(ForeignGroups, LeaveOtherKeysAloneAndRefuseDamagedOnes) {
  Groups groups;
  ForeignGroups foreign(groups);
  for (const int number : {0, 1, 2, 3, 8, 9, 16, 18, 24}) {
    const auto type = static_cast<std::int16_t>(number);
    EXPECT_FALSE(*foreign.replay(type, {.key = something, .value = ByteView(something)}));
  }
  EXPECT_FALSE(foreign.replay(11, {.key = something, .value = ByteView(something)}));
}

}  // namespace
}  // namespace arus::coordinator
