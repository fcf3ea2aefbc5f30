// The commit log: its bytes, and what a directory does with it.
#include "storage/commit_log.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/crc32c.h"
#include "record/batch.h"
#include "storage/file_names.h"
#include "storage/simulated_directory_testing.h"

namespace arus::storage {
namespace {

using env::Task;

constexpr env::CrashPolicy all_kept{.keep_page = 1, .tear_page = 0, .keep_entry = 1};

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

Uuid counting_uuid(std::uint8_t first) {
  Uuid id;
  for (std::uint8_t& byte : id.bytes) byte = first++;
  return id;
}

const CommitLogHeader golden_header{5, 9,
                                    CommitLogOwner{.cluster_id = "cluster",
                                                   .directory_id = counting_uuid(0),
                                                   .incarnation_id = counting_uuid(16),
                                                   .broker_epoch = 77}};
const Bytes golden_header_bytes = from_hex(
    "41525553434c4f470001181d5c6b00000000000000050000000000000009000102030405060708090a0b0c0d0e0f"
    "101112131415161718191a1b1c1d1e1f000000000000004d07636c7573746572");
const CommitLogEntry golden_entry{.sequence = 9,
                                  .type = CommitLogEntryType::batches,
                                  .name = {"topic", 3},
                                  .topic_id = counting_uuid(0),
                                  .segment = Offset{100},
                                  .position = 4321,
                                  .base_offset = Offset{142},
                                  .leader_epoch = LeaderEpoch{6}};
const Bytes golden_entry_bytes = from_hex(
    "0000004ac1630b8c0000000000000009010500000003000102030405060708090a0b0c0d0e0f0000000000000064"
    "000010e1000000000000008e00000006746f7069637061796c6f6164");

TEST(CommitLogFormat, AHeaderIsOneBlockAsDocumented) {
  const Bytes block = encode(golden_header);
  ASSERT_EQ(block.size(), commit_log_format::block_bytes);
  EXPECT_TRUE(equal(ByteView(block).first(golden_header_bytes.size()), golden_header_bytes));
  EXPECT_EQ(parse_commit_log_header(block), golden_header);
  for (std::size_t i = 0; i < golden_header_bytes.size(); ++i) {
    Bytes damaged = block;
    damaged[i] ^= 0x20;
    EXPECT_FALSE(parse_commit_log_header(damaged)) << i;
    EXPECT_FALSE(parse_commit_log_header(ByteView(block).first(i))) << i;
  }
  EXPECT_FALSE(parse_commit_log_header(Bytes(commit_log_format::block_bytes)));
}

TEST(CommitLogFormat, AnEntryIsWhatIsDocumented) {
  Bytes bytes;
  const Slice payload = Slice::copy_of(as_bytes("payload"));
  // The pieces of a payload are one run of bytes.
  encode(golden_entry, {payload.sub(0, 3), payload.sub(3, 4)}, commit_log_salt(5), bytes);
  bytes.insert(bytes.end(), payload.view().begin(), payload.view().end());
  EXPECT_EQ(bytes, golden_entry_bytes);
  EXPECT_EQ(bytes.size(), commit_log_entry_size("topic", 7));
  bytes.push_back(0);
  const auto parsed = parse_commit_log_entry(bytes, commit_log_salt(5));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->entry, golden_entry);
  EXPECT_EQ(parsed->size_bytes, golden_entry_bytes.size());
  EXPECT_EQ(as_text(ByteView(bytes).subspan(parsed->payload_at, 7)), "payload");
}

TEST(CommitLogFormat, AnEntryThatIsDamagedCutOrOfAnotherGenerationIsNone) {
  for (std::size_t i = 0; i < golden_entry_bytes.size(); ++i) {
    Bytes damaged = golden_entry_bytes;
    damaged[i] ^= 0x20;
    EXPECT_FALSE(parse_commit_log_entry(damaged, commit_log_salt(5))) << i;
    EXPECT_FALSE(parse_commit_log_entry(ByteView(golden_entry_bytes).first(i), commit_log_salt(5)));
  }
  EXPECT_FALSE(parse_commit_log_entry(golden_entry_bytes, commit_log_salt(4)));
  EXPECT_FALSE(parse_commit_log_entry(Bytes(100), commit_log_salt(5)));
}

TEST(CommitLogFormat, AnEntryThatCannotBeIsNone) {
  const auto parses = [](const CommitLogEntry& entry, std::string_view payload) {
    Bytes bytes;
    encode(entry, {Slice::unowned(as_bytes(payload))}, 1, bytes);
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return parse_commit_log_entry(bytes, 1).has_value();
  };
  CommitLogEntry entry = golden_entry;
  EXPECT_TRUE(parses(entry, "x"));
  EXPECT_FALSE(parses(entry, ""));
  entry.position = -1;
  EXPECT_FALSE(parses(entry, "x"));
  entry = golden_entry;
  entry.segment = Offset{143};
  EXPECT_FALSE(parses(entry, "x"));
  entry = golden_entry;
  entry.type = CommitLogEntryType{3};
  EXPECT_FALSE(parses(entry, "x"));
  entry = golden_entry;
  entry.name.topic = "";
  EXPECT_FALSE(parses(entry, "x"));
}

TEST(CommitLogFormat, FilesAreNumbered) {
  EXPECT_EQ(commit_log_file_name(12), "arus-commit-log-12");
  EXPECT_EQ(parse_commit_log_file_name("arus-commit-log-12"), 12U);
  for (const char* name : {"arus-commit-log-", "arus-commit-log-1x", "arus-commit-log-9999",
                           "arus-set-aside-commit-log-1", "commit-log-1"}) {
    EXPECT_FALSE(parse_commit_log_file_name(name)) << name;
  }
}

// A directory on a simulated disk.
class CommitLogTest : public testing::Test, protected SimulatedDirectory {
 protected:
  CommitLogTest()
      : SimulatedDirectory(
            3, {.commit_log = {.first_file_bytes = 512 << 10, .later_file_bytes = 512 << 10}}) {
    run([this]() -> Task<void> { EXPECT_TRUE(co_await directory_->sync_recovered()); });
  }

