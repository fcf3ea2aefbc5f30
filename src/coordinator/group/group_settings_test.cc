#include "coordinator/group/group_settings.h"

#include <gtest/gtest.h>

namespace arus::coordinator {
namespace {

TEST(GroupSettings, ComeFromTheBrokersProperties) {
  auto properties = config::standalone_properties("/nowhere", "127.0.0.1:0");
  properties["group.initial.rebalance.delay.ms"] = "0";
  properties["group.consumer.migration.policy"] = "Downgrade";
  properties["offsets.retention.minutes"] = "2";
  properties["group.consumer.assignors"] = "range";
  const auto config = config::BrokerConfig::make(properties);
  ASSERT_TRUE(config);
  const auto settings = GroupSettings::from(*config);
  EXPECT_EQ(settings.initial_rebalance_delay_ms, 0);
  EXPECT_EQ(settings.min_session_timeout_ms, 6'000);
  EXPECT_EQ(settings.migration_policy, MigrationPolicy::downgrade);
  EXPECT_EQ(settings.offsets_retention_ms, 120'000);
  EXPECT_EQ(settings.consumer_assignors, std::vector<std::string>{"range"});
  EXPECT_EQ(settings.offset_metadata_max_bytes, 4'096);
}

}  // namespace
}  // namespace arus::coordinator
