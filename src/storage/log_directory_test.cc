#include "storage/log_directory.h"

#include <gtest/gtest.h>

#include "storage/golden_testing.h"
#include "storage/log_testing.h"

namespace arus::storage {
namespace {

namespace fs = std::filesystem;
using env::Task;

class LogDirectoryTest : public testing::Test {
 protected:
  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, body());
  }
  Result<std::unique_ptr<LogDirectory>> try_open(const DirectoryOptions& options = {}) {
    return LogDirectory::open(*environment_, folder_.path(), options);
  }
  void open(const DirectoryOptions& options = {}) {
    auto opened = try_open(options);
    ASSERT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
  }
  Task<std::unique_ptr<Log>> open_log(TopicPartition name, Uuid id = test_topic_id) {
    auto log = co_await directory_->open_log(std::move(name), id, test_config());
    EXPECT_TRUE(log) << log.error().message;
    co_return std::move(*log);
  }
  Task<void> close(std::int64_t epoch = 1) {
    const auto closed = co_await directory_->close(epoch);
    EXPECT_TRUE(closed) << closed.error().message;
    directory_ = nullptr;
  }

  TemporaryFolder folder_;
  std::unique_ptr<env::RealEnvironment> environment_ = env::make_real_environment({.loops = 3});
  std::unique_ptr<LogDirectory> directory_;
};

TEST_F(LogDirectoryTest, AStampIsReadBackAndTheMarkerNamesTheBrokerEpoch) {
  open();
  EXPECT_FALSE(directory_->identity());
  EXPECT_FALSE(directory_->clean_shutdown_epoch());
  const DirectoryIdentity identity{"cluster", 4, Uuid::of_halves(3, 5)};
  ASSERT_TRUE(directory_->stamp(identity));
  run([this]() -> Task<void> { co_await close(77); });
  open();
  ASSERT_TRUE(directory_->identity());
  EXPECT_EQ(directory_->identity()->cluster_id, "cluster");
  EXPECT_EQ(directory_->identity()->node_id, 4);
  EXPECT_EQ(directory_->identity()->directory_id, identity.directory_id);
  EXPECT_EQ(directory_->clean_shutdown_epoch(), 77);
  // Opening alone changes nothing: without a write the stop stays clean.
  directory_ = nullptr;
  open();
  EXPECT_EQ(directory_->clean_shutdown_epoch(), 77);
  run([this]() -> Task<void> {
    auto log = co_await open_log({"topic", 0});
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    EXPECT_FALSE(fs::exists(folder_ / ".kafka_cleanshutdown"));
    log = nullptr;
    co_await close();
  });
}

TEST_F(LogDirectoryTest, OnlyOneProcessMayHaveIt) {
  open();
  const auto second = try_open();
  ASSERT_FALSE(second);
  directory_ = nullptr;
  EXPECT_TRUE(try_open());
}

TEST_F(LogDirectoryTest, ADirectoryOfSomebodyElseIsLeftAlone) {
  write_test_file(folder_ / "thesis.txt", as_bytes("mine"));
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("thesis.txt"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / ".lock"));
}

TEST_F(LogDirectoryTest, ADirectoryOfAnOldKafkaIsNamed) {
  write_test_file(folder_ / "meta.properties", as_bytes("version=0\nbroker.id=1\n"));
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("ZooKeeper"), std::string::npos);
}

TEST_F(LogDirectoryTest, FoundLogsAreListedWithTheirTopicIds) {
  open();
  ASSERT_TRUE(directory_->stamp({"cluster", 4, Uuid::of_halves(3, 5)}));
  run([this]() -> Task<void> {
    for (int i = 0; i < 3; ++i) co_await open_log({"b", i});
    co_await open_log({"__cluster_metadata", 0}, metadata_topic_id);
    co_await close();
  });
  fs::create_directories(folder_ / "a-0");
  fs::create_directories(folder_ / "not a partition");
  open();
  ASSERT_EQ(directory_->found().size(), 4U);
  EXPECT_EQ(directory_->found()[0].name, (TopicPartition{"a", 0}));
  EXPECT_FALSE(directory_->found()[0].topic_id);
  EXPECT_EQ(directory_->found()[3].name, (TopicPartition{"b", 2}));
  EXPECT_EQ(directory_->found()[3].topic_id, test_topic_id);
}

TEST_F(LogDirectoryTest, AnotherTopicsDirectoryIsNotTaken) {
  open();
  run([this]() -> Task<void> {
    co_await open_log({"topic", 0});
    co_await close();
  });
  open();
  run([this]() -> Task<void> {
    const auto other =
        co_await directory_->open_log({"topic", 0}, Uuid::of_halves(9, 9), test_config());
    EXPECT_EQ(other.error().code, ErrorCode::inconsistent_topic_id);
    co_await close();
  });
}

