// Moving the start of a log: what readers see, what files are left, what a power cut leaves.
#include <gtest/gtest.h>

#include <cerrno>

#include "storage/file_names.h"
#include "storage/simulated_directory_testing.h"

namespace arus::storage {
namespace {

using env::Task;

class LogStartTest : public testing::TestWithParam<int>, protected SimulatedDirectory {
 protected:
  explicit LogStartTest(std::uint64_t seed = 11, const CommitLogOptions& commit_log = {})
      : SimulatedDirectory(seed, {.commit_log = commit_log}) {
    config_->segment_bytes = 400;
  }

  static Task<void> fill(Log& log, int batches, LeaderEpoch epoch = LeaderEpoch{0}) {
    for (int i = 0; i < batches; ++i) {
      EXPECT_TRUE(append(log, make_batch(), {.leader_epoch = epoch}));
    }
    EXPECT_TRUE(co_await log.flush());
  }
  [[nodiscard]] bool exists(const std::string& name) const {
    return disk_->exists(std::string(root) + "/topic-0/" + name);
  }
};

TEST_F(LogStartTest, SegmentsBelowGetAnotherNameAndGoLater) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 20);
    const std::int64_t size = log->size_bytes();
    EXPECT_TRUE(exists("00000000000000000000.log"));
    EXPECT_TRUE(co_await log->advance_log_start(Offset{11}));
    EXPECT_EQ(log->log_start(), Offset{11});
    EXPECT_LT(log->size_bytes(), size);
    co_await env::sleep_for(env::seconds{1});
    EXPECT_FALSE(exists("00000000000000000000.log"));
    EXPECT_TRUE(exists("00000000000000000000.log.deleted"));
    EXPECT_TRUE(exists("00000000000000000000.index.deleted"));
    co_await env::sleep_for(env::seconds{70});
    EXPECT_FALSE(exists("00000000000000000000.log.deleted"));
    EXPECT_FALSE(exists("00000000000000000000.index.deleted"));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(LogStartTest, FilesThatWaitedForTheirRemovalGoAtTheNextStart) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 20);
    EXPECT_TRUE(co_await log->advance_log_start(Offset{20}));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
  EXPECT_TRUE(exists("00000000000000000000.log.deleted"));
  stop();
  start();
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_start(), Offset{20});
    EXPECT_EQ(log->log_end(), Offset{20});
    EXPECT_FALSE(exists("00000000000000000000.log.deleted"));
    EXPECT_EQ(append(*log, make_batch())->base_offset, Offset{20});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(LogStartTest, ReadersBelowAreOutOfRange) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 20);
    EXPECT_TRUE(co_await log->advance_log_start(Offset{7}));
    EXPECT_EQ((co_await log->read(Offset{6}, {.end = Offset{20}})).error().code,
              ErrorCode::offset_out_of_range);
    const auto fetched = co_await log->read(Offset{7}, {.end = Offset{20}, .max_bytes = 1});
    EXPECT_TRUE(fetched && fetched->size_bytes > 0);
    EXPECT_EQ((co_await log->advance_log_start(Offset{21})).error().code,
              ErrorCode::offset_out_of_range);
    // Going back changes nothing.
    EXPECT_TRUE(co_await log->advance_log_start(Offset{3}));
    EXPECT_EQ(log->log_start(), Offset{7});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(LogStartTest, LeaderEpochsBelowAreForgotten) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 5, LeaderEpoch{1});
    co_await fill(*log, 5, LeaderEpoch{2});
    co_await fill(*log, 5, LeaderEpoch{3});
    EXPECT_TRUE(co_await log->advance_log_start(Offset{8}));
    EXPECT_EQ(log->epoch_of(Offset{8}), LeaderEpoch{2});
    EXPECT_EQ(log->end_of_epoch(LeaderEpoch{1}).end, Offset{8});
    EXPECT_EQ(log->end_of_epoch(LeaderEpoch{2}).end, Offset{10});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(LogStartTest, AnOpenTransactionBoundsReadersAtTheStartAtLeast) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_TRUE(append(*log, make_batch({.options = {.producer_id = ProducerId{4},
                                                     .producer_epoch = 0,
                                                     .base_sequence = 0,
                                                     .transactional = true}})));
    co_await fill(*log, 9);
    EXPECT_EQ(log->first_unstable_offset(), Offset{0});
    EXPECT_TRUE(co_await log->advance_log_start(Offset{8}));
    EXPECT_EQ(log->first_unstable_offset(), Offset{8});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

