#include "record/builder.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/writer.h"
#include "record/batch.h"

namespace arus::record {
namespace {

constexpr std::size_t max_plain_bytes =
    static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());

std::size_t nullable_bytes(std::optional<ByteView> bytes) {
  if (!bytes) return varint_size(-1);
  return varint_size(static_cast<std::int32_t>(bytes->size())) + bytes->size();
}

std::size_t header_bytes(std::span<const Header> headers) {
  std::size_t size = varint_size(static_cast<std::int32_t>(headers.size()));
  for (const Header& header : headers) {
    size += nullable_bytes(as_bytes(header.key)) + nullable_bytes(header.value);
  }
  return size;
}

// Writes into room that was measured before.
class Cursor {
 public:
  explicit Cursor(std::uint8_t* at) : at_(at) {}
  void byte(std::uint8_t value) { *at_++ = value; }
  void uvarint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }
  void varint(std::size_t value) { uvarint(zigzag(static_cast<std::int32_t>(value))); }
  void nullable(std::optional<ByteView> bytes) {
    if (!bytes) return uvarint(zigzag(std::int32_t{-1}));
    varint(bytes->size());
    if (!bytes->empty()) std::memcpy(at_, bytes->data(), bytes->size());
    at_ += bytes->size();
  }
  [[nodiscard]] const std::uint8_t* at() const { return at_; }

 private:
  std::uint8_t* at_;
};

std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

}  // namespace

std::size_t max_record_bytes(std::optional<ByteView> key, std::optional<ByteView> value,
                             std::span<const Header> headers) {
  constexpr std::size_t lengths_and_deltas_bytes = 5 + 1 + 10 + 5;
  return lengths_and_deltas_bytes + nullable_bytes(key) + nullable_bytes(value) +
         header_bytes(headers);
}

BatchBuilder::BatchBuilder(const BatchOptions& options) { reset(options); }

void BatchBuilder::reset(const BatchOptions& options) {
  options_ = options;
  bytes_.resize(format::header_bytes);
  count_ = 0;
  next_offset_ = options.base_offset;
  base_timestamp_ms_ = options.base_timestamp_ms.value_or(no_timestamp);
  max_timestamp_ms_ = no_timestamp;
}

bool BatchBuilder::has_room(std::size_t limit_bytes, std::optional<ByteView> key,
                            std::optional<ByteView> value, std::span<const Header> headers) const {
  return bytes_.size() + max_record_bytes(key, value, headers) <=
         std::min(limit_bytes, max_plain_bytes);
}

void BatchBuilder::set_producer(ProducerId id, std::int16_t epoch, std::int32_t base_sequence) {
  options_.producer_id = id;
  options_.producer_epoch = epoch;
  options_.base_sequence = base_sequence;
}

void BatchBuilder::append(std::int64_t timestamp_ms, std::optional<ByteView> key,
                          std::optional<ByteView> value, std::span<const Header> headers) {
  append_at(next_offset_, timestamp_ms, key, value, headers);
}

void BatchBuilder::append_at(Offset offset, std::int64_t timestamp_ms, std::optional<ByteView> key,
                             std::optional<ByteView> value, std::span<const Header> headers) {
  const std::int64_t offset_delta = offset - options_.base_offset;
  ARUS_ASSERT(offset >= next_offset_ && offset_delta <= std::numeric_limits<std::int32_t>::max());
  if (count_ == 0) {
    if (!options_.base_timestamp_ms) base_timestamp_ms_ = timestamp_ms;
    max_timestamp_ms_ = timestamp_ms;
  }
  const std::int64_t timestamp_delta = difference(timestamp_ms, base_timestamp_ms_);
  const std::size_t body_bytes =
      1 + varlong_size(timestamp_delta) + varint_size(static_cast<std::int32_t>(offset_delta)) +
      nullable_bytes(key) + nullable_bytes(value) + header_bytes(headers);
  ARUS_ASSERT(body_bytes <= max_plain_bytes);
  const std::size_t record_bytes = varint_size(static_cast<std::int32_t>(body_bytes)) + body_bytes;
  const std::size_t at = bytes_.size();
  ARUS_ASSERT(at + record_bytes <= max_plain_bytes);
  bytes_.resize(at + record_bytes);

  Cursor cursor{bytes_.data() + at};
  cursor.varint(body_bytes);
  cursor.byte(0);
  cursor.uvarint(zigzag(timestamp_delta));
  cursor.varint(static_cast<std::size_t>(offset_delta));
  cursor.nullable(key);
  cursor.nullable(value);
  cursor.varint(headers.size());
  for (const Header& header : headers) {
    cursor.nullable(as_bytes(header.key));
    cursor.nullable(header.value);
  }
  ARUS_ASSERT(cursor.at() == bytes_.data() + bytes_.size());
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  next_offset_ = offset + 1;
  ++count_;
}

