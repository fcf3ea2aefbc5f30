#include "record/batch.h"

#include <gtest/gtest.h>

#include "record/builder.h"
#include "record/control.h"
#include "record/golden_batches.h"
#include "record/record.h"

namespace arus::record {
namespace {

std::optional<Bytes> owned(std::optional<ByteView> view) {
  if (!view) return std::nullopt;
  return Bytes{view->begin(), view->end()};
}

std::optional<ByteView> viewed(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return ByteView{*bytes};
}

BatchView view_of(const Bytes& bytes) {
  auto batch = BatchView::parse(bytes);
  EXPECT_TRUE(batch.has_value());
  EXPECT_EQ(batch->size_bytes(), bytes.size());
  return *batch;
}

void expect_records(const BatchView& batch, const std::vector<GoldenRecord>& expected) {
  CodecScratch scratch;
  RecordReader reader{batch, scratch};
  for (const GoldenRecord& golden : expected) {
    const auto record = reader.next();
    ASSERT_TRUE(record) << reader.status().error().message;
    EXPECT_EQ(record->offset, Offset{golden.offset});
    EXPECT_EQ(record->timestamp_ms, golden.timestamp_ms);
    EXPECT_EQ(owned(record->key), golden.key);
    EXPECT_EQ(owned(record->value), golden.value);
    auto headers = record->headers();
    for (const GoldenHeader& golden_header : golden.headers) {
      const auto header = headers.next();
      ASSERT_TRUE(header);
      EXPECT_EQ(header->key, golden_header.name);
      EXPECT_EQ(owned(header->value), golden_header.value);
    }
    EXPECT_FALSE(headers.next());
    EXPECT_TRUE(headers.ok());
    if (!golden.control_type.empty()) {
      const auto type = parse_control_key(*record->key);
      ASSERT_TRUE(type);
      EXPECT_EQ(control_type_name(*type), golden.control_type);
    }
  }
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.status()) << reader.status().error().message;
}

BatchOptions options_of(const GoldenBatch& golden) {
  BatchOptions options;
  options.base_offset = Offset{golden.base_offset};
  options.leader_epoch = LeaderEpoch{static_cast<std::int32_t>(golden.leader_epoch)};
  options.compression = *parse_compression(golden.compression);
  options.producer_id = ProducerId{golden.producer_id};
  options.producer_epoch = static_cast<std::int16_t>(golden.producer_epoch);
  options.base_sequence = static_cast<std::int32_t>(golden.base_sequence);
  options.transactional = golden.transactional;
  options.control = golden.control;
  if (golden.timestamp_type == "LogAppendTime") {
    options.timestamp_type = TimestampType::log_append_time;
    options.log_append_time_ms = golden.max_timestamp_ms;
  }
  return options;
}

Bytes rebuild(const GoldenBatch& golden) {
  BatchOptions options = options_of(golden);
  options.base_timestamp_ms = golden.base_timestamp_ms;
  BatchBuilder builder{options};
  std::int64_t step_ms = 0;
  for (const GoldenRecord& record : golden.records) {
    std::vector<Header> headers;
    for (const GoldenHeader& header : record.headers) {
      headers.push_back({header.name, viewed(header.value)});
    }
    // With LogAppendTime the records' own timestamps are not among the facts; they went up by 7.
    const bool own = options.timestamp_type == TimestampType::create_time;
    builder.append_at(Offset{record.offset},
                      own ? record.timestamp_ms : golden.base_timestamp_ms + step_ms,
                      viewed(record.key), viewed(record.value), headers);
    step_ms += 7;
  }
  return builder.build();
}

TEST(Batch, GoldenHeadersSayWhatKafkaSays) {
  for (const GoldenBatch& golden : load_golden_batches()) {
    SCOPED_TRACE(golden.name);
    const BatchView batch = view_of(golden.bytes);
    EXPECT_EQ(batch.magic(), golden.magic);
    EXPECT_EQ(batch.last_offset(), Offset{golden.last_offset});
    EXPECT_EQ(batch.next_offset(), Offset{golden.last_offset + 1});
    EXPECT_EQ(compression_name(batch.compression()), golden.compression);
    EXPECT_EQ(batch.max_timestamp_ms(), golden.max_timestamp_ms);
    EXPECT_EQ(batch.crc(), golden.crc);
    EXPECT_TRUE(batch.crc_matches());
    EXPECT_EQ(batch.timestamp_type() == TimestampType::log_append_time,
              golden.timestamp_type == "LogAppendTime");
    if (batch.is_legacy()) continue;
    EXPECT_EQ(batch.base_offset(), Offset{golden.base_offset});
    EXPECT_EQ(batch.attributes(), golden.attributes);
    EXPECT_EQ(batch.leader_epoch().value(), golden.leader_epoch);
    EXPECT_EQ(batch.base_timestamp_ms(), golden.base_timestamp_ms);
    EXPECT_EQ(batch.producer_id().value(), golden.producer_id);
    EXPECT_EQ(batch.producer_epoch(), golden.producer_epoch);
    EXPECT_EQ(batch.base_sequence(), golden.base_sequence);
    EXPECT_EQ(batch.is_transactional(), golden.transactional);
    EXPECT_EQ(batch.is_control(), golden.control);
    EXPECT_EQ(batch.count(), static_cast<std::int32_t>(golden.records.size()));
  }
}

TEST(Batch, GoldenRecordsAreThoseThatKafkaLists) {
  for (const GoldenBatch& golden : load_golden_batches()) {
    SCOPED_TRACE(golden.name);
    expect_records(view_of(golden.bytes), golden.records);
  }
}

TEST(Batch, GoldenBatchesAreRebuiltByteForByteWithoutCompression) {
  int rebuilt = 0;
  for (const GoldenBatch& golden : load_golden_batches()) {
    if (golden.magic != 2 || golden.compression != "none") continue;
    SCOPED_TRACE(golden.name);
    EXPECT_EQ(rebuild(golden), golden.bytes);
    ++rebuilt;
  }
  EXPECT_GE(rebuilt, 12);
}

TEST(Batch, GoldenBatchesSurviveARoundTripThroughEachCodec) {
  for (const auto* codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    for (GoldenBatch golden : load_golden_batches()) {
      if (golden.magic != 2) continue;
      SCOPED_TRACE(golden.name + " in " + codec);
      golden.compression = codec;
      const Bytes bytes = rebuild(golden);
      const BatchView batch = view_of(bytes);
      EXPECT_TRUE(batch.crc_matches());
      EXPECT_EQ(compression_name(batch.compression()), codec);
      expect_records(batch, golden.records);
    }
  }
}

TEST(Batch, MarkersOfTransactionsAreBuiltAsKafkaBuildsThem) {
  for (const bool committed : {true, false}) {
    const GoldenBatch golden = golden_batch(committed ? "control commit" : "control abort");
    const Bytes built = build_end_transaction(options_of(golden), committed, 9, 1700000000000);
    EXPECT_EQ(built, golden.bytes);
    const auto marker = parse_end_transaction_value(*golden.records.at(0).value);
    ASSERT_TRUE(marker);
    EXPECT_EQ(marker->coordinator_epoch, 9);
  }
}

TEST(Batch, AssigningOffsetAndEpochKeepsTheChecksum) {
  Bytes bytes = golden_batch("plain, lz4").bytes;
  set_base_offset(bytes, Offset{123456789012});
  set_leader_epoch(bytes, LeaderEpoch{77});
  const BatchView batch = view_of(bytes);
  EXPECT_TRUE(batch.crc_matches());
  EXPECT_EQ(batch.base_offset(), Offset{123456789012});
  EXPECT_EQ(batch.last_offset(), Offset{123456789015});
  EXPECT_EQ(batch.leader_epoch(), LeaderEpoch{77});
}

TEST(Batch, LogAppendTimeReplacesTheRecordsTimestamps) {
  GoldenBatch golden = golden_batch("plain, none");
  set_max_timestamp(golden.bytes, TimestampType::log_append_time, 1800000000000);
  const BatchView batch = view_of(golden.bytes);
  EXPECT_TRUE(batch.crc_matches());
  EXPECT_EQ(batch.max_timestamp_ms(), 1800000000000);
  for (auto& record : golden.records) record.timestamp_ms = 1800000000000;
  expect_records(batch, golden.records);
}

TEST(Batch, SettingTheSameTimestampTouchesNothing) {
  Bytes bytes = golden_batch("plain, none").bytes;
  bytes[format::crc_at] ^= 1;  // a recomputed checksum would undo this
  const Bytes before = bytes;
  set_max_timestamp(bytes, TimestampType::create_time, 1700000000021);
  EXPECT_EQ(bytes, before);
}

TEST(Batch, LastSequenceWraps) {
  const GoldenBatch golden = golden_batch("sequence that wraps");
  EXPECT_EQ(view_of(golden.bytes).last_sequence(), 1);
  EXPECT_EQ(add_to_sequence(0, -1), std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(add_to_sequence(std::numeric_limits<std::int32_t>::max(), 1), 0);
}

TEST(Batch, NoTruncationIsTakenForAWholeBatch) {
  for (const GoldenBatch& golden : load_golden_batches()) {
    for (std::size_t size = 0; size < golden.bytes.size(); ++size) {
      // A copy of exact size, so that a sanitizer sees a read beyond it.
      const Bytes part{golden.bytes.begin(), golden.bytes.begin() + static_cast<long>(size)};
      EXPECT_FALSE(BatchView::parse(part));
      BatchReader reader{part};
      EXPECT_FALSE(reader.next());
      EXPECT_TRUE(reader.status());
      EXPECT_EQ(reader.position(), 0U);
    }
  }
}

TEST(Batch, EveryFlippedBitOutsideOffsetAndEpochIsNoticed) {
  for (const GoldenBatch& golden : load_golden_batches()) {
    for (std::size_t i = format::length_at; i < golden.bytes.size(); ++i) {
      if (golden.magic == 2 && i >= format::leader_epoch_at && i < format::magic_at) continue;
      for (int bit = 0; bit < 8; ++bit) {
        Bytes bytes = golden.bytes;
        bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ (1 << bit));
        const auto batch = BatchView::parse(bytes);
        if (!batch) continue;
        ASSERT_FALSE(batch->size_bytes() == bytes.size() && batch->crc_matches())
            << golden.name << " byte " << i;
      }
    }
  }
}

TEST(Batch, ReadingDamagedRecordsEndsWithAnError) {
  CodecScratch scratch;
  for (const GoldenBatch& golden : load_golden_batches()) {
    for (std::size_t i = format::magic_at + 1; i < golden.bytes.size(); ++i) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        Bytes bytes = golden.bytes;
        bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ flip);
        const auto batch = BatchView::parse(bytes);
        if (!batch) continue;
        RecordReader reader{*batch, scratch, {.output_bytes = 1 << 20}};
        std::int64_t count = 0;
        while (const auto record = reader.next()) {
          auto headers = record->headers();
          while (headers.next()) {
          }
          ++count;
        }
        ASSERT_LE(count, 100);
        if (!reader.status()) {
          EXPECT_NE(reader.status().error().code, ErrorCode::unknown_server_error);
        }
      }
    }
  }
}

