#include "cli/offset_reset.h"

#include <gtest/gtest.h>

namespace arus::cli {
namespace {

const TopicPartition orders_0{"orders", 0};
const TopicPartition orders_1{"orders", 1};

// A log from 10 to 100 with 40 committed and 55 as the first record of some moment.
ResetFacts usual() { return {Offset{10}, Offset{100}, Offset{40}, Offset{55}}; }

ResetStrategy to(ResetTo target, std::int64_t number = 0) {
  ResetStrategy strategy;
  strategy.to = target;
  strategy.number = number;
  return strategy;
}

std::int64_t planned(const ResetStrategy& strategy, const ResetFacts& facts = usual()) {
  const auto plan = plan_reset(strategy, {{orders_0, facts}});
  if (!plan) return -1000;
  return plan->offsets.at(orders_0).value();
}

TEST(OffsetReset, EarliestAndLatestAreTheEndsOfTheLog) {
  EXPECT_EQ(planned(to(ResetTo::earliest)), 10);
  EXPECT_EQ(planned(to(ResetTo::latest)), 100);
}

TEST(OffsetReset, CurrentKeepsWhatIsCommittedEvenOutsideOfTheLog) {
  ResetFacts facts = usual();
  facts.committed = Offset{3};
  EXPECT_EQ(planned(to(ResetTo::current), facts), 3);
}

TEST(OffsetReset, CurrentIsTheEndWhereNothingIsCommitted) {
  ResetFacts facts = usual();
  facts.committed.reset();
  EXPECT_EQ(planned(to(ResetTo::current), facts), 100);
}

TEST(OffsetReset, OffsetsOutsideOfTheLogAreMovedToItsEdges) {
  const auto above = plan_reset(to(ResetTo::offset, 500), {{orders_0, usual()}});
  ASSERT_TRUE(above);
  EXPECT_EQ(above->offsets.at(orders_0), Offset{100});
  EXPECT_EQ(above->corrections,
            std::vector<std::string>{"New offset (500) is higher than latest offset for topic "
                                     "partition orders-0. Value will be set to 100"});
  const auto below = plan_reset(to(ResetTo::offset, 5), {{orders_0, usual()}});
  ASSERT_TRUE(below);
  EXPECT_EQ(below->offsets.at(orders_0), Offset{10});
  EXPECT_EQ(below->corrections,
            std::vector<std::string>{"New offset (5) is lower than earliest offset for topic "
                                     "partition orders-0. Value will be set to 10"});
}

TEST(OffsetReset, OffsetsAtTheEdgesAreTakenAsTheyAre) {
  for (const std::int64_t edge : {10, 100}) {
    const auto plan = plan_reset(to(ResetTo::offset, edge), {{orders_0, usual()}});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->offsets.at(orders_0), Offset{edge});
    EXPECT_TRUE(plan->corrections.empty());
  }
}

TEST(OffsetReset, ShiftsGoBothWaysAndStayWithinTheLog) {
  EXPECT_EQ(planned(to(ResetTo::shift, 7)), 47);
  EXPECT_EQ(planned(to(ResetTo::shift, -7)), 33);
  EXPECT_EQ(planned(to(ResetTo::shift, -1000)), 10);
  EXPECT_EQ(planned(to(ResetTo::shift, INT64_MAX)), 100);
  EXPECT_EQ(planned(to(ResetTo::shift, INT64_MIN)), 10);
}

TEST(OffsetReset, AShiftNeedsACommittedOffset) {
  ResetFacts facts = usual();
  facts.committed.reset();
  const auto plan = plan_reset(to(ResetTo::shift, 1), {{orders_0, usual()}, {orders_1, facts}});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message,
            "Cannot shift offset for partition orders-1 since there is no current committed "
            "offset");
}

TEST(OffsetReset, TimesFallBackToTheEnd) {
  EXPECT_EQ(planned(to(ResetTo::time)), 55);
  ResetFacts facts = usual();
  facts.at_time.reset();
  const auto plan = plan_reset(to(ResetTo::time), {{orders_1, facts}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->offsets.at(orders_1), Offset{100});
  EXPECT_EQ(plan->fallbacks,
            std::vector<std::string>{
                "Partition 1 from topic orders is empty. Falling back to latest known offset."});
}

TEST(OffsetReset, ListsTouchOnlyWhatTheyName) {
  ResetStrategy strategy = to(ResetTo::listed);
  strategy.listed[orders_0] = Offset{1'000'000};
  const auto plan = plan_reset(strategy, {{orders_0, usual()}, {orders_1, usual()}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->offsets, (std::map<TopicPartition, Offset>{{orders_0, Offset{100}}}));
}

TEST(OffsetReset, AMissingFactIsAnErrorAndNoGuess) {
  EXPECT_FALSE(plan_reset(to(ResetTo::earliest), {{orders_0, ResetFacts{}}}));
  EXPECT_FALSE(plan_reset(to(ResetTo::latest), {{orders_0, ResetFacts{}}}));
}

TEST(TopicScope, ReadsTopicsWithAndWithoutPartitions) {
  const auto all = parse_topic_scope("orders");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->topic, "orders");
  EXPECT_FALSE(all->partitions);
  const auto some = parse_topic_scope("orders:0,12,3");
  ASSERT_TRUE(some);
  EXPECT_EQ(some->partitions, (std::vector<std::int32_t>{0, 12, 3}));
}

TEST(TopicScope, RefusesWhatIsNoPartition) {
  for (const std::string_view text :
       {"orders:", "orders:a", "orders:1,,2", "orders:-1", "a:b:1", "orders:99999999999"}) {
    EXPECT_FALSE(parse_topic_scope(text)) << text;
  }
  EXPECT_EQ(parse_topic_scope("orders:x").error().message,
            "Invalid partition 'x' specified in topic arg 'orders:x''");
}

}  // namespace
}  // namespace arus::cli