  Task<Result<std::unique_ptr<Log>>> try_open(std::int32_t partition = 0) {
    co_return co_await directory_->open_log({"topic", partition}, test_topic_id, config_);
  }
  Task<std::unique_ptr<Log>> open(std::int32_t partition = 0) {
    auto log = co_await try_open(partition);
    EXPECT_TRUE(log) << log.error().message;
    co_return std::move(*log);
  }
  // Until the first file is there, segments are flushed.
  static Task<void> warm_up(Log& log) {
    EXPECT_TRUE(append(log, make_batch()));
    EXPECT_TRUE(co_await log.flush());
    co_await env::sleep_for(env::seconds{1});
  }
  static Task<void> fill(Log& log, int batches, LeaderEpoch epoch = LeaderEpoch{0}) {
    for (int i = 0; i < batches; ++i) {
      EXPECT_TRUE(append(log, make_batch({.value_bytes = 100}), {.leader_epoch = epoch}));
      EXPECT_TRUE(co_await log.flush());
    }
  }
  // The power goes, and comes back.
  void crash(std::unique_ptr<Log>& log, const env::CrashPolicy& policy,
             const std::string& lost_folder = {}) {
    disk_->cut_power();
    run([&]() -> Task<void> {
      log = nullptr;
      EXPECT_FALSE(co_await directory_->close(1));
    });
    stop();
    disk_->crash(policy);
    if (!lost_folder.empty()) EXPECT_TRUE(disk_->remove_tree(root + lost_folder));
    start();
  }
  // One partition with one batch of before the commit log and `batches` in it; then a crash.
  void write_and_crash(int batches, const env::CrashPolicy& policy) {
    std::unique_ptr<Log> log;
    run([&]() -> Task<void> {
      log = co_await open();
      co_await warm_up(*log);
      co_await fill(*log, batches);
    });
    crash(log, policy);
  }
  Task<void> close(std::unique_ptr<Log> log) {
    log = nullptr;
    const auto closed = co_await directory_->close(1);
    EXPECT_TRUE(closed) << closed.error().message;
  }
  std::vector<std::string> files(std::string_view prefix) {
    std::vector<std::string> names;
    for (const auto& entry : *disk_->list(root)) {
      if (entry.name.starts_with(prefix)) names.push_back(entry.name);
    }
    return names;
  }
  std::vector<std::string> commit_log_files() { return files(commit_log_format::file_prefix); }
  std::vector<std::string> set_aside_files() { return files(commit_log_format::aside_prefix); }
};

const std::string segment_path = std::string(root) + "/topic-0/00000000000000000000.log";

TEST_F(CommitLogTest, OneFlushAcknowledgesAllPartitions) {
  run([this]() -> Task<void> {
    std::vector<std::unique_ptr<Log>> logs;
    for (int i = 0; i < 50; ++i) logs.push_back(co_await open(i));
    co_await warm_up(*logs[0]);
    int flushes = 0;
    int writes = 0;
    disk_->set_fault_hook([&](const env::FileOperation& operation) {
      if (operation.act == env::FileAct::sync || operation.act == env::FileAct::sync_directory ||
          operation.act == env::FileAct::sync_file_system) {
        ++flushes;
        EXPECT_EQ(operation.path, std::string(root) + "/arus-commit-log-0");
      }
      if (operation.act == env::FileAct::write &&
          operation.path.find("commit") != operation.path.npos) {
        ++writes;
        EXPECT_EQ(operation.offset % 4096, 0);
      }
      return env::FileFault{};
    });
    for (const auto& log : logs) EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await logs[0]->flush());
    for (int i = 0; i < 50; ++i) EXPECT_EQ(logs[i]->durable_end(), logs[i]->log_end());
    EXPECT_EQ(flushes, 1);
    EXPECT_EQ(writes, 1);
    disk_->set_fault_hook(nullptr);
    logs.clear();
    co_await close(nullptr);
  });
}

