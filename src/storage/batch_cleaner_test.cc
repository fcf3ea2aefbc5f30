// What compaction leaves of single batches: formats 0 and 1, ends, markers, damage.
#include "storage/batch_cleaner.h"

#include <gtest/gtest.h>

#include "base/crc32.h"
#include "base/writer.h"
#include "record/builder.h"

namespace arus::storage {
namespace {

Bytes legacy_message(std::int8_t magic, std::int64_t offset, std::int64_t timestamp_ms,
                     std::string_view key, std::optional<std::string_view> value) {
  Writer body;
  body.i8(magic);
  body.i8(0);
  if (magic == 1) body.i64(timestamp_ms);
  body.i32(static_cast<std::int32_t>(key.size()));
  body.bytes(as_bytes(key));
  body.i32(value ? static_cast<std::int32_t>(value->size()) : -1);
  if (value) body.bytes(as_bytes(*value));
  const Bytes bytes = body.take_bytes();
  Writer writer;
  writer.i64(offset);
  writer.i32(static_cast<std::int32_t>(bytes.size() + 4));
  writer.u32(crc32(bytes));
  writer.bytes(bytes);
  return writer.take_bytes();
}

BatchHeader header_of(const Bytes& bytes) {
  const auto batch = record::BatchView::parse(bytes);
  BatchHeader header{.size_bytes = static_cast<std::int64_t>(bytes.size()),
                     .base_offset = batch->base_offset(),
                     .last_offset = batch->last_offset(),
                     .magic = batch->magic(),
                     .attributes = batch->attributes(),
                     .max_timestamp_ms = batch->max_timestamp_ms()};
  if (!batch->is_legacy()) {
    header.producer_id = batch->producer_id();
    header.producer_epoch = batch->producer_epoch();
    header.base_sequence = batch->base_sequence();
  }
  return header;
}

class BatchCleanerTest : public testing::Test {
 protected:
  Result<CleanedBatch> clean(const Bytes& bytes, bool keep_end = false) {
    return cleaner_.clean(header_of(bytes), bytes, keep_end);
  }
  void newest(std::string_view key, std::int64_t offset) {
    ASSERT_TRUE(map_.put(as_bytes(key), Offset{offset}));
  }

