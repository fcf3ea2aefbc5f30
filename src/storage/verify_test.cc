// Checking a stopped log directory, and repairing what can be.
#include <gtest/gtest.h>

#include <fstream>

#include "record/batch.h"
#include "storage/golden_testing.h"
#include "storage/log_testing.h"
#include "storage/offset_index.h"
#include "storage/verify_directory.h"
#include "storage/verify_repair.h"

namespace arus::storage {
namespace {

namespace fs = std::filesystem;
using env::Task;

// A stopped directory with two partitions: transactions, producers, epochs, several segments.
class VerifyTest : public testing::Test {
 protected:
  static constexpr std::int64_t start_ms = 1'750'000'000'000;

  VerifyTest() {
    config_->segment_bytes = 900;
    config_->index_interval_bytes = 150;
    open_directory();
    EXPECT_TRUE(directory_->stamp({"cluster", 1, Uuid::of_halves(3, 5)}));
    run([this]() -> Task<void> {
      for (std::int32_t partition = 0; partition < 2; ++partition) {
        auto log = co_await open(partition);
        co_await fill(*log);
        log = nullptr;
      }
      co_await close();
    });
  }

  static Task<void> fill(Log& log) {
    record::BatchOptions options{.producer_id = ProducerId{4},
                                 .producer_epoch = 0,
                                 .base_sequence = 0,
                                 .transactional = true};
    EXPECT_TRUE(append(log, make_batch({.timestamp_ms = start_ms, .options = options})));
    for (int i = 1; i < 40; ++i) {
      record::BatchOptions plain{
          .compression = i % 3 == 0 ? record::Compression::zstd : record::Compression::none,
          .producer_id = ProducerId{9},
          .producer_epoch = 0,
          .base_sequence = i - 1};
      EXPECT_TRUE(append(log, make_batch({.timestamp_ms = start_ms + i * 10, .options = plain}),
                         {.leader_epoch = LeaderEpoch{1 + i / 20}}));
      if (i == 30) {
        EXPECT_TRUE(
            append(log,
                   Slice(record::build_end_transaction(
                       {.producer_id = ProducerId{4}, .producer_epoch = 0}, false, 0, start_ms)),
                   {.leader_epoch = LeaderEpoch{2}}));
      }
    }
    EXPECT_TRUE(co_await log.flush());
  }

  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, body());
  }
  void open_directory() {
    auto opened = LogDirectory::open(*environment_, folder_.path());
    ASSERT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
  }
  Task<std::unique_ptr<Log>> open(std::int32_t partition) {
    auto log = co_await directory_->open_log({"topic", partition}, test_topic_id, config_);
    EXPECT_TRUE(log) << log.error().message;
    co_return log ? std::move(*log) : nullptr;
  }
  Task<void> close() {
    EXPECT_TRUE(co_await directory_->close(5));
    directory_ = nullptr;
  }
  // Of topic-0 those that end so, ascending.
  [[nodiscard]] std::vector<std::string> files(std::string_view ending) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_ / "topic-0")) {
      if (entry.path().string().ends_with(ending)) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  }
  static void flip(const std::string& path, std::size_t at) {
    Bytes bytes = read_test_file(path);
    ASSERT_LT(at, bytes.size());
    bytes[at] ^= 1;
    write_test_file(path, bytes);
  }
  [[nodiscard]] std::map<std::string, Bytes> contents() const {
    std::map<std::string, Bytes> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (!entry.is_directory()) all[entry.path()] = read_test_file(entry.path());
    }
    return all;
  }
  static Offset base_of(const std::string& path) {
    return Offset{std::stoll(fs::path(path).stem().string())};
  }

  VerifyReport verify(const VerifyOptions& options = {},
                      const ExpectedPartitions* expected = nullptr) {
    const auto before = contents();
    VerifyReport report;
    auto check = DirectoryCheck::open(*environment_, folder_.path());
    EXPECT_TRUE(check) << check.error().message;
    if (!check) return report;
    run([&]() -> Task<void> {
      co_await (*check)->run(options, expected, [](const VerifyTotals&) { return true; });
    });
    report = (*check)->report();
    EXPECT_TRUE(contents() == before) << "checking changes nothing";
    return report;
  }
  static std::string text_of(const VerifyReport& report) {
    std::string text;
    for (const Finding& finding : report.findings) {
      text += std::string(severity_name(finding.severity)) + " " + place_of(finding) + ": " +
              finding.problem + " " + finding.at_start + "\n";
    }
    return text;
  }
  void repair_all(const VerifyReport& report, bool cut = false) {
    for (const Finding& finding : report.findings) {
      if (!finding.repair) continue;
      if (finding.repair->kind == RepairKind::cut_log && !cut) continue;
      Repair repair = *finding.repair;
      repair.index_interval_bytes = config_->index_interval_bytes;
      const auto applied = apply_repair(environment_->files(), folder_.path(), repair);
      EXPECT_TRUE(applied) << applied.error().message;
    }
  }
  void expect_only(const VerifyReport& report, Severity severity, const std::string& file) {
    EXPECT_EQ(report.count(severity), 1) << text_of(report);
    EXPECT_EQ(report.count(Severity::error) + report.count(Severity::warning), 1)
        << text_of(report);
    for (const Finding& finding : report.findings) {
      if (finding.severity == severity) EXPECT_EQ(finding.file, file);
    }
  }

  TemporaryFolder folder_;
  TemporaryFolder copies_;
  std::shared_ptr<config::TopicConfig> config_ = test_config();
  std::unique_ptr<env::RealEnvironment> environment_ =
      env::make_real_environment({.pool_threads = 3});
  std::unique_ptr<LogDirectory> directory_;
};

