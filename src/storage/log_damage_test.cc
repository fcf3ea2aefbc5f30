// Damage beside the batches: what the indexes are made again from, and reads that do not need them.
#include <gtest/gtest.h>

#include "record/batch.h"
#include "storage/golden_testing.h"
#include "storage/log_testing.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"

namespace arus::storage {
namespace {

namespace fs = std::filesystem;
using env::Task;

// A log with an aborted transaction that spans segments, closed in order, on a real disk.
class LogDamageTest : public testing::Test {
 protected:
  static constexpr std::int64_t start_ms = 1'750'000'000'000;

  LogDamageTest() {
    config_->segment_bytes = 900;
    config_->index_interval_bytes = 150;
    open_directory();
    run([this]() -> Task<void> {
      auto log = co_await open();
      const record::BatchOptions options{.producer_id = ProducerId{4},
                                         .producer_epoch = 0,
                                         .base_sequence = 0,
                                         .transactional = true};
      EXPECT_TRUE(append(*log, make_batch({.timestamp_ms = start_ms, .options = options})));
      for (int i = 1; i < 40; ++i) {
        EXPECT_TRUE(append(*log, make_batch({.timestamp_ms = start_ms + i * 10})));
        if (i == 30) EXPECT_TRUE(append(*log, marker()));
      }
      co_await close(std::move(log));
    });
  }

  static Slice marker() {
    return Slice(record::build_end_transaction({.producer_id = ProducerId{4}, .producer_epoch = 0},
                                               false, 0, start_ms));
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
  Task<std::unique_ptr<Log>> open() {
    auto log = co_await directory_->open_log({"topic", 0}, test_topic_id, config_);
    EXPECT_TRUE(log) << log.error().message;
    co_return std::move(*log);
  }
  Task<void> close(std::unique_ptr<Log> log) {
    log = nullptr;
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
  static Offset base_of(const std::string& path) {
    return Offset{std::stoll(fs::path(path).stem().string())};
  }

  TemporaryFolder folder_;
  std::shared_ptr<config::TopicConfig> config_ = test_config();
  std::unique_ptr<env::RealEnvironment> environment_ = env::make_real_environment({});
  std::unique_ptr<LogDirectory> directory_;
};

TEST_F(LogDamageTest, AbortedTransactionsAreFoundAgainWithTheIndexes) {
  ASSERT_EQ(files(".txnindex").size(), 1U);
  const std::string path = files(".txnindex").front();
  const std::string beside = path.substr(0, path.size() - 9) + ".index";
  ASSERT_NE(base_of(path), Offset{0}) << "the transaction began in a segment before";
  const Bytes whole = read_test_file(path);
  Bytes contradictory = whole;
  contradictory[12] ^= 0x40;  // of the first offset
  Bytes cut = whole;
  cut.pop_back();
  for (const bool clean : {true, false}) {
    for (const Bytes& bytes : {contradictory, cut, Bytes{}}) {
      if (bytes.empty()) {
        // Nothing tells that it is missing, but that its segment is read for another reason.
        fs::remove(path);
        fs::remove(beside);
      } else {
        write_test_file(path, bytes);
      }
      // Without the snapshots at its beginning, the log before it is read.
      if (!clean) {
        for (const std::string& each : files(".snapshot")) {
          if (base_of(each) <= base_of(path)) fs::remove(each);
        }
        fs::remove(folder_ / ".kafka_cleanshutdown");
      }
      open_directory();
      run([this]() -> Task<void> {
        auto log = co_await open();
        const auto aborted = co_await log->aborted_transactions(Offset{0}, log->log_end());
        EXPECT_TRUE(aborted && aborted->size() == 1);
        if (aborted && aborted->size() == 1) {
          EXPECT_EQ(aborted->front().producer_id, ProducerId{4});
          EXPECT_EQ(aborted->front().first_offset, Offset{0});
        }
        co_await close(std::move(log));
      });
      EXPECT_TRUE(read_test_file(path) == whole);
    }
  }
}

TEST_F(LogDamageTest, AnIndexEntryThatLeadsTooFarIsNotBelieved) {
  for (const std::string& path : files(".index")) {
    Bytes bytes = read_test_file(path);
    const auto entries = *parse_offset_index(bytes, base_of(path));
    if (entries.size() < 3) continue;
    // Says that offsets from the segment's second on begin where the middle entry points.
    const std::size_t middle = entries.size() / 2;
    Bytes changed;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      OffsetIndexEntry entry = entries[i];
      if (i == middle) entry.offset = base_of(path) + 1;
      encode(entry, base_of(path), changed);
    }
    // Of the others only the last, which the start looks at, may be believed.
    for (std::size_t i = 0; i < middle; ++i) {
      OffsetIndexEntry entry{base_of(path) + 1, entries[middle].position};
      Bytes one;
      encode(entry, base_of(path), one);
      std::ranges::copy(one, changed.begin() + static_cast<std::ptrdiff_t>(i * one.size()));
    }
    write_test_file(path, changed);
  }
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (Offset at = log->log_end() - 1; at >= Offset{0}; at = at - 1) {
      const auto fetched = co_await log->read(at, {.end = log->log_end(), .max_bytes = 1});
      EXPECT_TRUE(fetched && fetched->size_bytes > 0) << at.value();
      if (!fetched || fetched->size_bytes == 0) continue;
      const Bytes bytes = flatten(fetched->records);
      const auto batch = record::BatchView::parse(bytes);
      EXPECT_TRUE(batch && batch->base_offset() == at) << at.value();
    }
    co_await close(std::move(log));
  });
}

TEST_F(LogDamageTest, ATimeThatTheIndexPutsTooLateIsFoundAllTheSame) {
  for (const std::string& path : files(".timeindex")) {
    const Bytes bytes = read_test_file(path);
    const auto entries = *parse_time_index(bytes, base_of(path));
    Bytes changed;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      TimeIndexEntry entry = entries[i];
      // All but the last claim to stand where the last one does.
      if (i + 1 < entries.size()) entry.offset = entries.back().offset;
      encode(entry, base_of(path), changed);
    }
    write_test_file(path, changed);
  }
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 1; i < 40; ++i) {
      const auto found = co_await log->find_timestamp(start_ms + i * 10, log->log_end());
      const Offset expected{i <= 30 ? i : i + 1};
      EXPECT_TRUE(found && *found && (*found)->offset == expected) << i;
    }
    co_await close(std::move(log));
  });
}