  CleaningRules rules_{.mapped_end = Offset{1'000}, .now_ms = 50'000, .delete_retention_ms = 100};
  OffsetMap map_{100, 0.9, SipKey{}};
  TransactionFilter transactions_{{}};
  BatchCleaner cleaner_{rules_, map_, transactions_};
};

TEST_F(BatchCleanerTest, AMessageOfAnOldFormatStaysAsItIsOrGoes) {
  newest("a", 7);
  for (const std::int8_t magic : {std::int8_t{0}, std::int8_t{1}}) {
    EXPECT_EQ(clean(legacy_message(magic, 7, 5, "a", "v"))->fate, BatchFate::kept);
    EXPECT_EQ(clean(legacy_message(magic, 6, 5, "a", "v"))->fate, BatchFate::dropped);
  }
}

TEST_F(BatchCleanerTest, ATombstoneOfAnOldFormatGetsItsHorizonInFormat2) {
  newest("a", 7);
  const auto cleaned = clean(legacy_message(1, 7, 5, "a", std::nullopt));
  ASSERT_EQ(cleaned->fate, BatchFate::changed);
  const auto batch = record::BatchView::parse(cleaned->bytes);
  EXPECT_EQ(batch->magic(), 2);
  EXPECT_TRUE(batch->crc_matches());
  EXPECT_TRUE(batch->has_delete_horizon());
  EXPECT_EQ(batch->base_timestamp_ms(), 50'100);
  EXPECT_EQ(batch->base_offset(), Offset{7});
  EXPECT_EQ(batch->last_offset(), Offset{7});
  record::RecordReader reader(*batch);
  const auto record = reader.next();
  EXPECT_EQ(record->timestamp_ms, 5);
  EXPECT_FALSE(record->value);
}

TEST_F(BatchCleanerTest, WhereOffsetsEndAnOldMessageLeavesAHeader) {
  newest("a", 9);
  const auto cleaned = clean(legacy_message(0, 7, -1, "a", "v"), true);
  ASSERT_EQ(cleaned->fate, BatchFate::changed);
  const auto batch = record::BatchView::parse(cleaned->bytes);
  EXPECT_EQ(batch->count(), 0);
  EXPECT_EQ(batch->base_offset(), Offset{7});
  EXPECT_EQ(batch->last_offset(), Offset{7});
}

TEST_F(BatchCleanerTest, AChangedBatchKeepsItsOffsetsAndItsProducer) {
  record::BatchBuilder builder({.base_offset = Offset{10},
                                .leader_epoch = LeaderEpoch{3},
                                .compression = record::Compression::zstd,
                                .producer_id = ProducerId{8},
                                .producer_epoch = 2,
                                .base_sequence = 40});
  builder.append(1'000, as_bytes("a"), as_bytes("1"));
  builder.append(2'000, as_bytes("b"), as_bytes("1"));
  builder.append(3'000, as_bytes("c"), as_bytes("1"));
  const Bytes bytes = builder.build();
  newest("a", 20);
  newest("b", 11);
  newest("c", 30);
  const auto cleaned = clean(bytes);
  ASSERT_EQ(cleaned->fate, BatchFate::changed);
  EXPECT_EQ(cleaned->max_timestamp_ms, 2'000);
  const auto batch = record::BatchView::parse(cleaned->bytes);
  EXPECT_EQ(batch->base_offset(), Offset{10});
  EXPECT_EQ(batch->last_offset(), Offset{12});
  EXPECT_EQ(batch->leader_epoch(), LeaderEpoch{3});
  EXPECT_EQ(batch->compression(), record::Compression::zstd);
  EXPECT_EQ(batch->producer_id(), ProducerId{8});
  EXPECT_EQ(batch->last_sequence(), 42);
  EXPECT_EQ(batch->count(), 1);
}

TEST_F(BatchCleanerTest, RecordsBeyondTheMapStay) {
  record::BatchBuilder builder({.base_offset = Offset{1'000}});
  builder.append(1, as_bytes("a"), std::nullopt);
  builder.append(1, as_bytes("b"), as_bytes("1"));
  newest("b", 1'500);
  EXPECT_EQ(clean(builder.build())->fate, BatchFate::kept);
}

TEST_F(BatchCleanerTest, TheMarkerThatIsAProducersLastWordStays) {
  rules_.producers[ProducerId{8}] = {.last_data_offset = std::nullopt, .epoch = 3};
  const auto marker = [](std::int64_t producer, std::int16_t epoch, bool horizon) {
    record::BatchOptions options{.base_offset = Offset{5},
                                 .producer_id = ProducerId{producer},
                                 .producer_epoch = epoch,
                                 .delete_horizon = horizon};
    if (horizon) options.base_timestamp_ms = 40'000;
    return record::build_end_transaction(options, true, 0, 1'000);
  };
  // It gets a horizon like any other, and does not go when that is over.
  EXPECT_EQ(clean(marker(8, 3, false))->fate, BatchFate::changed);
  EXPECT_EQ(clean(marker(8, 3, true))->fate, BatchFate::kept);
  EXPECT_EQ(clean(marker(8, 2, true))->fate, BatchFate::dropped);
  EXPECT_EQ(clean(marker(9, 3, true))->fate, BatchFate::dropped);
  EXPECT_EQ(clean(marker(9, 3, false))->fate, BatchFate::changed);
}

TEST_F(BatchCleanerTest, AControlBatchOfAnotherKindStays) {
  const Bytes value(6);
  const Bytes bytes = record::build_control_batch({.base_offset = Offset{5}},
                                                  record::ControlType::leader_change, value, 1'000);
  EXPECT_EQ(clean(bytes)->fate, BatchFate::kept);
}

TEST_F(BatchCleanerTest, DamageIsAnErrorAndIsNotWrittenAgain) {
  record::BatchBuilder builder({.base_offset = Offset{10}});
  builder.append(1, as_bytes("a"), as_bytes("value"));
  Bytes bytes = builder.build();
  bytes.back() ^= 1;
  const auto cleaned = clean(bytes);
  ASSERT_FALSE(cleaned);
  EXPECT_EQ(cleaned.error().code, ErrorCode::corrupt_message);
}

TEST(TransactionFilter, KnowsEachTransactionOfAProducerByItsPlace) {
  const ProducerId producer{4};
  TransactionFilter filter({{producer, Offset{10}, Offset{20}, Offset{21}},
                            {producer, Offset{40}, Offset{50}, Offset{51}}});
  const auto batch = [&](std::int64_t offset) {
    return BatchHeader{.base_offset = Offset{offset},
                       .last_offset = Offset{offset},
                       .attributes = record::format::transactional_mask,
                       .producer_id = producer};
  };
  EXPECT_FALSE(filter.note_batch(batch(5)));
  EXPECT_FALSE(filter.note_marker(batch(6), TransactionEnd{.committed = true}));
  EXPECT_TRUE(filter.note_batch(batch(10)));
  EXPECT_TRUE(filter.note_batch(batch(12)));
  EXPECT_FALSE(filter.note_marker(batch(20), TransactionEnd{.committed = false}));
  EXPECT_EQ(filter.take_entries().size(), 1U);
  // A marker without records is not needed.
  EXPECT_TRUE(filter.note_marker(batch(30), TransactionEnd{.committed = true}));
  EXPECT_TRUE(filter.note_marker(batch(50), TransactionEnd{.committed = false}));
  EXPECT_TRUE(filter.take_entries().empty());
  EXPECT_FALSE(filter.note_batch(batch(60)));
}

TEST(TransactionFilter, AMarkerThatIsGoneDoesNotAbortWhatComesAfter) {
  const ProducerId producer{4};
  TransactionFilter filter({{producer, Offset{10}, Offset{20}, Offset{21}},
                            {producer, Offset{40}, Offset{50}, Offset{51}}});
  const auto batch = [&](std::int64_t offset) {
    return BatchHeader{.base_offset = Offset{offset},
                       .last_offset = Offset{offset},
                       .attributes = record::format::transactional_mask,
                       .producer_id = producer};
  };
  EXPECT_TRUE(filter.note_batch(batch(12)));
  EXPECT_FALSE(filter.note_batch(batch(30)));
  EXPECT_TRUE(filter.note_batch(batch(45)));
}

}  // namespace
}  // namespace arus::storage
