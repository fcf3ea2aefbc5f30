#include "record/validator.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include "base/crc32c.h"
#include "base/writer.h"
#include "record/builder.h"
#include "record/golden_batches.h"
#include "record/joined_testing.h"

namespace arus::record {
namespace {

constexpr std::int64_t base_ms = 1700000000000;

struct Fields {
  std::int16_t attributes = 0;
  std::int32_t count = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t max_timestamp_ms = base_ms;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
};

// A batch of any content with the right length and checksum.
Bytes batch_of(const Fields& fields, ByteView records) {
  Writer writer;
  writer.i64(0);
  writer.i32(static_cast<std::int32_t>(records.size() + 49));
  writer.i32(-1);
  writer.i8(2);
  writer.u32(0);
  writer.i16(fields.attributes);
  writer.i32(fields.last_offset_delta);
  writer.i64(base_ms);
  writer.i64(fields.max_timestamp_ms);
  writer.i64(fields.producer_id);
  writer.i16(fields.producer_epoch);
  writer.i32(fields.base_sequence);
  writer.i32(fields.count);
  writer.bytes(records);
  Bytes bytes = writer.take_bytes();
  store_big(bytes.data() + format::crc_at, crc32c(ByteView{bytes}.subspan(21)));
  return bytes;
}

struct PlainRecord {
  std::int32_t offset_delta = 0;
  std::int64_t timestamp_delta = 0;
  std::int32_t key_length = 1;  // of as many bytes, or of none where it cannot be
  std::int32_t value_length = 1;
  Bytes headers = {0};
  std::int32_t length_error = 0;
};

void put(Writer& writer, const PlainRecord& record) {
  Writer body;
  body.i8(0);
  body.varlong(record.timestamp_delta);
  body.varint(record.offset_delta);
  for (const std::int32_t length : {record.key_length, record.value_length}) {
    body.varint(length);
    if (length > 0 && length < 1000000) body.bytes(Bytes(static_cast<std::size_t>(length), 'x'));
  }
  body.bytes(record.headers);
  const Bytes bytes = body.take_bytes();
  writer.varint(static_cast<std::int32_t>(bytes.size()) + record.length_error);
  writer.bytes(bytes);
}

Bytes section_of(std::initializer_list<PlainRecord> records) {
  Writer writer;
  for (const auto& record : records) put(writer, record);
  return writer.take_bytes();
}

ValidationOptions options() {
  ValidationOptions options;
  options.now_ms = base_ms + 1000;
  options.timestamp_before_max_ms = 1000000;
  options.timestamp_after_max_ms = 1000000;
  options.partition = "t-0";
  return options;
}

Validation validate(ByteView bytes, const ValidationOptions& with = options()) {
  CodecScratch scratch;
  return BatchValidator{scratch}.validate(bytes, with);
}

std::vector<std::int16_t> codec_ids(std::initializer_list<int> numbers) {
  std::vector<std::int16_t> narrow;
  for (const int number : numbers) narrow.push_back(static_cast<std::int16_t>(number));
  return narrow;
}

ErrorCode code_of(const Validation& validation) {
  return validation ? ErrorCode::none : validation.error().error.code;
}

// The same section in every codec; all must get the same answer.
void expect_code(ErrorCode expected, Fields fields, ByteView section,
                 const ValidationOptions& with = options()) {
  for (std::int16_t codec = 0; codec <= 4; ++codec) {
    const auto compression = static_cast<Compression>(codec);
    fields.attributes = static_cast<std::int16_t>((fields.attributes & ~7) | codec);
    const auto validation = validate(batch_of(fields, encoded(compression, section)), with);
    EXPECT_EQ(code_of(validation), expected)
        << compression_name(compression) << ": "
        << (validation ? std::string("taken") : validation.error().error.message);
  }
}

Bytes with_field(Bytes bytes, std::size_t at, std::int64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) {
    bytes[at + width - 1 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  store_big(bytes.data() + format::crc_at, crc32c(ByteView{bytes}.subspan(21)));
  return bytes;
}

Bytes golden(const char* name) {
  Bytes bytes = golden_batch(name).bytes;
  set_base_offset(bytes, Offset{0});
  return bytes;
}

TEST(BatchValidator, TellsTheFactsOfAGoodBatch) {
  for (const auto* name :
       {"plain, none", "plain, gzip", "plain, snappy", "plain, lz4", "plain, zstd"}) {
    const auto validation = validate(golden(name));
    ASSERT_TRUE(validation) << validation.error().error.message;
    EXPECT_EQ(validation->size_bytes, golden(name).size());
    EXPECT_EQ(validation->count, 4);
    EXPECT_EQ(validation->max_timestamp_ms, base_ms + 21);
    EXPECT_EQ(validation->max_timestamp_delta, 3);
    EXPECT_EQ(validation->producer_id, no_producer);
    EXPECT_EQ(validation->last_sequence, no_sequence);
    EXPECT_EQ(validation->plain_bytes, 81U);
    EXPECT_FALSE(validation->recompress_to);
  }
  const auto wrapped = validate(golden("sequence that wraps"));
  ASSERT_TRUE(wrapped);
  EXPECT_EQ(wrapped->producer_id, ProducerId{4242});
  EXPECT_EQ(wrapped->base_sequence, 2147483646);
  EXPECT_EQ(wrapped->last_sequence, 1);
  EXPECT_TRUE(validate(golden("transactional, zstd"))->transactional);
  EXPECT_EQ(validate(golden("negative timestamp delta"))->max_timestamp_delta, 0);
}

TEST(BatchValidator, AnythingButOneWholeBatchIsAnInvalidRecord) {
  const Bytes good = golden("plain, none");
  EXPECT_EQ(code_of(validate({})), ErrorCode::invalid_record);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(code_of(validate(Bytes{good.begin(), good.begin() + static_cast<long>(size)})),
              ErrorCode::invalid_record);
  }
  Bytes two = good;
  two.insert(two.end(), good.begin(), good.end());
  EXPECT_EQ(code_of(validate(two)), ErrorCode::invalid_record);
  for (const auto* old : {"message set of magic 0, none", "message set of magic 1, gzip"}) {
    EXPECT_EQ(code_of(validate(golden_batch(old).bytes)), ErrorCode::invalid_record);
  }
}

TEST(BatchValidator, AnIncompleteBatchBehindTheFirstIsLeftOut) {
  const Bytes good = golden("plain, none");
  for (const std::size_t more : {1U, 12U, 17U, 60U, 141U}) {
    Bytes bytes = good;
    bytes.insert(bytes.end(), good.begin(), good.begin() + static_cast<long>(more));
    const auto validation = validate(bytes);
    ASSERT_TRUE(validation) << more;
    EXPECT_EQ(validation->size_bytes, good.size());
  }
  Bytes garbage = good;
  garbage.insert(garbage.end(), 17, 0x09);
  EXPECT_EQ(code_of(validate(garbage)), ErrorCode::corrupt_message);
}

TEST(BatchValidator, DamageIsACorruptMessage) {
  const Bytes good = golden("plain, none");
  for (const std::int32_t length : {-1, 0, 13, 14, 48}) {
    Bytes bytes = good;
    store_big(bytes.data() + format::length_at, length);
    EXPECT_EQ(code_of(validate(bytes)), ErrorCode::corrupt_message) << length;
  }
  for (const int magic : {3, 255}) {
    Bytes bytes = good;
    bytes[format::magic_at] = static_cast<std::uint8_t>(magic);
    EXPECT_EQ(code_of(validate(bytes)), ErrorCode::corrupt_message);
  }
  for (std::size_t i = format::crc_at; i < good.size(); ++i) {
    Bytes bytes = good;
    bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ 0x10);
    EXPECT_EQ(code_of(validate(bytes)), ErrorCode::corrupt_message) << i;
  }
}

TEST(BatchValidator, AClientsBaseOffsetIsZero) {
  Bytes bytes = golden("plain, none");
  set_base_offset(bytes, Offset{5});
  EXPECT_EQ(code_of(validate(bytes)), ErrorCode::invalid_record);
  auto with = options();
  with.origin = Origin::coordinator;
  EXPECT_TRUE(validate(bytes, with));
}

TEST(BatchValidator, ABatchLargerThanTheTopicTakesIsTooLarge) {
  const Bytes good = golden("plain, none");
  auto with = options();
  with.max_message_bytes = good.size();
  EXPECT_TRUE(validate(good, with));
  with.max_message_bytes = good.size() - 1;
  EXPECT_EQ(code_of(validate(good, with)), ErrorCode::message_too_large);
}

TEST(BatchValidator, CountsThatContradictEachOtherAreInvalid) {
  const Bytes two = section_of({{.offset_delta = 0}, {.offset_delta = 1}});
  expect_code(ErrorCode::none, {.count = 2, .last_offset_delta = 1}, two);
  expect_code(ErrorCode::invalid_record, {.count = 2, .last_offset_delta = 2}, two);
  expect_code(ErrorCode::invalid_record, {.count = 3, .last_offset_delta = 2}, two);
  expect_code(ErrorCode::invalid_record, {.count = 1, .last_offset_delta = 0}, two);
  expect_code(ErrorCode::invalid_record, {.count = 0, .last_offset_delta = -1}, two);
  expect_code(ErrorCode::invalid_record, {.count = -1, .last_offset_delta = -2}, two);
  constexpr auto most = std::numeric_limits<std::int32_t>::max();
  expect_code(ErrorCode::invalid_record, {.count = most, .last_offset_delta = most - 1}, two);
  expect_code(ErrorCode::invalid_record,
              {.count = std::numeric_limits<std::int32_t>::min(), .last_offset_delta = most}, two);
}

TEST(BatchValidator, OffsetDeltasCountUpFromZero) {
  const Fields two{.count = 2, .last_offset_delta = 1};
  expect_code(ErrorCode::invalid_record, two,
              section_of({{.offset_delta = 0}, {.offset_delta = 5}}));
  expect_code(ErrorCode::invalid_record, two,
              section_of({{.offset_delta = 0}, {.offset_delta = 0}}));
  expect_code(ErrorCode::invalid_record, two,
              section_of({{.offset_delta = -1}, {.offset_delta = 0}}));
  expect_code(ErrorCode::invalid_record, two,
              section_of({{.offset_delta = 0},
                          {.offset_delta = std::numeric_limits<std::int32_t>::max()}}));
}

TEST(BatchValidator, RecordsThatContradictTheirLengthAreInvalid) {
  const Fields one{.count = 1, .last_offset_delta = 0};
  const auto expect_invalid = [&](const PlainRecord& record) {
    expect_code(ErrorCode::invalid_record, one, section_of({record}));
  };
  expect_invalid({.length_error = 1});
  expect_invalid({.length_error = -1});
  expect_invalid({.length_error = -100});
  expect_invalid({.length_error = 1 << 30});
  expect_invalid({.key_length = -2});
  expect_invalid({.value_length = std::numeric_limits<std::int32_t>::max()});
  expect_invalid({.value_length = std::numeric_limits<std::int32_t>::min()});
  expect_invalid({.headers = {1}});         // half a header: -1 is no name
  expect_invalid({.headers = {2, 1, 1}});   // one header without a name
  expect_invalid({.headers = {20, 0, 0}});  // ten headers, one there
  expect_invalid({.headers = {0, 0}});      // a byte too many
  expect_invalid({.headers = {0xff, 0xff, 0xff, 0xff, 0xff, 0x01}});  // overlong
  expect_code(ErrorCode::none, one, section_of({{.headers = {2, 2, 'n', 2, 'v'}}}));
  expect_code(ErrorCode::none, one, section_of({{.key_length = -1, .value_length = -1}}));
  expect_code(ErrorCode::none, one, section_of({{.value_length = 100000}}));  // several windows
}

TEST(BatchValidator, BytesBehindTheLastRecordAreInvalid) {
  Bytes section = section_of({{}});
  section.push_back(0);
  expect_code(ErrorCode::invalid_record, {.count = 1, .last_offset_delta = 0}, section);
}

TEST(BatchValidator, ClientsWriteNoControlRecordsNorHalfAProducer) {
  const Bytes good = golden("plain, none");
  EXPECT_EQ(code_of(validate(with_field(good, format::attributes_at, 0x20, 2))),
            ErrorCode::invalid_record);
  EXPECT_EQ(code_of(validate(with_field(good, format::attributes_at, 0x40, 2))),
            ErrorCode::invalid_record);
  EXPECT_EQ(code_of(validate(with_field(good, format::attributes_at, 0x10, 2))),
            ErrorCode::invalid_record);
  EXPECT_EQ(code_of(validate(with_field(good, format::producer_id_at, 5, 8))),
            ErrorCode::invalid_record);
  const Bytes idempotent = golden("idempotent");
  EXPECT_TRUE(validate(idempotent));
  EXPECT_EQ(code_of(validate(with_field(idempotent, format::base_sequence_at, -7, 4))),
            ErrorCode::invalid_record);
  EXPECT_EQ(code_of(validate(with_field(idempotent, format::producer_epoch_at, -1, 2))),
            ErrorCode::invalid_record);
  EXPECT_EQ(code_of(validate(golden("control commit"))), ErrorCode::invalid_record);
  auto with = options();
  with.origin = Origin::coordinator;
  const auto marker = validate(golden("control commit"), with);
  ASSERT_TRUE(marker);
  EXPECT_TRUE(marker->control);
}

TEST(BatchValidator, TimestampsOutOfRangeAreNamedOneByOne) {
  const Bytes section = section_of({{.offset_delta = 0, .timestamp_delta = 0},
                                    {.offset_delta = 1, .timestamp_delta = 2000000},
                                    {.offset_delta = 2, .timestamp_delta = -2000000}});
  for (const auto codec : codec_ids({0, 4})) {
    const Fields fields{.attributes = codec, .count = 3, .last_offset_delta = 2};
    const Bytes bytes = batch_of(fields, encoded(static_cast<Compression>(codec), section));
    const auto validation = validate(bytes);
    ASSERT_EQ(code_of(validation), ErrorCode::invalid_timestamp);
    ASSERT_EQ(validation.error().record_errors.size(), 2U);
    EXPECT_EQ(validation.error().record_errors[0].index, 1);
    EXPECT_EQ(validation.error().record_errors[1].index, 2);
    auto log_append_time = options();
    log_append_time.timestamp_type = TimestampType::log_append_time;
    EXPECT_TRUE(validate(bytes, log_append_time));
  }
}

TEST(BatchValidator, TheEndsOfTheTimestampRangeAreTaken) {
  const Fields one{.count = 1, .last_offset_delta = 0};
  for (const std::int64_t edge : {1001000LL, -999000LL}) {
    expect_code(ErrorCode::none, one, section_of({{.timestamp_delta = edge}}));
    const std::int64_t beyond = edge > 0 ? edge + 1 : edge - 1;
    expect_code(ErrorCode::invalid_timestamp, one, section_of({{.timestamp_delta = beyond}}));
  }
  expect_code(ErrorCode::none, one, section_of({{.timestamp_delta = -1 - base_ms}}));  // none
  expect_code(ErrorCode::invalid_timestamp, one,
              section_of({{.timestamp_delta = std::numeric_limits<std::int64_t>::min()}}));
}

TEST(BatchValidator, LogAppendTimeStampsTheBatchAndClientsMayNotClaimIt) {
  auto with = options();
  with.timestamp_type = TimestampType::log_append_time;
  const Bytes good = golden("plain, gzip");
  const auto validation = validate(good, with);
  ASSERT_TRUE(validation);
  EXPECT_EQ(validation->timestamp_type, TimestampType::log_append_time);
  EXPECT_EQ(validation->max_timestamp_ms, with.now_ms);
  const Bytes claimed = with_field(golden("plain, none"), format::attributes_at, 0x08, 2);
  EXPECT_EQ(code_of(validate(claimed, with)), ErrorCode::invalid_timestamp);
  const auto cleared = validate(claimed);
  ASSERT_TRUE(cleared);
  EXPECT_EQ(cleared->timestamp_type, TimestampType::create_time);
}

TEST(BatchValidator, AWrongMaxTimestampIsCorrectedFromTheRecords) {
  for (const auto* name : {"plain, none", "plain, zstd"}) {
    Bytes bytes = with_field(golden(name), format::max_timestamp_at, 99, 8);
    const auto validation = validate(bytes);
    ASSERT_TRUE(validation);
    EXPECT_EQ(validation->max_timestamp_ms, base_ms + 21);
    set_max_timestamp(bytes, validation->timestamp_type, validation->max_timestamp_ms);
    EXPECT_EQ(bytes, golden(name));
  }
}

TEST(BatchValidator, CompactedTopicsNeedKeys) {
  auto with = options();
  with.compacted = true;
  for (const auto* name : {"plain, none", "plain, lz4"}) {
    const auto validation = validate(golden(name), with);
    ASSERT_EQ(code_of(validation), ErrorCode::invalid_record);
    ASSERT_EQ(validation.error().record_errors.size(), 1U);
    EXPECT_EQ(validation.error().record_errors[0].index, 3);
    EXPECT_EQ(validation.error().record_errors[0].message,
              "Compacted topic cannot accept message without key in topic partition t-0");
  }
}

TEST(BatchValidator, RecordErrorsAreBounded) {
  BatchBuilder builder;
  for (int i = 0; i < 1000; ++i) builder.append(base_ms, std::nullopt, as_bytes("v"));
  auto with = options();
  with.compacted = true;
  const auto validation = validate(builder.build(), with);
  ASSERT_FALSE(validation);
  EXPECT_EQ(validation.error().record_errors.size(), max_record_errors);
}

TEST(BatchValidator, CodecsThatAreNoneOrNotAllowedAreRefused) {
  for (const std::int64_t codec : {5, 6, 7}) {
    EXPECT_EQ(code_of(validate(with_field(golden("plain, none"), format::attributes_at, codec, 2))),
              ErrorCode::invalid_record);
  }
  auto with = options();
  with.zstd_allowed = false;
  EXPECT_EQ(code_of(validate(golden("plain, zstd"), with)),
            ErrorCode::unsupported_compression_type);
  EXPECT_TRUE(validate(golden("plain, lz4"), with));
}

TEST(BatchValidator, CompressedGarbageIsACorruptMessage) {
  for (const std::int64_t codec : {1, 2, 3, 4}) {
    const auto validation =
        validate(with_field(golden("plain, none"), format::attributes_at, codec, 2));
    EXPECT_EQ(code_of(validation), ErrorCode::corrupt_message) << codec;
  }
  const Bytes section = section_of({{.value_length = 5000}});
  for (const auto codec : codec_ids({1, 3, 4})) {
    Bytes bytes = encoded(static_cast<Compression>(codec), section);
    bytes.pop_back();  // inside gzip's trailer, lz4's end mark, zstd's last block
    const Fields one{.attributes = codec, .count = 1, .last_offset_delta = 0};
    EXPECT_EQ(code_of(validate(batch_of(one, bytes))), ErrorCode::corrupt_message) << codec;
  }
}

TEST(BatchValidator, RawSnappyBlocksAreTaken) {
  Writer writer;
  for (std::int32_t i = 0; i < 3000; ++i) put(writer, {.offset_delta = i, .value_length = 50});
  const Bytes section = writer.take_bytes();
  std::string raw;
  snappy::Compress(as_text(section).data(), section.size(), &raw);
  const Fields fields{.attributes = 2, .count = 3000, .last_offset_delta = 2999};
  const auto validation = validate(batch_of(fields, as_bytes(raw)));
  ASSERT_TRUE(validation) << validation.error().error.message;
  EXPECT_EQ(validation->plain_bytes, section.size());
}

TEST(BatchValidator, BombsEndAtTheOutputLimit) {
  const Bytes section = section_of({{.value_length = 900000}});
  auto with = options();
  with.limits.output_bytes = 500000;
  for (const auto codec : codec_ids({1, 2, 3, 4})) {
    const Fields one{.attributes = codec, .count = 1, .last_offset_delta = 0};
    const Bytes bytes = batch_of(one, encoded(static_cast<Compression>(codec), section));
    EXPECT_EQ(code_of(validate(bytes, with)), ErrorCode::message_too_large);
    EXPECT_TRUE(validate(bytes));
  }
}

TEST(BatchValidator, AskingForAnotherCodecIsPassedOn) {
  auto with = options();
  with.target_compression = Compression::zstd;
  EXPECT_EQ(validate(golden("plain, none"), with)->recompress_to, Compression::zstd);
  EXPECT_FALSE(validate(golden("plain, zstd"), with)->recompress_to);
  with.target_compression = Compression::none;
  EXPECT_EQ(validate(golden("plain, zstd"), with)->recompress_to, Compression::none);
}

TEST(BatchValidator, HeaderModeTrustsTheRecordsButNotTheHeader) {
  auto with = options();
  with.header_only = true;
  const Bytes garbage(50, 0xee);
  const Fields fields{.attributes = 4, .count = 7, .last_offset_delta = 6};
  const auto validation = validate(batch_of(fields, garbage), with);
  ASSERT_TRUE(validation);
  EXPECT_EQ(validation->count, 7);
  EXPECT_EQ(validation->max_timestamp_ms, base_ms);
  EXPECT_EQ(validation->max_timestamp_delta, 6);
  EXPECT_EQ(code_of(validate(batch_of({.count = 7, .last_offset_delta = 5}, garbage), with)),
            ErrorCode::invalid_record);
  Bytes damaged = golden("plain, none");
  damaged.back() ^= 1;
  EXPECT_EQ(code_of(validate(damaged, with)), ErrorCode::corrupt_message);
  with.now_ms = base_ms - 5000000;
  EXPECT_EQ(code_of(validate(golden("plain, none"), with)), ErrorCode::invalid_timestamp);
}

TEST(BatchValidator, DamagedRecordsNeverGetAnUnknownError) {
  for (const auto* name : {"sixty records, gzip", "sixty records, snappy", "sixty records, lz4",
                           "sixty records, zstd", "plain, none"}) {
    const Bytes good = golden(name);
    for (std::size_t i = format::records_at; i < good.size(); ++i) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        const auto validation = validate(with_field(good, i, good[i] ^ flip, 1));
        const ErrorCode code = code_of(validation);
        EXPECT_TRUE(code == ErrorCode::none || code == ErrorCode::corrupt_message ||
                    code == ErrorCode::invalid_record || code == ErrorCode::invalid_timestamp ||
                    code == ErrorCode::message_too_large)
            << name << " " << i << " " << error_name(code);
      }
    }
  }
}

TEST(TransactionalFlag, IsFoundInAnyBatchAndNeverInGarbage) {
  EXPECT_TRUE(has_transactional_batch(golden("transactional, zstd")));
  EXPECT_FALSE(has_transactional_batch(golden("plain, none")));
  EXPECT_FALSE(has_transactional_batch(Bytes(200, 0xff)));
  EXPECT_FALSE(has_transactional_batch({}));
}

}  // namespace
}  // namespace arus::record
