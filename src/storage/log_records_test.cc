// Producers, transactions, timestamps, cutting: what a log does with the meaning of its records.
#include <gtest/gtest.h>

#include "env/file_range.h"
#include "record/batch.h"
#include "record/control.h"
#include "storage/golden_testing.h"
#include "storage/log_testing.h"

namespace arus::storage {
namespace {

namespace fs = std::filesystem;
using env::Task;

class LogRecordsTest : public testing::Test {
 protected:
  template <class Body>
  void run(Body body) {
    auto opened = LogDirectory::open(*environment_, folder_.path());
    ASSERT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
    env::run_until_done(*environment_, body());
    directory_ = nullptr;
  }
  Task<std::unique_ptr<Log>> open() {
    auto log = co_await directory_->open_log({"topic", 0}, test_topic_id, config_);
    EXPECT_TRUE(log) << log.error().message;
    co_return std::move(*log);
  }
  Task<void> close(std::unique_ptr<Log> log) {
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(5));
  }
  Task<std::unique_ptr<Log>> reopen(std::unique_ptr<Log> log) {
    co_await close(std::move(log));
    auto opened = LogDirectory::open(*environment_, folder_.path());
    EXPECT_TRUE(opened);
    directory_ = std::move(*opened);
    co_return co_await open();
  }
  static record::BatchOptions producer(std::int64_t id, std::int32_t sequence,
                                       bool transactional = false, std::int16_t epoch = 0) {
    return {.producer_id = ProducerId{id},
            .producer_epoch = epoch,
            .base_sequence = sequence,
            .transactional = transactional};
  }
  static Slice end_marker(std::int64_t id, bool committed) {
    return Slice(record::build_end_transaction({.producer_id = ProducerId{id}, .producer_epoch = 0},
                                               committed, 0, 5'000));
  }

  TemporaryFolder folder_;
  std::shared_ptr<config::TopicConfig> config_ = test_config();
  std::unique_ptr<env::RealEnvironment> environment_ = env::make_real_environment({});
  std::unique_ptr<LogDirectory> directory_;
};

TEST_F(LogRecordsTest, LargeBatchesComeAsARangeOfTheirFileWhereTheReaderTakesIt) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(append(*log, make_batch({.records = 100, .value_bytes = 1'000})));
    }
    EXPECT_TRUE(co_await log->flush());
    FetchBound bound{.end = log->log_end(), .max_bytes = 250'000};
    const auto bytes = co_await log->read(Offset{150}, bound);
    bound.as_file = true;
    const auto range = co_await log->read(Offset{150}, bound);
    EXPECT_TRUE(bytes && range);
    if (!bytes || !range) co_return;
    EXPECT_EQ(range->size_bytes, bytes->size_bytes);
    // Where the system cannot say what is cached, both are bytes.
    if (const auto* const where = env::file_range_of(range->records.front())) {
      Bytes in_file(where->length);
      EXPECT_TRUE(where->file->read_at(in_file, where->offset));
      EXPECT_EQ(in_file, flatten(bytes->records));
      EXPECT_EQ(env::file_range_of(bytes->records.front()), nullptr);
    } else {
      EXPECT_EQ(flatten(range->records), flatten(bytes->records));
    }
    // One batch at least, however small the limit; and nothing at or beyond the end.
    bound.max_bytes = 1;
    const auto one = co_await log->read(Offset{0}, bound);
    EXPECT_TRUE(one && one->size_bytes > 100'000 && one->size_bytes < 110'000);
    bound = {.end = Offset{250}, .max_bytes = 1 << 30, .as_file = true};
    const auto two = co_await log->read(Offset{0}, bound);
    EXPECT_TRUE(two && two->size_bytes > 200'000 && two->size_bytes < 220'000);
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, ARangeOfAFileComesAlone) {
  run([this]() -> Task<void> {
    config_->segment_bytes = 250'000;
    auto log = co_await open();
    for (int i = 0; i < 6; ++i) {
      EXPECT_TRUE(append(*log, make_batch({.records = 100, .value_bytes = 1'000})));
    }
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(append(*log, make_batch({.records = 100, .value_bytes = 1'000})));
    EXPECT_TRUE(co_await log->flush());
    // From the back, so that the next segment's file is open already.
    for (std::int64_t from = 700; from >= 0; from -= 100) {
      const auto read = co_await log->read(
          Offset{from}, {.end = log->log_end(), .max_bytes = 1 << 20, .as_file = true});
      EXPECT_TRUE(read && read->size_bytes > 0);
      if (!read || read->size_bytes == 0) break;
      std::size_t ranges = 0;
      for (const Slice& piece : read->records) {
        if (env::file_range_of(piece) != nullptr) ++ranges;
      }
      EXPECT_TRUE(ranges == 0 || read->records.size() == 1) << "from " << from;
    }
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, SmallBatchesAreCopied) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(append(*log, make_batch({.value_bytes = 2'000})));
    EXPECT_TRUE(co_await log->flush());
    const auto read = co_await log->read(
        Offset{0}, {.end = log->log_end(), .max_bytes = 1 << 20, .as_file = true});
    EXPECT_TRUE(read && env::file_range_of(read->records.front()) == nullptr);
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, ADuplicateIsAnsweredWithTheOffsetsOfTheOriginalAlsoAfterARestart) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    const std::int64_t now = environment_->clock().wall_ms();
    for (std::int32_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(append(
          *log, make_batch({.records = 2, .timestamp_ms = now, .options = producer(9, 2 * i)})));
    }
    const TestBatch last{.records = 2, .timestamp_ms = now, .options = producer(9, 4)};
    for (int round = 0; round < 2; ++round) {
      const auto again = append(*log, make_batch(last));
      EXPECT_TRUE(again && again->duplicate);
      EXPECT_EQ(again->base_offset, Offset{4});
      EXPECT_EQ(again->last_offset, Offset{5});
      EXPECT_EQ(log->log_end(), Offset{6});
      log = co_await reopen(std::move(log));
    }
    const auto gap = append(*log, make_batch({.options = producer(9, 8)}));
    EXPECT_EQ(gap.error().code, ErrorCode::out_of_order_sequence_number);
    EXPECT_TRUE(append(*log, make_batch({.options = producer(9, 6)})));
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, AbortedTransactionsAreListedAndSurviveRestarts) {
  config_->segment_bytes = 500;
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_TRUE(append(*log, make_batch({.records = 2, .options = producer(1, 0, true)})));  // 0-1
    EXPECT_TRUE(append(*log, make_batch({.records = 2, .options = producer(2, 0, true)})));  // 2-3
    EXPECT_TRUE(append(*log, make_batch({.records = 5})));                                   // 4-8
    EXPECT_EQ(log->first_unstable_offset(), Offset{0});
    EXPECT_TRUE(append(*log, end_marker(1, false)));  // 9
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ(log->first_unstable_offset(), Offset{2});
    EXPECT_TRUE(append(*log, end_marker(2, true)));                                          // 10
    EXPECT_TRUE(append(*log, make_batch({.records = 1, .options = producer(1, 2, true)})));  // 11
    EXPECT_TRUE(append(*log, make_batch({.records = 9})));  // 12-20
    EXPECT_TRUE(append(*log, end_marker(1, false)));        // 21
    EXPECT_TRUE(co_await log->flush());
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(log->first_unstable_offset(), std::nullopt);
      const auto list = [&](std::int64_t from, std::int64_t to) -> Task<std::vector<std::int64_t>> {
        const auto aborted = co_await log->aborted_transactions(Offset{from}, Offset{to});
        EXPECT_TRUE(aborted);
        std::vector<std::int64_t> firsts;
        for (const auto& one : *aborted) {
          EXPECT_EQ(one.producer_id, ProducerId{1});
          firsts.push_back(one.first_offset.value());
        }
        co_return firsts;
      };
      EXPECT_EQ(co_await list(0, 22), (std::vector<std::int64_t>{0, 11}));
      EXPECT_EQ(co_await list(0, 11), (std::vector<std::int64_t>{0}));
      EXPECT_EQ(co_await list(10, 22), (std::vector<std::int64_t>{11}));
      EXPECT_EQ(co_await list(10, 11), (std::vector<std::int64_t>{}));
      log = co_await reopen(std::move(log));
      if (round == 1) {
        co_await close(std::move(log));
        fs::remove(folder_ / ".kafka_cleanshutdown");
        fs::remove(folder_ / "recovery-point-offset-checkpoint");
        for (const auto& entry : fs::directory_iterator(folder_ / "topic-0")) {
          if (entry.path().extension() == ".txnindex") fs::remove(entry.path());
        }
        directory_ = std::move(*LogDirectory::open(*environment_, folder_.path()));
        log = co_await open();
      }
    }
    co_await close(std::move(log));
  });
}

// A file that has grown and whose bytes never reached the disk.
TEST_F(LogRecordsTest, ZerosInATransactionIndexAbortNothing) {
  config_->segment_bytes = 500;
  run([this]() -> Task<void> {
    auto log = co_await open();
    // Producer 0 is the one that zeros name.
    EXPECT_TRUE(append(*log, make_batch({.records = 2, .options = producer(0, 0, true)})));  // 0-1
    EXPECT_TRUE(append(*log, end_marker(0, true)));                                          // 2
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(append(*log, make_batch({.records = 2})));
    EXPECT_TRUE(co_await log->flush());
    co_await close(std::move(log));
    std::string last;
    for (const auto& entry : fs::directory_iterator(folder_ / "topic-0")) {
      if (entry.path().extension() == ".log") last = std::max(last, entry.path().stem().string());
    }
    EXPECT_NE(last, "00000000000000000000");
    fs::remove(folder_ / ".kafka_cleanshutdown");
    const std::string point = "0\n1\ntopic 0 " + std::to_string(std::stoll(last)) + "\n";
    write_test_file(folder_ / "recovery-point-offset-checkpoint", as_bytes(point));
    write_test_file(folder_ / ("topic-0/" + last + ".txnindex"), Bytes(34));
    directory_ = std::move(*LogDirectory::open(*environment_, folder_.path()));
    log = co_await open();
    const auto aborted = co_await log->aborted_transactions(Offset{0}, log->log_end());
    EXPECT_TRUE(aborted && aborted->empty());
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, AMarkerDecidesOnlyOnceItIsBelowTheHighWatermark) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_TRUE(append(*log, make_batch({.options = producer(1, 0, true)})));
    EXPECT_TRUE(append(*log, end_marker(1, true)));
    log->set_high_watermark(Offset{1});
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ(log->first_unstable_offset(), Offset{0});
    log->set_high_watermark(Offset{2});
    EXPECT_EQ(log->first_unstable_offset(), std::nullopt);
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, TimestampsAreFoundInAnySegmentAndCodec) {
  config_->segment_bytes = 4'000;
  config_->index_interval_bytes = 200;
  run([this]() -> Task<void> {
    auto log = co_await open();
    std::int64_t at_ms = 10'000;
    for (int i = 0; i < 60; ++i) {
      const auto codec = static_cast<record::Compression>(i % 5);
      EXPECT_TRUE(append(*log, make_batch({.records = 4,
                                           .value_bytes = 60,
                                           .timestamp_ms = at_ms,
                                           .options = {.compression = codec}})));
      at_ms += 10;
    }
    EXPECT_TRUE(co_await log->flush());
    for (int round = 0; round < 2; ++round) {
      const Offset end = log->log_end();
      for (std::int64_t wanted = 9'990; wanted < at_ms + 10; ++wanted) {
        const auto found = co_await log->find_timestamp(wanted, end);
        EXPECT_TRUE(found) << found.error().message;
        // Batch i has 10,000 + 10 i … + 3.
        const std::int64_t batch = std::max<std::int64_t>(wanted - 10'000, 0) / 10;
        const std::int64_t inside = std::max<std::int64_t>(wanted - 10'000, 0) % 10;
        const std::int64_t expected = inside <= 3 ? 4 * batch + inside : 4 * (batch + 1);
        if (expected < end.value()) {
          EXPECT_TRUE(*found);
          if (*found) EXPECT_EQ((*found)->offset, Offset{expected}) << wanted;
          if (*found) EXPECT_GE((*found)->timestamp_ms, wanted);
        } else {
          EXPECT_FALSE(*found) << wanted;
        }
      }
      const auto bounded = co_await log->find_timestamp(10'300, Offset{120});
      EXPECT_TRUE(bounded && !*bounded);
      const auto largest = co_await log->find_max_timestamp(end);
      EXPECT_TRUE(largest && *largest);
      EXPECT_EQ((*largest)->offset, Offset{239});
      EXPECT_EQ((*largest)->timestamp_ms, 10'593);
      const auto below = co_await log->find_max_timestamp(Offset{100});
      EXPECT_TRUE(below && *below);
      EXPECT_EQ((*below)->offset, Offset{99});
      log = co_await reopen(std::move(log));
    }
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, TheLargestTimestampIsNotTheLast) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    const auto none = co_await log->find_max_timestamp(Offset{0});
    EXPECT_TRUE(none && !*none);
    for (const std::int64_t at_ms : {500, 900, 700}) {
      EXPECT_TRUE(append(*log, make_batch({.timestamp_ms = at_ms})));
    }
    EXPECT_TRUE(co_await log->flush());
    EXPECT_EQ((*co_await log->find_max_timestamp(Offset{3}))->offset, Offset{1});
    EXPECT_EQ((*co_await log->find_timestamp(600, Offset{3}))->offset, Offset{1});
    EXPECT_EQ((*co_await log->find_max_timestamp(Offset{1}))->offset, Offset{0});
    log = co_await reopen(std::move(log));
    EXPECT_EQ((*co_await log->find_max_timestamp(Offset{3}))->offset, Offset{1});
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, LogAppendTimeIsWrittenIntoTheBatch) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    const Slice batch = make_batch({.records = 3});
    auto facts = facts_of(batch);
    facts.timestamp_type = record::TimestampType::log_append_time;
    facts.max_timestamp_ms = 77'000;
    const auto appended = log->append(batch, facts, {.leader_epoch = LeaderEpoch{3}});
    EXPECT_EQ(appended->log_append_time_ms, 77'000);
    EXPECT_TRUE(co_await log->flush());
    const auto fetched = co_await log->read(Offset{0}, {.end = Offset{3}, .max_bytes = 1'000});
    const Bytes bytes = flatten(fetched->records);
    const auto view = record::BatchView::parse(bytes);
    EXPECT_TRUE(view->crc_matches());
    EXPECT_EQ(view->timestamp_type(), record::TimestampType::log_append_time);
    EXPECT_EQ(view->max_timestamp_ms(), 77'000);
    EXPECT_EQ(view->leader_epoch(), LeaderEpoch{3});
    const auto found = co_await log->find_timestamp(5'000, Offset{3});
    EXPECT_EQ((*found)->timestamp_ms, 77'000);
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, TruncationForgetsWhatLiesBeyondAndTheLogGoesOn) {
  config_->segment_bytes = 400;
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (std::int32_t i = 0; i < 30; ++i) {
      EXPECT_TRUE(append(*log, make_batch({.options = producer(4, i)}),
                         {.leader_epoch = LeaderEpoch{1 + i / 10}}));
    }
    EXPECT_TRUE(co_await log->truncate_to(Offset{17}));
    EXPECT_EQ(log->log_end(), Offset{17});
    EXPECT_EQ(log->durable_end(), Offset{17});
    EXPECT_EQ(log->latest_epoch(), LeaderEpoch{2});
    EXPECT_EQ(append(*log, make_batch({.options = producer(4, 30)})).error().code,
              ErrorCode::out_of_order_sequence_number);
    for (std::int32_t i = 17; i < 25; ++i) {
      EXPECT_EQ(
          append(*log, make_batch({.options = producer(4, i)}), {.leader_epoch = LeaderEpoch{7}})
              ->base_offset,
          Offset{i});
    }
    EXPECT_EQ(log->end_of_epoch(LeaderEpoch{3}).end, Offset{17});
    log = co_await reopen(std::move(log));
    EXPECT_EQ(log->log_end(), Offset{25});
    EXPECT_EQ(log->latest_epoch(), LeaderEpoch{7});
    EXPECT_TRUE(co_await log->truncate_to(Offset{0}));
    EXPECT_EQ(log->log_end(), Offset{0});
    EXPECT_EQ(append(*log, make_batch())->base_offset, Offset{0});
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, TheLogStartMovesAndIsKept) {
  config_->segment_bytes = 400;
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    EXPECT_TRUE(co_await log->advance_log_start(Offset{11}));
    EXPECT_FALSE(co_await log->advance_log_start(Offset{21}));
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(log->log_start(), Offset{11});
      EXPECT_EQ((co_await log->read(Offset{10}, {.end = Offset{20}})).error().code,
                ErrorCode::offset_out_of_range);
      const auto fetched = co_await log->read(Offset{11}, {.end = Offset{20}});
      EXPECT_TRUE(fetched && fetched->size_bytes > 0);
      log = co_await reopen(std::move(log));
      EXPECT_FALSE(fs::exists(folder_ / "topic-0/00000000000000000000.log"));
    }
    co_await close(std::move(log));
  });
}

TEST_F(LogRecordsTest, MessagesOfOldFormatsAreRead) {
  // Kafka 4 writes them no more: the files come from a directory that was upgraded.
  fs::create_directories(folder_ / "topic-0");
  write_test_file(folder_ / "topic-0/partition.metadata",
                  as_bytes("version: 0\ntopic_id: " + test_topic_id.to_string()));
  std::vector<Bytes> batches;
  join_hex(std::string(ARUS_SOURCE_DIR) + "/tests/golden/batches.jsonl", &batches);
  Bytes file;
  std::int64_t next = 0;
  for (const Bytes& bytes : batches) {
    record::BatchReader reader(bytes);
    while (const auto batch = reader.next()) {
      if (!batch->is_legacy() || batch->last_offset().value() < next) continue;
      file.insert(file.end(), batch->bytes().begin(), batch->bytes().end());
      next = batch->next_offset().value();
    }
  }
  ASSERT_GT(next, 0);
  write_test_file(folder_ / "topic-0/00000000000000000000.log", file);
  run([&]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ(log->log_end(), Offset{next});
    Bytes all;
    Offset at{0};
    while (at < log->log_end()) {
      const auto fetched = co_await log->read(at, {.end = log->log_end(), .max_bytes = 1});
      EXPECT_TRUE(fetched) << fetched.error().message;
      if (!fetched || fetched->size_bytes == 0) break;
      const Bytes bytes = flatten(fetched->records);
      at = record::BatchView::parse(bytes)->next_offset();
      all.insert(all.end(), bytes.begin(), bytes.end());
    }
    EXPECT_EQ(all, file);
    EXPECT_TRUE(append(*log, make_batch()));
    co_await close(std::move(log));
  });
}

}  // namespace
}  // namespace arus::storage
