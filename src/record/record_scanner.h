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

  // The next record; INVALID_RECORD where its fields do not fill its length exactly or the bytes
  // end inside it, or the decoder's error.
  [[nodiscard]] Result<ScannedRecord> next();
  // Whether nothing is left.
  [[nodiscard]] Result<bool> at_end();
  [[nodiscard]] std::uint64_t position() const {
    return passed_ + static_cast<std::uint64_t>(at_ - begin_);
  }

 private:
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
    const auto low = static_cast<std::uint32_t>(raw);
    value = static_cast<std::int32_t>(low >> 1) ^ -static_cast<std::int32_t>(low & 1U);
    return true;
  }

  Decompressor* source_ = nullptr;
  MutableByteView window_;
  const std::uint8_t* begin_ = nullptr;  // of the bytes at hand
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  std::uint64_t passed_ = 0;  // bytes before begin_
  std::optional<Error> failure_;
};

}  // namespace arus::record
