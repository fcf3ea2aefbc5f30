#include "cli/kafka/group_tables.h"

#include <gtest/gtest.h>

namespace arus::cli::kafka {
namespace {

client::GroupMember static_member() {
  client::GroupMember member;
  member.id = "static-1-8124ea86-239e-4df8-a69f-d1dd99be629f";
  member.instance_id = "static-1";
  member.client_host = "/127.0.0.1";
  member.client_id = "live-client";
  member.assignment = {{"orders", 0}, {"orders", 1}, {"orders", 2}};
  return member;
}

client::GroupDescription group_of(std::vector<client::GroupMember> members) {
  client::GroupDescription group;
  group.id = "live";
  group.state = "Stable";
  group.assignor = "range";
  group.protocol_type = "consumer";
  group.coordinator.id = BrokerId{1};
  group.coordinator.address = {"127.0.0.1", 16500};
  group.members = std::move(members);
  return group;
}

GroupPartitionView view(std::int32_t index, std::optional<Offset> committed, Offset end,
                        const client::GroupMember* member = nullptr) {
  GroupPartitionView view;
  view.name = {"orders", index};
  view.committed = committed;
  view.end = end;
  view.member = member;
  return view;
}

TEST(GroupTables, OffsetsLookAsKafkaPrintsThem) {
  const std::vector<GroupPartitionView> views = {view(0, Offset{0}, Offset{0}),
                                                 view(1, Offset{120}, Offset{300}),
                                                 view(2, std::nullopt, Offset{5})};
  EXPECT_EQ(offsets_table("g1", views, false),
            "\nGROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG      "
            "       CONSUMER-ID     HOST            CLIENT-ID"
            "\ng1              orders          0          0               0               0        "
            "       -               -               -"
            "\ng1              orders          1          120             300             180      "
            "       -               -               -"
            "\ng1              orders          2          -               5               -        "
            "       -               -               -\n");
}

TEST(GroupTables, VerboseOffsetsHaveLeaderEpochsAndColumnsWiden) {
  const client::GroupMember member = static_member();
  const std::vector<GroupPartitionView> views = {view(0, Offset{7}, Offset{9}, &member)};
  EXPECT_EQ(
      offsets_table("live", views, true),
      "\nGROUP           TOPIC           PARTITION  LEADER-EPOCH    CURRENT-OFFSET  "
      "LOG-END-OFFSET  LAG             CONSUMER-ID                                   HOST          "
      " "
      " CLIENT-ID"
      "\nlive            orders          0          -               7               9              "
      " 2               static-1-8124ea86-239e-4df8-a69f-d1dd99be629f /127.0.0.1      "
      "live-client\n");
}

TEST(GroupTables, MembersShowInstancesOnlyWhereThereAreSome) {
  auto group = group_of({static_member()});
  EXPECT_EQ(
      members_table(group, true),
      "\nGROUP           CONSUMER-ID                                   GROUP-INSTANCE-ID HOST "
      "           CLIENT-ID       #PARTITIONS     CURRENT-EPOCH   CURRENT-ASSIGNMENT   "
      "TARGET-EPOCH    TARGET-ASSIGNMENT   \n"
      "live            static-1-8124ea86-239e-4df8-a69f-d1dd99be629f static-1          "
      "/127.0.0.1      live-client     3               -               orders:0,1,2         "
      "-               -                   \n");
  group.members.clear();
  EXPECT_EQ(members_table(group, false),
            "\nGROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     \n");
}

TEST(GroupTables, MigratingGroupsSayWhoIsUpgraded) {
  auto group = group_of({static_member(), static_member()});
  group.classic = false;
  group.assignment_epoch = 2;
  group.members[0].epoch = 2;
  group.members[0].classic = true;
  group.members[1].epoch = 1;
  group.members[1].classic = false;
  const std::string table = members_table(group, true);
  EXPECT_NE(table.find("TARGET-ASSIGNMENT    UPGRADED\n"), std::string::npos) << table;
  EXPECT_NE(table.find("-                    false\n"), std::string::npos) << table;
  EXPECT_NE(table.find("-                    true\n"), std::string::npos) << table;
}

TEST(GroupTables, StatesNameTheCoordinator) {
  EXPECT_EQ(state_table(group_of({static_member()}), true),
            "\nGROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE                "
            "GROUP-EPOCH     TARGET-ASSIGNMENT-EPOCH   #MEMBERS"
            "\nlive            127.0.0.1:16500  (1)      range                Stable               "
            "-               -                         1\n");
}

TEST(GroupTables, ListingsShowWhatWasAskedFor) {
  client::ListedGroup group;
  group.id = "g1";
  group.state = "Empty";
  group.type = "classic";
  EXPECT_EQ(listing_table(std::vector{group}, true, true),
            "GROUP                     TYPE                 STATE               \n"
            "g1                        Classic              Empty               \n");
  EXPECT_EQ(all_groups_table(std::vector{group}),
            "GROUP                TYPE                 PROTOCOL            \n"
            "g1                   Classic                                   \n");
}

TEST(GroupTables, PlansOfResets) {
  ResetPlan plan;
  plan.offsets = {{{"orders", 0}, Offset{0}}, {{"orders", 1}, Offset{120}}};
  EXPECT_EQ(reset_table({{"g1", plan}}),
            "\nGROUP           TOPIC           PARTITION  NEW-OFFSET"
            "\ng1              orders          0          0"
            "\ng1              orders          1          120\n");
  EXPECT_EQ(reset_table({}), "\n");
}

TEST(GroupTables, AssignmentsAreSortedByTopicAndNumber) {
  EXPECT_EQ(assignment_text(std::vector<TopicPartition>{{"b", 10}, {"a", 2}, {"b", 9}}),
            "a:2;b:9,10");
  EXPECT_EQ(assignment_text({}), "-");
}

}  // namespace
}  // namespace arus::cli::kafka
