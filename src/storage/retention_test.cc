// What retention decides, and what it leaves of a log and its files.
#include "storage/retention.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "storage/file_names.h"
#include "storage/simulated_directory_testing.h"

namespace arus::storage {
namespace {

using env::Task;

constexpr std::int64_t start_ms = 1'750'000'000'000;
constexpr std::int64_t hour_ms = 3'600'000;

std::vector<AgingSegment> segments(std::initializer_list<std::optional<std::int64_t>> newest) {
  std::vector<AgingSegment> all;
  for (const auto& each : newest) {
    all.push_back({Offset{static_cast<std::int64_t>(all.size()) * 10}, 100, each});
  }
  return all;
}

TEST(CountExpired, OldSegmentsGoUpToTheFirstYoungOne) {
  const auto all = segments({10, 20, 900, 30});
  EXPECT_EQ(count_expired(all, Offset{40}, Offset{40}, {.retention_ms = 100, .now_ms = 500}), 2U);
  EXPECT_EQ(count_expired(all, Offset{40}, Offset{40}, {.retention_ms = 490, .now_ms = 500}), 0U);
  EXPECT_EQ(count_expired(all, Offset{40}, Offset{40}, {.retention_ms = 100, .now_ms = 5'000}), 4U);
}

TEST(CountExpired, ATimestampInTheFutureKeepsItsSegmentAndThoseBehind) {
  const auto all = segments({10, std::numeric_limits<std::int64_t>::max(), 30});
  EXPECT_EQ(count_expired(all, Offset{30}, Offset{30}, {.retention_ms = 100, .now_ms = 500}), 1U);
}

TEST(CountExpired, NothingGoesForItsAgeWithoutAClockOrAnAge) {
  const auto all = segments({10, 20});
  EXPECT_EQ(count_expired(all, Offset{20}, Offset{20}, {.retention_ms = 0}), 0U);
  EXPECT_EQ(count_expired(all, Offset{20}, Offset{20}, {.retention_ms = -1, .now_ms = 500}), 0U);
  const auto unknown = segments({std::nullopt, 20});
  EXPECT_EQ(count_expired(unknown, Offset{20}, Offset{20}, {.retention_ms = 0, .now_ms = 500}), 0U);
}

TEST(CountExpired, NothingBeyondTheHighWatermarkGoes) {
  const auto all = segments({10, 20, 30});
  const RetentionLimits limits{.retention_ms = 0, .retention_bytes = 0, .now_ms = 500};
  EXPECT_EQ(count_expired(all, Offset{30}, Offset{0}, limits), 0U);
  EXPECT_EQ(count_expired(all, Offset{30}, Offset{19}, limits), 1U);
  EXPECT_EQ(count_expired(all, Offset{30}, Offset{20}, limits), 2U);
  EXPECT_EQ(count_expired(all, Offset{30}, Offset{29}, limits), 2U);
  EXPECT_EQ(count_expired(all, Offset{30}, Offset{30}, limits), 3U);
}

TEST(CountExpired, AtLeastRetentionBytesStay) {
  const auto all = segments({10, 20, 30});
  const auto with = [&](std::int64_t bytes) {
    return count_expired(all, Offset{30}, Offset{30}, {.retention_bytes = bytes});
  };
  EXPECT_EQ(with(-1), 0U);
  EXPECT_EQ(with(300), 0U);
  EXPECT_EQ(with(201), 0U);
  EXPECT_EQ(with(200), 1U);
  EXPECT_EQ(with(1), 2U);
  EXPECT_EQ(with(0), 3U);
  EXPECT_EQ(with(std::numeric_limits<std::int64_t>::max()), 0U);
}

TEST(CountExpired, AnEmptyNewestSegmentStays) {
  auto all = segments({10, std::nullopt});
  all.back().size_bytes = 0;
  const RetentionLimits limits{.retention_ms = 0, .retention_bytes = 0, .now_ms = 500};
  EXPECT_EQ(count_expired(all, Offset{10}, Offset{10}, limits), 1U);
  EXPECT_EQ(count_expired({}, Offset{0}, Offset{0}, limits), 0U);
}

class SetClock final : public env::Clock {
 public:
  [[nodiscard]] env::TimePoint now() const override { return now_; }
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_ms_; }
  void pass(std::int64_t ms, std::int64_t jump_ms = 0) {
    now_ += env::milliseconds{ms};
    wall_ms_ += ms + jump_ms;
  }

 private:
  env::TimePoint now_{};
  std::int64_t wall_ms_ = start_ms;
};

TEST(ClockWatch, AJumpIsBelievedOnlyOnceTheClockHasRunOnEvenly) {
  SetClock clock;
  ClockWatch watch;
  EXPECT_TRUE(watch.look(clock));
  clock.pass(300'000, 59'000);
  EXPECT_EQ(watch.look(clock), clock.wall_ms());
  for (const std::int64_t jump_ms : {std::int64_t{61'000}, 10 * 365 * 24 * hour_ms, -hour_ms}) {
    clock.pass(300'000, jump_ms);
    EXPECT_FALSE(watch.peek(clock));
    EXPECT_FALSE(watch.look(clock));
    EXPECT_FALSE(watch.peek(clock));
    EXPECT_EQ(watch.jumped_ms(), jump_ms);
    clock.pass(300'000);
    EXPECT_EQ(watch.look(clock), clock.wall_ms());
    EXPECT_EQ(watch.jumped_ms(), 0);
    EXPECT_EQ(watch.peek(clock), clock.wall_ms());
  }
}

class RetentionTest : public testing::TestWithParam<int>, protected SimulatedDirectory {
 protected:
  explicit RetentionTest(std::uint64_t seed = 12) : SimulatedDirectory(seed) {
    config_->segment_bytes = 400;
    config_->retention_ms = hour_ms;
  }

  // Batches a minute apart, three to a segment.
  static Task<void> fill(Log& log, int batches, std::int64_t first_ms,
                         LeaderEpoch epoch = LeaderEpoch{0}) {
    for (int i = 0; i < batches; ++i) {
      EXPECT_TRUE(append(log,
                         make_batch({.value_bytes = 40, .timestamp_ms = first_ms + i * 60'000}),
                         {.leader_epoch = epoch}));
    }
    EXPECT_TRUE(co_await log.flush());
    co_await env::sleep_for(env::milliseconds{100});
  }
};

TEST_F(RetentionTest, OldSegmentsGoWithEverythingThatBelongsToThem) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 6, start_ms, LeaderEpoch{1});
    co_await fill(*log, 6, start_ms + 6 * 60'000, LeaderEpoch{2});
    EXPECT_EQ(files(".log").size(), 4U);
    const auto removed = co_await log->apply_retention(start_ms + 8 * 60'000 + hour_ms + 1);
    EXPECT_TRUE(removed);
    EXPECT_EQ(removed->count, 3U);
    EXPECT_GT(removed->size_bytes, 900);
    EXPECT_EQ(log->log_start(), Offset{9});
    EXPECT_EQ(log->log_end(), Offset{12});
    EXPECT_EQ(log->epoch_of(Offset{9}), LeaderEpoch{2});
    EXPECT_EQ(log->end_of_epoch(LeaderEpoch{1}).end, Offset{9});
    EXPECT_EQ((co_await log->read(Offset{8}, {.end = Offset{12}})).error().code,
              ErrorCode::offset_out_of_range);
    co_await env::sleep_for(env::seconds{1});
    EXPECT_EQ(files(".log").size(), 1U);
    EXPECT_EQ(files(".log.deleted").size(), 3U);
    EXPECT_EQ(files(".index.deleted").size(), 3U);
    EXPECT_EQ(files(".timeindex.deleted").size(), 3U);
    EXPECT_EQ(files(".snapshot"), std::vector<std::string>{"00000000000000000009.snapshot"});
    co_await env::sleep_for(env::seconds{70});
    EXPECT_TRUE(files(".deleted").empty());
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(RetentionTest, AgesOfALogThatWasOpenedAnewComeFromItsFiles) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 9, start_ms);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
  stop();
  start();
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ((co_await log->apply_retention(start_ms + 2 * 60'000 + hour_ms))->count, 0U);
    EXPECT_EQ((co_await log->apply_retention(start_ms + 2 * 60'000 + hour_ms + 1))->count, 1U);
    EXPECT_EQ(log->log_start(), Offset{3});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(2));
  });
}

TEST_F(RetentionTest, ALogWhoseRecordsAreAllOldGoesOnWithTheSameOffsets) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    const TestBatch from_producer{
        .value_bytes = 40,
        .timestamp_ms = start_ms,
        .options = {.producer_id = ProducerId{4}, .producer_epoch = 0, .base_sequence = 0}};
    co_await fill(*log, 4, start_ms);
    EXPECT_TRUE(append(*log, make_batch(from_producer)));
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ((co_await log->apply_retention(start_ms + 10 * hour_ms))->count, 2U);
    EXPECT_EQ(log->log_start(), Offset{5});
    EXPECT_EQ(log->log_end(), Offset{5});
    EXPECT_EQ(log->size_bytes(), 0);
    // Nothing is left to take.
    EXPECT_EQ((co_await log->apply_retention(start_ms + 20 * hour_ms))->count, 0U);
    co_await env::sleep_for(env::seconds{1});
    EXPECT_EQ(files(".log"), std::vector<std::string>{"00000000000000000005.log"});
    // A restart finds the offset and the producer.
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
  stop();
  start();
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_start(), Offset{5});
    EXPECT_EQ(log->log_end(), Offset{5});
    EXPECT_EQ(log->producers().size(), 1U);
    EXPECT_EQ(append(*log, make_batch())->base_offset, Offset{5});
    EXPECT_TRUE(co_await log->flush());
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(2));
  });
}

TEST_F(RetentionTest, ALogKeepsAtLeastRetentionBytes) {
  config_->retention_ms = -1;
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 12, start_ms);
    const std::int64_t segment = log->size_bytes() / 4;
    config_->retention_bytes = 3 * segment + 1;
    EXPECT_EQ((co_await log->apply_retention({}))->count, 0U);
    config_->retention_bytes = 2 * segment;
    EXPECT_EQ((co_await log->apply_retention({}))->count, 2U);
    EXPECT_EQ(log->log_start(), Offset{6});
    EXPECT_EQ(log->size_bytes(), 2 * segment);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(RetentionTest, NothingGoesForItsAgeWhileTheClockIsNotBelieved) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 9, start_ms);
    EXPECT_EQ((co_await log->apply_retention({}))->count, 0U);
    // A clock far in the past.
    EXPECT_EQ((co_await log->apply_retention(1'000))->count, 0U);
    EXPECT_EQ(log->log_start(), Offset{0});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(RetentionTest, ACompactedLogIsLeftAlone) {
  config_->cleanup_delete = false;
  config_->cleanup_compact = true;
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 9, start_ms);
    EXPECT_EQ((co_await log->apply_retention(start_ms + 10 * hour_ms))->count, 0U);
    EXPECT_EQ(log->log_start(), Offset{0});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(RetentionTest, WhatReadersMayNotSeeStays) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    log->set_high_watermark(Offset{4});
    co_await fill(*log, 9, start_ms);
    EXPECT_EQ((co_await log->apply_retention(start_ms + 10 * hour_ms))->count, 1U);
    EXPECT_EQ(log->log_start(), Offset{3});
    log->set_high_watermark(Offset{9});
    EXPECT_EQ((co_await log->apply_retention(start_ms + 10 * hour_ms))->count, 2U);
    EXPECT_EQ(log->log_start(), Offset{9});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(RetentionTest, SegmentsWithoutTimestampsAgeFromWhenTheyWereClosed) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 8; ++i) {
      EXPECT_TRUE(append(*log, make_batch({.value_bytes = 90, .timestamp_ms = -1})));
    }
    EXPECT_TRUE(co_await log->flush());
    co_await env::sleep_for(env::milliseconds{hour_ms / 2});
    // A wall clock that is wrong makes no difference.
    EXPECT_EQ((co_await log->apply_retention(start_ms + 99 * hour_ms))->count, 0U);
    co_await env::sleep_for(env::milliseconds{hour_ms / 2 + 1'000});
    EXPECT_EQ((co_await log->apply_retention(start_ms + 99 * hour_ms + hour_ms))->count, 3U);
    // The newest one may still get more.
    EXPECT_LT(log->log_start(), log->log_end());
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(RetentionTest, TheSpaceOfSegmentsThatWentComesBack) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 1, start_ms);
    const std::int64_t empty = disk_->space(root)->usable_bytes;
    co_await fill(*log, 200, start_ms);
    EXPECT_LT(disk_->space(root)->usable_bytes, empty - 10'000);
    EXPECT_TRUE(co_await log->apply_retention(start_ms + 100 * hour_ms));
    co_await env::sleep_for(env::seconds{70});
    EXPECT_GT(disk_->space(root)->usable_bytes, empty - 2'000);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(RetentionTest, ACheckpointWithoutSpaceLeavesEverythingAndTheNextRoundTriesAgain) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 9, start_ms);
    bool failing = true;
    disk_->set_fault_hook([&failing](const env::FileOperation& operation) {
      const bool hit = failing && operation.act == env::FileAct::write &&
                       operation.path.find(log_start_checkpoint_name) != std::string::npos;
      return env::FileFault{.os_error = hit ? ENOSPC : 0};
    });
    EXPECT_FALSE(co_await log->apply_retention(start_ms + 3 * 60'000 + hour_ms));
    EXPECT_EQ(log->log_start(), Offset{0});
    EXPECT_EQ(files(".log").size(), 3U);
    failing = false;
    EXPECT_EQ((co_await log->apply_retention(start_ms + 3 * 60'000 + hour_ms))->count, 1U);
    disk_->set_fault_hook({});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(RetentionTest, SegmentsOfACompactedTopicCloseAfterMaxCompactionLag) {
  config_->cleanup_compact = true;
  config_->segment_bytes = 1 << 20;
  config_->max_compaction_lag_ms = 30'000;
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 3, start_ms);
    EXPECT_EQ(files(".log").size(), 3U);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

// A log that is written and loses its old segments, until the power goes.
class RetentionPowerCutTest : public RetentionTest {
 protected:
  RetentionPowerCutTest() : RetentionTest(static_cast<std::uint64_t>(GetParam())) {
    config_->retention_ms = 20;
  }

  Task<void> open_and_check() {
    log_ = co_await open();
    EXPECT_GE(log_->log_start(), start_) << "the start went back";
    EXPECT_GE(log_->log_end(), durable_) << "the end went back";
    EXPECT_LE(log_->log_start(), log_->log_end());
    for (Offset at = log_->log_start(); at < log_->log_end();) {
      const auto fetched = co_await log_->read(at, {.end = log_->log_end(), .max_bytes = 500});
      EXPECT_TRUE(fetched && fetched->size_bytes > 0) << at.value();
      if (!fetched || fetched->size_bytes == 0) break;
      const Bytes bytes = flatten(fetched->records);
      record::BatchReader reader(bytes);
      while (const auto batch = reader.next()) at = batch->next_offset();
    }
    if (durable_ > Offset{0}) EXPECT_EQ(log_->producers().size(), 1U);
    start_ = log_->log_start();
    durable_ = log_->durable_end();
    sequence_ =
        log_->producers().empty() ? 0 : log_->producers().front().last_batch()->last_sequence + 1;
  }
  Task<void> work(LeaderEpoch epoch) {
    std::int64_t time_ms = start_ms;
    while (!stop_) {
      const TestBatch batch{
          .value_bytes = static_cast<std::size_t>(below(100)),
          .timestamp_ms = time_ms,
          .options = {
              .producer_id = ProducerId{4}, .producer_epoch = 0, .base_sequence = sequence_}};
      if (!append(*log_, make_batch(batch), {.leader_epoch = epoch})) break;
      ++sequence_;
      time_ms += static_cast<std::int64_t>(below(8));
      if (below(3) == 0) co_await env::sleep_for(env::microseconds(below(2'000)));
      if (below(15) == 0) {
        const std::int64_t pause_ms = below(4) == 0 ? 1'000 : 0;
        static_cast<void>(co_await log_->apply_retention(time_ms + pause_ms));
      }
      if (stop_) break;
      durable_ = std::max(durable_, log_->durable_end());
      start_ = std::max(start_, log_->log_start());
    }
    ended_ = true;
  }
  void live(int life) {
    if (life > 0) start();
    run([this] [[clang::coro_wrapper]] { return open_and_check(); });
    stop_ = ended_ = false;
    environment_->loop(0).post([this, life] { env::spawn_detached(work(LeaderEpoch{life})); });
    for (std::uint64_t steps = 500 + below(6'000); steps > 0; --steps) simulation_.step();
    disk_->cut_power();
    stop_ = true;
    while (!ended_) ASSERT_TRUE(simulation_.step());
    log_ = nullptr;
    run([this]() -> Task<void> { EXPECT_FALSE(co_await directory_->close(1)); });
    EXPECT_EQ(disk_->calls_from_loops(), 0U);
    stop();
    crash_somehow();
  }

  std::unique_ptr<Log> log_;
  Offset start_;    // that somebody saw
  Offset durable_;  // the end that somebody was told
  std::int32_t sequence_ = 0;
  bool stop_ = false;
  bool ended_ = false;
};

TEST_P(RetentionPowerCutTest, OffsetsAndProducersSurvive) {
  for (int life = 0; life < 4; ++life) live(life);
  start();
  run([this] [[clang::coro_wrapper]] { return open_and_check(); });
  log_ = nullptr;
  run([this]() -> Task<void> { EXPECT_TRUE(co_await directory_->close(1)); });
}

INSTANTIATE_TEST_SUITE_P(Seeds, RetentionPowerCutTest, testing::Range(1, 41));

}  // namespace
}  // namespace arus::storage
