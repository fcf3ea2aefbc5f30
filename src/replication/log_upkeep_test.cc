// The background task that visits the logs of a loop.
#include "replication/log_upkeep.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "env/simulated.h"
#include "replication/fake_log.h"
#include "replication/partition_table.h"

namespace arus::replication {
namespace {

using env::Task;
using testing::FakeDirectory;
using testing::FakeLog;
using testing::topic_id;

// Three partitions of one topic on two loops, of which the first was on disk at the start.
class LogUpkeepTest : public ::testing::Test {
 protected:
  LogUpkeepTest()
      : simulation_({.seed = 3}),
        environment_(simulation_.make_environment({.loops = 2})),
        images_(*environment_, environment_->loop(0)) {
    set_log_level("replication", LogLevel::off);
    make_table({});
  }
  void make_table(config::ConfigMap static_config) {
    auto made = std::make_unique<FakeDirectory>();
    directory_ = made.get();
    directory_->found_.push_back({.name = {"events", 0}, .topic_id = topic_id});
    std::vector<std::unique_ptr<storage::LogDirectory>> directories;
    directories.push_back(std::move(made));
    table_ = std::make_unique<PartitionTable>(
        *environment_,
        PartitionSettings{.node_id = BrokerId{1},
                          .static_config = std::move(static_config),
                          .upkeep = {.initial_delay_ms = 1'000,
                                     .retention_check_interval_ms = 60'000,
                                     .metrics = &registry_}},
        std::move(directories), images_);
  }

  void publish() {
    auto image = std::make_shared<metadata::MetadataImage>(*images_.current());
    image->offset = image->offset + 1;
    const auto topic = testing::events_topic(3);
    image->topics.set("events", topic);
    image->topic_names.set(topic_id, "events");
    auto delta = std::make_shared<metadata::MetadataDelta>();
    delta->created_or_changed_topics.push_back(topic_id);
    image->config_map.set({metadata::ConfigResourceType::topic, "events"},
                          std::make_shared<const metadata::ConfigMap>(
                              metadata::ConfigMap{{"cleanup.policy", policy_}}));
    images_.publish(image, delta);
  }
  Task<void> open(std::int32_t partition) {
    const std::size_t loop = table_->loop_index("events", partition);
    co_await env::call(environment_->loop(loop), [this, loop, partition]() -> Task<void> {
      auto found = table_->on(loop).find({topic_id, partition});
      EXPECT_TRUE(found && co_await (*found)->opened());
    });
  }
  FakeLog& log(std::int32_t partition) { return *directory_->logs.at({"events", partition}); }
  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, body());
  }

  env::Simulation simulation_;
  std::unique_ptr<env::SimulatedEnvironment> environment_;
  metrics::Registry registry_;
  std::string policy_ = "delete";
  metadata::ImagePublisher images_;
  FakeDirectory* directory_ = nullptr;
  std::unique_ptr<PartitionTable> table_;
};

TEST_F(LogUpkeepTest, EveryPartitionIsVisitedAtEachRoundAlsoOneThatNobodyHasAskedFor) {
  run([this]() -> Task<void> {
    publish();
    EXPECT_TRUE(co_await table_->start());
    co_await open(1);
    co_await open(2);
    EXPECT_FALSE(directory_->logs.contains({"events", 0}));
    co_await env::sleep_for(env::seconds{2});
    for (std::int32_t i = 0; i < 3; ++i) EXPECT_EQ(log(i).retention_rounds.size(), 1U) << i;
    co_await env::sleep_for(env::seconds{60});
    for (std::int32_t i = 0; i < 3; ++i) EXPECT_EQ(log(i).retention_rounds.size(), 2U) << i;
    co_await table_->stop();
  });
  EXPECT_NE(registry_.prometheus_text().find("arus_log_retention_removed_segments_total 6"),
            std::string::npos);
}

TEST_F(LogUpkeepTest, AnErrorIsCountedAndTheNextRoundTriesAgain) {
  run([this]() -> Task<void> {
    publish();
    EXPECT_TRUE(co_await table_->start());
    co_await open(1);
    log(1).upkeep_error = Error{ErrorCode::kafka_storage_error, "The disk says no", 5};
    co_await env::sleep_for(env::seconds{62});
    EXPECT_EQ(log(1).retention_rounds.size(), 2U);
    co_await table_->stop();
  });
  EXPECT_NE(registry_.prometheus_text().find("arus_log_retention_failures_total 2"),
            std::string::npos);
}

TEST_F(LogUpkeepTest, ARoundAfterTheClockHasJumpedDeletesNothingForItsAge) {
  run([this]() -> Task<void> {
    publish();
    EXPECT_TRUE(co_await table_->start());
    co_await open(1);
    co_await env::sleep_for(env::seconds{2});
    environment_->jump_wall_clock(std::int64_t{365} * 24 * 3'600'000);
    co_await env::sleep_for(env::seconds{60});
    environment_->jump_wall_clock(-std::int64_t{365} * 24 * 3'600'000);
    co_await env::sleep_for(env::seconds{60});
    co_await env::sleep_for(env::seconds{60});
    const auto& rounds = log(1).retention_rounds;
    EXPECT_EQ(rounds.size(), 4U);
    EXPECT_TRUE(rounds[0]);
    EXPECT_FALSE(rounds[1]);
    EXPECT_FALSE(rounds[2]);
    EXPECT_TRUE(rounds[3]);
    co_await table_->stop();
  });
}

