// Files of a log that are made before its first record.
#include <gtest/gtest.h>

#include <cerrno>

#include "storage/simulated_directory_testing.h"

namespace arus::storage {
namespace {

using env::Task;

const TopicPartition partition_name{"topic", 0};

class LogPreparationTest : public testing::Test, protected SimulatedDirectory {
 protected:
  LogPreparationTest() : SimulatedDirectory(11) {}

  Task<bool> prepare(Uuid topic_id = test_topic_id) {
    const auto made = co_await directory_->prepare_log(partition_name, topic_id, LeaderEpoch{0});
    EXPECT_TRUE(made) << made.error().message;
    co_return made && *made;
  }
  Task<void> append_one(Log& log) {
    EXPECT_TRUE(append(log, make_batch(), {.leader_epoch = LeaderEpoch{0}}));
    EXPECT_TRUE(co_await log.flush());
  }
  Task<void> close() {
    const auto closed = co_await directory_->close(1);
    EXPECT_TRUE(closed) << closed.error().message;
  }
  [[nodiscard]] std::string text(const char* file) {
    const auto bytes = disk_->read_file(std::string(root) + "/topic-0/" + file);
    return bytes ? std::string(as_text(*bytes)) : bytes.error().message;
  }
};

TEST_F(LogPreparationTest, TheFirstRecordFindsEverythingAndAStopMakesNothing) {
  run([this]() -> Task<void> {
    EXPECT_TRUE(co_await prepare());
    EXPECT_FALSE(co_await prepare());
    const std::vector<std::string> all = files("");
    EXPECT_EQ(all,
              (std::vector<std::string>{"00000000000000000000.index", "00000000000000000000.log",
                                        "00000000000000000000.timeindex", "leader-epoch-checkpoint",
                                        "partition.metadata"}));
    auto log = co_await open();
    EXPECT_FALSE(co_await prepare());
    EXPECT_EQ(log->log_end(), Offset{0});
    co_await append_one(*log);
    log = nullptr;
    co_await close();
    EXPECT_EQ(files(""), all);
    EXPECT_EQ(text("leader-epoch-checkpoint"), "0\n1\n0 0\n");
    EXPECT_EQ(text("00000000000000000000.timeindex").size(), 12U);
  });
  stop();
  start();
  run([this]() -> Task<void> {
    EXPECT_FALSE(co_await prepare());
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{1});
    EXPECT_EQ(log->latest_epoch(), LeaderEpoch{0});
    log = nullptr;
    co_await close();
  });
}

TEST_F(LogPreparationTest, AnotherEpochThanExpectedIsSaved) {
  run([this]() -> Task<void> {
    EXPECT_TRUE(co_await prepare());
    auto log = co_await open();
    EXPECT_TRUE(append(*log, make_batch(), {.leader_epoch = LeaderEpoch{4}}));
    EXPECT_TRUE(co_await log->flush());
    log = nullptr;
    co_await close();
    EXPECT_EQ(text("leader-epoch-checkpoint"), "0\n1\n4 0\n");
  });
}

TEST_F(LogPreparationTest, ADeletionTakesWhatNobodyHasOpened) {
  run([this]() -> Task<void> {
    EXPECT_TRUE(co_await prepare());
    EXPECT_TRUE(co_await directory_->remove_log(partition_name, test_topic_id));
    EXPECT_FALSE(disk_->exists(std::string(root) + "/topic-0"));
    // The topic is made again.
    const Uuid second = Uuid::of_halves(1, 99);
    EXPECT_TRUE(co_await prepare(second));
    auto log = co_await directory_->open_log(partition_name, second, config_);
    EXPECT_TRUE(log);
    co_await append_one(**log);
    log->reset();
    co_await close();
  });
}

TEST_F(LogPreparationTest, AFolderOfSomebodyElseIsLeftAlone) {
  run([this]() -> Task<void> {
    EXPECT_TRUE(disk_->create_directories(std::string(root) + "/topic-0"));
    EXPECT_FALSE(co_await prepare());
    EXPECT_TRUE(files("").empty());
  });
}

// Wherever the disk is full, the first record completes what was begun.
TEST_F(LogPreparationTest, WhatAFullDiskHasInterruptedIsMadeWithTheFirstRecord) {
  for (int step = 0;; ++step) {
    stop();
    disk_ = simulation_.make_disk();
    start();
    bool reached = false;
    run([&]() -> Task<void> {
      int left = step;
      disk_->set_fault_hook([&](const env::FileOperation& operation) -> env::FileFault {
        const bool ours = operation.path.find("/topic-0") != std::string::npos;
        if (!ours || left-- > 0) return {};
        reached = true;
        return {.os_error = ENOSPC, .at_most_bytes = {}};
      });
      const auto made =
          co_await directory_->prepare_log(partition_name, test_topic_id, LeaderEpoch{0});
      EXPECT_EQ(made.has_value(), !reached);
      disk_->set_fault_hook(nullptr);
      auto log = co_await open();
      co_await append_one(*log);
      log = nullptr;
      co_await close();
      EXPECT_EQ(text("leader-epoch-checkpoint"), "0\n1\n0 0\n");
    });
    if (!reached) break;
  }
}

TEST_F(LogPreparationTest, AnOpeningDoesNotWaitForIt) {
  run([this]() -> Task<void> {
    env::Gate gate;
    env::spawn(gate, [](LogDirectory& directory) -> Task<void> {
      EXPECT_TRUE(co_await directory.prepare_log(partition_name, test_topic_id, LeaderEpoch{0}));
    }(*directory_));
    auto log = co_await open();
    co_await append_one(*log);
    co_await gate.close();
    log = nullptr;
    co_await close();
  });
}

}  // namespace
}  // namespace arus::storage
