// Random histories of a compacted log against a model of what it may and must serve, with power
// cuts at any step.
#include "storage/compaction_testing.h"
#include "storage/offset_map.h"

namespace arus::storage {
namespace {

using env::Task;

// What was written, and what became of it.
struct WrittenRecord {
  KeyValue record;
  std::int64_t timestamp_ms = 0;
  ProducerId producer = no_producer;  // of a transaction
  bool aborted = false;               // once its transaction is decided
};

struct OpenTransaction {
  std::int16_t epoch = 0;
  std::int32_t sequence = 0;
  std::vector<Offset> offsets;  // of the transaction that is open
};

class CompactionModelTest : public CompactedLogTest {
 protected:
  static constexpr std::int64_t delete_retention_ms = 200;

  CompactionModelTest() : CompactedLogTest(static_cast<std::uint64_t>(GetParam())) {
    config_->segment_bytes = static_cast<std::int32_t>(500 + below(1'500));
    config_->delete_retention_ms = delete_retention_ms;
    config_->min_cleanable_dirty_ratio = 0.01;
    if (below(2) == 0) disk_->set_cache_miss(0.5);
  }

  std::optional<std::string> random_value() {
    if (below(5) == 0) return std::nullopt;
    return std::to_string(written_.size()) + std::string(below(60), 'v');
  }
  void note(const Appended& appended, const std::vector<KeyValue>& records, ProducerId producer) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Offset at = appended.base_offset + static_cast<std::int64_t>(i);
      written_[at] = {.record = records[i], .timestamp_ms = time_ms_, .producer = producer};
      if (producer != no_producer) transactions_[producer].offsets.push_back(at);
    }
  }
  bool append_records() {
    std::vector<KeyValue> records;
    for (std::uint64_t i = 1 + below(4); i > 0; --i) {
      records.push_back({"k" + std::to_string(below(12)), random_value()});
    }
    record::BatchOptions options;
    ProducerId producer = no_producer;
    if (below(3) == 0) {
      producer = ProducerId{static_cast<std::int64_t>(1 + below(3))};
      OpenTransaction& transaction = transactions_[producer];
      options = {.producer_id = producer,
                 .producer_epoch = transaction.epoch,
                 .base_sequence = transaction.sequence,
                 .transactional = true};
      transaction.sequence += static_cast<std::int32_t>(records.size());
    }
    if (below(4) == 0) options.compression = record::Compression::lz4;
    const auto appended =
        append(*log_, batch_of(records, time_ms_, options), {.leader_epoch = epoch_});
    if (!appended) return false;
    note(*appended, records, producer);
    return true;
  }
  bool end_transaction() {
    for (auto& [producer, transaction] : transactions_) {
      if (transaction.offsets.empty() || below(2) != 0) continue;
      const bool committed = below(2) == 0;
      const auto appended = append(*log_, marker_of(producer, transaction.epoch, committed),
                                   {.leader_epoch = epoch_});
      if (!appended) return false;
      markers_[appended->base_offset] = {producer, transaction.offsets, committed};
      if (!committed) {
        for (const Offset at : transaction.offsets) written_[at].aborted = true;
      }
      transaction.offsets.clear();
    }
    return true;
  }

  Task<void> compact_now() {
    const std::size_t slots = below(3) == 0 ? 16 : 4'096;
    static_cast<void>(co_await log_->compact(
        {.now_ms = time_ms_, .map_bytes = slots * OffsetMap::slot_bytes, .stopped = [this] {
           return stop_ || below(40) == 0;
         }}));
  }

