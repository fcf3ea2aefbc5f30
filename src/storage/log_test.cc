#include "storage/log.h"

#include <gtest/gtest.h>

#include "record/batch.h"
#include "storage/checkpoint_file.h"
#include "storage/golden_testing.h"
#include "storage/log_recovery.h"
#include "storage/log_testing.h"
#include "storage/producer_snapshot.h"

namespace arus::storage {
namespace {

namespace fs = std::filesystem;
using env::Task;

// Logs in a directory on the machine's own disk.
class LogTest : public testing::Test {
 protected:
  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, body());
  }
  void open_directory(const std::string& path = "") {
    auto opened = LogDirectory::open(*environment_, path.empty() ? folder_.path() : path);
    ASSERT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
  }
  Task<Result<std::unique_ptr<Log>>> try_open() {
    co_return co_await directory_->open_log({"topic", 0}, test_topic_id, config_);
  }
  Task<std::unique_ptr<Log>> open() {
    auto log = co_await try_open();
    EXPECT_TRUE(log) << log.error().message;
    co_return std::move(*log);
  }
  Task<void> close(std::unique_ptr<Log> log) {
    log = nullptr;
    const auto closed = co_await directory_->close(5);
    EXPECT_TRUE(closed) << closed.error().message;
    directory_ = nullptr;
  }
  // Reads with these limits from `from` to the end.
  Task<Bytes> read_all(Log& log, Offset from, std::int32_t max_bytes = 1 << 20) {
    Bytes all;
    while (from < log.written_end()) {
      auto fetched = co_await log.read(from, {.end = log.written_end(), .max_bytes = max_bytes});
      EXPECT_TRUE(fetched) << fetched.error().message;
      if (!fetched || fetched->size_bytes == 0) break;
      const Bytes bytes = flatten(fetched->records);
      EXPECT_EQ(bytes.size(), fetched->size_bytes);
      record::BatchReader reader(bytes);
      while (const auto batch = reader.next()) from = batch->next_offset();
      EXPECT_EQ(reader.remaining(), 0U);
      all.insert(all.end(), bytes.begin(), bytes.end());
    }
    co_return all;
  }
  // As a kill at this moment would leave the directory.
  std::string copy_directory(const std::string& name) {
    const std::string to = copies_ / name;
    fs::copy(folder_.path(), to, fs::copy_options::recursive);
    return to;
  }
  [[nodiscard]] std::string log_file(Offset base = Offset{0}) const {
    std::string digits = std::to_string(base.value());
    return folder_ / ("topic-0/" + std::string(20 - digits.size(), '0') + digits + ".log");
  }

  TemporaryFolder folder_;
  TemporaryFolder copies_;
  std::shared_ptr<config::TopicConfig> config_ = test_config();
  std::unique_ptr<env::RealEnvironment> environment_ = env::make_real_environment({});
  std::unique_ptr<LogDirectory> directory_;
};

TEST_F(LogTest, AppendedBatchesAreDurableAfterAFlushAndReadBack) {
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 10; ++i) {
      const auto appended = append(*log, make_batch({.records = 3}));
      EXPECT_TRUE(appended);
      EXPECT_EQ(appended->base_offset, Offset{3 * i});
      EXPECT_EQ(appended->last_offset, Offset{3 * i + 2});
    }
    EXPECT_EQ(log->log_end(), Offset{30});
    EXPECT_EQ(log->durable_end(), Offset{0});
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ(log->durable_end(), Offset{30});
    EXPECT_EQ(log->written_end(), Offset{30});
    EXPECT_EQ(co_await read_all(*log, Offset{0}), read_test_file(log_file()));
    co_await close(std::move(log));
  });
}

TEST_F(LogTest, NothingIsOnDiskButTheFolderBeforeTheFirstAppend) {
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->size_bytes(), 0);
    const auto fetched = co_await log->read(Offset{0}, {.end = Offset{10}, .max_bytes = 100});
    EXPECT_TRUE(fetched && fetched->records.empty());
    co_await close(std::move(log));
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / "topic-0")) {
      names.push_back(entry.path().filename());
    }
    EXPECT_EQ(names, std::vector<std::string>{"partition.metadata"});
  });
}