TEST_F(LogUpkeepTest, LogsThatAreDueAreCompactedTheDirtiestFirstAndOneAtATime) {
  policy_ = "compact";
  run([this]() -> Task<void> {
    publish();
    EXPECT_TRUE(co_await table_->start());
    for (std::int32_t i = 0; i < 3; ++i) co_await open(i);
    log(1).dirty_bytes = 900;
    log(2).dirty_bytes = 100;
    co_await env::sleep_for(env::seconds{2});
    EXPECT_EQ(log(0).compactions, 0);
    EXPECT_EQ(log(1).compactions, 1);
    EXPECT_EQ(log(2).compactions, 1);
    co_await env::sleep_for(env::seconds{60});
    EXPECT_EQ(log(1).compactions, 1);
    co_await table_->stop();
  });
  EXPECT_NE(registry_.prometheus_text().find("arus_log_compactions_total 2"), std::string::npos);
  EXPECT_NE(registry_.prometheus_text().find("arus_log_compaction_freed_bytes_total 1000"),
            std::string::npos);
}

TEST_F(LogUpkeepTest, APartitionThatCannotBeCompactedIsCountedAndTriedAgain) {
  policy_ = "compact";
  run([this]() -> Task<void> {
    publish();
    EXPECT_TRUE(co_await table_->start());
    co_await open(1);
    log(1).dirty_bytes = 900;
    log(1).upkeep_error = Error{ErrorCode::corrupt_message, "Damaged", 0};
    co_await env::sleep_for(env::seconds{30});
    EXPECT_EQ(log(1).compactions, 1);
    EXPECT_NE(registry_.prometheus_text().find("arus_log_uncleanable_partitions 1"),
              std::string::npos);
    co_await env::sleep_for(env::seconds{60});
    EXPECT_EQ(log(1).compactions, 2);
    co_await env::sleep_for(env::seconds{60});
    EXPECT_EQ(log(1).compactions, 2);
    log(1).upkeep_error.reset();
    co_await env::sleep_for(env::seconds{90});
    EXPECT_EQ(log(1).compactions, 3);
    EXPECT_NE(registry_.prometheus_text().find("arus_log_uncleanable_partitions 0"),
              std::string::npos);
    co_await table_->stop();
  });
}

TEST_F(LogUpkeepTest, AStopEndsTheRoundThatIsUnderWay) {
  policy_ = "compact";
  run([this]() -> Task<void> {
    publish();
    EXPECT_TRUE(co_await table_->start());
    co_await open(1);
    log(1).dirty_bytes = 900;
    log(1).compaction_held_back = true;
    co_await env::sleep_for(env::seconds{2});
    EXPECT_EQ(log(1).compactions, 1);
    co_await table_->stop();
  });
}

TEST_F(LogUpkeepTest, TheCleanerMayBeSwitchedOff) {
  policy_ = "compact";
  make_table({{"log.cleaner.enable", "false"}});
  run([this]() -> Task<void> {
    publish();
    EXPECT_TRUE(co_await table_->start());
    co_await open(1);
    log(1).dirty_bytes = 900;
    co_await env::sleep_for(env::seconds{60});
    EXPECT_EQ(log(1).compactions, 0);
    co_await table_->stop();
  });
}

TEST_F(LogUpkeepTest, EveryPartitionIsScrubbedOnceAtItsPaceAndDamageIsCounted) {
  make_table({{"arus.scrub.bytes.per.second", "2097152"}});
  run([this]() -> Task<void> {
    publish();
    EXPECT_TRUE(co_await table_->start());
    for (std::int32_t i = 0; i < 3; ++i) co_await open(i);
    log(0).unscrubbed_bytes = log(1).unscrubbed_bytes = log(2).unscrubbed_bytes = 4 << 20;
    log(1).damaged = 2;
    co_await env::sleep_for(env::milliseconds{2'500});
    std::int64_t left = 0;
    for (std::int32_t i = 0; i < 3; ++i) left += log(i).unscrubbed_bytes;
    EXPECT_GE(left, 7 << 20) << "faster than it may be";
    EXPECT_LE(left, 10 << 20);
    co_await env::sleep_for(env::seconds{10});
    std::vector<int> scrubs;
    for (std::int32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(log(i).unscrubbed_bytes, 0);
      scrubs.push_back(log(i).scrubs);
    }
    const std::string text = registry_.prometheus_text();
    EXPECT_NE(text.find("arus_log_scrubbed_bytes_total 12582912"), std::string::npos);
    EXPECT_NE(text.find("arus_log_damaged_batches 2"), std::string::npos);
    EXPECT_NE(text.find("arus_log_damaged_partitions 1"), std::string::npos);
    co_await env::sleep_for(env::seconds{600});
    for (std::int32_t i = 0; i < 3; ++i) EXPECT_EQ(log(i).scrubs, scrubs[i]);
    co_await table_->stop();
  });
}

}  // namespace
}  // namespace arus::replication