  Task<void> work() {
    while (!stop_) {
      time_ms_ += static_cast<std::int64_t>(below(10));
      if (!append_records()) break;
      if (below(6) == 0 && !end_transaction()) break;
      if (below(4) == 0) co_await env::sleep_for(env::microseconds(below(2'000)));
      if (below(30) == 0) {
        static_cast<void>(co_await log_->flush());
        co_await env::sleep_for(env::milliseconds{20});
        if (stop_) break;
        co_await compact_now();
      }
      durable_ = std::max(durable_, log_->durable_end());
    }
    ended_ = true;
  }

  // Cuts the model to what the log has kept.
  void forget_beyond(Offset end) {
    written_.erase(written_.lower_bound(end), written_.end());
    while (!markers_.empty() && markers_.rbegin()->first >= end) {
      const Marker& lost = markers_.rbegin()->second;
      for (const Offset at : lost.offsets) {
        if (const auto each = written_.find(at); each != written_.end())
          each->second.aborted = false;
      }
      markers_.erase(std::prev(markers_.end()));
    }
    transactions_.clear();
    for (const auto& [at, record] : written_) {
      if (record.producer != no_producer) transactions_[record.producer].offsets.push_back(at);
    }
    for (const auto& [at, marker] : markers_) {
      std::erase_if(transactions_[marker.producer].offsets,
                    [&](Offset each) { return std::ranges::count(marker.offsets, each) > 0; });
    }
    for (const ProducerEntry& entry : log_->producers()) {
      OpenTransaction& transaction = transactions_[entry.producer_id];
      transaction.epoch = entry.epoch;
      const ProducerBatch* const last = entry.last_batch();
      transaction.sequence = last == nullptr ? 0 : last->last_sequence + 1;
      EXPECT_EQ(entry.in_transaction(), !transaction.offsets.empty())
          << "producer " << entry.producer_id.value();
    }
    for (const auto& [producer, transaction] : transactions_) {
      EXPECT_TRUE(transaction.offsets.empty() ||
                  log_->has_open_transaction(producer, transaction.epoch));
    }
  }

  // Whatever is served was written; of each key the newest decided record is served, unless it is a
  // tombstone; and a key whose newest is a tombstone has no older value that outlives it.
  Task<void> check(bool all_decided) {
    const Offset end = log_->written_end();
    const Served plain = co_await read_all(*log_);
    for (const auto& [at, record] : plain.records) {
      const auto written = written_.find(at);
      EXPECT_TRUE(written != written_.end()) << at.value();
      if (written == written_.end()) continue;
      EXPECT_EQ(record, written->second.record) << at.value();
      EXPECT_EQ(plain.timestamps.at(at), written->second.timestamp_ms) << at.value();
    }
    std::map<std::string, Offset> newest;
    for (const auto& [at, written] : written_) {
      if (at < end && !written.aborted) newest[*written.record.key] = at;
    }
    for (const auto& [key, at] : newest) {
      const bool tombstone = !written_.at(at).record.value;
      if (!tombstone) {
        EXPECT_TRUE(plain.records.contains(at)) << key << " at " << at.value();
      } else if (!plain.records.contains(at)) {
        for (const auto& [older, record] : plain.records) {
          const bool visible = record.key == key && record.value && older < at;
          EXPECT_FALSE(visible && !written_.at(older).aborted) << key << " at " << older.value();
        }
      }
    }
    if (!all_decided) co_return;
    const Served committed = co_await read_all(*log_, true);
    for (const auto& [at, record] : committed.records) {
      EXPECT_FALSE(written_.at(at).aborted) << "aborted, and served at " << at.value();
    }
    for (const auto& [key, at] : newest) {
      if (written_.at(at).record.value) EXPECT_TRUE(committed.records.contains(at)) << at.value();
    }
  }

  Task<void> open_and_check() {
    // What compaction was never at has no gaps; a log that is not compacted is held to that.
    config_->cleanup_compact = false;
    log_ = co_await open();
    config_->cleanup_compact = true;
    EXPECT_GE(log_->log_end(), durable_) << "the end went back";
    EXPECT_EQ(log_->log_start(), Offset{0});
    durable_ = log_->durable_end();
    forget_beyond(log_->log_end());
    co_await check(true);
  }

  void live(int life) {
    SCOPED_TRACE("life " + std::to_string(life) + " of seed " + std::to_string(GetParam()));
    if (life > 0) start();
    epoch_ = LeaderEpoch{life};
    run([this] [[clang::coro_wrapper]] { return open_and_check(); });
    stop_ = ended_ = false;
    environment_->loop(0).post([this] { env::spawn_detached(work()); });
    for (std::uint64_t steps = 500 + below(8'000); steps > 0; --steps) simulation_.step();
    const bool orderly = below(4) == 0;
    if (!orderly) disk_->cut_power();
    stop_ = true;
    while (!ended_) ASSERT_TRUE(simulation_.step());
    if (orderly) {
      run([this]() -> Task<void> {
        EXPECT_TRUE(co_await log_->flush());
        co_await check(false);
      });
    }
    log_ = nullptr;
    run([this, orderly]() -> Task<void> {
      EXPECT_EQ((co_await directory_->close(1)).has_value(), orderly);
    });
    EXPECT_EQ(disk_->calls_from_loops(), 0U);
    stop();
    if (orderly) return;
    crash_somehow();
  }

  struct Marker {
    ProducerId producer;
    std::vector<Offset> offsets;
    bool committed = false;
  };
  std::unique_ptr<Log> log_;
  std::map<Offset, WrittenRecord> written_;
  std::map<Offset, Marker> markers_;
  std::map<ProducerId, OpenTransaction> transactions_;
  Offset durable_;
  LeaderEpoch epoch_;
  std::int64_t time_ms_ = start_ms;
  bool stop_ = false;
  bool ended_ = false;
};

TEST_P(CompactionModelTest, WhatIsServedIsWhatTheModelSays) {
  for (int life = 0; life < 5; ++life) live(life);
  start();
  run([this] [[clang::coro_wrapper]] { return open_and_check(); });
  log_ = nullptr;
  run([this]() -> Task<void> { EXPECT_TRUE(co_await directory_->close(1)); });
}

INSTANTIATE_TEST_SUITE_P(Seeds, CompactionModelTest, testing::Range(1, 25));

}  // namespace
}  // namespace arus::storage