// A producer's last batch is taken away, before a crash or by retention, while no snapshot knows of
// it that was flushed: sent once more, it is a duplicate nevertheless.
class ForgottenProducerTest : public testing::TestWithParam<int>, protected SimulatedDirectory {
 protected:
  ForgottenProducerTest() : SimulatedDirectory(static_cast<std::uint64_t>(GetParam())) {
    run([this]() -> Task<void> {
      log_ = co_await open();
      EXPECT_TRUE(send(*log_));
      EXPECT_TRUE(append(*log_, make_batch()));
      EXPECT_TRUE(co_await log_->flush());
    });
    lose_power({.keep_page = 1, .tear_page = 0, .keep_entry = 1});
    start();
  }
  static Result<Appended> send(Log& log) {
    return append(
        log,
        make_batch(
            {.timestamp_ms = env::NodeOptions{}.wall_ms,
             .options = {.producer_id = ProducerId{4}, .producer_epoch = 0, .base_sequence = 0}}));
  }
  void lose_power(const env::CrashPolicy& policy) {
    disk_->cut_power();
    log_ = nullptr;
    run([this]() -> Task<void> { EXPECT_FALSE(co_await directory_->close(1)); });
    stop();
    disk_->crash(policy);
  }
  void expect_duplicate() {
    lose_power(nothing_kept);
    start();
    run([this]() -> Task<void> {
      log_ = co_await open();
      const auto again = send(*log_);
      EXPECT_TRUE(again && again->duplicate);
      log_ = nullptr;
      EXPECT_TRUE(co_await directory_->close(1));
    });
  }

  std::unique_ptr<Log> log_;
};

TEST_P(ForgottenProducerTest, KnowsTheProducersBelowTheStart) {
  run([this]() -> Task<void> {
    log_ = co_await open();
    EXPECT_TRUE(co_await log_->advance_log_start(log_->log_end()));
  });
  expect_duplicate();
}

TEST_P(ForgottenProducerTest, KnowsTheProducersOfSegmentsThatRetentionTook) {
  run([this]() -> Task<void> {
    log_ = co_await open();
    constexpr std::int64_t century_ms = std::int64_t{100} * 365 * 24 * 3'600'000;
    EXPECT_EQ((co_await log_->apply_retention(century_ms))->count, 1U);
  });
  for (std::uint64_t steps = below(200); steps > 0; --steps) simulation_.step();
  expect_duplicate();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ForgottenProducerTest, testing::Range(1, 31));

TEST_F(LogStartTest, AFailedFlushOfACheckpointTakesTheDirectoryOffline) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 20);
    disk_->set_fault_hook([](const env::FileOperation& operation) {
      const bool hit = operation.act == env::FileAct::sync &&
                       operation.path.find(log_start_checkpoint_name) != std::string::npos;
      return env::FileFault{.os_error = hit ? EIO : 0};
    });
    EXPECT_FALSE(co_await log->advance_log_start(Offset{11}));
    EXPECT_EQ(log->log_start(), Offset{0});
    disk_->set_fault_hook({});
    co_await env::sleep_for(env::milliseconds{5});
    EXPECT_TRUE(directory_->offline());
    EXPECT_TRUE(log->failure());
    EXPECT_FALSE(append(*log, make_batch()));
    log = nullptr;
    EXPECT_FALSE(co_await directory_->close(1));
  });
}

TEST_F(LogStartTest, ACheckpointWithoutSpaceLeavesTheStartWhereItWas) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await fill(*log, 20);
    bool failing = true;
    disk_->set_fault_hook([&failing](const env::FileOperation& operation) {
      const bool hit = failing && operation.act == env::FileAct::write &&
                       operation.path.find(log_start_checkpoint_name) != std::string::npos;
      return env::FileFault{.os_error = hit ? ENOSPC : 0};
    });
    const auto moved = co_await log->advance_log_start(Offset{11});
    EXPECT_FALSE(moved);
    EXPECT_EQ(log->log_start(), Offset{0});
    EXPECT_TRUE(exists("00000000000000000000.log"));
    failing = false;
    EXPECT_TRUE(co_await log->advance_log_start(Offset{12}));
    EXPECT_EQ(log->log_start(), Offset{12});
    disk_->set_fault_hook({});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

