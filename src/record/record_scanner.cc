#include "record/record_scanner.h"

namespace arus::record {

bool RecordScanner::refill() {
  if (source_ == nullptr || failure_) return false;
  passed_ += static_cast<std::uint64_t>(end_ - begin_);
  begin_ = at_ = end_ = window_.data();
  auto count = source_->read(window_);
  if (!count) {
    failure_ = std::move(count).error();
    return false;
  }
  end_ += *count;
  return *count != 0;
}

bool RecordScanner::long_uvarint(std::uint64_t& value, int max_bytes) {
  value = 0;
  for (int i = 0; i < max_bytes; ++i) {
    if (at_ == end_ && !refill()) return false;
    const std::uint8_t byte = *at_++;
    if (i == 9 && byte > 1) return false;  // the tenth holds one bit
    value |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) return true;
  }
  return false;
}

bool RecordScanner::skip(std::uint64_t count) {
  while (count > static_cast<std::uint64_t>(end_ - at_)) {
    count -= static_cast<std::uint64_t>(end_ - at_);
    at_ = end_;
    if (!refill()) return false;
  }
  at_ += count;
  return true;
}

bool RecordScanner::skip_nullable(std::uint64_t record_end, bool& present) {
  std::int32_t length = 0;
  if (!varint(length) || length < -1) return false;
  present = length >= 0;
  if (!present) return true;
  const auto count = static_cast<std::uint64_t>(length);
  return position() + count <= record_end && skip(count);
}

bool RecordScanner::skip_headers(std::uint64_t record_end) {
  std::int32_t count = 0;
  if (!varint(count) || count < 0) return false;
  for (; count > 0; --count) {
    if (position() >= record_end) return false;
    bool present = false;
    if (!skip_nullable(record_end, present) || !present) return false;  // a header has a name
    if (!skip_nullable(record_end, present)) return false;
  }
  return true;
}

bool RecordScanner::scan(ScannedRecord& record) {
  std::int32_t length = 0;
  if (!varint(length) || length <= 0) return false;
  const std::uint64_t record_end = position() + static_cast<std::uint64_t>(length);
  std::uint64_t timestamp_delta = 0;
  bool has_value = false;
  if (!skip(1) || !uvarint(timestamp_delta, 10) || !varint(record.offset_delta)) return false;
  record.timestamp_delta = static_cast<std::int64_t>(timestamp_delta >> 1) ^
                           -static_cast<std::int64_t>(timestamp_delta & 1U);
  return skip_nullable(record_end, record.has_key) && skip_nullable(record_end, has_value) &&
         skip_headers(record_end) && position() == record_end;
}

Error RecordScanner::failure() const {
  if (failure_) return *failure_;
  return {ErrorCode::invalid_record, "A record contradicts its own length"};
}

Result<bool> RecordScanner::at_end() {
  if (at_ != end_ || refill()) return false;
  if (failure_) return fail(*failure_);
  return true;
}

}  // namespace arus::record
