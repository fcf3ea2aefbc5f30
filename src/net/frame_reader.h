// From the bytes of a socket to whole frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace arus::net {

// Cuts a stream into frames: four bytes of length, then the frame. Each frame gets one buffer of
// its own, and what is large is read into it directly.
//
// Holds: memory for a frame follows the bytes that have arrived. A connection that has completed
// large frames before is believed up to that size at once, so that honest senders pay no copy.
// Never holds more than the bytes that arrived times four, or unproven_frame_bytes, or the largest
// frame that was completed. After an error it takes nothing any more. Owner: the connection.
class FrameReader {
 public:
  explicit FrameReader(std::int32_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;
  ~FrameReader();

  // Where the next bytes of the stream may be put directly; empty where feed() must be used.
  [[nodiscard]] MutableByteView direct_target();
  // `count` bytes were put where direct_target() said.
  void filled(std::size_t count, std::vector<Slice>& frames);
  // The next bytes of the stream, from elsewhere. Whole frames are added to `frames`. An error
  // for a length that is negative, too small for a request or larger than allowed.
  Result<> feed(ByteView bytes, std::vector<Slice>& frames);

  // Bytes held of a frame that is not complete.
  [[nodiscard]] std::size_t partial_bytes() const { return arrived_; }
  // Bytes that the frame under way still lacks; 0 between frames.
  [[nodiscard]] std::size_t missing_bytes() const { return size_ - arrived_; }
  [[nodiscard]] bool in_frame() const { return prefix_bytes_ > 0; }
  // How much to read at most into a shared buffer: little where large frames are expected, since
  // what is read there of a large frame is copied once.
  [[nodiscard]] std::size_t read_ahead_bytes() const;

 private:
  Result<> begin_frame();
  void grow();
  void complete(std::vector<Slice>& frames);

  std::int32_t max_frame_bytes_;
  std::array<std::uint8_t, 4> prefix_{};
  std::size_t prefix_bytes_ = 0;
  std::size_t size_ = 0;      // of the frame under way, as claimed and checked
  std::size_t arrived_ = 0;   // of it
  std::size_t capacity_ = 0;  // of buffer_
  std::uint8_t* buffer_ = nullptr;
  std::size_t proven_ = 0;  // the largest frame that was completed
  std::size_t last_ = 0;    // the newest one
};

}  // namespace arus::net
