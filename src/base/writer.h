// Builds bytes: fixed-width big-endian, varints, and large slices taken by reference.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/uuid.h"

namespace arus {

// The number of bytes that an unsigned LEB128 takes.
[[nodiscard]] constexpr std::size_t uvarint_size(std::uint64_t value) {
  return static_cast<std::size_t>((std::bit_width(value | 1) + 6) / 7);
}
[[nodiscard]] constexpr std::uint32_t zigzag(std::int32_t value) {
  return (static_cast<std::uint32_t>(value) << 1) ^ static_cast<std::uint32_t>(value >> 31);
}
[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
[[nodiscard]] constexpr std::size_t varint_size(std::int32_t value) {
  return uvarint_size(zigzag(value));
}
[[nodiscard]] constexpr std::size_t varlong_size(std::int64_t value) {
  return uvarint_size(zigzag(value));
}

// Appends to a buffer of its own. share() appends a slice without copying it when it is large; the
// result is then a Chain. Sizes are in bytes.
class Writer {
 public:
  static constexpr std::size_t share_from_bytes = 1024;  // smaller slices are cheaper to copy

  explicit Writer(std::size_t expected_bytes = 0) { own_.reserve(expected_bytes); }

  void i8(std::int8_t value) { fixed(value); }
  void u8(std::uint8_t value) { own_.push_back(value); }
  void i16(std::int16_t value) { fixed(value); }
  void u16(std::uint16_t value) { fixed(value); }
  void i32(std::int32_t value) { fixed(value); }
  void u32(std::uint32_t value) { fixed(value); }
  void i64(std::int64_t value) { fixed(value); }
  void u64(std::uint64_t value) { fixed(value); }
  void boolean(bool value) { u8(value ? 1 : 0); }
  void f64(double value) { u64(std::bit_cast<std::uint64_t>(value)); }
  void uuid(const Uuid& id) { bytes(id.bytes); }
  void uvarint(std::uint64_t value) {
    while (value >= 0x80) {
      own_.push_back(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    own_.push_back(static_cast<std::uint8_t>(value));
  }
  void varint(std::int32_t value) { uvarint(zigzag(value)); }
  void varlong(std::int64_t value) { uvarint(zigzag(value)); }
  void bytes(ByteView view) { own_.insert(own_.end(), view.begin(), view.end()); }
  void text(std::string_view view) { bytes(as_bytes(view)); }
  void share(const Slice& slice) {
    if (slice.size() < share_from_bytes) {
      bytes(slice.view());
      return;
    }
    shared_.push_back({own_.size(), slice});
    shared_bytes_ += slice.size();
  }

  [[nodiscard]] std::size_t size() const { return own_.size() + shared_bytes_; }
  // Overwrites four bytes of what was written by copy, `at` counted without shared slices.
  void patch_i32(std::size_t at, std::int32_t value) { store_big(own_.data() + at, value); }

  // All bytes in one buffer; shared slices are copied. The writer is empty afterwards.
  [[nodiscard]] Bytes take_bytes() {
    if (shared_.empty()) return std::exchange(own_, {});
    return flatten(take_chain());
  }
  // All bytes in order; shared slices stay shared. The writer is empty afterwards.
  [[nodiscard]] Chain take_chain() {
    Chain chain;
    const Slice own{std::exchange(own_, {})};
    std::size_t done = 0;
    for (auto& [position, slice] : shared_) {
      if (position > done) chain.push_back(own.sub(done, position - done));
      chain.push_back(std::move(slice));
      done = position;
    }
    if (own.size() > done) chain.push_back(own.sub(done, own.size() - done));
    shared_.clear();
    shared_bytes_ = 0;
    return chain;
  }

 private:
  struct Shared {
    std::size_t position;  // in own_
    Slice slice;
  };

  template <class T>
  void fixed(T value) {
    const std::size_t at = own_.size();
    own_.resize(at + sizeof value);
    store_big(own_.data() + at, value);
  }

  Bytes own_;
  std::vector<Shared> shared_;
  std::size_t shared_bytes_ = 0;
};

}  // namespace arus