TEST(BatchReader, YieldsBatchesInOrderAndStopsBeforeAnIncompleteOne) {
  Bytes all;
  std::vector<std::size_t> ends;
  for (const GoldenBatch& golden : load_golden_batches()) {
    all.insert(all.end(), golden.bytes.begin(), golden.bytes.end());
    ends.push_back(all.size());
  }
  all.pop_back();
  BatchReader reader{all};
  std::size_t count = 0;
  while (reader.next()) EXPECT_EQ(reader.position(), ends.at(count++));
  EXPECT_TRUE(reader.status());
  EXPECT_EQ(count, ends.size() - 1);
  EXPECT_EQ(reader.position(), ends.at(ends.size() - 2));
}

TEST(BatchReader, LengthsAndMagicsThatCannotBeAreErrors) {
  const Bytes good = golden_batch("plain, none").bytes;
  for (const std::int32_t length : {-1, 0, 13, 48, std::numeric_limits<std::int32_t>::min()}) {
    Bytes bytes = good;
    store_big(bytes.data() + format::length_at, length);
    BatchReader reader{bytes};
    EXPECT_FALSE(reader.next());
    ASSERT_FALSE(reader.status()) << length;
    EXPECT_EQ(reader.status().error().code, ErrorCode::corrupt_message);
  }
  for (const int magic : {-1, 3, 127}) {
    Bytes bytes = good;
    bytes[format::magic_at] = static_cast<std::uint8_t>(magic);
    BatchReader reader{bytes};
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.status()) << magic;
  }
}