TEST_F(CommitLogTest, NothingIsLeftOfItAfterACleanStop) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await warm_up(*log);
    co_await fill(*log, 5);
    EXPECT_EQ(commit_log_files().size(), 1U);
    co_await close(std::move(log));
  });
  EXPECT_TRUE(commit_log_files().empty());
  stop();
  start();
  EXPECT_TRUE(directory_->clean_shutdown_epoch());
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{6});
    co_await close(std::move(log));
  });
}

TEST_F(CommitLogTest, WhatASegmentHasLostIsWrittenAgain) {
  write_and_crash(20, nothing_kept);
  EXPECT_EQ(commit_log_files().size(), 1U);
  EXPECT_LT(*disk_->file_size(segment_path), 100);
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{21});
    EXPECT_EQ(log->durable_end(), Offset{21});
    EXPECT_TRUE(co_await directory_->sync_recovered());
    co_await fill(*log, 3, LeaderEpoch{1});
    co_await close(std::move(log));
  });
}

TEST_F(CommitLogTest, APartitionWhoseFolderIsLostIsFoundAndMadeAgain) {
  std::unique_ptr<Log> other;
  std::unique_ptr<Log> log;
  config_->segment_bytes = 500;
  run([&]() -> Task<void> {
    other = co_await open(1);
    co_await warm_up(*other);
    log = co_await open(0);
    co_await fill(*log, 20);  // several segments
  });
  disk_->cut_power();
  other = nullptr;
  // It would survive where a full segment was flushed in time.
  crash(log, {.keep_page = 0.5, .tear_page = 0.5, .keep_entry = 0}, "/topic-0");
  EXPECT_FALSE(disk_->exists(std::string(root) + "/topic-0"));
  ASSERT_EQ(directory_->found().size(), 2U);
  EXPECT_EQ(directory_->found()[0].name, (TopicPartition{"topic", 0}));
  EXPECT_EQ(directory_->found()[0].topic_id, test_topic_id);
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{20});
    auto other = co_await open(1);
    EXPECT_TRUE(co_await directory_->sync_recovered());
    other = nullptr;
    co_await close(std::move(log));
  });
  EXPECT_TRUE(commit_log_files().empty());
}

TEST_F(CommitLogTest, ACrashDuringRecoveryStartsItAgain) {
  write_and_crash(20, nothing_kept);
  std::unique_ptr<Log> log;
  run([&]() -> Task<void> { log = co_await open(); });
  EXPECT_EQ(log->log_end(), Offset{21});
  crash(log, nothing_kept);
  run([&]() -> Task<void> {
    log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{21});
    EXPECT_TRUE(co_await directory_->sync_recovered());
  });
  crash(log, nothing_kept);
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{21});
    EXPECT_TRUE(co_await directory_->sync_recovered());
    co_await close(std::move(log));
  });
}

