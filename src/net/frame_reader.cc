#include "net/frame_reader.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/assert.h"
#include "base/endian.h"
#include "net/limits.h"

namespace arus::net {
namespace {

// Frames up to this size are copied out of the shared buffer, several for each read.
constexpr std::size_t small_frame_bytes = scratch_bytes / 2;
constexpr std::size_t large_read_ahead_bytes = 4 * 1024;

}  // namespace

FrameReader::~FrameReader() { std::free(buffer_); }

std::size_t FrameReader::read_ahead_bytes() const {
  return last_ > small_frame_bytes && !in_frame() ? large_read_ahead_bytes : scratch_bytes;
}

MutableByteView FrameReader::direct_target() {
  if (size_ == 0 || size_ - arrived_ <= small_frame_bytes) return {};
  if (arrived_ == capacity_) grow();
  return {buffer_ + arrived_, capacity_ - arrived_};
}

void FrameReader::filled(std::size_t count, std::vector<Slice>& frames) {
  ARUS_ASSERT(count <= capacity_ - arrived_);
  arrived_ += count;
  if (arrived_ == size_) complete(frames);
}

Result<> FrameReader::feed(ByteView bytes, std::vector<Slice>& frames) {
  while (!bytes.empty()) {
    if (prefix_bytes_ < prefix_.size()) {
      const std::size_t count = std::min(prefix_.size() - prefix_bytes_, bytes.size());
      std::copy_n(bytes.begin(), count, prefix_.begin() + static_cast<long>(prefix_bytes_));
      prefix_bytes_ += count;
      bytes = bytes.subspan(count);
      if (prefix_bytes_ == prefix_.size()) ARUS_TRY(begin_frame());
      continue;
    }
    if (arrived_ == capacity_) grow();
    const std::size_t count = std::min(capacity_ - arrived_, bytes.size());
    std::memcpy(buffer_ + arrived_, bytes.data(), count);
    arrived_ += count;
    bytes = bytes.subspan(count);
    if (arrived_ == size_) complete(frames);
  }
  return {};
}

Result<> FrameReader::begin_frame() {
  const auto claimed = load_big<std::int32_t>(prefix_.data());
  if (claimed < static_cast<std::int32_t>(min_frame_bytes) || claimed > max_frame_bytes_) {
    return fail(ErrorCode::invalid_request,
                "A frame claims " + std::to_string(claimed) + " bytes, which is not a request");
  }
  size_ = static_cast<std::size_t>(claimed);
  return {};
}

void FrameReader::grow() {
  std::size_t wanted = std::max({unproven_frame_bytes, proven_, arrived_ * 4});
  wanted = std::min(wanted, size_);
  ARUS_ASSERT(wanted > capacity_);
  // realloc moves large blocks by remapping their pages.
  void* const moved = std::realloc(buffer_, wanted);
  ARUS_ASSERT(moved != nullptr);
  buffer_ = static_cast<std::uint8_t*>(moved);
  capacity_ = wanted;
}

void FrameReader::complete(std::vector<Slice>& frames) {
  const std::shared_ptr<const void> owner(static_cast<const void*>(buffer_),
                                          [block = buffer_](const void*) { std::free(block); });
  frames.emplace_back(owner, MutableByteView{buffer_, size_});
  proven_ = std::max(proven_, size_);
  last_ = size_;
  buffer_ = nullptr;
  prefix_bytes_ = size_ = arrived_ = capacity_ = 0;
}

}  // namespace arus::net
