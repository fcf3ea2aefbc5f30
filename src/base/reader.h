// A cursor over bytes that somebody else wrote. Nothing it reads is believed before it is checked.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/uuid.h"

namespace arus {

// Reads past the end, overlong varints and lengths that exceed what is left make the reader fail.
// Failure is sticky: after it every read gives zero or empty, ok() is false and remaining() is 0,
// so that straight-line decoding needs one check at its end. Views point into the bytes read.
class Reader {
 public:
  explicit Reader(ByteView bytes) : data_(bytes.data()), size_(bytes.size()) {}

  [[nodiscard]] bool ok() const { return !failed_; }
  [[nodiscard]] std::size_t remaining() const { return size_ - position_; }
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] bool at_end() const { return !failed_ && position_ == size_; }
  void fail() {
    failed_ = true;
    position_ = size_;
  }

  std::int8_t i8() { return fixed<std::int8_t>(); }
  std::uint8_t u8() { return fixed<std::uint8_t>(); }
  std::int16_t i16() { return fixed<std::int16_t>(); }
  std::uint16_t u16() { return fixed<std::uint16_t>(); }
  std::int32_t i32() { return fixed<std::int32_t>(); }
  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::int64_t i64() { return fixed<std::int64_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }
  bool boolean() { return u8() != 0; }
  double f64() { return std::bit_cast<double>(u64()); }
  Uuid uuid() {
    Uuid id;
    const ByteView raw = bytes(16);
    if (raw.size() == 16) std::memcpy(id.bytes.data(), raw.data(), 16);
    return id;
  }

  // Unsigned LEB128 of at most 5 bytes and 32 bits.
  std::uint32_t uvarint() { return static_cast<std::uint32_t>(leb128(5, 32)); }
  // Unsigned LEB128 of at most 10 bytes and 64 bits.
  std::uint64_t uvarlong() { return leb128(10, 64); }
  // Zigzag, as inside record batches.
  std::int32_t varint() {
    const std::uint32_t raw = uvarint();
    return static_cast<std::int32_t>(raw >> 1) ^ -static_cast<std::int32_t>(raw & 1);
  }
  std::int64_t varlong() {
    const std::uint64_t raw = uvarlong();
    return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
  }

  // The next `count` bytes; fails when fewer are left.
  ByteView bytes(std::size_t count) {
    if (count > remaining()) {
      fail();
      return {};
    }
    const ByteView view{data_ + position_, count};
    position_ += count;
    return view;
  }
  std::string_view text(std::size_t count) { return as_text(bytes(count)); }
  void skip(std::size_t count) { static_cast<void>(bytes(count)); }
  [[nodiscard]] ByteView rest() const { return {data_ + position_, remaining()}; }

 private:
  template <class T>
  T fixed() {
    if (sizeof(T) > remaining()) {
      fail();
      return 0;
    }
    const T value = load_big<T>(data_ + position_);
    position_ += sizeof(T);
    return value;
  }

  std::uint64_t leb128(int max_bytes, int max_bits) {
    std::uint64_t value = 0;
    for (int i = 0; i < max_bytes; ++i) {
      if (position_ == size_) break;
      const std::uint8_t byte = data_[position_++];
      const int shift = 7 * i;
      const std::uint64_t part = byte & 0x7fU;
      if (shift + 7 > max_bits && (part >> (max_bits - shift)) != 0) break;
      value |= part << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    fail();
    return 0;
  }

  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace arus
