// Builds bytes: fixed-width big-endian, varints, and large slices taken by reference.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

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

  explicit Writer(std::size_t expected_bytes = 0) : own_(expected_bytes) {}
  Writer(const Writer&) = default;
  Writer& operator=(const Writer&) = default;
  Writer(Writer&& other) noexcept { swap(other); }
  Writer& operator=(Writer&& other) noexcept {
    Writer taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Writer() = default;

  void i8(std::int8_t value) { fixed(value); }
  void u8(std::uint8_t value) { *room(1) = value; }
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
    for (; value >= 0x80; value >>= 7) u8(static_cast<std::uint8_t>(value | 0x80));
    u8(static_cast<std::uint8_t>(value));
  }
  void varint(std::int32_t value) { uvarint(zigzag(value)); }
  void varlong(std::int64_t value) { uvarint(zigzag(value)); }
  void bytes(ByteView view) {
    if (!view.empty()) std::memcpy(room(view.size()), view.data(), view.size());
  }
  void text(std::string_view view) { bytes(as_bytes(view)); }
  void share(const Slice& slice) {
    if (slice.size() < share_from_bytes) {
      bytes(slice.view());
      return;
    }
    shared_.push_back({used_, slice});
    shared_bytes_ += slice.size();
  }

  [[nodiscard]] std::size_t size() const { return used_ + shared_bytes_; }
  // Overwrites four bytes of what was written by copy, `at` counted without shared slices.
  void patch_i32(std::size_t at, std::int32_t value) { store_big(own_.data() + at, value); }

  // All bytes in one buffer; shared slices are copied. The writer is empty afterwards.
  [[nodiscard]] Bytes take_bytes() {
    if (shared_.empty()) return take_own();
    return flatten(take_chain());
  }
  // All bytes in order; shared slices stay shared. The writer is empty afterwards.
  [[nodiscard]] Chain take_chain() {
    Chain chain;
    chain.reserve(2 * shared_.size() + 1);
    const Slice own{take_own()};
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
  // The same behind an int32 that is their number.
  [[nodiscard]] Chain take_frame() {
    const auto size_bytes = static_cast<std::int32_t>(size());
    room(sizeof size_bytes);
    std::memmove(own_.data() + sizeof size_bytes, own_.data(), used_ - sizeof size_bytes);
    store_big(own_.data(), size_bytes);
    for (Shared& one : shared_) one.position += sizeof size_bytes;
    return take_chain();
  }

 private:
  struct Shared {
    std::size_t position;  // in own_
    Slice slice;
  };

  template <class T>
  void fixed(T value) {
    store_big(room(sizeof value), value);
  }
  // Where so many bytes more are written.
  std::uint8_t* room(std::size_t bytes) {
    if (own_.size() - used_ < bytes) grow(bytes);
    return own_.data() + std::exchange(used_, used_ + bytes);
  }
  void swap(Writer& other) noexcept {
    own_.swap(other.own_);
    std::swap(used_, other.used_);
    shared_.swap(other.shared_);
    std::swap(shared_bytes_, other.shared_bytes_);
  }
  [[gnu::noinline]] void grow(std::size_t bytes) {
    constexpr std::size_t least_bytes = 64;
    own_.resize(std::max({least_bytes, 2 * own_.size(), used_ + bytes}));
  }
  Bytes take_own() {
    own_.resize(std::exchange(used_, 0));
    return std::exchange(own_, {});
  }

  Bytes own_;  // longer than what is written, so that a number need not make it grow
  std::size_t used_ = 0;
  std::vector<Shared> shared_;
  std::size_t shared_bytes_ = 0;
};

}  // namespace arus