TEST(BatchReader, BaseOffsetsThatLeaveNoRoomForTheLastAreErrors) {
  Bytes bytes = golden_batch("plain, none").bytes;
  for (const std::int64_t offset :
       {std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max(), format::max_base_offset + 1}) {
    set_base_offset(bytes, Offset{offset});
    EXPECT_FALSE(BatchView::parse(bytes)) << offset;
  }
  set_base_offset(bytes, Offset{format::max_base_offset});
  EXPECT_TRUE(BatchView::parse(bytes));
}

TEST(BatchBuilder, KeepsGapsBetweenOffsets) {
  BatchBuilder builder{{.base_offset = Offset{100}, .last_offset_delta = 20}};
  builder.append_at(Offset{103}, 5, as_bytes("a"), as_bytes("1"));
  builder.append_at(Offset{110}, 4, std::nullopt, std::nullopt);
  const Bytes bytes = builder.build();
  const BatchView batch = view_of(bytes);
  EXPECT_EQ(batch.last_offset(), Offset{120});
  EXPECT_EQ(batch.count(), 2);
  RecordReader reader{batch};
  EXPECT_EQ(reader.next()->offset, Offset{103});
  const auto second = reader.next();
  EXPECT_EQ(second->offset, Offset{110});
  EXPECT_EQ(second->timestamp_ms, 4);
  EXPECT_FALSE(second->key);
  EXPECT_FALSE(second->value);
}

