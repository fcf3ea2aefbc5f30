// A disk that stalls: reads are answered in time, and nothing piles up behind it.
#include "replication/late_reads.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "env/simulated.h"
#include "record/builder.h"
#include "replication/delete_records.h"
#include "replication/fake_log.h"
#include "replication/look_up.h"
#include "replication/partition_table.h"
#include "replication/patience.h"
#include "replication/read.h"

namespace arus::replication {
namespace {

using env::Task;
using testing::FakeDirectory;
using testing::FakeLog;
using testing::topic_id;

constexpr env::Duration soon = env::milliseconds(10);

// Two partitions of one topic, each with a batch of two records, on one loop.
class LateReadsTest : public ::testing::Test {
 protected:
  LateReadsTest()
      : simulation_({.seed = 3}),
        environment_(simulation_.make_environment({.loops = 1})),
        images_(*environment_, environment_->loop(0)) {
    set_log_level("replication", LogLevel::off);
    auto made = std::make_unique<FakeDirectory>();
    directory_ = made.get();
    std::vector<std::unique_ptr<storage::LogDirectory>> directories;
    directories.push_back(std::move(made));
    table_ = std::make_unique<PartitionTable>(
        *environment_, PartitionSettings{.node_id = BrokerId{1}}, std::move(directories), images_);
  }
  Task<void> open() {
    auto image = std::make_shared<metadata::MetadataImage>(*images_.current());
    image->offset = image->offset + 1;
    const auto topic = testing::events_topic(2);
    image->topics.set("events", topic);
    image->topic_names.set(topic_id, "events");
    auto delta = std::make_shared<metadata::MetadataDelta>();
    delta->created_or_changed_topics.push_back(topic_id);
    images_.publish(image, delta);
    EXPECT_TRUE(co_await table_->start());
    for (std::int32_t i = 0; i < 2; ++i) {
      auto partition = table_->here().find({topic_id, i});
      EXPECT_TRUE(partition && co_await (*partition)->opened());
      record::BatchBuilder builder({});
      for (int j = 0; j < 2; ++j) builder.append(1'700'000'000'000, {}, as_bytes("value"));
      EXPECT_TRUE(log(i).append(Slice(builder.build()), {.count = 2, .base_sequence = -1}, {}));
      log(i).sync_all();
    }
  }
  FakeLog& log(std::int32_t partition) { return *directory_->logs.at({"events", partition}); }
  Task<std::vector<ReadResult>> fetch(std::vector<std::int32_t> partitions,
                                      ReadRequest request = {.max_bytes = 1 << 20}) {
    std::vector<ReadItem> items;
    for (const std::int32_t i : partitions) {
      items.push_back({.id = {topic_id, i}, .offset = Offset{0}, .max_bytes = 1 << 20});
    }
    co_return co_await read(table_->here(), std::move(items), request);
  }
  Task<void> fetch_first(bool* done) {
    EXPECT_EQ((co_await fetch({0}))[0].error, ErrorCode::none);
    *done = true;
  }
  Task<OffsetLookupResult> look_up(std::int64_t timestamp) {
    std::vector<OffsetLookup> lookups{{.id = {topic_id, 0}, .timestamp = timestamp}};
    co_return (co_await look_up_offsets(table_->here(), std::move(lookups), {})).front();
  }
  [[nodiscard]] env::TimePoint now() const { return simulation_.now(); }
  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, body());
  }

  env::Simulation simulation_;
  std::unique_ptr<env::SimulatedEnvironment> environment_;
  metadata::ImagePublisher images_;
  FakeDirectory* directory_ = nullptr;
  std::unique_ptr<PartitionTable> table_;
};

TEST_F(LateReadsTest, AFetchIsAnsweredThoughTheDiskIsNot) {
  run([this]() -> Task<void> {
    co_await open();
    log(0).disk_stalls = true;
    const env::TimePoint begin = now();
    // The second partition's turn comes when the time is over: what is cached is there.
    const auto results = co_await fetch({0, 1});
    EXPECT_GE(now() - begin, disk_patience);
    EXPECT_LT(now() - begin, disk_patience + soon);
    EXPECT_EQ(results[0].error, ErrorCode::kafka_storage_error);
    EXPECT_EQ(results[1].error, ErrorCode::none);
    EXPECT_GT(results[1].size_bytes, 0U);
    log(0).end_stall();
    co_await env::sleep_for(soon);
    const auto again = co_await fetch({0});
    EXPECT_EQ(again[0].error, ErrorCode::none);
    EXPECT_GT(again[0].size_bytes, 0U);
    co_await table_->stop();
  });
}