TEST_F(LogDamageTest, TheScrubFindsWhatNobodyReads) {
  const std::vector<std::string> logs = files(".log");
  ASSERT_GT(logs.size(), 3U);
  Bytes flipped = read_test_file(logs[1]);
  flipped[70] ^= 1;  // in the records of its first batch
  write_test_file(logs[1], flipped);
  Bytes headless = read_test_file(logs[2]);
  headless[16] = 77;  // the magic of its first batch
  write_test_file(logs[2], headless);
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    std::int64_t scrubbed = 0;
    int pieces = 0;
    for (bool finished = false; !finished && pieces < 1'000; ++pieces) {
      const auto piece = co_await log->scrub(200);
      EXPECT_TRUE(piece) << piece.error().message;
      if (!piece) break;
      scrubbed += piece->size_bytes;
      finished = piece->finished;
    }
    EXPECT_GT(pieces, 10);
    EXPECT_EQ(scrubbed, log->size_bytes());
    EXPECT_EQ(log->damaged_batches(), 2U);
    EXPECT_TRUE((co_await log->scrub(1 << 20))->finished);
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    EXPECT_TRUE((co_await log->scrub(1 << 20))->finished) << "this process wrote the rest";
    co_await close(std::move(log));
  });
}

// The checkpoint knows what had been there: what is gone does not go without a word.
TEST_F(LogDamageTest, ALogThatEndsBeforeItsRecoveryPointCountsAsDamaged) {
  const std::string path = files(".log").back();
  for (const bool clean : {true, false}) {
    const Bytes whole = read_test_file(path);
    record::BatchReader reader(whole);
    std::size_t last_at = 0;
    while (const auto batch = reader.next()) last_at = reader.position() - batch->size_bytes();
    write_test_file(path, ByteView(whole).first(last_at));
    if (!clean) fs::remove(folder_ / ".kafka_cleanshutdown");
    open_directory();
    run([this]() -> Task<void> {
      auto log = co_await open();
      EXPECT_EQ(log->damaged_batches(), 1U);
      EXPECT_TRUE(append(*log, make_batch({.timestamp_ms = start_ms})));
      EXPECT_TRUE(co_await log->flush());
      EXPECT_EQ(log->damaged_batches(), 1U);
      co_await close(std::move(log));
    });
    // It goes on from there, and is whole again.
    open_directory();
    run([this]() -> Task<void> {
      auto log = co_await open();
      EXPECT_EQ(log->damaged_batches(), 0U);
      co_await close(std::move(log));
    });
  }
}

TEST_F(LogDamageTest, AReaderOfDamageIsToldWhereItIsAndTheLogCountsIt) {
  const std::string path = files(".log")[1];
  const Bytes before = read_test_file(path);
  Bytes flipped = before;
  flipped[70] ^= 1;
  write_test_file(path, flipped);
  open_directory();
  run([this, &path]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 2; ++i) {
      const auto read = co_await log->read(base_of(path), {.end = log->log_end(), .max_bytes = 1});
      EXPECT_FALSE(read);
      if (read) continue;
      EXPECT_EQ(read.error().code, ErrorCode::corrupt_message);
      const std::string expected =
          path + ": the batch at byte 0, offset " + std::to_string(base_of(path).value());
      EXPECT_TRUE(read.error().message.starts_with(expected)) << read.error().message;
    }
    EXPECT_EQ(log->damaged_batches(), 1U);
    EXPECT_TRUE(co_await log->read(base_of(path) + 1, {.end = log->log_end(), .max_bytes = 1}));
    co_await close(std::move(log));
  });
  EXPECT_TRUE(read_test_file(path) == flipped);
}

}  // namespace
}  // namespace arus::storage