Task<void> advance_into(Log* log, Offset start, int* done) {
  EXPECT_TRUE(co_await log->advance_log_start(start));
  ++*done;
}

TEST_F(LogStartTest, ManyLogsShareTheWriteOfTheCheckpoint) {
  run([this]() -> Task<void> {
    constexpr int many = 60;
    std::vector<std::unique_ptr<Log>> logs;
    for (int i = 0; i < many; ++i) {
      logs.push_back(co_await open(i));
      co_await fill(*logs.back(), 4);
    }
    int writes = 0;
    disk_->set_fault_hook([&writes](const env::FileOperation& operation) {
      writes += operation.act == env::FileAct::sync &&
                operation.path.find(log_start_checkpoint_name) != std::string::npos;
      return env::FileFault{};
    });
    int done = 0;
    for (auto& log : logs) env::spawn_detached(advance_into(log.get(), Offset{3}, &done));
    while (done < many) co_await env::sleep_for(env::milliseconds{1});
    EXPECT_LE(writes, 3);
    disk_->set_fault_hook({});
    for (auto& log : logs) EXPECT_EQ(log->log_start(), Offset{3});
    logs.clear();
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

// A log whose start moves while it is written, until the power goes.
class LogStartPowerCutTest : public LogStartTest {
 protected:
  // Every other one with a commit log whose files are used again and again.
  LogStartPowerCutTest()
      : LogStartTest(static_cast<std::uint64_t>(GetParam()),
                     GetParam() % 2 == 0 ? CommitLogOptions{}
                                         : CommitLogOptions{.first_file_bytes = 16 << 10,
                                                            .later_file_bytes = 32 << 10,
                                                            .most_files = 3}) {}

  Task<void> open_and_check() {
    log_ = co_await open();
    EXPECT_GE(log_->log_start(), told_) << "the start went back";
    EXPECT_LE(log_->log_start(), asked_);
    EXPECT_GE(log_->log_end(), durable_);
    for (Offset at = log_->log_start(); at < log_->log_end();) {
      const auto fetched = co_await log_->read(at, {.end = log_->log_end(), .max_bytes = 500});
      EXPECT_TRUE(fetched && fetched->size_bytes > 0) << at.value();
      if (!fetched || fetched->size_bytes == 0) break;
      const Bytes bytes = flatten(fetched->records);
      record::BatchReader reader(bytes);
      while (const auto batch = reader.next()) at = batch->next_offset();
    }
    told_ = asked_ = log_->log_start();
    durable_ = log_->durable_end();
  }
  Task<void> work(LeaderEpoch epoch) {
    while (!stop_) {
      if (!append(*log_, make_batch({.value_bytes = static_cast<std::size_t>(below(100))}),
                  {.leader_epoch = epoch})) {
        break;
      }
      if (below(3) == 0) co_await env::sleep_for(env::microseconds(below(2'000)));
      durable_ = std::max(durable_, log_->durable_end());
      const std::int64_t room = durable_ - told_;
      if (room <= 0 || below(5) != 0) continue;
      const Offset start =
          told_ + static_cast<std::int64_t>(1 + below(static_cast<std::uint64_t>(room)));
      asked_ = std::max(asked_, start);
      if (co_await log_->advance_log_start(start)) told_ = std::max(told_, start);
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
    stop();
    crash_somehow();
  }

  std::unique_ptr<Log> log_;
  Offset told_;     // the start that somebody was told
  Offset asked_;    // and the one that somebody asked for
  Offset durable_;  // the end that somebody was told
  bool stop_ = false;
  bool ended_ = false;
};

TEST_P(LogStartPowerCutTest, TheStartThatWasToldIsThere) {
  for (int life = 0; life < 4; ++life) live(life);
  start();
  run([this] [[clang::coro_wrapper]] { return open_and_check(); });
  log_ = nullptr;
  run([this]() -> Task<void> { EXPECT_TRUE(co_await directory_->close(1)); });
}

INSTANTIATE_TEST_SUITE_P(Seeds, LogStartPowerCutTest, testing::Range(1, 81));

}  // namespace
}  // namespace arus::storage