TEST_F(CommitLogTest, OfAnotherRunItIsSetAside) {
  const BrokerRegistration ours{.incarnation_id = counting_uuid(1), .broker_epoch = 5};
  for (const bool same : {true, false}) {
    directory_->set_registration(ours);
    write_and_crash(20, nothing_kept);
    run([this, ours, same]() -> Task<void> {
      BrokerRegistration newest = ours;
      if (!same) newest.broker_epoch = 6;
      EXPECT_TRUE(co_await directory_->check_commit_log(newest));
      EXPECT_EQ(commit_log_files().empty(), !same);
      EXPECT_EQ(set_aside_files().empty(), same);
      auto log = co_await open();
      EXPECT_TRUE(co_await directory_->sync_recovered());
      EXPECT_EQ(log->log_end(), same ? Offset{21} : Offset{22});
      co_await close(std::move(log));
    });
    stop();
    start();
  }
}

TEST_F(CommitLogTest, ACleanStopOfSomebodyElseSetsItAside) {
  write_and_crash(20, all_kept);
  stop();
  ASSERT_TRUE(disk_->replace_file(std::string(root) + "/.kafka_cleanshutdown",
                                  as_bytes("{\"version\":0,\"brokerEpoch\":7}")));
  start();
  EXPECT_TRUE(commit_log_files().empty());
  EXPECT_EQ(set_aside_files().size(), 1U);
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{21});
    co_await close(std::move(log));
  });
  EXPECT_EQ(set_aside_files().size(), 1U);
}

TEST_F(CommitLogTest, OfAnotherDirectoryItIsSetAside) {
  ASSERT_TRUE(directory_->stamp({"cluster", 1, Uuid::of_halves(1, 500)}));
  write_and_crash(5, all_kept);
  EXPECT_TRUE(set_aside_files().empty());
  ASSERT_TRUE(directory_->stamp({"cluster", 1, Uuid::of_halves(1, 501)}));
  stop();
  start();
  EXPECT_EQ(set_aside_files().size(), 1U);
}

TEST_F(CommitLogTest, WhereSomebodyHasLedThePartitionSinceReplayEnds) {
  write_and_crash(20, nothing_kept);
  stop();
  const Slice theirs = make_batch({.records = 3});
  record::set_base_offset(theirs.mutable_view(), Offset{1});
  record::set_leader_epoch(theirs.mutable_view(), LeaderEpoch{4});
  {
    auto file = disk_->open(segment_path, env::OpenMode::read_write);
    ASSERT_TRUE((*file)->write_at(theirs.view(), *(*file)->size()));
  }
  start();
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{4});
    EXPECT_EQ(log->latest_epoch(), LeaderEpoch{4});
    EXPECT_TRUE(co_await directory_->sync_recovered());
    co_await close(std::move(log));
  });
}

TEST_F(CommitLogTest, MissingBytesBeforeItsWritesAreDamage) {
  write_and_crash(20, all_kept);
  stop();
  ASSERT_TRUE(disk_->remove(segment_path));
  start();
  run([this]() -> Task<void> {
    const auto log = co_await try_open();
    EXPECT_FALSE(log);
    EXPECT_EQ(log.error().code, ErrorCode::kafka_storage_error);
    EXPECT_FALSE(disk_->exists(segment_path));
    // It is kept for who repairs that.
    EXPECT_TRUE(co_await directory_->sync_recovered());
    EXPECT_TRUE(co_await directory_->close(1));
  });
  EXPECT_EQ(commit_log_files().size(), 1U);
  stop();
  start();
  EXPECT_FALSE(directory_->clean_shutdown_epoch());
}

TEST_F(CommitLogTest, FilesAreUsedAgain) {
  options_.commit_log = {
      .first_file_bytes = 16 << 10, .later_file_bytes = 32 << 10, .most_files = 3};
  stop();
  start();
  std::unique_ptr<Log> log;
  run([&]() -> Task<void> {
    log = co_await open();
    co_await warm_up(*log);
    int direct = 0;
    disk_->set_fault_hook([&](const env::FileOperation& operation) {
      if (operation.act == env::FileAct::sync && operation.path == segment_path) ++direct;
      return env::FileFault{};
    });
    co_await fill(*log, 200);
    disk_->set_fault_hook(nullptr);
    EXPECT_LT(direct, 60);
    EXPECT_EQ(commit_log_files().size(), 3U);
  });
  crash(log, nothing_kept);
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{201});
    EXPECT_TRUE(co_await directory_->sync_recovered());
    co_await fill(*log, 50, LeaderEpoch{1});
    EXPECT_LE(commit_log_files().size(), 3U);
    co_await close(std::move(log));
  });
}