void BatchBuilder::write_header(MutableByteView batch) const {
  const bool log_append_time = options_.timestamp_type == TimestampType::log_append_time;
  const std::int64_t last_used = next_offset_ - options_.base_offset - 1;
  const std::int64_t last_offset_delta =
      options_.last_offset_delta.value_or(static_cast<std::int32_t>(last_used));
  ARUS_ASSERT(last_offset_delta >= last_used && last_offset_delta >= 0);
  auto attributes = static_cast<std::int16_t>(options_.compression);
  if (log_append_time) attributes |= format::timestamp_type_mask;
  if (options_.transactional) attributes |= format::transactional_mask;
  if (options_.control) attributes |= format::control_mask;
  if (options_.delete_horizon) attributes |= format::delete_horizon_mask;

  std::uint8_t* to = batch.data();
  store_big(to + format::base_offset_at, options_.base_offset.value());
  store_big(to + format::length_at,
            static_cast<std::int32_t>(batch.size() - format::log_overhead_bytes));
  store_big(to + format::leader_epoch_at, options_.leader_epoch.value());
  store_big(to + format::magic_at, format::magic_2);
  store_big(to + format::attributes_at, attributes);
  store_big(to + format::last_offset_delta_at, static_cast<std::int32_t>(last_offset_delta));
  store_big(to + format::base_timestamp_at, base_timestamp_ms_);
  store_big(to + format::max_timestamp_at,
            log_append_time ? options_.log_append_time_ms : max_timestamp_ms_);
  store_big(to + format::producer_id_at, options_.producer_id.value());
  store_big(to + format::producer_epoch_at, options_.producer_epoch);
  store_big(to + format::base_sequence_at, options_.base_sequence);
  store_big(to + format::count_at, count_);
  store_big(to + format::crc_at, crc32c(batch.subspan(format::attributes_at)));
}

Bytes BatchBuilder::build(CodecScratch& scratch) {
  Bytes batch;
  if (options_.compression == Compression::none || empty()) {
    // A batch without records has nothing to compress, not even an empty frame.
    if (empty()) options_.compression = Compression::none;
    batch = std::move(bytes_);
  } else {
    const ByteView plain = ByteView{bytes_}.subspan(format::header_bytes);
    batch.reserve(format::header_bytes + plain.size() / 2);
    batch.resize(format::header_bytes);
    Compressor compressor{scratch, options_.compression, batch, options_.level, plain.size()};
    compressor.write(plain);
    compressor.finish();
    ARUS_ASSERT(batch.size() <= max_plain_bytes);
  }
  write_header(batch);
  bytes_ = {};
  reset(BatchOptions{options_});
  return batch;
}

Bytes BatchBuilder::build() {
  CodecScratch scratch;
  return build(scratch);
}

Bytes build_control_batch(BatchOptions options, ControlType type, ByteView value,
                          std::int64_t timestamp_ms) {
  options.control = true;
  options.compression = Compression::none;
  BatchBuilder builder{options};
  const auto key = build_control_key(type);
  builder.append(timestamp_ms, ByteView{key}, value);
  return builder.build();
}

Bytes build_end_transaction(BatchOptions options, bool committed, std::int32_t coordinator_epoch,
                            std::int64_t timestamp_ms) {
  options.transactional = true;
  options.base_sequence = no_sequence;
  const auto value = build_end_transaction_value({coordinator_epoch});
  return build_control_batch(options, committed ? ControlType::commit : ControlType::abort, value,
                             timestamp_ms);
}

}  // namespace arus::record
