#include "record/batch.h"

#include "base/assert.h"
#include "base/crc32.h"
#include "base/crc32c.h"

namespace arus::record {

namespace {

constexpr std::size_t max_batch_bytes =
    static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());

bool is_log_append_time(std::int16_t attributes) {
  return (attributes & format::timestamp_type_mask) != 0;
}

}  // namespace

Result<std::optional<std::size_t>> batch_size_bytes(ByteView front) {
  if (front.size() < format::bytes_up_to_magic) return std::nullopt;
  const auto base_offset = load_big<std::int64_t>(front.data() + format::base_offset_at);
  if (base_offset < 0 || base_offset > format::max_base_offset) {
    return fail(ErrorCode::corrupt_message,
                "No batch has the base offset " + std::to_string(base_offset));
  }
  const auto length = load_big<std::int32_t>(front.data() + format::length_at);
  const auto magic = load_big<std::int8_t>(front.data() + format::magic_at);
  if (magic < format::magic_0 || magic > format::magic_2) {
    return fail(ErrorCode::corrupt_message, "No batch has the magic byte " + std::to_string(magic));
  }
  constexpr std::size_t min_length[] = {format::legacy::min_length_0, format::legacy::min_length_1,
                                        format::header_bytes - format::log_overhead_bytes};
  if (length < 0 || static_cast<std::size_t>(length) < min_length[magic]) {
    return fail(ErrorCode::corrupt_message, "A batch of format " + std::to_string(magic) +
                                                " cannot be " + std::to_string(length) +
                                                " bytes long");
  }
  return static_cast<std::size_t>(length) + format::log_overhead_bytes;
}

Result<BatchView> BatchView::parse(ByteView bytes) {
  auto size = batch_size_bytes(bytes);
  if (!size) return fail(std::move(size).error());
  if (!*size || **size > bytes.size()) {
    return fail(ErrorCode::corrupt_message, "The batch is cut off");
  }
  return BatchView(bytes.first(**size));
}

std::uint32_t BatchView::compute_crc() const {
  return is_legacy() ? crc32(bytes_.subspan(format::magic_at))
                     : crc32c(bytes_.subspan(format::attributes_at));
}

std::int32_t BatchView::last_sequence() const {
  if (base_sequence() == no_sequence) return no_sequence;
  return add_to_sequence(base_sequence(), last_offset_delta());
}

std::int32_t add_to_sequence(std::int32_t sequence, std::int32_t n) {
  constexpr std::int64_t sequences = std::int64_t{1} << 31;
  const std::int64_t sum = (std::int64_t{sequence} + n) % sequences;
  return static_cast<std::int32_t>(sum < 0 ? sum + sequences : sum);
}

void set_base_offset(MutableByteView batch, Offset base_offset) {
  ARUS_ASSERT(batch.size() >= format::header_bytes);
  store_big(batch.data() + format::base_offset_at, base_offset.value());
}

void set_leader_epoch(MutableByteView batch, LeaderEpoch leader_epoch) {
  ARUS_ASSERT(batch.size() >= format::header_bytes);
  store_big(batch.data() + format::leader_epoch_at, leader_epoch.value());
}

void set_max_timestamp(MutableByteView batch, TimestampType type, std::int64_t max_timestamp_ms) {
  ARUS_ASSERT(batch.size() >= format::header_bytes &&
              batch.size() <= max_batch_bytes + std::size_t{12});
  const auto attributes = load_big<std::int16_t>(batch.data() + format::attributes_at);
  const bool log_append_time = type == TimestampType::log_append_time;
  if (is_log_append_time(attributes) == log_append_time &&
      load_big<std::int64_t>(batch.data() + format::max_timestamp_at) == max_timestamp_ms) {
    return;
  }
  const auto others = static_cast<std::int16_t>(attributes & ~format::timestamp_type_mask);
  store_big(
      batch.data() + format::attributes_at,
      static_cast<std::int16_t>(others | (log_append_time ? format::timestamp_type_mask : 0)));
  store_big(batch.data() + format::max_timestamp_at, max_timestamp_ms);
  store_big(batch.data() + format::crc_at, crc32c(batch.subspan(format::attributes_at)));
}

std::optional<BatchView> BatchReader::next() {
  if (!status_ || remaining() == 0) return std::nullopt;
  const ByteView rest = bytes_.subspan(position_);
  auto size = batch_size_bytes(rest);
  if (!size) {
    status_ = fail(std::move(size).error());
    return std::nullopt;
  }
  if (!*size || **size > rest.size()) return std::nullopt;
  position_ += **size;
  return BatchView(rest.first(**size));
}

}  // namespace arus::record
