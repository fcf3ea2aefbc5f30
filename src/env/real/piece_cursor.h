// Writing many pieces with few system calls.
#pragma once

#include <sys/uio.h>

#include <array>
#include <climits>
#include <span>

#include "base/bytes.h"

namespace arus::env {

// What is left of a list of pieces after partial writes. The list must outlive the cursor.
class PieceCursor {
 public:
  static constexpr std::size_t most_vectors = 256;  // for one call
  static_assert(most_vectors <= IOV_MAX);

  explicit PieceCursor(std::span<const ByteView> pieces) : pieces_(pieces) { skip_empty(); }
  [[nodiscard]] bool at_end() const { return next_ == pieces_.size(); }
  // Describes the first of what is left; gives the number of vectors.
  std::size_t fill(std::span<::iovec> vectors) const {
    std::size_t count = 0;
    std::size_t done = done_;
    for (std::size_t i = next_; i < pieces_.size() && count < vectors.size(); ++i) {
      const ByteView rest = pieces_[i].subspan(done);
      vectors[count++] = {const_cast<std::uint8_t*>(rest.data()), rest.size()};
      done = 0;
    }
    return count;
  }
  void advance(std::size_t bytes) {
    while (bytes > 0) {
      const std::size_t step = std::min(bytes, pieces_[next_].size() - done_);
      done_ += step;
      bytes -= step;
      skip_empty();
    }
  }

 private:
  void skip_empty() {
    while (next_ < pieces_.size() && done_ == pieces_[next_].size()) {
      ++next_;
      done_ = 0;
    }
  }

  std::span<const ByteView> pieces_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;  // of pieces_[next_]
};

}  // namespace arus::env
