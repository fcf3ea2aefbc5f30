// Who may rely on the names of a log's files.
#pragma once

#include <cstddef>
#include <utility>

#include "env/event.h"

namespace arus::storage {

// Readers that open files by name share it; whoever gives the names to other files, or makes them
// belong to other segments, holds it alone.
// Whoever wants it alone goes before readers that come later. Owner: one loop; outlives its holds.
class FileLatch {
 public:
  class Hold {
   public:
    Hold(FileLatch& latch, bool alone) : latch_(&latch), alone_(alone) {}
    Hold(Hold&& other) noexcept
        : latch_(std::exchange(other.latch_, nullptr)), alone_(other.alone_) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (latch_ != nullptr) latch_->release(alone_);
    }

   private:
    FileLatch* latch_;
    bool alone_;
  };

  env::Task<Hold> share() {
    while (alone_ || wanted_alone_ > 0) co_await changed_.wait();
    ++shared_;
    co_return Hold(*this, false);
  }
  env::Task<Hold> hold_alone() {
    ++wanted_alone_;
    while (alone_ || shared_ > 0) co_await changed_.wait();
    --wanted_alone_;
    alone_ = true;
    co_return Hold(*this, true);
  }
  // Completes when nobody holds it alone; the caller goes on at once, without holding it.
  env::Task<void> pass() {
    while (alone_) co_await changed_.wait();
  }

 private:
  void release(bool alone) {
    if (alone) {
      alone_ = false;
    } else {
      --shared_;
    }
    changed_.notify_all();
  }

  std::size_t shared_ = 0;
  std::size_t wanted_alone_ = 0;
  bool alone_ = false;
  env::Event changed_;
};

}  // namespace arus::storage
