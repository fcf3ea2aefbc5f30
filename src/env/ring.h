// A queue in one piece of memory.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace arus::env {

// First in, first out; grows by doubling, and gives memory back when it has run empty after a
// burst. T is default-constructible and movable.
template <class T>
class Ring {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  void push(T value) {
    if (size_ == slots_.size()) grow();
    slots_[(first_ + size_) & (slots_.size() - 1)] = std::move(value);
    ++size_;
  }
  T pop() {
    ARUS_ASSERT(size_ > 0);
    T value = std::move(slots_[first_]);
    first_ = (first_ + 1) & (slots_.size() - 1);
    --size_;
    if (size_ == 0 && slots_.size() > kept_slots) std::vector<T>().swap(slots_);
    if (size_ == 0) first_ = 0;
    return value;
  }

 private:
  static constexpr std::size_t first_slots = 16;
  static constexpr std::size_t kept_slots = 4096;

  void grow() {
    std::vector<T> more(slots_.empty() ? first_slots : slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) {
      more[i] = std::move(slots_[(first_ + i) & (slots_.size() - 1)]);
    }
    slots_.swap(more);
    first_ = 0;
  }

  std::vector<T> slots_;  // a power of two, or none
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace arus::env
