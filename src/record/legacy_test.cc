#include "record/legacy.h"

#include <gtest/gtest.h>
#include <lz4frame.h>

#include "base/crc32.h"
#include "base/writer.h"
#include "record/golden_batches.h"
#include "record/joined_testing.h"

namespace arus::record {
namespace {

Bytes message(std::int8_t magic, std::int8_t attributes, std::int64_t offset,
              std::int64_t timestamp_ms, std::optional<ByteView> value) {
  Writer body;
  body.i8(magic);
  body.i8(attributes);
  if (magic == 1) body.i64(timestamp_ms);
  body.i32(-1);
  body.i32(value ? static_cast<std::int32_t>(value->size()) : -1);
  if (value) body.bytes(*value);
  const Bytes bytes = body.take_bytes();
  Writer writer;
  writer.i64(offset);
  writer.i32(static_cast<std::int32_t>(bytes.size() + 4));
  writer.u32(crc32(bytes));
  writer.bytes(bytes);
  return writer.take_bytes();
}

struct Read {
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> timestamps_ms;
  Result<> status;
};

Read read(const Bytes& bytes, DecompressionLimits limits = {}) {
  CodecScratch scratch;
  const auto batch = BatchView::parse(bytes);
  if (!batch) return {{}, {}, fail(batch.error())};
  LegacyReader reader{*batch, scratch, limits};
  Read result;
  while (const auto record = reader.next()) {
    result.offsets.push_back(record->offset.value());
    result.timestamps_ms.push_back(record->timestamp_ms);
  }
  result.status = reader.status();
  return result;
}

using Numbers = std::vector<std::int64_t>;

TEST(LegacyReader, GivesAbsoluteOffsetsInFormat0AndResolvesRelativeOnesInFormat1) {
  for (const Compression codec : {Compression::gzip, Compression::snappy, Compression::lz4}) {
    const auto bits = static_cast<std::int8_t>(codec);
    const Bytes absolute =
        joined({message(0, 0, 10, 0, as_bytes("a")), message(0, 0, 12, 0, as_bytes("b"))});
    const Read format_0 = read(message(0, bits, 12, 0, encoded(codec, absolute)));
    EXPECT_TRUE(format_0.status);
    EXPECT_EQ(format_0.offsets, (Numbers{10, 12}));
    EXPECT_EQ(format_0.timestamps_ms, (Numbers{-1, -1}));

    const Bytes relative =
        joined({message(1, 0, 0, 5, as_bytes("a")), message(1, 0, 2, 6, as_bytes("b"))});
    const Read format_1 = read(message(1, bits, 12, 7, encoded(codec, relative)));
    EXPECT_TRUE(format_1.status);
    EXPECT_EQ(format_1.offsets, (Numbers{10, 12}));
    EXPECT_EQ(format_1.timestamps_ms, (Numbers{5, 6}));
  }
}

TEST(LegacyReader, LogAppendTimeOfTheSetIsThatOfItsMessages) {
  const Bytes inner =
      joined({message(1, 0, 0, 5, as_bytes("a")), message(1, 0, 1, 6, as_bytes("b"))});
  const Bytes set = message(1, 1 | 8, 1, 999, encoded(Compression::gzip, inner));
  EXPECT_EQ(read(set).timestamps_ms, (Numbers{999, 999}));
}

TEST(LegacyReader, ReadsTheWrongHeaderChecksumsOfOldLz4Frames) {
  const Bytes inner = message(0, 0, 3, 0, as_bytes("a"));
  Bytes frame = encoded(Compression::lz4, inner);
  frame[6] ^= 0x55;  // the header's checksum, of a frame without content size
  EXPECT_EQ(read(message(0, 3, 3, 0, frame)).offsets, (Numbers{3}));
  const Bytes inner_1 = message(1, 0, 0, 5, as_bytes("a"));
  Bytes frame_1 = encoded(Compression::lz4, inner_1);
  frame_1[6] ^= 0x55;
  EXPECT_FALSE(read(message(1, 3, 3, 5, frame_1)).status);
}

TEST(LegacyReader, SetsThatCannotBeAreErrors) {
  const auto set_of = [](const Bytes& inner) {
    return message(1, 1, 9, 5, encoded(Compression::gzip, inner));
  };
  const Bytes good = message(1, 0, 0, 5, as_bytes("a"));
  EXPECT_TRUE(read(set_of(good)).status);
  EXPECT_FALSE(read(set_of({})).status);
  EXPECT_FALSE(read(message(1, 1, 9, 5, std::nullopt)).status);
  EXPECT_FALSE(read(set_of(message(0, 0, 0, 0, as_bytes("a")))).status);  // another format
  EXPECT_FALSE(read(set_of(set_of(good))).status);                        // a set in a set
  EXPECT_FALSE(read(set_of(joined({good, good}))).status);                // offsets do not ascend
  EXPECT_FALSE(read(set_of(Bytes{good.begin(), good.end() - 1})).status);
  Bytes flipped = good;
  flipped.back() ^= 1;
  EXPECT_EQ(read(set_of(flipped)).status.error().code, ErrorCode::corrupt_message);
  EXPECT_FALSE(read(golden_batch("plain, none").bytes).status);
}

TEST(LegacyReader, ASetThatWouldBeginBeforeOffsetZeroIsAnError) {
  const Bytes inner =
      joined({message(1, 0, 0, 5, as_bytes("a")), message(1, 0, 1, 6, as_bytes("b"))});
  EXPECT_FALSE(read(message(1, 1, 0, 6, encoded(Compression::gzip, inner))).status);
  EXPECT_TRUE(read(message(1, 1, 1, 6, encoded(Compression::gzip, inner))).status);
}

TEST(LegacyReader, BombsEndAtTheOutputLimit) {
  const Bytes inner = message(1, 0, 0, 5, ByteView{Bytes(1 << 20, 0)});
  const Bytes set = message(1, 1, 0, 5, encoded(Compression::gzip, inner));
  EXPECT_TRUE(read(set).status);
  EXPECT_EQ(read(set, {.output_bytes = 1000}).status.error().code, ErrorCode::message_too_large);
}

TEST(LegacyReader, MessagesThatContradictTheirLengthAreErrors) {
  Bytes bytes = message(1, 0, 0, 5, as_bytes("abc"));
  for (const std::int32_t length : {-2, 2, 4, 1 << 30}) {
    store_big(bytes.data() + bytes.size() - 7, length);
    EXPECT_FALSE(read(bytes).status) << length;
  }
}

TEST(LegacyConversion, KeepsKeysValuesOffsetsAndTimestamps) {
  CodecScratch scratch;
  for (const GoldenBatch& golden : load_golden_batches()) {
    if (golden.magic == 2) continue;
    const auto legacy = BatchView::parse(golden.bytes);
    ASSERT_TRUE(legacy);
    const auto converted = convert_to_format_2(scratch, *legacy);
    ASSERT_TRUE(converted) << converted.error().message;
    const auto batch = BatchView::parse(*converted);
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->crc_matches());
    EXPECT_EQ(batch->magic(), 2);
    EXPECT_EQ(batch->base_offset(), Offset{golden.base_offset});
    EXPECT_EQ(batch->last_offset(), Offset{golden.last_offset});
    EXPECT_EQ(batch->compression(), legacy->compression());
    EXPECT_EQ(batch->max_timestamp_ms(), golden.max_timestamp_ms);
    RecordReader before{*legacy, scratch};
    RecordReader after{*batch, scratch};
    while (const auto expected = before.next()) {
      const auto record = after.next();
      ASSERT_TRUE(record);
      EXPECT_EQ(record->offset, expected->offset);
      EXPECT_EQ(record->timestamp_ms, expected->timestamp_ms);
      EXPECT_EQ(record->key.has_value(), expected->key.has_value());
      EXPECT_TRUE(equal(record->value.value_or(ByteView{}), expected->value.value_or(ByteView{})));
    }
    EXPECT_FALSE(after.next());
  }
}

}  // namespace
}  // namespace arus::record