TEST_F(LogDirectoryTest, ARemovedLogIsRenamedAtOnceAndGoneLater) {
  open({.file_delete_delay_ms = 50, .checkpoint_interval_ms = 20});
  run([this]() -> Task<void> {
    auto log = co_await open_log({"topic", 0});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(append(*log, make_batch()));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->remove_log({"topic", 0}, test_topic_id));
    EXPECT_FALSE(fs::exists(folder_ / "topic-0"));
    EXPECT_TRUE(co_await directory_->remove_log({"topic", 0}, test_topic_id));
    // The same name again is another log.
    log = co_await open_log({"topic", 0}, Uuid::of_halves(1, 99));
    EXPECT_EQ(log->log_end(), Offset{0});
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    co_await env::sleep_for(env::milliseconds{300});
    std::vector<std::string> folders;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.is_directory()) folders.push_back(entry.path().filename());
    }
    EXPECT_EQ(folders, std::vector<std::string>{"topic-0"});
    log = nullptr;
    co_await close();
  });
}

TEST_F(LogDirectoryTest, WhatADeletionLeftIsRemovedByTheNextStart) {
  const std::string left = folder_ / "gone-0.050fd7fca51840ff8378cbb890dfcdac-delete";
  fs::create_directories(left);
  open({.file_delete_delay_ms = 10, .checkpoint_interval_ms = 10});
  run([&]() -> Task<void> {
    EXPECT_TRUE(co_await directory_->check_commit_log({}));
    for (int i = 0; i < 100 && fs::exists(left); ++i) {
      co_await env::sleep_for(env::milliseconds{10});
    }
    EXPECT_FALSE(fs::exists(left));
    co_await close();
  });
}

TEST_F(LogDirectoryTest, AStrayIsKeptUnderAnotherName) {
  open();
  run([this]() -> Task<void> {
    auto log = co_await open_log({"topic", 0});
    EXPECT_TRUE(append(*log, make_batch()));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->set_aside({"topic", 0}));
    EXPECT_FALSE(co_await directory_->set_aside({"__cluster_metadata", 0}));
    bool kept = false;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename();
      kept = kept || (name.starts_with("topic-0.") && name.ends_with("-stray") &&
                      fs::exists(entry.path() / "00000000000000000000.log"));
    }
    EXPECT_TRUE(kept);
    co_await close();
  });
}

TEST_F(LogDirectoryTest, CheckpointsFollowWhileItRuns) {
  open({.checkpoint_interval_ms = 20});
  run([this]() -> Task<void> {
    auto log = co_await open_log({"topic", 0});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    log->set_high_watermark(Offset{3});
    const std::string path = folder_ / "replication-offset-checkpoint";
    std::string text;
    for (int i = 0; i < 200 && text != "0\n1\ntopic 0 3\n"; ++i) {
      co_await env::sleep_for(env::milliseconds{10});
      if (fs::exists(path)) text = as_text(read_test_file(path));
    }
    EXPECT_EQ(text, "0\n1\ntopic 0 3\n");
    log = nullptr;
    co_await close();
  });
}

TEST_F(LogDirectoryTest, ALogThatWasNeverOpenedAfterAKillPreventsTheMarker) {
  open();
  run([this]() -> Task<void> {
    for (int i = 0; i < 2; ++i) {
      auto log = co_await open_log({"topic", i});
      EXPECT_TRUE(append(*log, make_batch()));
    }
    co_await close();
  });
  fs::remove(folder_ / ".kafka_cleanshutdown");
  for (const bool all : {false, true}) {
    open();
    run([&]() -> Task<void> {
      co_await open_log({"topic", 0});
      if (all) co_await open_log({"topic", 1});
      co_await close();
    });
    EXPECT_EQ(fs::exists(folder_ / ".kafka_cleanshutdown"), all);
  }
}

// Logs on all loops, each written by its own, one directory.
TEST_F(LogDirectoryTest, LoopsWriteSideBySide) {
  open({.checkpoint_interval_ms = 5});
  constexpr int batches = 200;
  const auto work = [this](int index) -> Task<Offset> {
    auto config = test_config();
    config->segment_bytes = 5'000;
    if (index % 2 == 1) config->durability = config::Durability::page_cache;
    auto log = std::move(
        *co_await directory_->open_log({"topic", index}, test_topic_id, std::move(config)));
    for (int i = 0; i < batches; ++i) {
      EXPECT_TRUE(append(*log, make_batch({.records = 2})));
      if (i % 16 == 0) EXPECT_TRUE(co_await log->flush());
      const auto fetched =
          co_await log->read(Offset{0}, {.end = log->written_end(), .max_bytes = 3'000});
      EXPECT_TRUE(fetched);
    }
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ(log->durable_end(), log->log_end());
    co_return log->log_end();
  };
  run([&]() -> Task<void> {
    env::Gate gate;
    int left = 6;
    std::vector<Offset> ends(6);
    const auto one = [](env::Environment* machine, const auto* body, int index, Offset* end,
                        int* running) -> Task<void> {
      *end = co_await env::call(machine->loop(static_cast<std::size_t>(index) % 3),
                                [body, index] [[clang::coro_wrapper]] { return (*body)(index); });
      --*running;
    };
    for (int i = 0; i < 6; ++i) {
      env::spawn(gate,
                 one(environment_.get(), &work, i, &ends[static_cast<std::size_t>(i)], &left));
    }
    co_await gate.close();
    EXPECT_EQ(left, 0);
    for (const Offset end : ends) EXPECT_EQ(end, Offset{2 * batches});
    co_await close();
  });
}

}  // namespace
}  // namespace arus::storage