TEST_F(LogTest, EveryOffsetIsFoundAcrossSegmentsAndRestarts) {
  config_->segment_bytes = 8'000;
  config_->index_interval_bytes = 300;
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 200; ++i) {
      EXPECT_TRUE(append(*log, make_batch({.records = 1 + i % 4, .timestamp_ms = 1'000 + i})));
    }
    EXPECT_TRUE(co_await log->flush());
    const Bytes all = co_await read_all(*log, Offset{0});
    const auto check = [&]() -> Task<void> {
      for (Offset at{0}; at < log->log_end(); at += 1) {
        const auto one = co_await log->read(at, {.end = log->log_end(), .max_bytes = 1});
        EXPECT_TRUE(one) << one.error().message;
        const Bytes bytes = flatten(one->records);
        const auto batch = record::BatchView::parse(bytes);
        EXPECT_TRUE(batch && batch->base_offset() <= at && batch->last_offset() >= at);
      }
      EXPECT_EQ(co_await read_all(*log, Offset{0}, 777), all);
    };
    co_await check();
    EXPECT_GT(std::distance(fs::directory_iterator(folder_ / "topic-0"), {}), 8);
    const std::string killed = copy_directory("killed");
    const Offset end = log->log_end();
    co_await close(std::move(log));
    for (const std::string& path : {folder_.path(), killed}) {
      open_directory(path);
      log = co_await open();
      EXPECT_EQ(log->log_end(), end);
      EXPECT_EQ(log->durable_end(), end);
      co_await check();
      EXPECT_EQ(append(*log, make_batch())->base_offset, end);
      co_await close(std::move(log));
    }
  });
}

TEST_F(LogTest, ReadsGoOnInTheNextSegmentsWhileThereIsRoom) {
  config_->segment_bytes = 1'000;
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    std::size_t written = 0;
    for (int i = 0; i < 60; ++i) {
      const Slice batch = make_batch();
      written += batch.size();
      EXPECT_TRUE(append(*log, batch));
    }
    EXPECT_TRUE(co_await log->flush());
    const std::size_t one = written / 60;
    const auto size_of_read = [&](Offset from, std::int32_t most) -> Task<std::size_t> {
      const auto fetched = co_await log->read(from, {.end = log->log_end(), .max_bytes = most});
      EXPECT_TRUE(fetched);
      EXPECT_EQ(fetched->size_bytes, size_of(fetched->records));
      co_return fetched->size_bytes;
    };
    EXPECT_EQ(co_await size_of_read(Offset{0}, 1'000'000), written);
    EXPECT_EQ(co_await size_of_read(Offset{0}, static_cast<std::int32_t>(40 * one + one / 2)),
              40 * one);
    EXPECT_EQ(co_await size_of_read(Offset{59}, 1'000'000), one);
    co_await close(std::move(log));
    // No file is open after a start.
    open_directory();
    log = co_await open();
    EXPECT_EQ(co_await size_of_read(Offset{0}, 1'000'000), written);
    co_await close(std::move(log));
  });
}

// Kafka's compaction takes the last batch of a segment too.
TEST_F(LogTest, AReaderGoesOnBehindASegmentThatEndsEarly) {
  config_->segment_bytes = 1'000;
  config_->cleanup_compact = true;
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 60; ++i) EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    co_await close(std::move(log));
    const std::size_t one = make_batch().size();
    fs::resize_file(log_file(), fs::file_size(log_file()) - one);
    for (const std::string_view ending : {"index", "timeindex"}) {
      fs::remove(fs::path(log_file()).replace_extension(ending));
    }
    open_directory();
    log = co_await open();
    for (const std::int32_t max_bytes : {1, 1 << 20}) {
      EXPECT_EQ((co_await read_all(*log, Offset{0}, max_bytes)).size(), 59 * one);
    }
    co_await close(std::move(log));
  });
}

