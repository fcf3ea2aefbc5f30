// What becomes of the laps of a commit log that are full.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>

#include "storage/checkpoint_file.h"
#include "storage/commit_log.h"
#include "storage/file_names.h"
#include "storage/simulated_directory_testing.h"

namespace arus::storage {
namespace {

using env::FileAct;
using env::Task;

constexpr int partitions = 24;

// A directory whose laps have some segments more than are flushed one by one.
class RecyclingTest : public testing::Test, protected SimulatedDirectory {
 protected:
  using Logs = std::vector<std::unique_ptr<Log>>;

  RecyclingTest()
      : SimulatedDirectory(5, {.checkpoint_interval_ms = 10,
                               .commit_log = {.first_file_bytes = 64 << 10,
                                              .later_file_bytes = 64 << 10,
                                              .most_files = 3,
                                              .flush_each_up_to = 8}}) {}

  // A lap has some blocks for each segment.
  static constexpr CommitLogOptions roomy = {
      .first_file_bytes = 256 << 10, .later_file_bytes = 256 << 10, .flush_each_up_to = 8};

  void start_with(const CommitLogOptions& options, std::size_t open_files = 2048) {
    options_.commit_log = options;
    options_.open_files = open_files;
    stop();
    start();
  }
  Task<void> open_each(Logs& logs) {
    for (int i = 0; i < partitions; ++i) {
      auto log = co_await directory_->open_log({"topic", i}, test_topic_id, config_);
      EXPECT_TRUE(log) << log.error().message;
      logs.push_back(std::move(*log));
    }
    EXPECT_TRUE(co_await directory_->sync_recovered());
  }
  Task<void> open_all(Logs& logs) {
    co_await open_each(logs);
    // Until the first file is there, segments are flushed.
    EXPECT_TRUE(append(*logs[0], make_batch()));
    EXPECT_TRUE(co_await logs[0]->flush());
    co_await env::sleep_for(env::seconds{1});
  }
  // A batch to each, acknowledged; false once the directory is offline.
  static Task<bool> fill(Logs& logs, int rounds, int end = partitions, int begin = 0) {
    for (int round = 0; round < rounds; ++round) {
      for (int i = begin; i < end; ++i) {
        if (!append(*logs[i], make_batch({.value_bytes = 100}))) co_return false;
        if (!co_await logs[i]->flush()) co_return false;
      }
    }
    co_return true;
  }
  Task<void> close(Logs& logs) {
    logs.clear();
    const auto closed = co_await directory_->close(1);
    EXPECT_TRUE(closed) << closed.error().message;
  }
  // The power goes, and comes back: everything acknowledged is there.
  void expect_survival(Logs& logs) {
    std::vector<Offset> acknowledged;
    for (const auto& log : logs) acknowledged.push_back(log->durable_end());
    disk_->set_fault_hook(nullptr);
    disk_->cut_power();
    run([&]() -> Task<void> {
      logs.clear();
      EXPECT_FALSE(co_await directory_->close(1));
    });
    stop();
    disk_->crash(nothing_kept);
    start();
    run([&]() -> Task<void> {
      co_await open_each(logs);
      for (int i = 0; i < partitions; ++i) EXPECT_GE(logs[i]->log_end(), acknowledged[i]) << i;
      co_await close(logs);
    });
  }
  [[nodiscard]] std::vector<std::int64_t> commit_log_sizes() const {
    std::vector<std::int64_t> sizes;
    for (const auto& entry : *disk_->list(root)) {
      if (!parse_commit_log_file_name(entry.name)) continue;
      sizes.push_back(*disk_->file_size(join_path(root, entry.name)));
    }
    return sizes;
  }
  [[nodiscard]] static std::string segment_path(int partition) {
    return std::string(root) + "/topic-" + std::to_string(partition) + "/00000000000000000000.log";
  }
  // Its header alone; a group of a new lap has more.
  [[nodiscard]] static bool voids(const env::FileOperation& operation) {
    return operation.act == FileAct::write && operation.path.contains("commit-log") &&
           operation.offset == 0 && operation.size_bytes == 4096;
  }
  [[nodiscard]] static bool is_segment(const std::string& path) {
    return path.ends_with("/00000000000000000000.log") && !path.contains("commit-log");
  }
};

TEST_F(RecyclingTest, TheSegmentsOfAWideLapAreWrittenBackAndThenFlushedOneByOne) {
  start_with(roomy);
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    std::set<std::string> begun;
    std::set<std::string> flushed;
    int unprepared = 0;
    int voided = 0;
    disk_->set_fault_hook([&](const env::FileOperation& operation) {
      EXPECT_NE(operation.act, FileAct::sync_file_system);
      if (operation.act == FileAct::write_back) begun.insert(operation.path);
      if (operation.act == FileAct::sync && is_segment(operation.path)) {
        flushed.insert(operation.path);
        if (!begun.contains(operation.path)) ++unprepared;
      }
      if (voids(operation)) {
        ++voided;
        EXPECT_EQ(flushed.size(), static_cast<std::size_t>(partitions));
        flushed.clear();
        begun.clear();
      }
      return env::FileFault{};
    });
    EXPECT_TRUE(co_await fill(logs, 20));
    disk_->set_fault_hook(nullptr);
    EXPECT_GE(voided, 5);
    EXPECT_LE(unprepared, voided * partitions / 4);
  });
  expect_survival(logs);
}

