// The rules of compaction, on whole logs.
#include <cerrno>

#include "storage/compaction_testing.h"
#include "storage/file_names.h"
#include "storage/offset_map.h"

namespace arus::storage {
namespace {

using env::Task;

using CompactionTest = CompactedLogTest;

std::vector<std::int64_t> offsets_of(const Served& served) {
  std::vector<std::int64_t> offsets;
  for (const auto& [offset, record] : served.records) offsets.push_back(offset.value());
  return offsets;
}

TEST_F(CompactionTest, TheNewestRecordOfEachKeyStaysWhereItWas) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 40; ++i) {
      EXPECT_TRUE(
          append(*log, batch_of({{"k" + std::to_string(i % 4), std::to_string(i)}}, start_ms + i)));
    }
    co_await roll(*log);
    const std::int64_t size = log->size_bytes();
    const auto outcome = co_await compact(*log);
    EXPECT_TRUE(outcome.finished);
    EXPECT_EQ(outcome.freed_bytes, size - log->size_bytes());
    EXPECT_GT(outcome.freed_bytes, 0);
    const Served served = co_await read_all(*log);
    EXPECT_EQ(offsets_of(served), (std::vector<std::int64_t>{36, 37, 38, 39, 40}));
    EXPECT_EQ(served.records.at(Offset{37}), (KeyValue{"k1", "37"}));
    EXPECT_EQ(served.timestamps.at(Offset{37}), start_ms + 37);
    EXPECT_EQ(log->log_start(), Offset{0});
    EXPECT_EQ(log->log_end(), Offset{41});
    EXPECT_EQ(served.next, Offset{41});
    // From any offset reading goes on at the next record that is left.
    for (std::int64_t at = 0; at < 41; ++at) {
      const auto fetched = co_await log->read(Offset{at}, {.end = Offset{41}, .max_bytes = 1});
      EXPECT_TRUE(fetched && fetched->size_bytes > 0) << at;
    }
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, TheNewestSegmentIsNeverTouched) {
  config_->segment_bytes = 1 << 20;
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(append(*log, batch_of({{"k", "v"}}, start_ms)));
    co_await settle(*log);
    EXPECT_EQ((co_await log->find_compaction_need(start_ms))->cleanable_bytes, 0);
    EXPECT_EQ((co_await compact(*log)).replaced_segments, 0U);
    EXPECT_EQ((co_await read_all(*log)).records.size(), 10U);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, SmallSegmentsBecomeOneUpToSegmentBytes) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 60; ++i) {
      const std::string key = i % 10 == 0 ? "unique" + std::to_string(i) : "same";
      EXPECT_TRUE(append(*log, batch_of({{key, std::to_string(i)}}, start_ms)));
    }
    co_await roll(*log);
    const std::size_t before = files(".log").size();
    co_await compact(*log);
    // The sizes before count: a second round joins what the first has made small.
    co_await roll(*log);
    co_await compact(*log);
    EXPECT_LT(files(".log").size(), before / 2);
    EXPECT_EQ(files(".index").size(), files(".log").size() - 1);
    // Six keys of their own, the one they share, and one in the newest segment too.
    EXPECT_EQ((co_await read_all(*log)).records.size(), 9U);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, ASegmentThatLostAllItsRecordsIsNotAnAnswerOfItsOwn) {
  run([this]() -> Task<void> {
    config_->segment_bytes = 200;
    auto log = co_await open();
    for (int i = 0; i < 40; ++i) {
      EXPECT_TRUE(append(*log, batch_of({{"same", std::to_string(i)}}, start_ms)));
    }
    co_await roll(*log);
    co_await compact(*log);
    const Offset end = log->log_end();
    std::size_t empty = 0;
    for (Offset at = log->log_start(); at < end; at += 1) {
      const auto fetched = co_await log->read(at, {.end = end, .max_bytes = 100'000});
      EXPECT_TRUE(fetched);
      const Bytes bytes = flatten(fetched->records);
      std::int32_t records = 0;
      record::BatchReader reader(bytes);
      while (const auto batch = reader.next()) {
        records += batch->count();
        empty += batch->count() == 0;
      }
      EXPECT_GT(records, 0) << at.value();
    }
    EXPECT_GT(empty, 0U);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, ARewrittenLogIsFoundAgainWithItsIndexesAndItsCheckpoint) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 60; ++i) {
      EXPECT_TRUE(append(
          *log, batch_of({{"k" + std::to_string(i % 30), std::to_string(i)}}, start_ms + i)));
    }
    co_await roll(*log);
    co_await compact(*log);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
  const auto text = disk_->read_file(std::string(root) + "/cleaner-offset-checkpoint");
  ASSERT_TRUE(text);
  EXPECT_EQ(as_text(*text), "0\n1\ntopic 0 60\n");
  stop();
  start();
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_EQ((co_await read_all(*log)).records.size(), 31U);
    EXPECT_EQ((co_await log->find_timestamp(start_ms + 41, Offset{61}))->value().offset,
              Offset{41});
    EXPECT_EQ((co_await log->find_max_timestamp(Offset{61}))->value().offset, Offset{59});
    const auto need = co_await log->find_compaction_need(start_ms);
    EXPECT_EQ(need->cleanable_bytes, 0);
    EXPECT_GT(need->clean_bytes, 0);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(2));
  });
}