TEST_F(LogTest, FirstBatchIsReturnedEvenIfItIsLargerThanTheLimit) {
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    const Slice large = make_batch({.value_bytes = 5'000});
    const Slice small = make_batch();
    const auto large_size = large.size();
    const auto small_size = small.size();
    EXPECT_TRUE(append(*log, large));
    EXPECT_TRUE(append(*log, small));
    EXPECT_TRUE(co_await log->flush());
    const auto size_of_read = [&](FetchBound bound) -> Task<std::size_t> {
      const auto fetched = co_await log->read(Offset{0}, bound);
      EXPECT_TRUE(fetched);
      co_return fetched->size_bytes;
    };
    const Offset end = log->log_end();
    EXPECT_EQ(co_await size_of_read({.end = end, .max_bytes = 10}), large_size);
    EXPECT_EQ(co_await size_of_read({.end = end, .max_bytes = 10, .at_least_one_batch = false}),
              0U);
    EXPECT_EQ(co_await size_of_read({.end = end, .max_bytes = 5'100}), large_size);
    EXPECT_EQ(co_await size_of_read({.end = end, .max_bytes = 9'000}), large_size + small_size);
    EXPECT_EQ(co_await size_of_read({.end = Offset{1}, .max_bytes = 9'000}), large_size);
    EXPECT_EQ(co_await size_of_read({.end = Offset{0}, .max_bytes = 9'000}), 0U);
    const auto beyond = co_await log->read(Offset{3}, {.end = end, .max_bytes = 10});
    EXPECT_EQ(beyond.error().code, ErrorCode::offset_out_of_range);
    EXPECT_TRUE(co_await log->read(Offset{2}, {.end = end, .max_bytes = 10}));
    co_await close(std::move(log));
  });
}

TEST_F(LogTest, ABatchLargerThanASegmentIsRefused) {
  config_->segment_bytes = 1'000;
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(append(*log, make_batch({.value_bytes = 2'000})).error().code,
              ErrorCode::record_list_too_large);
    EXPECT_EQ(log->log_end(), Offset{0});
    co_await close(std::move(log));
  });
}

TEST_F(LogTest, SegmentsRollBySegmentMsOfTheirTimestamps) {
  config_->segment_ms = 1'000;
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (const std::int64_t at_ms : {10'000, 10'500, 11'000, 11'001, 12'002}) {
      EXPECT_TRUE(append(*log, make_batch({.timestamp_ms = at_ms})));
    }
    co_await close(std::move(log));
    EXPECT_TRUE(fs::exists(log_file(Offset{0})));
    EXPECT_TRUE(fs::exists(log_file(Offset{3})));
    EXPECT_TRUE(fs::exists(log_file(Offset{4})));
    EXPECT_FALSE(fs::exists(log_file(Offset{2})));
  });
}

TEST_F(LogTest, AFullIndexRollsTheSegment) {
  config_->index_interval_bytes = 1;
  config_->segment_index_bytes = 8 * 7;
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(append(*log, make_batch()));
    co_await close(std::move(log));
    EXPECT_FALSE(fs::exists(log_file(Offset{7})));
    EXPECT_TRUE(fs::exists(log_file(Offset{8})));
    EXPECT_EQ(fs::file_size(folder_ / "topic-0/00000000000000000000.index"), 56U);
  });
}

// Appends batches, each flushed, and gives where each ends in the file.
Task<std::vector<std::size_t>> write_batches(Log& log, int count, const std::string& file) {
  std::vector<std::size_t> ends{0};
  for (int i = 0; i < count; ++i) {
    EXPECT_TRUE(append(log, make_batch({.records = 2})));
    EXPECT_TRUE(co_await log.flush());
    ends.push_back(fs::file_size(file));
  }
  co_return ends;
}

TEST_F(LogTest, ATornTailIsCutAtTheLastWholeBatchForEveryLength) {
  open_directory();
  run([&]() -> Task<void> {
    auto log = co_await open();
    const auto ends = co_await write_batches(*log, 3, log_file());
    co_await close(std::move(log));
    const Bytes bytes = read_test_file(log_file());
    for (std::size_t size = 0; size <= ends.back(); ++size) {
      write_test_file(log_file(), ByteView(bytes).first(size));
      const auto loaded =
          load_log(environment_->files(), {.path = folder_ / "topic-0", .clean = false});
      EXPECT_TRUE(loaded);
      const auto whole = std::ranges::upper_bound(ends, size) - ends.begin() - 1;
      EXPECT_EQ(loaded->log_end, Offset{2 * whole}) << size;
      EXPECT_EQ(fs::file_size(log_file()), ends[static_cast<std::size_t>(whole)]);
    }
  });
}

TEST_F(LogTest, AnyFlippedByteInAnUnsureBatchEndsTheLogBeforeIt) {
  open_directory();
  run([&]() -> Task<void> {
    auto log = co_await open();
    const auto ends = co_await write_batches(*log, 2, log_file());
    co_await close(std::move(log));
    const Bytes whole = read_test_file(log_file());
    for (std::size_t at = ends[1]; at < whole.size(); ++at) {
      Bytes damaged = whole;
      damaged[at] ^= 0x10;
      write_test_file(log_file(), damaged);
      const auto loaded =
          load_log(environment_->files(), {.path = folder_ / "topic-0", .clean = false});
      EXPECT_TRUE(loaded);
      // Base offset and leader epoch are outside the checksum: a larger one goes unnoticed.
      const std::size_t field = at - ends[1];
      const bool unchecked = field < 8 || (field >= 12 && field < 16);
      if (!unchecked) EXPECT_EQ(loaded->log_end, Offset{2}) << field;
    }
  });
}

TEST_F(LogTest, DamageBelowTheRecoveryPointIsReportedAndNothingIsCut) {
  open_directory();
  run([&]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(append(*log, make_batch()));
    co_await close(std::move(log));
    Bytes bytes = read_test_file(log_file());
    bytes[bytes.size() / 4 + 16] = 9;  // the magic of the second batch
    write_test_file(log_file(), bytes);
    fs::remove(folder_ / ".kafka_cleanshutdown");
    open_directory();
    const auto opened = co_await try_open();
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kafka_storage_error);
    EXPECT_NE(opened.error().message.find("nothing was cut"), std::string::npos);
    EXPECT_EQ(read_test_file(log_file()), bytes);
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(LogTest, ABitFlipInASealedSegmentIsServedToNobodyAndOthersReadOn) {
  config_->segment_bytes = 300;
  open_directory();
  run([&]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(append(*log, make_batch()));
    co_await close(std::move(log));
    Bytes bytes = read_test_file(log_file());
    bytes[70] ^= 1;                    // in the records of the first batch
    bytes[2 * bytes.size() / 3] ^= 1;  // the base offset of the third
    write_test_file(log_file(), bytes);
    open_directory();
    log = co_await open();
    const Offset end = log->log_end();
    EXPECT_EQ(end, Offset{12});
    const auto bad = co_await log->read(Offset{0}, {.end = end, .max_bytes = 1'000});
    EXPECT_FALSE(bad);
    if (!bad) EXPECT_EQ(bad.error().code, ErrorCode::corrupt_message);
    const auto misplaced = co_await log->read(Offset{2}, {.end = end, .max_bytes = 1'000});
    EXPECT_FALSE(misplaced);
    if (!misplaced) EXPECT_EQ(misplaced.error().code, ErrorCode::corrupt_message);
    EXPECT_TRUE(co_await log->read(Offset{1}, {.end = end, .max_bytes = 1'000}));
    EXPECT_TRUE(co_await log->read(Offset{6}, {.end = end, .max_bytes = 1'000}));
    EXPECT_EQ(append(*log, make_batch())->base_offset, Offset{12});
    co_await close(std::move(log));
  });
}

TEST_F(LogTest, ALengthBeyondItsSegmentSkipsNothing) {
  config_->segment_bytes = 300;
  open_directory();
  run([&]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(append(*log, make_batch()));
    co_await close(std::move(log));
    Bytes bytes = read_test_file(log_file());
    bytes[9] ^= 1;  // the first batch's length has 64 KiB more
    write_test_file(log_file(), bytes);
    open_directory();
    log = co_await open();
    for (const Offset at : {Offset{0}, Offset{1}}) {
      const auto hidden = co_await log->read(at, {.end = log->log_end(), .max_bytes = 1'000});
      EXPECT_FALSE(hidden) << "what follows in another segment came instead";
      if (!hidden) EXPECT_EQ(hidden.error().code, ErrorCode::corrupt_message);
    }
    co_await close(std::move(log));
  });
}

TEST_F(LogTest, AFlippedBitOfAnIndexHidesNoRecord) {
  config_->segment_bytes = 1'500;
  config_->index_interval_bytes = 200;
  open_directory();
  run([&]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 30; ++i) EXPECT_TRUE(append(*log, make_batch()));
    co_await close(std::move(log));
    const std::string path = folder_ / "topic-0/00000000000000000000.index";
    const Bytes before = read_test_file(path);
    EXPECT_GT(before.size(), 24U);
    for (std::size_t bit = 0; bit < before.size() * 8; bit += 5) {
      Bytes flipped = before;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      write_test_file(path, flipped);
      open_directory();
      log = co_await open();
      for (Offset at{0}; at < Offset{16}; at = at + 3) {
        const auto fetched = co_await log->read(at, {.end = log->written_end(), .max_bytes = 300});
        EXPECT_TRUE(fetched) << bit << ": " << fetched.error().message;
        if (!fetched) continue;
        const Bytes bytes = flatten(fetched->records);
        record::BatchReader reader(bytes);
        const auto first = reader.next();
        EXPECT_TRUE(first && first->base_offset() <= at && first->last_offset() >= at) << bit;
      }
      co_await close(std::move(log));
    }
  });
}

// What may be lost or damaged beside the batches.
class LogRebuildTest : public LogTest, public testing::WithParamInterface<std::string> {};

TEST_P(LogRebuildTest, DamagedOrMissingFilesBesideTheLogAreRebuilt) {
  config_->segment_bytes = 3'000;
  config_->index_interval_bytes = 200;
  open_directory();
  run([this]() -> Task<void> {
    auto log = co_await open();
    std::int32_t sequence = 0;
    for (int i = 0; i < 60; ++i) {
      record::BatchOptions options{.producer_id = ProducerId{5}, .producer_epoch = 0};
      options.base_sequence = sequence++;
      const std::int64_t at_ms = environment_->clock().wall_ms() + i;
      EXPECT_TRUE(append(*log, make_batch({.timestamp_ms = at_ms, .options = options}),
                         {.leader_epoch = LeaderEpoch{1 + i / 20}}));
    }
    co_await close(std::move(log));
    std::map<std::string, Bytes> before;
    for (const auto& entry : fs::directory_iterator(folder_ / "topic-0")) {
      before[entry.path()] = read_test_file(entry.path());
    }
    for (const bool damage : {false, true}) {
      for (const bool clean : {false, true}) {
        for (const auto& [path, bytes] : before) {
          if (!path.ends_with(GetParam())) continue;
          if (damage && !bytes.empty()) {
            Bytes damaged = bytes;
            for (std::size_t i = 0; i < damaged.size(); i += 3) damaged[i] ^= 0xff;
            damaged.push_back(1);
            write_test_file(path, damaged);
          } else {
            fs::remove(path);
          }
        }
        if (!clean) {
          fs::remove(folder_ / ".kafka_cleanshutdown");
          fs::remove(folder_ / "recovery-point-offset-checkpoint");
        }
        open_directory();
        log = co_await open();
        EXPECT_EQ(log->log_end(), Offset{60});
        EXPECT_EQ(log->latest_epoch(), LeaderEpoch{3});
        EXPECT_EQ(log->end_of_epoch(LeaderEpoch{1}).end, Offset{20});
        const Bytes all = co_await read_all(*log, Offset{17}, 500);
        EXPECT_FALSE(all.empty());
        record::BatchOptions options{.producer_id = ProducerId{5}, .producer_epoch = 0};
        options.base_sequence = 61;
        const auto gap =
            append(*log, make_batch({.options = options}), {.leader_epoch = LeaderEpoch{3}});
        // A clean stop without any snapshot means that there were no producers (Kafka's rule).
        const bool forgotten = clean && !damage && GetParam() == ".snapshot";
        if (!forgotten) EXPECT_EQ(gap.error().code, ErrorCode::out_of_order_sequence_number);
        if (forgotten) co_await log->truncate_to(Offset{60});
        co_await close(std::move(log));
        for (const auto& [path, bytes] : before) {
          if (path.ends_with("index") || path.ends_with("checkpoint")) {
            EXPECT_EQ(read_test_file(path), bytes) << path << damage << clean;
          }
          write_test_file(path, bytes);
        }
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Files, LogRebuildTest,
                         testing::Values(".index", ".timeindex", ".snapshot",
                                         "leader-epoch-checkpoint"),
                         [](const auto& parameter) {
                           std::string name;
                           for (const char c : parameter.param) {
                             if (std::isalpha(c) != 0) name += c;
                           }
                           return name;
                         });

}  // namespace
}  // namespace arus::storage
