// Walks the records of a batch without keeping them, for the validator.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "record/compression.h"

namespace arus::record {

// What the validator looks at.
struct ScannedRecord {
  std::int64_t timestamp_delta;
  std::int32_t offset_delta;
  bool has_key;
};

// Reads a records section forward, from memory or through a decoder into a window that is used
// again and again; keys, values and headers are skipped over. Bytes and window must outlive it.
class RecordScanner {
 public:
  explicit RecordScanner(ByteView plain)
      : begin_(plain.data()), at_(begin_), end_(begin_ + plain.size()) {}
  RecordScanner(Decompressor& source, MutableByteView window) : source_(&source), window_(window) {}

  // Fills in the next record. False where its fields do not fill its length exactly, the bytes end
  // inside it or the decoder fails: failure() then tells.
  [[nodiscard]] bool next(ScannedRecord& record) { return scan_fast(record) || scan(record); }
  // The decoder's error, or INVALID_RECORD.
  [[nodiscard]] Error failure() const;
  // Whether nothing is left.
  [[nodiscard]] Result<bool> at_end();
  [[nodiscard]] std::uint64_t position() const {
    return passed_ + static_cast<std::uint64_t>(at_ - begin_);
  }

 private:
  // For the common case: the whole record and some bytes more are at hand, its numbers are small
  // and it has no headers. Anything else is false, and nothing was consumed.
  bool scan_fast(ScannedRecord& record) {
    const std::uint8_t* at = at_;
    if (end_ - at < fast_bytes) return false;
    std::uint32_t length = 0;
    std::uint32_t timestamp_delta = 0;
    std::uint32_t offset_delta = 0;
    if (!short_uvarint(at, length) || (length & 1U) != 0) return false;
    length >>= 1;
    if (length > static_cast<std::uint64_t>(end_ - at)) return false;
    const std::uint8_t* record_end = at + length;
    ++at;  // attributes
    if (!short_uvarint(at, timestamp_delta) || !short_uvarint(at, offset_delta)) return false;
    if (!skip_short(at, record_end, record.has_key)) return false;
    bool has_value = false;
    if (end_ - at < fast_bytes || !skip_short(at, record_end, has_value)) return false;
    if (at == end_ || *at != 0 || at + 1 != record_end) return false;
    record.timestamp_delta = unzigzag(timestamp_delta);
    record.offset_delta = unzigzag(offset_delta);
    at_ = record_end;
    return true;
  }
  // Up to four bytes, which are known to be there.
  static bool short_uvarint(const std::uint8_t*& at, std::uint32_t& value) {
    std::uint32_t byte = *at++;
    value = byte & 0x7fU;
    for (int shift = 7; byte >= 0x80; shift += 7) {
      if (shift == 28) return false;
      byte = *at++;
      value |= (byte & 0x7fU) << shift;
    }
    return true;
  }
  static bool skip_short(const std::uint8_t*& at, const std::uint8_t* record_end, bool& present) {
    std::uint32_t raw = 0;
    if (!short_uvarint(at, raw)) return false;
    const std::int32_t length = unzigzag(raw);
    present = length >= 0;
    if (!present) return length == -1;
    if (length > record_end - at) return false;
    at += length;
    return true;
  }
  static std::int32_t unzigzag(std::uint32_t raw) {
    return static_cast<std::int32_t>(raw >> 1) ^ -static_cast<std::int32_t>(raw & 1U);
  }

  // The fields of one record; false when something is wrong.
  bool scan(ScannedRecord& record);
  bool skip_headers(std::uint64_t record_end);
  bool skip_nullable(std::uint64_t record_end, bool& present);
  bool skip(std::uint64_t count);
  bool refill();
  bool uvarint(std::uint64_t& value, int max_bytes) {
    if (at_ != end_ && *at_ < 0x80) {
      value = *at_++;
      return true;
    }
    return long_uvarint(value, max_bytes);
  }
  bool long_uvarint(std::uint64_t& value, int max_bytes);
  bool varint(std::int32_t& value) {
    std::uint64_t raw = 0;
    if (!uvarint(raw, 5) || raw > 0xffffffffU) return false;
    value = unzigzag(static_cast<std::uint32_t>(raw));
    return true;
  }

  // Four numbers of four bytes and the attributes; the value's length alone needs less.
  static constexpr std::ptrdiff_t fast_bytes = 20;

  Decompressor* source_ = nullptr;
  MutableByteView window_;
  const std::uint8_t* begin_ = nullptr;  // of the bytes at hand
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  std::uint64_t passed_ = 0;  // bytes before begin_
  std::optional<Error> failure_;
};

}  // namespace arus::record