TEST_F(CommitLogTest, WithoutSpaceForAFileSegmentsAreFlushed) {
  disk_->set_capacity(40 << 10);
  run([this]() -> Task<void> {
    auto log = co_await open();
    co_await warm_up(*log);
    co_await fill(*log, 10);
    EXPECT_TRUE(commit_log_files().empty());
    EXPECT_FALSE(directory_->offline());
    EXPECT_EQ(log->durable_end(), Offset{11});
    co_await close(std::move(log));
  });
}

TEST_F(CommitLogTest, AFailedFlushOfItTakesTheDirectoryOffline) {
  std::unique_ptr<Log> log;
  run([&]() -> Task<void> {
    log = co_await open();
    co_await warm_up(*log);
    disk_->set_fault_hook([](const env::FileOperation& operation) {
      const bool fails = operation.act == env::FileAct::sync &&
                         operation.path.find("commit-log") != std::string::npos;
      return env::FileFault{.os_error = fails ? EIO : 0};
    });
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_FALSE(co_await log->flush());
    EXPECT_EQ(log->durable_end(), Offset{1});
    EXPECT_TRUE(directory_->offline());
    log = nullptr;
    EXPECT_FALSE(co_await directory_->close(1));
  });
}

TEST_F(CommitLogTest, ATruncatedBatchDoesNotComeBack) {
  std::unique_ptr<Log> log;
  run([&]() -> Task<void> {
    log = co_await open();
    co_await warm_up(*log);
    co_await fill(*log, 20);
    EXPECT_TRUE(co_await log->truncate_to(Offset{10}));
    EXPECT_EQ(log->log_end(), Offset{10});
  });
  crash(log, nothing_kept);
  run([&]() -> Task<void> {
    log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{10});
    EXPECT_TRUE(co_await directory_->sync_recovered());
    EXPECT_TRUE(append(*log, make_batch(), {.leader_epoch = LeaderEpoch{1}}));
    EXPECT_TRUE(co_await log->flush());
    co_await close(std::move(log));
  });
}

TEST_F(CommitLogTest, OnceRecoveryIsOverNothingIsReplayed) {
  write_and_crash(20, all_kept);
  run([this]() -> Task<void> {
    EXPECT_TRUE(co_await directory_->sync_recovered());
    auto other = co_await open(1);
    co_await warm_up(*other);
    co_await fill(*other, 30);  // to the file that was found
    other = nullptr;
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{21});
    const auto fetched = co_await log->read(Offset{0}, {.end = Offset{21}, .max_bytes = 1 << 20});
    EXPECT_TRUE(fetched && fetched->size_bytes > 20 * 100);
    co_await close(std::move(log));
  });
}

TEST_F(CommitLogTest, WhatIsSetAsideIsWholeAndDoesNotComeBack) {
  write_and_crash(20, nothing_kept);
  std::unique_ptr<Log> log;
  run([&]() -> Task<void> {
    EXPECT_TRUE(co_await directory_->set_aside({"topic", 0}));
    const auto stray = files("topic-0.");
    EXPECT_EQ(stray.size(), 1U);
    if (stray.size() == 1) {
      const auto segment = join_path(join_path(root, stray[0]), "00000000000000000000.log");
      EXPECT_GT(*disk_->file_size(segment), 20 * 100);
    }
  });
  crash(log, nothing_kept);
  run([&]() -> Task<void> {
    log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{0});
    EXPECT_TRUE(co_await directory_->sync_recovered());
    co_await close(std::move(log));
  });
}

TEST_F(CommitLogTest, LargeWritesAreFlushedThemselves) {
  options_.commit_log = {.direct_from_bytes = 2'000};
  stop();
  start();
  std::unique_ptr<Log> log;
  run([&]() -> Task<void> {
    log = co_await open();
    co_await warm_up(*log);
    co_await fill(*log, 3);
    int direct = 0;
    disk_->set_fault_hook([&](const env::FileOperation& operation) {
      if (operation.act == env::FileAct::sync && operation.path == segment_path) ++direct;
      return env::FileFault{};
    });
    EXPECT_TRUE(append(*log, make_batch({.value_bytes = 3'000})));
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ(direct, 1);
    co_await fill(*log, 3);
    EXPECT_EQ(direct, 1);
    disk_->set_fault_hook(nullptr);
  });
  crash(log, nothing_kept);
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{8});
    EXPECT_TRUE(co_await directory_->sync_recovered());
    co_await close(std::move(log));
  });
}

}  // namespace
}  // namespace arus::storage