// A flush takes longer than the active lap takes to fill.
TEST_F(RecyclingTest, AWideLapThatIsLateIsEndedByOneFlushOfEverything) {
  start_with(roomy);
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    int flushed = 0;
    int of_all = 0;
    int voided = 0;
    disk_->set_fault_hook([&](const env::FileOperation& operation) {
      env::FileFault fault;
      if (operation.act == FileAct::sync && is_segment(operation.path)) {
        ++flushed;
        fault.stall = env::milliseconds(200);
      }
      if (operation.act == FileAct::sync_file_system) ++of_all;
      if (voids(operation)) ++voided;
      return fault;
    });
    EXPECT_TRUE(co_await fill(logs, 20));
    disk_->set_fault_hook(nullptr);
    EXPECT_GE(voided, 5);
    EXPECT_GE(of_all, voided - 1);
    EXPECT_LT(flushed, voided * partitions / 2);
  });
  expect_survival(logs);
}

TEST_F(RecyclingTest, ANarrowLapFlushesItsSegmentsOneByOne) {
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    int flushed = 0;
    disk_->set_fault_hook([&](const env::FileOperation& operation) {
      EXPECT_NE(operation.act, FileAct::write_back);
      EXPECT_NE(operation.act, FileAct::sync_file_system);
      flushed += operation.act == FileAct::sync && is_segment(operation.path) ? 1 : 0;
      return env::FileFault{};
    });
    EXPECT_TRUE(co_await fill(logs, 20, 8));
    disk_->set_fault_hook(nullptr);
    EXPECT_GE(flushed, 8 * 5);
  });
  expect_survival(logs);
}

TEST_F(RecyclingTest, RecoveryPointsFollowAWideLap) {
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    EXPECT_TRUE(co_await fill(logs, 8));
    co_await env::sleep_for(env::seconds{1});
    const auto text = disk_->read_file(join_path(root, recovery_point_checkpoint_name));
    const auto points = text ? parse_offset_checkpoint(as_text(*text)) : fail(text.error());
    EXPECT_TRUE(points);
    EXPECT_EQ(points->size(), static_cast<std::size_t>(partitions));
    for (const auto& point : *points) {
      EXPECT_GE(point.offset, Offset{4}) << point.partition.to_string();
      EXPECT_LT(point.offset, Offset{9}) << point.partition.to_string();
    }
    co_await close(logs);
  });
}

TEST_F(RecyclingTest, AFailureToWriteBackAWideLapTakesTheDirectoryOffline) {
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    bool failed = false;
    disk_->set_fault_hook([&](const env::FileOperation& operation) {
      const bool fails = operation.act == FileAct::write_back && !std::exchange(failed, true);
      return env::FileFault{.os_error = fails ? EIO : 0};
    });
    EXPECT_FALSE(co_await fill(logs, 20));
    EXPECT_TRUE(failed);
    EXPECT_TRUE(directory_->offline());
  });
  expect_survival(logs);
}

// The descriptor that a segment was written by is gone: whoever opens it again is told only where
// the file was pinned, and of the others the file system tells.
TEST_F(RecyclingTest, AFailureToWriteBackWhatWasClosedIsNotMissedAtTheEndOfALap) {
  for (const std::size_t most_pins : {100, 0}) {
    start_with({.first_file_bytes = 64 << 10, .later_file_bytes = 64 << 10, .most_files = 3}, 8);
    disk_->set_most_pins(most_pins);
    Logs logs;
    run([&]() -> Task<void> {
      co_await open_all(logs);
      EXPECT_TRUE(co_await fill(logs, 1, 12));
      EXPECT_TRUE(disk_->fail_write_back(segment_path(5)));
      int of_all = 0;
      disk_->set_fault_hook([&](const env::FileOperation& operation) {
        if (operation.act == FileAct::sync_file_system) ++of_all;
        return env::FileFault{};
      });
      EXPECT_FALSE(co_await fill(logs, 20, partitions, 12));
      EXPECT_TRUE(directory_->offline());
      EXPECT_EQ(of_all, most_pins == 0 ? 1 : 0);
    });
    expect_survival(logs);
  }
}

