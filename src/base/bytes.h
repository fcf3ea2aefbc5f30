// Bytes: views, owned buffers, and slices that keep the buffer behind them alive.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace arus {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// A run of bytes and a share in the buffer that holds them. Copying a slice copies no byte. The
// bytes may be changed in place by whoever knows that nobody else reads them yet (the produce
// path assigns offsets so), through mutable_view().
class Slice {
 public:
  Slice() = default;
  explicit Slice(Bytes bytes) {
    auto owner = std::make_shared<Bytes>(std::move(bytes));
    view_ = {owner->data(), owner->size()};
    owner_ = std::move(owner);
  }
  Slice(std::shared_ptr<const void> owner, MutableByteView view)
      : owner_(std::move(owner)), view_(view) {}
  // The bytes must outlive every copy of the slice.
  static Slice unowned(ByteView view) {
    return {nullptr, {const_cast<std::uint8_t*>(view.data()), view.size()}};
  }
  static Slice copy_of(ByteView view) { return Slice(Bytes(view.begin(), view.end())); }

  [[nodiscard]] ByteView view() const { return view_; }
  [[nodiscard]] MutableByteView mutable_view() const { return view_; }
  [[nodiscard]] const std::uint8_t* data() const { return view_.data(); }
  [[nodiscard]] std::size_t size() const { return view_.size(); }
  [[nodiscard]] bool empty() const { return view_.empty(); }
  [[nodiscard]] const std::shared_ptr<const void>& owner() const { return owner_; }
  // A part of this slice; the range must lie inside it.
  [[nodiscard]] Slice sub(std::size_t offset, std::size_t length) const {
    return {owner_, view_.subspan(offset, length)};
  }
  friend bool operator==(const Slice& a, const Slice& b) { return equal(a.view_, b.view_); }

 private:
  std::shared_ptr<const void> owner_;
  MutableByteView view_;
};

// Bytes in several pieces, in order; what a socket or a file is given to write.
using Chain = std::vector<Slice>;

inline std::size_t size_of(const Chain& chain) {
  std::size_t size = 0;
  for (const auto& piece : chain) size += piece.size();
  return size;
}
inline Bytes flatten(const Chain& chain) {
  Bytes all;
  all.reserve(size_of(chain));
  for (const auto& piece : chain) {
    all.insert(all.end(), piece.view().begin(), piece.view().end());
  }
  return all;
}

}  // namespace arus
