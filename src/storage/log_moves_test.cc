// A log that is moved to another directory, with power cuts at every change of the disk.
#include <gtest/gtest.h>

#include "env/simulated.h"
#include "env/simulated/disk.h"
#include "record/batch.h"
#include "storage/log_testing.h"

namespace arus::storage {
namespace {

using env::Task;

constexpr Offset end{25};
constexpr std::int64_t now_ms = 1'750'000'000'000;

class LogMovesTest : public testing::Test {
 protected:
  LogMovesTest() : simulation_({.seed = 3}) { set_log_level("storage", LogLevel::off); }
  ~LogMovesTest() override { stop(); }

  void start() {
    environment_ = simulation_.make_environment({.disk = disk_});
    source_ = open("/a");
    target_ = open("/b");
  }
  void stop() {
    source_ = nullptr;
    target_ = nullptr;
    // What was under way ends.
    simulation_.run_for(env::seconds(1));
    environment_ = nullptr;
  }
  std::unique_ptr<LogDirectory> open(const std::string& path) {
    auto opened = LogDirectory::open(*environment_, path, {.checkpoint_interval_ms = 20});
    ARUS_ASSERT(opened);
    return std::move(*opened);
  }
  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, body());
  }

  Task<std::unique_ptr<Log>> write() {
    auto log = co_await source_->open_log(name_, test_topic_id, config_);
    ARUS_ASSERT(log);
    // The directories themselves are durable from here on.
    EXPECT_TRUE(co_await source_->sync_recovered());
    EXPECT_TRUE(co_await target_->sync_recovered());
    for (int i = 0; i < 25; ++i) {
      const record::BatchOptions producer{
          .producer_id = ProducerId{7}, .producer_epoch = 0, .base_sequence = i};
      EXPECT_TRUE(append(
          **log, make_batch({.value_bytes = 300, .timestamp_ms = now_ms, .options = producer})));
      if (i % 5 == 4) EXPECT_TRUE(co_await (*log)->flush());
    }
    EXPECT_TRUE(co_await (*log)->advance_log_start(Offset{8}));
    co_return std::move(*log);
  }
  // As a move does it; says whether all steps succeeded.
  Task<bool> move(std::unique_ptr<Log>& log) {
    auto future = co_await target_->open_future(name_, test_topic_id, Offset{8}, config_);
    if (!future) co_return false;
    while ((*future)->log_end() < log->log_end()) {
      const Offset from = std::max((*future)->log_end(), log->log_start());
      auto fetched = co_await log->read(from, {.end = log->written_end(), .max_bytes = 2'000});
      if (!fetched) co_return false;
      for (Slice& piece : fetched->records) {
        if (!(*future)->append_replicated(std::move(piece))) co_return false;
      }
    }
    if (!co_await (*future)->advance_log_start(log->log_start())) co_return false;
    if (!co_await (*future)->flush()) co_return false;
    const auto producers = log->producers();
    if (!co_await source_->give_away(name_, test_topic_id)) co_return false;
    log->disown();
    *future = nullptr;
    if (!co_await target_->promote_future(name_, test_topic_id, end, producers)) co_return false;
    auto opened = co_await target_->open_log(name_, test_topic_id, config_);
    if (!opened) co_return false;
    log = std::move(*opened);
    co_return true;
  }
  void expect_whole(Log& log) {
    EXPECT_EQ(log.log_end(), end);
    EXPECT_EQ(log.log_start(), Offset{8});
    const auto producers = log.producers();
    EXPECT_EQ(producers.size(), 1U);
    if (producers.size() == 1) EXPECT_EQ(producers[0].last_batch()->last_offset, end - 1);
  }
  Task<void> expect_records(Log& log) {
    Offset at = log.log_start();
    while (at < end) {
      const auto fetched = co_await log.read(at, {.end = end, .max_bytes = 1 << 20});
      EXPECT_TRUE(fetched && fetched->size_bytes > 0) << at.value();
      if (!fetched || fetched->size_bytes == 0) co_return;
      for (const Slice& piece : fetched->records) {
        record::BatchReader reader(piece.view());
        while (const auto batch = reader.next()) at = batch->next_offset();
      }
    }
  }
  static bool has(const LogDirectory& directory) {
    return std::ranges::any_of(directory.found(),
                               [](const FoundLog& log) { return log.topic_id == test_topic_id; });
  }

  const TopicPartition name_{"topic", 0};
  env::Simulation simulation_;
  std::shared_ptr<env::SimulatedDisk> disk_ = simulation_.make_disk();
  std::shared_ptr<config::TopicConfig> config_ = test_config();
  std::unique_ptr<env::SimulatedEnvironment> environment_;
  std::unique_ptr<LogDirectory> source_;
  std::unique_ptr<LogDirectory> target_;
};

TEST_F(LogMovesTest, WhatIsMovedIsAsItWasAndGoesOn) {
  start();
  run([this]() -> Task<void> {
    auto log = co_await write();
    EXPECT_TRUE(co_await move(log));
    EXPECT_EQ(log->directory(), "/b/topic-0");
    expect_whole(*log);
    co_await expect_records(*log);
    const record::BatchOptions again{
        .producer_id = ProducerId{7}, .producer_epoch = 0, .base_sequence = 24};
    const auto duplicate =
        append(*log, make_batch({.value_bytes = 300, .timestamp_ms = now_ms, .options = again}));
    EXPECT_TRUE(duplicate && duplicate->duplicate);
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    log = nullptr;
    EXPECT_TRUE(co_await source_->close(1));
    EXPECT_TRUE(co_await target_->close(1));
  });
  stop();
  start();
  EXPECT_FALSE(has(*source_));
  EXPECT_TRUE(has(*target_));
}

TEST_F(LogMovesTest, APowerCutAnywhereLeavesOneWholeLog) {
  int nth = 0;
  bool finished = false;
  int gone_on = 0;
  for (; !finished && !HasFailure(); ++nth) {
    SCOPED_TRACE(nth);
    disk_ = simulation_.make_disk();
    start();
    std::unique_ptr<Log> log;
    run([&]() -> Task<void> {
      log = co_await write();
      int seen = 0;
      disk_->set_fault_hook([this, &seen, nth](const env::FileOperation& operation) {
        using enum env::FileAct;
        if (operation.act != read && operation.act != list && seen++ == nth) disk_->cut_power();
        return env::FileFault{};
      });
      finished = co_await move(log);
      disk_->set_fault_hook(nullptr);
    });
    disk_->cut_power();
    log = nullptr;
    stop();
    disk_->crash(simulation_.random().below(2) == 0
                     ? env::CrashPolicy{.keep_page = 0, .tear_page = 0, .keep_entry = 0}
                     : env::CrashPolicy{});
    start();
    if (!has(*source_) && !has(*target_)) {
      ASSERT_EQ(target_->futures().size(), 1U);
      ASSERT_TRUE(target_->adopt_future(target_->futures().front()));
      ++gone_on;
    }
    EXPECT_NE(has(*source_), has(*target_));
    run([&]() -> Task<void> {
      LogDirectory& holder = has(*source_) ? *source_ : *target_;
      auto opened = co_await holder.open_log(name_, test_topic_id, config_);
      EXPECT_TRUE(opened) << opened.error().message;
      if (!opened) co_return;
      expect_whole(**opened);
      co_await expect_records(**opened);
      *opened = nullptr;
    });
    stop();
  }
  EXPECT_GT(nth, 30);
  EXPECT_GT(gone_on, 0);
}

}  // namespace
}  // namespace arus::storage