TEST(BatchBuilder, HeaderAloneKeepsAProducersLastSequence) {
  BatchBuilder builder{{.base_offset = Offset{7},
                        .compression = Compression::zstd,
                        .producer_id = ProducerId{9},
                        .producer_epoch = 1,
                        .base_sequence = 40,
                        .base_timestamp_ms = 11,
                        .last_offset_delta = 2}};
  const Bytes bytes = builder.build();
  ASSERT_EQ(bytes.size(), format::header_bytes);
  const BatchView batch = view_of(bytes);
  EXPECT_TRUE(batch.crc_matches());
  EXPECT_EQ(batch.last_sequence(), 42);
  EXPECT_EQ(batch.compression(), Compression::none);
  RecordReader reader{batch};
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.status());
}

TEST(BatchBuilder, SizeIsExactAndRoomIsNeverOverstated) {
  BatchBuilder builder;
  const Bytes value(300, 'x');
  const Header headers[] = {{"k", ByteView{value}}, {"n", std::nullopt}};
  std::size_t bound = builder.size_bytes();
  for (int i = 0; i < 100; ++i) {
    bound += max_record_bytes(as_bytes("key"), ByteView{value}, headers);
    builder.append(i * 1'000'000'000LL, as_bytes("key"), ByteView{value}, headers);
    EXPECT_LE(builder.size_bytes(), bound);
  }
  const std::size_t size = builder.size_bytes();
  EXPECT_FALSE(builder.has_room(size + 10, as_bytes("key"), ByteView{value}, headers));
  EXPECT_TRUE(builder.has_room(size + 1000, as_bytes("key"), ByteView{value}, headers));
  EXPECT_EQ(builder.build().size(), size);
}

TEST(BatchBuilder, BeginsAnewAfterBuild) {
  BatchBuilder builder;
  builder.append(1, std::nullopt, as_bytes("first"));
  const Bytes first = builder.build();
  EXPECT_TRUE(builder.empty());
  builder.append(1, std::nullopt, as_bytes("first"));
  EXPECT_EQ(builder.build(), first);
}

TEST(RecordReader, TimestampsAtTheEndsOfTheirRangeRoundTrip) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  BatchBuilder builder;
  for (const auto timestamp : {most, least, std::int64_t{0}, std::int64_t{-1}}) {
    builder.append(timestamp, std::nullopt, std::nullopt);
  }
  const Bytes bytes = builder.build();
  RecordReader reader{view_of(bytes)};
  for (const auto timestamp : {most, least, std::int64_t{0}, std::int64_t{-1}}) {
    EXPECT_EQ(reader.next()->timestamp_ms, timestamp);
  }
}

TEST(RecordReader, RecordsLargerThanItsBufferAreReadFromEveryCodec) {
  for (int codec = 0; codec <= 4; ++codec) {
    BatchBuilder builder{{.compression = static_cast<Compression>(codec)}};
    for (std::size_t i = 0; i < 8; ++i) {
      builder.append(0, std::nullopt, ByteView{Bytes(i * 50000 + i, static_cast<uint8_t>(i))});
    }
    const Bytes bytes = builder.build();
    CodecScratch scratch;
    RecordReader reader{view_of(bytes), scratch};
    for (std::size_t i = 0; i < 8; ++i) {
      const auto record = reader.next();
      ASSERT_TRUE(record);
      EXPECT_EQ(owned(record->value), Bytes(i * 50000 + i, static_cast<uint8_t>(i)));
    }
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.status());
  }
}

TEST(ControlKey, UnknownTypesAreGivenAsTheyAreAndShortKeysAreNone) {
  for (std::int16_t type = 0; type <= 6; ++type) {
    const auto key = build_control_key(static_cast<ControlType>(type));
    EXPECT_EQ(parse_control_key(key), static_cast<ControlType>(type));
  }
  EXPECT_EQ(parse_control_key(Bytes{0, 1, 0, 99, 1, 2}), static_cast<ControlType>(99));
  EXPECT_EQ(control_type_name(static_cast<ControlType>(99)), "UNKNOWN");
  EXPECT_FALSE(parse_control_key(Bytes{0, 0, 0}));
  EXPECT_FALSE(parse_control_key(Bytes{0xff, 0xff, 0, 0}));
}

}  // namespace
}  // namespace arus::record