TEST_F(VerifyTest, NothingIsWrongWithAnOrderlyStop) {
  const VerifyReport report = verify();
  EXPECT_TRUE(report.clean);
  EXPECT_TRUE(report.findings.empty()) << text_of(report);
  EXPECT_EQ(report.totals.partitions, 2);
  EXPECT_EQ(report.totals.batches, 82);
  EXPECT_EQ(report.totals.records, 82);
  EXPECT_EQ(report.totals.segments, 2 * static_cast<std::int64_t>(files(".log").size()));
}

TEST_F(VerifyTest, AKillLeavesOnlyNotes) {
  open_directory();
  TemporaryFolder copy;
  run([&]() -> Task<void> {
    auto log = co_await open(0);
    for (int i = 0; i < 30; ++i) {
      EXPECT_TRUE(append(*log, make_batch({.timestamp_ms = start_ms + 1'000 + i}),
                         {.leader_epoch = LeaderEpoch{3}}));
    }
    EXPECT_TRUE(co_await log->flush());
    fs::copy(folder_.path(), copy.path(),
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    log = nullptr;
    co_await close();
  });
  fs::remove_all(folder_.path());
  fs::copy(copy.path(), folder_.path(), fs::copy_options::recursive);
  const std::string last = files(".log").back();
  Bytes torn = read_test_file(last);
  torn.resize(torn.size() - 10);
  write_test_file(last, torn);
  const VerifyReport report = verify();
  EXPECT_FALSE(report.clean);
  EXPECT_EQ(report.count(Severity::error) + report.count(Severity::warning), 0) << text_of(report);
  EXPECT_GT(report.count(Severity::note), 0);
}

TEST_F(VerifyTest, ADirectoryInUseIsRefusedAndSoIsWhatIsNone) {
  open_directory();
  const auto in_use = DirectoryCheck::open(*environment_, folder_.path());
  ASSERT_FALSE(in_use);
  EXPECT_NE(in_use.error().message.find("in use"), std::string::npos) << in_use.error().message;
  directory_ = nullptr;
  EXPECT_FALSE(DirectoryCheck::open(*environment_, folder_ / "nothing"));
  TemporaryFolder other;
  EXPECT_FALSE(DirectoryCheck::open(*environment_, other.path()));
  std::ofstream(other / "letter.txt") << "dear";
  EXPECT_FALSE(DirectoryCheck::open(*environment_, other.path()));
}

TEST_F(VerifyTest, EveryFlippedByteOfASegmentIsFound) {
  const std::string path = files(".log")[1];
  const Bytes whole = read_test_file(path);
  const std::int64_t position_of_second =
      static_cast<std::int64_t>(record::BatchView::parse(whole)->size_bytes());
  for (std::size_t at = 0; at < static_cast<std::size_t>(position_of_second); ++at) {
    flip(path, at);
    const VerifyReport report = verify({.topics = {"topic"}});
    EXPECT_GE(report.count(Severity::error) + report.count(Severity::warning), 1) << at;
    // A length that is wrong by a little is noticed where the next batch should begin, too.
    for (const Finding& finding : report.findings) {
      if (finding.severity != Severity::error || !finding.position) continue;
      EXPECT_EQ(finding.file, path);
      EXPECT_LE(*finding.position, position_of_second) << at;
      break;
    }
    write_test_file(path, whole);
  }
}

TEST_F(VerifyTest, DamageIsPassedOverAndWhatFollowsIsChecked) {
  const std::string path = files(".log")[1];
  Bytes bytes = read_test_file(path);
  bytes[8] = 0x7f;                  // the length of the first batch
  bytes[bytes.size() - 3] ^= 0x20;  // in the last one
  write_test_file(path, bytes);
  const VerifyReport report = verify();
  EXPECT_EQ(report.count(Severity::error), 2) << text_of(report);
  ASSERT_GE(report.findings.size(), 2U);
  EXPECT_EQ(report.findings.front().position, 0);
  EXPECT_EQ(report.findings.front().offset, base_of(path));
}

TEST_F(VerifyTest, IndexesAreComparedWithTheLogAndMadeAgain) {
  const auto before = contents();
  for (const char* ending : {".index", ".timeindex", ".txnindex"}) {
    for (const bool remove : {false, true}) {
      std::string path;
      for (const std::string& each : files(ending)) {
        if (!read_test_file(each).empty()) path = each;
      }
      ASSERT_FALSE(path.empty());
      if (remove) {
        fs::remove(path);
      } else {
        flip(path, std::string_view(ending) == ".txnindex" ? 9 : 7);
      }
      const VerifyReport report = verify();
      expect_only(report, Severity::warning, path);
      repair_all(report);
      EXPECT_TRUE(verify().findings.empty()) << ending << remove;
      EXPECT_TRUE(contents() == before) << ending << remove;
    }
  }
}

TEST_F(VerifyTest, SnapshotsEpochsAndCheckpointsAreSetAsideAndMadeAgain) {
  for (const std::string& path :
       {files(".snapshot").back(), folder_ / "topic-0/leader-epoch-checkpoint",
        folder_ / "recovery-point-offset-checkpoint"}) {
    Bytes bytes = read_test_file(path);
    bytes[0] ^= 0x40;
    write_test_file(path, bytes);
    VerifyReport report = verify();
    expect_only(report, Severity::warning, path);
    repair_all(report);
    EXPECT_FALSE(fs::exists(path));
    EXPECT_TRUE(read_test_file(path + ".damaged") == bytes) << "nothing is destroyed";
    open_directory();
    run([this]() -> Task<void> {
      auto log = co_await open(0);
      if (log == nullptr) co_return;
      EXPECT_EQ(log->log_end(), Offset{41});
      EXPECT_EQ(log->end_of_epoch(LeaderEpoch{1}).end, Offset{20});
      log = nullptr;
      auto other = co_await open(1);
      other = nullptr;
      co_await close();
    });
    report = verify();
    EXPECT_EQ(report.count(Severity::error) + report.count(Severity::warning), 0)
        << text_of(report);
  }
}

TEST_F(VerifyTest, EpochsAndSnapshotsThatParseAreComparedWithTheLog) {
  const std::string epochs = folder_ / "topic-0/leader-epoch-checkpoint";
  const Bytes before = read_test_file(epochs);
  write_test_file(
      epochs, Bytes(as_bytes("0\n2\n1 0\n2 12\n").begin(), as_bytes("0\n2\n1 0\n2 12\n").end()));
  expect_only(verify(), Severity::warning, epochs);
  write_test_file(epochs, before);
  // The snapshot of another offset under this name.
  const auto snapshots = files(".snapshot");
  ASSERT_GT(snapshots.size(), 2U);
  const Bytes other = read_test_file(snapshots[snapshots.size() - 2]);
  write_test_file(snapshots.back(), other);
  expect_only(verify(), Severity::warning, snapshots.back());
}

TEST_F(VerifyTest, ALogIsCutBeforeDamageOnlyWhenThatIsAskedForAndItsBytesAreKept) {
  const std::string path = files(".log")[1];
  const std::vector<std::string> logs = files(".log");
  const Bytes second = read_test_file(path);
  flip(path, record::BatchView::parse(second)->size_bytes() + 70);  // of its second batch
  const Bytes damaged = read_test_file(path);
  const VerifyReport report = verify();
  expect_only(report, Severity::error, path);
  const auto before = contents();
  repair_all(report);
  EXPECT_TRUE(contents() == before);
  const Repair cut = *report.findings.front().repair;
  EXPECT_EQ(cut.offset, base_of(path) + 1);
  EXPECT_EQ(cut.end, Offset{41});
  repair_all(report, true);
  // All that was cut is there: the rest of this segment, and whole later ones.
  std::size_t kept = 0;
  for (const auto& [file, bytes] : contents()) {
    if (file.ends_with(".cut") && file.find(".log") != std::string::npos) kept += bytes.size();
  }
  EXPECT_EQ(kept, static_cast<std::size_t>(cut.cut_bytes));
  const auto at = static_cast<std::size_t>(cut.position);
  EXPECT_TRUE(read_test_file(path + ".from-" + std::to_string(at) + ".cut") ==
              Bytes(damaged.begin() + static_cast<std::ptrdiff_t>(at), damaged.end()));
  EXPECT_TRUE(read_test_file(logs.back() + ".cut") == before.at(logs.back()));
  const VerifyReport again = verify();
  EXPECT_EQ(again.count(Severity::error) + again.count(Severity::warning), 0) << text_of(again);
  open_directory();
  run([&]() -> Task<void> {
    auto log = co_await open(0);
    if (log == nullptr) co_return;
    EXPECT_EQ(log->log_end(), cut.offset);
    EXPECT_TRUE(append(*log, make_batch(), {.leader_epoch = LeaderEpoch{7}}));
    EXPECT_TRUE(co_await log->flush());
    log = nullptr;
    auto other = co_await open(1);
    EXPECT_EQ(other->log_end(), Offset{41});
    other = nullptr;
    co_await close();
  });
  EXPECT_EQ(verify().count(Severity::error), 0);
}

TEST_F(VerifyTest, MissingSegmentsAndEndsAreErrors) {
  const std::vector<std::string> logs = files(".log");
  const auto rename = [](const std::string& path) { fs::rename(path, path + ".away"); };
  const auto back = [](const std::string& path) { fs::rename(path + ".away", path); };
  rename(logs[1]);
  VerifyReport report = verify();
  EXPECT_EQ(report.count(Severity::error), 1) << text_of(report);
  EXPECT_NE(text_of(report).find("are missing before this segment"), std::string::npos);
  back(logs[1]);
  rename(logs.back());
  report = verify();
  EXPECT_EQ(report.count(Severity::error), 1) << text_of(report);
  EXPECT_NE(text_of(report).find("had been on stable storage"), std::string::npos);
  back(logs.back());
  fs::rename(folder_ / "topic-1", copies_ / "topic-1");
  const ExpectedPartitions expected{
      .assigned = {{{"topic", 0}, test_topic_id}, {{"topic", 1}, test_topic_id}},
      .topics = {{"topic", test_topic_id}},
      .newest = {}};
  report = verify({}, &expected);
  EXPECT_EQ(report.count(Severity::error), 1) << text_of(report);
  EXPECT_NE(text_of(report).find("folder is missing"), std::string::npos);
}

TEST_F(VerifyTest, WhatTheMetadataDoesNotKnowIsNamed) {
  fs::create_directories(folder_ / "orphan-3");
  fs::create_directories(folder_ / "not a partition");
  fs::create_directories(folder_ / "topic-9.0123456789abcdef0123456789abcdef-delete");
  const ExpectedPartitions expected{
      .assigned = {{{"topic", 0}, test_topic_id}, {{"topic", 1}, Uuid::of_halves(8, 8)}},
      .topics = {{"topic", test_topic_id}},
      .newest = {}};
  const VerifyReport report = verify({}, &expected);
  const std::string text = text_of(report);
  EXPECT_NE(text.find("orphan-3: No topic of the metadata has this name."), std::string::npos)
      << text;
  EXPECT_NE(text.find("A directory does not belong here."), std::string::npos) << text;
  EXPECT_NE(text.find("It is of a deleted topic."), std::string::npos) << text;
  EXPECT_EQ(report.count(Severity::error), 0) << text;
}

TEST_F(VerifyTest, NothingIsWrongWithWhatKafkaLeft) {
  fs::remove_all(folder_.path());
  restore_golden_directory(folder_.path());
  write_test_file(folder_ / ".lock", {});
  const VerifyReport report = verify();
  EXPECT_EQ(report.count(Severity::error) + report.count(Severity::warning), 0) << text_of(report);
  EXPECT_GT(report.totals.batches, 100);
}

TEST_F(VerifyTest, ATopicCanBeCheckedAlone) {
  flip(files(".log").front(), 70);
  EXPECT_EQ(verify({.topics = {"other"}}).totals.partitions, 0);
  EXPECT_EQ(verify({.topics = {"topic"}}).count(Severity::error), 1);
}

}  // namespace
}  // namespace arus::storage