TEST_F(CompactionTest, ATombstoneStaysForDeleteRetentionAndThenGoes) {
  config_->delete_retention_ms = 10'000;
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_TRUE(append(*log, batch_of({{"a", "1"}, {"b", "1"}, {"c", "1"}}, start_ms)));
    EXPECT_TRUE(append(*log, batch_of({{"a", std::nullopt}, {"b", "2"}}, start_ms)));
    co_await roll(*log);
    co_await compact(*log, start_ms);
    Served served = co_await read_all(*log);
    EXPECT_EQ(offsets_of(served), (std::vector<std::int64_t>{2, 3, 4, 5}));
    EXPECT_EQ(served.horizons, 1U);
    EXPECT_EQ(served.timestamps.at(Offset{3}), start_ms);
    // The horizon was set once and does not move.
    co_await roll(*log);
    co_await compact(*log, start_ms + 9'999);
    EXPECT_TRUE((co_await read_all(*log)).records.contains(Offset{3}));
    co_await roll(*log);
    co_await compact(*log, start_ms + 10'000);
    served = co_await read_all(*log);
    EXPECT_FALSE(served.records.contains(Offset{3}));
    EXPECT_EQ(served.records.at(Offset{4}), (KeyValue{"b", "2"}));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, RecordsWithoutAKeyGo) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    EXPECT_TRUE(append(*log, batch_of({{std::nullopt, "1"}, {"a", "1"}, {"", "1"}}, start_ms)));
    co_await roll(*log);
    co_await compact(*log);
    EXPECT_EQ(offsets_of(co_await read_all(*log)), (std::vector<std::int64_t>{1, 2, 3}));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, HeadersAndCompressionSurvive) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    const std::string big(200, 'x');
    for (const auto codec : {record::Compression::gzip, record::Compression::snappy,
                             record::Compression::lz4, record::Compression::zstd}) {
      record::BatchBuilder builder({.compression = codec});
      const record::Header header{.key = "h", .value = as_bytes(big)};
      const std::string key = "of" + std::to_string(static_cast<int>(codec));
      builder.append(start_ms, as_bytes("same"), as_bytes(big), {&header, 1});
      builder.append(start_ms, as_bytes(key), as_bytes(big), {&header, 1});
      EXPECT_TRUE(append(*log, Slice(builder.build())));
    }
    co_await roll(*log);
    co_await compact(*log);
    EXPECT_EQ(offsets_of(co_await read_all(*log)), (std::vector<std::int64_t>{1, 3, 5, 6, 7, 8}));
    const auto fetched = co_await log->read(Offset{0}, {.end = Offset{8}, .max_bytes = 10'000});
    const Bytes bytes = flatten(fetched->records);
    record::BatchReader reader(bytes);
    record::CodecScratch scratch;
    const auto batch = reader.next();
    EXPECT_EQ(batch->compression(), record::Compression::gzip);
    record::RecordReader records(*batch, scratch);
    const auto record = records.next();
    EXPECT_EQ(record->header_count, 1);
    EXPECT_EQ(record->headers().next()->value->size(), big.size());
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, WhatIsDueIsSaidByRatioAndLags) {
  config_->min_cleanable_dirty_ratio = 0.9;
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 30; ++i) {
      EXPECT_TRUE(append(*log, batch_of({{"k" + std::to_string(i), "v"}}, start_ms)));
    }
    co_await roll(*log);
    EXPECT_TRUE((co_await log->find_compaction_need(start_ms))->due);
    config_->min_compaction_lag_ms = 5'000;
    EXPECT_EQ((co_await log->find_compaction_need(start_ms + 4'999))->cleanable_bytes, 0);
    EXPECT_TRUE((co_await log->find_compaction_need(start_ms + 5'000))->due);
    config_->min_compaction_lag_ms = 0;
    co_await compact(*log);
    EXPECT_FALSE((co_await log->find_compaction_need(start_ms))->due);
    // Half of it is dirty: too little, until it has waited for long enough.
    for (int i = 0; i < 30; ++i) {
      EXPECT_TRUE(append(*log, batch_of({{"k" + std::to_string(i), "v"}}, start_ms + 1)));
    }
    co_await roll(*log);
    const auto need = co_await log->find_compaction_need(start_ms);
    EXPECT_GT(need->dirty_ratio(), 0.4);
    EXPECT_LT(need->dirty_ratio(), 0.6);
    EXPECT_FALSE(need->due);
    config_->max_compaction_lag_ms = 60'000;
    EXPECT_FALSE((co_await log->find_compaction_need(start_ms + 59'000))->due);
    EXPECT_TRUE((co_await log->find_compaction_need(start_ms + 60'002))->due);
    config_->cleanup_compact = false;
    EXPECT_FALSE((co_await log->find_compaction_need(start_ms + 60'002))->due);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, NothingBeyondTheHighWatermarkOrAnOpenTransactionIsCleaned) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(append(*log, batch_of({{"k", "v"}}, start_ms)));
    log->set_high_watermark(Offset{0});
    co_await roll(*log);
    EXPECT_EQ((co_await log->find_compaction_need(start_ms))->cleanable_bytes, 0);
    log->set_high_watermark(Offset{21});
    EXPECT_GT((co_await log->find_compaction_need(start_ms))->cleanable_bytes, 0);
    co_await compact(*log);
    const record::BatchOptions options{.producer_id = ProducerId{9},
                                       .producer_epoch = 0,
                                       .base_sequence = 0,
                                       .transactional = true};
    EXPECT_TRUE(append(*log, batch_of({{"t", "1"}}, start_ms, options)));
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(append(*log, batch_of({{"k", "v"}}, start_ms)));
    log->set_high_watermark(log->log_end());
    co_await roll(*log);
    log->set_high_watermark(log->log_end());
    const auto need = co_await log->find_compaction_need(start_ms);
    EXPECT_LT(need->cleanable_bytes, 800);
    EXPECT_TRUE(append(*log, marker_of(ProducerId{9}, 0, true)));
    co_await settle(*log);
    log->set_high_watermark(log->log_end());
    EXPECT_GT((co_await log->find_compaction_need(start_ms))->cleanable_bytes, 1'200);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, RecordsOfAbortedTransactionsGoAndTheirMarkersLater) {
  config_->delete_retention_ms = 10'000;
  run([this]() -> Task<void> {
    auto log = co_await open();
    const auto options = [](std::int64_t id, std::int32_t sequence) {
      return record::BatchOptions{.producer_id = ProducerId{id},
                                  .producer_epoch = 0,
                                  .base_sequence = sequence,
                                  .transactional = true};
    };
    EXPECT_TRUE(append(*log, batch_of({{"a", "kept"}}, start_ms)));  // 0
    EXPECT_TRUE(append(*log, batch_of({{"a", "lost"}, {"b", "lost"}}, start_ms, options(4, 0))));
    EXPECT_TRUE(append(*log, batch_of({{"c", "won"}}, start_ms, options(5, 0))));    // 3
    EXPECT_TRUE(append(*log, marker_of(ProducerId{4}, 0, false)));                   // 4
    EXPECT_TRUE(append(*log, marker_of(ProducerId{5}, 0, true)));                    // 5
    EXPECT_TRUE(append(*log, batch_of({{"d", "won"}}, start_ms, options(4, 2))));    // 6
    EXPECT_TRUE(append(*log, marker_of(ProducerId{4}, 0, true)));                    // 7
    EXPECT_TRUE(append(*log, batch_of({{"c", "newer"}}, start_ms, options(5, 1))));  // 8
    EXPECT_TRUE(append(*log, marker_of(ProducerId{5}, 0, true)));                    // 9
    co_await roll(*log);                                                             // 10
    co_await compact(*log, start_ms);
    Served served = co_await read_all(*log, true);
    EXPECT_EQ(offsets_of(served), (std::vector<std::int64_t>{0, 6, 8, 10}));
    EXPECT_EQ(served.records.at(Offset{0}), (KeyValue{"a", "kept"}));
    // Nothing aborted is left for read_uncommitted either, but the markers are.
    EXPECT_EQ(offsets_of(co_await read_all(*log)), offsets_of(served));
    EXPECT_EQ(served.control_batches, 4U);
    EXPECT_EQ(served.horizons, 0U);
    // The next round finds those without records and gives them their time.
    co_await roll(*log);
    co_await compact(*log, start_ms + 1);
    served = co_await read_all(*log, true);
    EXPECT_EQ(served.control_batches, 4U);
    EXPECT_EQ(served.horizons, 2U);
    EXPECT_TRUE((co_await log->aborted_transactions(Offset{0}, log->log_end()))->empty());
    co_await roll(*log);
    co_await compact(*log, start_ms + 10'001);
    served = co_await read_all(*log, true);
    EXPECT_EQ(served.control_batches, 2U);
    EXPECT_TRUE(served.records.contains(Offset{6}));
    EXPECT_TRUE(served.records.contains(Offset{8}));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, WhatAProducerWroteLastStaysAtLeastAsAHeader) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 6; ++i) {
      const record::BatchOptions options{
          .producer_id = ProducerId{4}, .producer_epoch = 3, .base_sequence = i};
      EXPECT_TRUE(append(*log, batch_of({{"k", std::to_string(i)}}, start_ms + i, options)));
    }
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(append(*log, batch_of({{"k", "last"}}, start_ms)));
    co_await roll(*log);
    co_await compact(*log);
    const Served served = co_await read_all(*log);
    EXPECT_EQ(served.records.size(), 2U);
    EXPECT_GE(served.empty_batches, 1U);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
  // Without snapshots producers are read from the batches.
  for (const std::string& name : files(".snapshot")) {
    ASSERT_TRUE(disk_->remove(std::string(root) + "/topic-0/" + name));
  }
  ASSERT_TRUE(disk_->remove(std::string(root) + "/.kafka_cleanshutdown"));
  stop();
  start();
  run([this]() -> Task<void> {
    auto log = co_await open();
    const auto producers = log->producers();
    EXPECT_EQ(producers.size(), 1U);
    if (producers.empty()) co_return;
    EXPECT_EQ(producers[0].epoch, 3);
    EXPECT_EQ(producers[0].last_batch()->last_sequence, 5);
    EXPECT_EQ(producers[0].last_batch()->last_offset, Offset{5});
    EXPECT_EQ(producers[0].last_timestamp_ms, start_ms + 5);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(2));
  });
}

TEST_F(CompactionTest, ASmallMapTakesSeveralRounds) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 60; ++i) {
      EXPECT_TRUE(
          append(*log, batch_of({{"k" + std::to_string(i % 20), std::to_string(i)}}, start_ms)));
    }
    co_await roll(*log);
    int rounds = 0;
    for (; (co_await log->find_compaction_need(start_ms))->cleanable_bytes > 0 && rounds < 50;
         ++rounds) {
      EXPECT_TRUE(co_await log->compact(
          {.now_ms = start_ms, .map_bytes = 8 * OffsetMap::slot_bytes, .map_load_factor = 0.9}));
    }
    EXPECT_GT(rounds, 3);
    EXPECT_LT(rounds, 20);
    // Keys that no one map held together may be there twice, but the newest always is.
    const Served served = co_await read_all(*log);
    for (int i = 40; i < 60; ++i) EXPECT_TRUE(served.records.contains(Offset{i})) << i;
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, AMapThatIsTooSmallForOneBatchIsAnError) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    std::vector<KeyValue> records;
    for (int i = 0; i < 20; ++i) records.push_back({"k" + std::to_string(i), "v"});
    EXPECT_TRUE(append(*log, batch_of(records, start_ms)));
    co_await roll(*log);
    const auto outcome =
        co_await log->compact({.now_ms = start_ms, .map_bytes = 8 * OffsetMap::slot_bytes});
    EXPECT_FALSE(outcome);
    EXPECT_EQ((co_await read_all(*log)).records.size(), 21U);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, DamageEndsARoundAndNothingOfTheLogIsLost) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 30; ++i) {
      EXPECT_TRUE(append(*log, batch_of({{"k" + std::to_string(i % 3), "v"}}, start_ms)));
    }
    co_await roll(*log);
    const std::string path = std::string(root) + "/topic-0/00000000000000000000.log";
    const auto before = disk_->read_file(path);
    {
      auto file = disk_->open(path, env::OpenMode::read_write);
      const std::uint8_t byte = 0xff;
      EXPECT_TRUE((*file)->write_at(ByteView(&byte, 1), 70));
    }
    const auto outcome = co_await log->compact({.now_ms = start_ms});
    EXPECT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::corrupt_message);
    EXPECT_TRUE(files(".cleaned").empty());
    EXPECT_TRUE(files(".swap").empty());
    EXPECT_FALSE(log->failure());
    {
      auto file = disk_->open(path, env::OpenMode::read_write);
      EXPECT_TRUE((*file)->write_at(ByteView(*before), 0));
    }
    EXPECT_EQ((co_await read_all(*log)).records.size(), 31U);
    EXPECT_TRUE((co_await compact(*log)).finished);
    EXPECT_EQ((co_await read_all(*log)).records.size(), 4U);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, ADiskErrorWhileItWritesLeavesTheLogAsItWas) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 30; ++i) {
      EXPECT_TRUE(append(*log, batch_of({{"k" + std::to_string(i % 3), "v"}}, start_ms)));
    }
    co_await roll(*log);
    for (const auto act : {env::FileAct::write, env::FileAct::rename}) {
      disk_->set_fault_hook([act](const env::FileOperation& operation) {
        const bool hit = operation.act == act && operation.path.ends_with(suffix::cleaned);
        return env::FileFault{.os_error = hit ? ENOSPC : 0};
      });
      EXPECT_FALSE(co_await log->compact({.now_ms = start_ms}));
      EXPECT_FALSE(log->failure());
      EXPECT_TRUE(files(".cleaned").empty());
      EXPECT_TRUE(files(".swap").empty());
    }
    disk_->set_fault_hook({});
    EXPECT_EQ((co_await read_all(*log)).records.size(), 31U);
    EXPECT_TRUE((co_await compact(*log)).finished);
    EXPECT_EQ((co_await read_all(*log)).records.size(), 4U);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, AFailedFlushOfWhatItWritesTakesTheDirectoryOffline) {
  int failed = 0;
  for (int nth = 0; nth < 20; ++nth) {
    disk_ = simulation_.make_disk();
    start();
    bool hit = false;
    run([this, nth, &hit, &failed]() -> Task<void> {
      auto log = co_await open();
      for (int i = 0; i < 30; ++i) {
        EXPECT_TRUE(append(*log, batch_of({{"k" + std::to_string(i % 3), "v"}}, start_ms)));
      }
      co_await roll(*log);
      disk_->set_fault_hook([&, left = nth](const env::FileOperation& operation) mutable {
        const bool counts = operation.path.ends_with(suffix::cleaned)
                                ? operation.act == env::FileAct::sync
                                : operation.act == env::FileAct::sync_directory &&
                                      operation.path.ends_with("topic-0");
        hit = hit || (counts && left-- == 0);
        return env::FileFault{.os_error = hit ? EIO : 0};
      });
      EXPECT_EQ((co_await log->compact({.now_ms = start_ms})).has_value(), !hit);
      co_await env::sleep_for(env::milliseconds{5});
      EXPECT_EQ(log->failure().has_value(), hit);
      failed += hit ? 1 : 0;
      log = nullptr;
      EXPECT_EQ((co_await directory_->close(1)).has_value(), !hit);
    });
    disk_->set_fault_hook({});
    stop();
    if (!hit) break;
  }
  EXPECT_GE(failed, 6) << "of the segment, its indexes, the names of each step";
}

TEST_F(CompactionTest, ARoundThatIsStoppedLeavesNoFiles) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 30; ++i) EXPECT_TRUE(append(*log, batch_of({{"k", "v"}}, start_ms)));
    co_await roll(*log);
    for (int pieces = 0; pieces < 3; ++pieces) {
      int asked = 0;
      const auto outcome = co_await log->compact(
          {.now_ms = start_ms, .stopped = [&asked, pieces] { return asked++ >= pieces; }});
      EXPECT_TRUE(outcome && !outcome->finished);
      EXPECT_TRUE(files(".cleaned").empty());
    }
    EXPECT_GT((co_await log->find_compaction_need(start_ms))->cleanable_bytes, 0);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, ItKeepsToItsPace) {
  config_->segment_bytes = 4 << 20;
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 32; ++i) {
      EXPECT_TRUE(
          append(*log, batch_of({{"k" + std::to_string(i), std::string(1 << 17, 'v')}}, start_ms)));
    }
    co_await roll(*log);
    const auto began = env::Loop::current()->refresh_now();
    const auto outcome = co_await log->compact({.now_ms = start_ms, .bytes_per_second = 1e6});
    EXPECT_TRUE(outcome);
    const auto took = env::Loop::current()->refresh_now() - began;
    EXPECT_GE(took, env::milliseconds{outcome->moved_bytes / 1'000});
    EXPECT_LT(took, env::milliseconds{outcome->moved_bytes / 1'000 + 1'000});
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, RetentionGoesOnInALogThatIsBoth) {
  config_->cleanup_delete = true;
  config_->retention_ms = 3'600'000;
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(append(*log, batch_of({{"k" + std::to_string(i), "v"}}, start_ms)));
    }
    co_await roll(*log);
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(append(*log, batch_of({{"m", "v"}}, start_ms + 3'600'000)));
    }
    co_await roll(*log);
    co_await compact(*log);
    EXPECT_GT((co_await log->apply_retention(start_ms + 3'600'001))->count, 0U);
    EXPECT_GT(log->log_start(), Offset{10});
    const Served served = co_await read_all(*log);
    EXPECT_TRUE(served.records.contains(Offset{40}));
    EXPECT_FALSE(served.records.contains(Offset{1}));
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

Task<void> read_until(Log* log, const bool* stop, int* rounds, bool* ended) {
  while (!*stop) {
    const Served served = co_await read_all(*log);
    EXPECT_TRUE(served.records.contains(Offset{59}));
    const auto found = co_await log->find_timestamp(59, log->log_end());
    EXPECT_TRUE(found && *found && (*found)->offset == Offset{59});
    ++*rounds;
  }
  *ended = true;
}

TEST_F(CompactionTest, ReadersSeeOneGenerationWhileSegmentsAreExchanged) {
  disk_->set_cache_miss(0.6);
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 60; ++i) {
      EXPECT_TRUE(append(*log, batch_of({{"k" + std::to_string(i % 7), std::to_string(i)}}, i)));
    }
    co_await roll(*log);
    bool stop = false;
    bool ended = false;
    int rounds = 0;
    env::spawn_detached(read_until(log.get(), &stop, &rounds, &ended));
    for (int i = 0; i < 20; ++i) {
      co_await env::sleep_for(env::milliseconds{1});
      for (int j = 0; j < 7; ++j) {
        EXPECT_TRUE(append(*log, batch_of({{"other" + std::to_string(j), "v"}}, 1)));
      }
      co_await settle(*log);
      EXPECT_TRUE(co_await log->compact({.now_ms = start_ms}));
    }
    stop = true;
    while (!ended) co_await env::sleep_for(env::milliseconds{1});
    EXPECT_GT(rounds, 5);
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
  EXPECT_EQ(disk_->calls_from_loops(), 0U);
}

// How long each read of the whole log took at most, until `stop`.
Task<void> time_reads(Log* log, const env::SimulatedDisk* disk, env::Duration* longest, bool* stop,
                      bool* ended) {
  while (!*stop) {
    const Offset end = log->written_end();
    for (Offset at = log->log_start(); at < end && !*stop;) {
      const env::TimePoint begin = disk->now();
      const auto fetched = co_await log->read(at, {.end = end, .max_bytes = 600});
      EXPECT_TRUE(fetched) << fetched.error().message;
      EXPECT_TRUE(co_await log->find_timestamp(0, end));
      EXPECT_TRUE(co_await log->aborted_transactions(at, end));
      *longest = std::max(*longest, disk->now() - begin);
      if (!fetched || fetched->size_bytes == 0) break;
      record::BatchReader reader(fetched->records.front().view());
      while (const auto batch = reader.next()) at = batch->next_offset();
    }
    co_await env::sleep_for(env::milliseconds{300});
  }
  *ended = true;
}

// And each record until it was durable.
Task<void> time_appends(Log* log, const env::SimulatedDisk* disk, env::Duration* longest,
                        bool* stop, bool* ended) {
  while (!*stop) {
    const env::TimePoint begin = disk->now();
    EXPECT_TRUE(append(*log, make_batch()));
    EXPECT_TRUE(co_await log->flush());
    *longest = std::max(*longest, disk->now() - begin);
    co_await env::sleep_for(env::milliseconds{300});
  }
  *ended = true;
}

TEST_F(CompactionTest, AnExchangeThatWaitsForTheDiskHoldsNobodyUp) {
  disk_->set_cache_miss(1);
  run([this]() -> Task<void> {
    auto log = co_await open();
    auto other = co_await open(1);
    int stalls = 0;
    for (int stalled = 0; stalled < 12; ++stalled) {
      for (int i = 0; i < 30; ++i) {
        EXPECT_TRUE(append(*log, batch_of({{"k" + std::to_string(i % 7), std::to_string(i)}}, i)));
      }
      const record::BatchOptions transaction{.producer_id = ProducerId{4},
                                             .producer_epoch = 0,
                                             .base_sequence = stalled,
                                             .transactional = true};
      EXPECT_TRUE(append(*log, batch_of({{"k1", "lost"}}, start_ms, transaction)));
      EXPECT_TRUE(append(*log, marker_of(ProducerId{4}, 0, false)));
      co_await roll(*log);
      bool stop = false;
      bool reads_ended = false;
      bool appends_ended = false;
      env::Duration longest_read{};
      env::Duration longest_append{};
      int flushes = 0;
      disk_->set_fault_hook([&](const env::FileOperation& operation) {
        // Of the exchange: what compaction wrote was flushed before.
        const bool counts = operation.act == env::FileAct::sync_directory &&
                            operation.path.ends_with("topic-0") && flushes++ == stalled;
        stalls += counts ? 1 : 0;
        return env::FileFault{.stall = counts ? env::seconds(30) : env::Duration{}};
      });
      env::spawn_detached(time_reads(log.get(), disk_.get(), &longest_read, &stop, &reads_ended));
      env::spawn_detached(
          time_appends(other.get(), disk_.get(), &longest_append, &stop, &appends_ended));
      EXPECT_TRUE(co_await log->compact({.now_ms = start_ms}));
      stop = true;
      while (!reads_ended || !appends_ended) co_await env::sleep_for(env::milliseconds{1});
      disk_->set_fault_hook({});
      EXPECT_GT(longest_read, env::Duration{});
      EXPECT_LT(longest_read, env::seconds(1)) << "flush " << stalled;
      EXPECT_LT(longest_append, env::seconds(1)) << "flush " << stalled;
    }
    EXPECT_GE(stalls, 5) << "the flushes of an exchange";
    log = nullptr;
    other = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

TEST_F(CompactionTest, TheLogStartMayMoveWhileItRuns) {
  run([this]() -> Task<void> {
    auto log = co_await open();
    for (int i = 0; i < 60; ++i) {
      EXPECT_TRUE(append(*log, batch_of({{"k" + std::to_string(i), "v"}}, start_ms)));
    }
    EXPECT_TRUE(append(*log, batch_of({{"k1", "new"}, {"k30", "new"}}, start_ms)));
    co_await roll(*log);
    bool moved = false;
    const auto outcome =
        co_await log->compact({.now_ms = start_ms, .stopped = [&] {
                                 if (!std::exchange(moved, true)) {
                                   env::spawn_detached([](Log* moving) -> Task<void> {
                                     EXPECT_TRUE(co_await moving->advance_log_start(Offset{20}));
                                   }(log.get()));
                                 }
                                 return false;
                               }});
    EXPECT_TRUE(outcome) << outcome.error().message;
    co_await env::sleep_for(env::milliseconds{100});
    EXPECT_EQ(log->log_start(), Offset{20});
    const Served served = co_await read_all(*log);
    for (int i = 20; i < 60; ++i) {
      if (i != 30) EXPECT_TRUE(served.records.contains(Offset{i})) << i;
    }
    log = nullptr;
    EXPECT_TRUE(co_await directory_->close(1));
  });
}

}  // namespace
}  // namespace arus::storage
