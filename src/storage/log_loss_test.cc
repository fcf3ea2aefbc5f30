// What a power cut takes away around a log: segments in its middle, its namesake's past, the
// directory itself.
#include "storage/checkpoint_file.h"
#include "storage/commit_log_reader.h"
#include "storage/compaction_testing.h"
#include "storage/file_names.h"
#include "storage/partition_metadata.h"

namespace arus::storage {
namespace {

using env::Task;

class LossTest : public testing::TestWithParam<int>, protected SimulatedDirectory {
 protected:
  explicit LossTest(std::uint64_t seed = static_cast<std::uint64_t>(GetParam()))
      : SimulatedDirectory(seed, {.checkpoint_interval_ms = 10}) {
    config_->segment_bytes = 700;
    config_->index_interval_bytes = 150;
  }
  void restart() {
    stop();
    start();
  }
};

// Nothing may be missing in the middle of what is kept: a producer that sends again what was lost
// would come behind its own later batches.
class CompactedLossTest : public LossTest {
 protected:
  CompactedLossTest() { config_->cleanup_compact = true; }

  Task<void> write_and_lose_power() {
    std::unique_ptr<Log> log = co_await open();
    const auto add = [&](int i) {
      return append(*log, batch_of({{"k" + std::to_string(i % 5), std::to_string(i)}}, 1'000 + i))
          .has_value();
    };
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(add(i));
      EXPECT_TRUE(co_await log->flush());
      co_await env::sleep_for(env::milliseconds{5});
    }
    durable_ = log->durable_end();
    disk_->set_fault_hook([this,
                           left = 20 + below(60)](const env::FileOperation& operation) mutable {
      const bool reads = operation.act == env::FileAct::read || operation.act == env::FileAct::list;
      if (reads || left-- > 0) return env::FileFault{};
      disk_->cut_power();
      return env::FileFault{.os_error = EIO};
    });
    for (int i = 20; i < 200 && add(i); ++i) {
      if (below(4) == 0) co_await env::sleep_for(env::microseconds(below(300)));
      durable_ = std::max(durable_, log->durable_end());
    }
    disk_->set_fault_hook(nullptr);
    disk_->cut_power();
    durable_ = std::max(durable_, log->durable_end());
    log = nullptr;
    EXPECT_FALSE(co_await directory_->close(1));
  }
  Task<void> check() {
    std::unique_ptr<Log> log = co_await open();
    EXPECT_GE(log->log_end(), durable_);
    const Served served = co_await read_all(*log);
    EXPECT_EQ(static_cast<std::int64_t>(served.records.size()), log->log_end() - log->log_start());
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  }
  Offset durable_;
};

TEST_P(CompactedLossTest, WhatIsKeptHasNoGap) {
  ASSERT_TRUE(directory_->stamp({"cluster", 1, Uuid::of_halves(3, 5)}));
  run([this] [[clang::coro_wrapper]] { return write_and_lose_power(); });
  stop();
  disk_->crash({});
  ASSERT_FALSE(read_commit_log(*disk_, root)->laps.empty());
  start();
  run([this] [[clang::coro_wrapper]] { return check(); });
  stop();
}

INSTANTIATE_TEST_SUITE_P(Seeds, CompactedLossTest, testing::Range(1, 41));

// A page-cache log of which nothing was flushed, not even its folder.
class UnfinishedTest : public LossTest {
 protected:
  UnfinishedTest() : LossTest(7) {
    EXPECT_TRUE(directory_->stamp({"cluster", 1, Uuid::of_halves(3, 5)}));
    cached_->segment_bytes = 700;
    cached_->durability = config::Durability::page_cache;
  }
  Task<std::unique_ptr<Log>> open_cached() {
    auto log = co_await directory_->open_log({"topic", 1}, test_topic_id, cached_);
    EXPECT_TRUE(log) << log.error().message;
    EXPECT_TRUE(co_await directory_->sync_recovered());
    co_return std::move(*log);
  }
  // No flush of what page-cache logs write ends.
  Task<void> write() {
    auto synced = co_await open();
    // The first one begins the commit log, the second one is in it.
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(append(*synced, make_batch()));
      EXPECT_TRUE(co_await synced->flush());
      co_await env::sleep_for(env::milliseconds{100});
    }
    disk_->set_fault_hook([](const env::FileOperation& operation) {
      const bool waits =
          operation.act == env::FileAct::sync && operation.path.contains("/topic-1/");
      return env::FileFault{.stall = waits ? env::seconds(100) : env::Duration{}};
    });
    log_ = co_await open_cached();
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(append(*log_, make_batch({.records = 2})));
    co_await env::sleep_for(env::milliseconds{100});  // checkpoints are written
    EXPECT_EQ(log_->written_end(), Offset{80});
  }
  void kill() {
    disk_->cut_power();
    disk_->set_fault_hook(nullptr);
    log_ = nullptr;
    // What waits for the disk comes to an end.
    run([]() -> Task<void> { co_await env::sleep_for(env::seconds(10'000)); });
    stop();
    disk_->crash({.keep_page = 1, .tear_page = 0, .keep_entry = 1});
  }

  std::shared_ptr<config::TopicConfig> cached_ = test_config();
  std::unique_ptr<Log> log_;
};

// What stands in such a folder may be of an earlier topic of that name.
TEST_F(UnfinishedTest, AFolderWhoseTopicIdWasNeverFlushedIsUnfinished) {
  run([this] [[clang::coro_wrapper]] { return write(); });
  kill();
  const std::string metadata =
      std::string(root) + "/topic-1/" + std::string(partition_metadata_name);
  const Bytes text = *disk_->read_file(metadata);
  Bytes flipped = text;
  flipped.back() ^= 0x80;
  const auto is_unfinished = [&](std::optional<Bytes> bytes) {
    EXPECT_TRUE(disk_->remove(metadata));
    if (bytes) EXPECT_TRUE((*disk_->open(metadata, env::OpenMode::create))->write_at(*bytes, 0));
    start();
    const auto& found = directory_->found();
    const auto log = std::ranges::find(found, TopicPartition{"topic", 1}, &FoundLog::name);
    EXPECT_NE(log, found.end());
    const bool unfinished = log != found.end() && log->unfinished;
    stop();
    return unfinished;
  };
  EXPECT_FALSE(is_unfinished(text));
  EXPECT_FALSE(is_unfinished(flipped)) << "that is damage: nothing is given up for it";
  EXPECT_TRUE(is_unfinished(Bytes{}));
  EXPECT_TRUE(is_unfinished(Bytes(text.size())));
  EXPECT_TRUE(is_unfinished(std::nullopt));
  // Where something was durable, its topic id was, too.
  const std::string checkpoint = join_path(root, recovery_point_checkpoint_name);
  ASSERT_TRUE(disk_->replace_file(checkpoint, as_bytes("0\n2\ntopic 0 0\ntopic 1 14\n")));
  EXPECT_FALSE(is_unfinished(std::nullopt));
  start();
}

// A page-cache log's only flushes are those of its full segments.
class FullSegmentTest : public LossTest {
 protected:
  FullSegmentTest() : LossTest(3) { config_->durability = config::Durability::page_cache; }
};

TEST_F(FullSegmentTest, ItsFlushCoversTheNewFolderThatItIsIn) {
  Offset durable;
  run([&]() -> Task<void> {
    const auto other = co_await open(1);  // what is new at the start is flushed then
    const auto log = *co_await directory_->open_log({"topic", 0}, test_topic_id, config_);
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(append(*log, make_batch({.records = 2})));
    co_await env::sleep_for(env::milliseconds{200});
    const Bytes text = *disk_->read_file(join_path(root, recovery_point_checkpoint_name));
    for (const auto& [name, offset] : *parse_offset_checkpoint(as_text(text))) {
      if (name.partition == 0) durable = offset;
    }
    EXPECT_GT(durable, Offset{0});
    disk_->cut_power();
  });
  stop();
  disk_->crash(nothing_kept);
  const auto metadata = disk_->read_file(join_path(root, "topic-0/partition.metadata"));
  ASSERT_TRUE(metadata);
  EXPECT_EQ(parse_partition_metadata(as_text(*metadata)), test_topic_id);
  start();
  run([&]() -> Task<void> {
    auto log = co_await open();
    EXPECT_GE(log->log_end(), durable);
    const auto served = static_cast<std::int64_t>((co_await read_all(*log)).records.size());
    EXPECT_EQ(served, log->log_end().value());
  });
}

class NamesakeTest : public LossTest {
 protected:
  NamesakeTest() : LossTest(5) {
    options_.checkpoint_interval_ms = 3'600'000;
    restart();
  }
  Task<std::unique_ptr<Log>> open_as(Uuid id) {
    auto log = co_await directory_->open_log({"topic", 0}, id, config_);
    EXPECT_TRUE(log) << log.error().message;
    EXPECT_TRUE(co_await directory_->sync_recovered());
    co_return std::move(*log);
  }
  // A log whose offsets all checkpoints name.
  Task<void> fill_and_remove(Uuid id) {
    auto log = co_await open_as(id);
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    EXPECT_TRUE(co_await log->advance_log_start(Offset{31}));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->remove_log({"topic", 0}, id));
  }
  void kill() {
    disk_->cut_power();
    stop();
    disk_->crash({.keep_page = 1, .tear_page = 0, .keep_entry = 1});
    start();
  }
  Task<void> expect_three_records(Uuid id) {
    auto log = co_await open_as(id);
    EXPECT_EQ(log->log_start(), Offset{0});
    EXPECT_EQ(log->log_end(), Offset{3});
    EXPECT_EQ(log->checkpointed_high_watermark(), Offset{0});
    EXPECT_EQ((co_await read_all(*log)).records.size(), 3U);
  }
};

TEST_F(NamesakeTest, ACheckpointOfADeletedTopicDoesNotCountForItsSuccessor) {
  const Uuid before = Uuid::of_halves(1, 1);
  const Uuid after = Uuid::of_halves(2, 2);
  run([&]() -> Task<void> {
    co_await fill_and_remove(before);
    auto log = co_await open_as(after);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    disk_->cut_power();
  });
  kill();
  run([&] [[clang::coro_wrapper]] { return expect_three_records(after); });
}

TEST_F(NamesakeTest, NorDoesItAfterAKillBetweenTheDeletionAndTheSuccessor) {
  const Uuid before = Uuid::of_halves(1, 1);
  const Uuid after = Uuid::of_halves(2, 2);
  run([&] [[clang::coro_wrapper]] { return fill_and_remove(before); });
  kill();
  run([&]() -> Task<void> {
    auto log = co_await open_as(after);
    EXPECT_EQ(log->log_start(), Offset{0});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    disk_->cut_power();
  });
  kill();
  run([&] [[clang::coro_wrapper]] { return expect_three_records(after); });
}

TEST_F(NamesakeTest, TheNameOfANewDirectoryIsOnStableStorage) {
  stop();
  const std::string path = "/srv/arus/data";
  environment_ = simulation_.make_environment({.disk = disk_});
  {
    auto opened = LogDirectory::open(*environment_, path);
    ASSERT_TRUE(opened);
    ASSERT_TRUE((*opened)->stamp({"cluster", 1, Uuid::of_halves(3, 5)}));
  }
  disk_->cut_power();
  environment_ = nullptr;
  disk_->crash({.keep_page = 0, .tear_page = 0, .keep_entry = 0});
  environment_ = simulation_.make_environment({.disk = disk_});
  {
    auto opened = LogDirectory::open(*environment_, path);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE((*opened)->identity());
  }
}

}  // namespace
}  // namespace arus::storage
