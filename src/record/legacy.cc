#include "record/legacy.h"

#include "base/crc32.h"
#include "record/builder.h"
#include "record/codec.h"

namespace arus::record {
namespace {

// One message, from its offset on.
struct Message {
  RecordView record;
  std::int16_t attributes = 0;
};

std::optional<ByteView> read_nullable(Reader& reader) {
  const std::int32_t length = reader.i32();
  if (length == -1) return std::nullopt;
  if (length < 0) reader.fail();
  return reader.bytes(length < 0 ? 0 : static_cast<std::size_t>(length));
}

Result<Message> read_message(ByteView bytes) {
  Reader reader{bytes};
  Message message;
  message.record.offset = Offset{reader.i64()};
  reader.skip(8);  // length and checksum
  const std::int8_t magic = reader.i8();
  message.attributes = reader.i8();
  if (magic == format::magic_1) message.record.timestamp_ms = reader.i64();
  message.record.key = read_nullable(reader);
  message.record.value = read_nullable(reader);
  message.record.size_bytes = bytes.size();
  if (!reader.at_end()) {
    return fail(ErrorCode::invalid_record, "A message contradicts its own length");
  }
  return message;
}

bool is_compressed(std::int16_t attributes) { return (attributes & format::compression_mask) != 0; }

}  // namespace

LegacyReader::LegacyReader(const BatchView& batch, CodecScratch& scratch,
                           DecompressionLimits limits)
    : batch_(batch) {
  if (!batch.is_legacy()) {
    status_ = fail(ErrorCode::invalid_record, "The batch is of format 2");
    return;
  }
  auto message = read_message(batch.bytes());
  if (!message) {
    status_ = fail(std::move(message).error());
  } else if (!is_compressed(message->attributes)) {
    messages_ = BatchReader{batch.bytes()};
  } else if (!message->record.value) {
    status_ = fail(ErrorCode::invalid_record, "A compressed set of messages is null");
  } else {
    status_ = open_set(*message->record.value, scratch, limits);
  }
}

Result<> LegacyReader::open_set(ByteView compressed, CodecScratch& scratch,
                                const DecompressionLimits& limits) {
  Bytes repaired;
  if (batch_.magic() == format::magic_0 && batch_.compression() == Compression::lz4) {
    repaired = repair_lz4_header(compressed);
    compressed = repaired;
  }
  auto plain = decompress(scratch, batch_.compression(), compressed, limits);
  if (!plain) return fail(std::move(plain).error());

  Offset first = no_offset;
  Offset last = no_offset;
  BatchReader inner{*plain};
  while (const auto message = inner.next()) {
    ARUS_TRY(check_message(*message, last));
    last = message->base_offset();
    if (first == no_offset) first = last;
  }
  ARUS_TRY(inner.status());
  if (inner.remaining() != 0 || last == no_offset) {
    return fail(ErrorCode::invalid_record, "A compressed set of messages is cut off or empty");
  }
  // Relative offsets count from the first message, but it is the last one's that is known.
  if (batch_.magic() == format::magic_1) shift_ = batch_.base_offset() - last;
  if (first + shift_ < Offset{0}) {
    return fail(ErrorCode::invalid_record, "A set of messages begins before offset 0");
  }
  plain_ = std::move(*plain);
  messages_ = BatchReader{plain_};
  return {};
}

Result<> LegacyReader::check_message(const BatchView& message, Offset after) const {
  if (message.magic() != batch_.magic()) {
    return fail(ErrorCode::invalid_record, "A message has another format than its set");
  }
  if (!message.crc_matches()) {
    return fail(ErrorCode::corrupt_message, "The checksum of a message in a set is wrong");
  }
  if (is_compressed(message.attributes())) {
    return fail(ErrorCode::invalid_record, "A compressed set of messages holds another");
  }
  if (message.base_offset() <= after) {
    return fail(ErrorCode::invalid_record, "The offsets in a set of messages do not ascend");
  }
  auto fields = read_message(message.bytes());
  if (!fields) return fail(std::move(fields).error());
  return {};
}

std::optional<RecordView> LegacyReader::next() {
  const auto batch = status_ ? messages_.next() : std::nullopt;
  if (!batch) return std::nullopt;
  auto message = read_message(batch->bytes());
  if (!message) return std::nullopt;  // was checked
  message->record.offset += shift_;
  if (batch_.magic() == format::magic_1 &&
      batch_.timestamp_type() == TimestampType::log_append_time) {
    message->record.timestamp_ms = batch_.max_timestamp_ms();
  }
  return message->record;
}

Result<Bytes> convert_to_format_2(CodecScratch& scratch, const BatchView& batch,
                                  DecompressionLimits limits) {
  LegacyReader reader{batch, scratch, limits};
  std::optional<BatchBuilder> builder;
  while (const auto record = reader.next()) {
    if (!builder) {
      BatchOptions options{.base_offset = record->offset,
                           .compression = batch.compression(),
                           .timestamp_type = batch.timestamp_type(),
                           .log_append_time_ms = batch.max_timestamp_ms()};
      if (batch.magic() == format::magic_0) options.timestamp_type = TimestampType::create_time;
      builder.emplace(options);
    }
    constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
    const bool fits =
        record->offset >= builder->next_offset() &&
        record->offset - builder->base_offset() <= std::numeric_limits<std::int32_t>::max() &&
        builder->has_room(most, record->key, record->value);
    if (!fits) return fail(ErrorCode::invalid_record, "A set of messages does not fit one batch");
    builder->append_at(record->offset, record->timestamp_ms, record->key, record->value);
  }
  ARUS_TRY(reader.status());
  return builder->build(scratch);
}

}  // namespace arus::record