TEST_F(LateReadsTest, WhatTheDiskHasNoTimeForIsNoError) {
  run([this]() -> Task<void> {
    co_await open();
    log(0).disk_stalls = log(1).disk_stalls = true;
    const auto results = co_await fetch({0, 1});
    EXPECT_EQ(results[0].error, ErrorCode::kafka_storage_error);
    EXPECT_EQ(results[1].error, ErrorCode::none);
    EXPECT_EQ(results[1].size_bytes, 0U);
    EXPECT_EQ(results[1].high_watermark, Offset{2});
    EXPECT_EQ(log(1).reads_stalled, 0) << "nothing waits there for nobody";
    log(0).end_stall();
    log(1).end_stall();
    co_await table_->stop();
  });
}

TEST_F(LateReadsTest, AStalledDiskCollectsFewReads) {
  run([this]() -> Task<void> {
    co_await open();
    log(0).disk_stalls = true;
    for (std::size_t i = 0; i < 3 * LateReads::most; ++i) {
      const env::TimePoint begin = now();
      const auto results = co_await fetch({0});
      EXPECT_EQ(results[0].error, ErrorCode::kafka_storage_error);
      EXPECT_GE(now() - begin, disk_patience) << "whoever asks again at once waits all the same";
      EXPECT_EQ((co_await look_up(1)).error, ErrorCode::kafka_storage_error);
    }
    EXPECT_EQ(log(0).reads_stalled, static_cast<int>(LateReads::most));
    // What is cached is served meanwhile.
    log(0).cached = true;
    EXPECT_GT((co_await fetch({0}))[0].size_bytes, 0U);
    log(0).cached = false;
    // Whoever waits for room reads as soon as there is some.
    bool done = false;
    env::spawn_detached(fetch_first(&done));
    co_await env::sleep_for(soon);
    EXPECT_FALSE(done);
    log(0).end_stall();
    co_await env::sleep_for(soon);
    EXPECT_TRUE(done);
    EXPECT_EQ(log(0).reads_stalled, 0);
    co_await table_->stop();
  });
}

TEST_F(LateReadsTest, AStopWaitsForWhatTheDiskStillReads) {
  run([this]() -> Task<void> {
    co_await open();
    log(0).disk_stalls = true;
    EXPECT_EQ((co_await fetch({0}))[0].error, ErrorCode::kafka_storage_error);
    bool stopped = false;
    env::spawn_detached([](PartitionTable* table, bool* ended) -> Task<void> {
      co_await table->stop();
      *ended = true;
    }(table_.get(), &stopped));
    co_await env::sleep_for(env::seconds(60));
    EXPECT_FALSE(stopped);
    log(0).end_stall();
    co_await env::sleep_for(soon);
    EXPECT_TRUE(stopped);
  });
}

TEST_F(LateReadsTest, LookUpsShareTheTimeOfTheirRequest) {
  run([this]() -> Task<void> {
    co_await open();
    log(0).disk_stalls = log(1).disk_stalls = true;
    std::vector<OffsetLookup> lookups;
    for (const std::int64_t timestamp : {std::int64_t{5}, max_timestamp_offset, latest_offset}) {
      for (const std::int32_t i : {0, 1}) {
        lookups.push_back({.id = {topic_id, i}, .timestamp = timestamp});
      }
    }
    const env::TimePoint begin = now();
    const auto results = co_await look_up_offsets(table_->here(), std::move(lookups), {});
    EXPECT_LT(now() - begin, disk_patience + soon);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(results[i].error, ErrorCode::kafka_storage_error) << i;
    }
    EXPECT_EQ(results[4].found.offset, Offset{2}) << "this one needs no disk";
    EXPECT_EQ(results[5].found.offset, Offset{2});
    log(0).end_stall();
    log(1).end_stall();
    co_await table_->stop();
  });
}

TEST_F(LateReadsTest, DeletingRecordsTimesOutAndGoesOn) {
  run([this]() -> Task<void> {
    co_await open();
    log(0).disk_stalls = true;
    std::vector<Deletion> deletions{{.id = {topic_id, 0}, .offset = 1},
                                    {.id = {topic_id, 1}, .offset = 1}};
    const env::TimePoint begin = now();
    const auto results = co_await delete_records(table_->here(), std::move(deletions),
                                                 {.deadline = begin + env::seconds(2)});
    EXPECT_LT(now() - begin, env::seconds(2) + soon);
    EXPECT_EQ(results[0].error, ErrorCode::request_timed_out);
    EXPECT_EQ(results[1].error, ErrorCode::none);
    log(0).end_stall();
    co_await table_->stop();
  });
}

}  // namespace
}  // namespace arus::replication
