// What the tests of compaction share: a log on a simulated disk, and records as they are served.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "record/record.h"
#include "storage/simulated_directory_testing.h"

namespace arus::storage {

// A key and its value; none is a tombstone. Without a key where that is asked for.
struct KeyValue {
  std::optional<std::string> key;
  std::optional<std::string> value;
  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

inline Slice batch_of(const std::vector<KeyValue>& records, std::int64_t timestamp_ms,
                      const record::BatchOptions& options = {}) {
  record::BatchBuilder builder(options);
  for (const KeyValue& each : records) {
    const auto view = [](const std::optional<std::string>& text) -> std::optional<ByteView> {
      if (!text) return std::nullopt;
      return as_bytes(*text);
    };
    builder.append(timestamp_ms, view(each.key), view(each.value));
  }
  return Slice(builder.build());
}

inline Slice marker_of(ProducerId producer, std::int16_t epoch, bool committed) {
  return Slice(record::build_end_transaction({.producer_id = producer, .producer_epoch = epoch},
                                             committed, 0, 1'750'000'000'000));
}

struct Served {
  std::map<Offset, KeyValue> records;  // without control records
  std::map<Offset, std::int64_t> timestamps;
  std::size_t batches = 0;
  std::size_t empty_batches = 0;
  std::size_t control_batches = 0;
  std::size_t horizons = 0;  // batches that have one
  Offset next;
};

// Reads the whole log as a consumer would, piece by piece; with `committed` without the records of
// aborted transactions.
inline env::Task<Served> read_all(Log& log, bool committed = false) {
  Served served;
  std::map<ProducerId, std::vector<Offset>> aborted;
  const Offset end = log.written_end();
  if (committed) {
    const auto all = co_await log.aborted_transactions(log.log_start(), end);
    EXPECT_TRUE(all);
    for (const auto& each : *all) aborted[each.producer_id].push_back(each.first_offset);
  }
  record::CodecScratch scratch;
  std::map<ProducerId, bool> in_aborted;
  for (served.next = log.log_start(); served.next < end;) {
    const auto fetched = co_await log.read(served.next, {.end = end, .max_bytes = 600});
    EXPECT_TRUE(fetched) << fetched.error().message;
    if (!fetched || fetched->size_bytes == 0) break;
    const Bytes bytes = flatten(fetched->records);
    record::BatchReader reader(bytes);
    while (const auto batch = reader.next()) {
      EXPECT_TRUE(batch->crc_matches());
      EXPECT_GE(batch->last_offset(), served.next);
      ++served.batches;
      served.empty_batches += batch->count() == 0;
      served.horizons += batch->has_delete_horizon();
      served.control_batches += batch->is_control();
      const ProducerId producer = batch->is_legacy() ? no_producer : batch->producer_id();
      // A transaction's first batch may be gone; the marker ends it all the same.
      std::erase_if(aborted[producer], [&](Offset first) {
        if (first > batch->last_offset()) return false;
        in_aborted[producer] = true;
        return true;
      });
      if (batch->is_control()) in_aborted[producer] = false;
      const bool skipped =
          batch->is_control() || (batch->is_transactional() && in_aborted[producer]);
      record::RecordReader records(*batch, scratch);
      while (const auto record = records.next()) {
        if (skipped || record->offset < log.log_start()) continue;
        const auto text = [](const std::optional<ByteView>& view) {
          return view ? std::optional(std::string(as_text(*view))) : std::nullopt;
        };
        served.records[record->offset] = {text(record->key), text(record->value)};
        served.timestamps[record->offset] = record->timestamp_ms;
      }
      EXPECT_TRUE(records.status());
      served.next = batch->next_offset();
    }
  }
  EXPECT_EQ(served.next, end) << "offsets end before the log does";
  co_return served;
}

class CompactedLogTest : public testing::TestWithParam<int>, protected SimulatedDirectory {
 protected:
  static constexpr std::int64_t start_ms = 1'750'000'000'000;

  explicit CompactedLogTest(std::uint64_t seed = 13) : SimulatedDirectory(seed) {
    config_->segment_bytes = 700;
    config_->index_interval_bytes = 150;
    config_->cleanup_delete = false;
    config_->cleanup_compact = true;
  }

  // Everything is on stable storage, and segments that are full are known to be.
  static env::Task<void> settle(Log& log) {
    EXPECT_TRUE(co_await log.flush());
    co_await env::sleep_for(env::milliseconds{100});
  }
  // Closes the newest segment, so that all that was written before can be compacted.
  env::Task<void> roll(Log& log) {
    const std::int32_t size = std::exchange(config_->segment_bytes, 120);
    EXPECT_TRUE(append(log, batch_of({{"last", "x"}}, start_ms)));
    config_->segment_bytes = size;
    co_await settle(log);
  }
  static env::Task<CompactionOutcome> compact(Log& log, std::int64_t now_ms = start_ms) {
    const auto outcome = co_await log.compact({.now_ms = now_ms});
    EXPECT_TRUE(outcome) << outcome.error().message;
    co_return outcome ? *outcome : CompactionOutcome{};
  }
};

}  // namespace arus::storage