TEST_F(RecyclingTest, AFailureToWriteBackWhatWasClosedIsNotMissedByAFlushOfTheSegment) {
  start_with({.first_file_bytes = 1 << 20, .direct_from_bytes = 2'000}, 8);
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    EXPECT_TRUE(co_await fill(logs, 1));
    disk_->fail_write_back(segment_path(0));
    EXPECT_TRUE(append(*logs[0], make_batch({.value_bytes = 3'000})));
    EXPECT_FALSE(co_await logs[0]->flush());
    EXPECT_TRUE(directory_->offline());
  });
  expect_survival(logs);
}

// The system has the zeros in its cache and says that it could not write them: after a power cut
// what was voided would be replayed, over what compaction has written meanwhile.
TEST_F(RecyclingTest, AFileThatIsVoidInTheCacheAloneGoesAtTheNextStart) {
  Logs logs;
  std::string voided;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    disk_->set_fault_hook([&](const env::FileOperation& operation) {
      if (voids(operation) && voided.empty()) voided = operation.path;
      const bool fails = operation.act == FileAct::sync && operation.path == voided;
      return env::FileFault{.os_error = fails ? EIO : 0};
    });
    EXPECT_FALSE(co_await fill(logs, 20));
    disk_->set_fault_hook(nullptr);
    logs.clear();
    EXPECT_FALSE(co_await directory_->close(1));
  });
  stop();
  disk_->kill_process();
  ASSERT_FALSE(voided.empty());
  ASSERT_TRUE(disk_->exists(voided));
  start();
  EXPECT_FALSE(disk_->exists(voided));
  disk_->cut_power();
  stop();
  disk_->crash(nothing_kept);
  EXPECT_FALSE(disk_->exists(voided));
  start();
  run([&]() -> Task<void> {
    co_await open_each(logs);
    co_await close(logs);
  });
}

TEST_F(RecyclingTest, AFileWithADamagedHeaderIsNotTakenForVoid) {
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    EXPECT_TRUE(co_await fill(logs, 1, 2));
    disk_->cut_power();
    logs.clear();
    EXPECT_FALSE(co_await directory_->close(1));
  });
  stop();
  disk_->kill_process();
  const std::string path = join_path(root, commit_log_file_name(0));
  ASSERT_TRUE(disk_->exists(path));
  ASSERT_TRUE((*disk_->open(path, env::OpenMode::read_write))->write_at(as_bytes("?"), 20));
  start();
  EXPECT_TRUE(disk_->exists(path));
}

TEST_F(RecyclingTest, FilesGrowWhereLapsHaveManySegments) {
  start_with({.first_file_bytes = 32 << 10,
              .later_file_bytes = 64 << 10,
              .most_files = 4,
              .flush_each_up_to = 4,
              .large_file_bytes = 128 << 10,
              .large_from_segments = 8,
              .most_bytes = 300 << 10});
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    EXPECT_TRUE(co_await fill(logs, 40));
    const auto sizes = commit_log_sizes();
    EXPECT_EQ(std::ranges::max(sizes), 128 << 10);
    std::int64_t sum = 0;
    for (const std::int64_t size : sizes) sum += size;
    EXPECT_LE(sum, 300 << 10);
  });
  expect_survival(logs);
}

TEST_F(RecyclingTest, FilesOfFewSegmentsKeepTheirSize) {
  start_with({.first_file_bytes = 64 << 10,
              .later_file_bytes = 64 << 10,
              .large_file_bytes = 128 << 10,
              .large_from_segments = partitions + 1});
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    EXPECT_TRUE(co_await fill(logs, 20));
    EXPECT_EQ(std::ranges::max(commit_log_sizes()), 64 << 10);
    co_await close(logs);
  });
}

TEST_F(RecyclingTest, AFileThatFindsNoSpaceToGrowIsUsedAsItIs) {
  start_with({.first_file_bytes = 32 << 10,
              .later_file_bytes = 32 << 10,
              .most_files = 3,
              .flush_each_up_to = 4,
              .large_file_bytes = 1 << 20,
              .large_from_segments = 8});
  Logs logs;
  run([&]() -> Task<void> {
    co_await open_all(logs);
    const auto space = disk_->space("/").value();
    disk_->set_capacity(space.total_bytes - space.usable_bytes + (700 << 10));
    EXPECT_TRUE(co_await fill(logs, 30));
    EXPECT_FALSE(directory_->offline());
    EXPECT_EQ(std::ranges::max(commit_log_sizes()), 32 << 10);
  });
  expect_survival(logs);
}

}  // namespace
}  // namespace arus::storage
