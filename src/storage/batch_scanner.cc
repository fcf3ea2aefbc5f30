#include "storage/batch_scanner.h"

#include <algorithm>
#include <cerrno>

#include "base/endian.h"
#include "record/batch.h"

namespace arus::storage {

bool would_block(const Error& error) { return error.os_error == EAGAIN; }

Result<> read_fully(env::File& file, MutableByteView buffer, std::int64_t offset,
                    env::ReadMode mode) {
  const auto count = file.read_at(buffer, offset, mode);
  if (!count) return fail(count.error());
  if (*count == buffer.size()) return {};
  if (mode == env::ReadMode::cached_only) {
    return fail(Error{ErrorCode::kafka_storage_error, "Not in memory", EAGAIN});
  }
  return fail(ErrorCode::kafka_storage_error, file.path() + ": read: the file ends too early");
}

namespace {

BatchHeader decode(const std::uint8_t* bytes, std::int64_t position, std::int64_t size_bytes) {
  BatchHeader header{.position = position, .size_bytes = size_bytes};
  header.base_offset = Offset{load_big<std::int64_t>(bytes + record::format::base_offset_at)};
  header.magic = load_big<std::int8_t>(bytes + record::format::magic_at);
  if (header.magic < record::format::magic_2) {
    header.last_offset = header.base_offset;
    header.attributes = load_big<std::int8_t>(bytes + record::format::legacy::attributes_at) &
                        (record::format::compression_mask | record::format::timestamp_type_mask);
    if (header.magic == record::format::magic_1) {
      header.max_timestamp_ms =
          load_big<std::int64_t>(bytes + record::format::legacy::timestamp_at);
    }
    return header;
  }
  header.last_offset =
      header.base_offset + load_big<std::int32_t>(bytes + record::format::last_offset_delta_at);
  header.attributes = load_big<std::int16_t>(bytes + record::format::attributes_at);
  header.leader_epoch =
      LeaderEpoch{load_big<std::int32_t>(bytes + record::format::leader_epoch_at)};
  header.max_timestamp_ms = load_big<std::int64_t>(bytes + record::format::max_timestamp_at);
  header.producer_id = ProducerId{load_big<std::int64_t>(bytes + record::format::producer_id_at)};
  header.producer_epoch = load_big<std::int16_t>(bytes + record::format::producer_epoch_at);
  header.base_sequence = load_big<std::int32_t>(bytes + record::format::base_sequence_at);
  return header;
}

}  // namespace

std::optional<BatchHeader> BatchScanner::next() {
  if (!status_) return std::nullopt;
  const auto left = static_cast<std::size_t>(std::max<std::int64_t>(to_ - position_, 0));
  if (left < record::format::bytes_up_to_magic) return std::nullopt;
  const auto stop = [this](Error error) {
    status_ = fail(std::move(error));
    return std::nullopt;
  };
  const auto front = load(position_, std::min(left, record::format::header_bytes));
  if (!front) return stop(front.error());
  const auto size = record::batch_size_bytes(*front);
  if (!size) return stop(size.error());
  if (!*size || **size > left) return std::nullopt;
  const BatchHeader header = decode(front->data(), position_, static_cast<std::int64_t>(**size));
  if (header.base_offset < Offset{0} || header.last_offset < header.base_offset) {
    return stop({ErrorCode::corrupt_message, "The offsets of the batch are impossible", 0});
  }
  last_position_ = position_;
  last_size_ = header.size_bytes;
  position_ += header.size_bytes;
  return header;
}

Result<ByteView> BatchScanner::bytes() {
  auto loaded = load(last_position_, static_cast<std::size_t>(last_size_));
  if (!loaded) return loaded;
  return loaded->first(static_cast<std::size_t>(last_size_));
}

Result<ByteView> BatchScanner::load(std::int64_t at, std::size_t count) {
  const auto window_size = static_cast<std::int64_t>(window_.size());
  if (at >= window_at_ && at + static_cast<std::int64_t>(count) <= window_at_ + window_size) {
    return ByteView(window_).subspan(static_cast<std::size_t>(at - window_at_));
  }
  const auto left = static_cast<std::size_t>(to_ - at);
  std::size_t wanted = std::min(std::max(count, window_bytes_), left);
  window_.resize(wanted);
  window_at_ = at;
  // Only `count` bytes must be there; the rest of the window is taken as far as it comes.
  const auto got = file_.read_at(window_, at, mode_);
  if (!got || *got < count) {
    window_.clear();
    if (!got) return fail(got.error());
    if (mode_ == env::ReadMode::cached_only) {
      return fail(Error{ErrorCode::kafka_storage_error, "Not in memory", EAGAIN});
    }
    return fail(ErrorCode::kafka_storage_error, file_.path() + ": read: the file ends too early");
  }
  window_.resize(*got);
  return ByteView(window_);
}

}  // namespace arus::storage
