// Learning that a connection has closed while a request of it waits.
#pragma once

#include "base/assert.h"

namespace arus::net {

// Derived by what waits on behalf of a connection (a parked fetch). Unlinks itself when destroyed.
// Owner: the connection's loop.
class CloseWatch {
 public:
  CloseWatch() = default;
  CloseWatch(const CloseWatch&) = delete;
  CloseWatch& operator=(const CloseWatch&) = delete;
  virtual ~CloseWatch() { unlink(); }
  // Once; must not destroy other watches.
  virtual void on_connection_closed() = 0;

 protected:
  void unlink() {
    if (previous_ == nullptr) return;
    previous_->next_ = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  friend class CloseWatchList;
  CloseWatch* previous_ = nullptr;
  CloseWatch* next_ = nullptr;
};

class CloseWatchList {
 public:
  CloseWatchList() = default;
  CloseWatchList(const CloseWatchList&) = delete;
  CloseWatchList& operator=(const CloseWatchList&) = delete;
  ~CloseWatchList() {
    while (head_.next_ != nullptr) head_.next_->unlink();
  }
  [[nodiscard]] bool closed() const { return closed_; }
  // A watch added after the close is told at once.
  void add(CloseWatch& watch) {
    if (closed_) {
      watch.on_connection_closed();
      return;
    }
    ARUS_ASSERT(watch.previous_ == nullptr);
    watch.next_ = head_.next_;
    watch.previous_ = &head_;
    if (head_.next_ != nullptr) head_.next_->previous_ = &watch;
    head_.next_ = &watch;
  }
  void close() {
    closed_ = true;
    while (head_.next_ != nullptr) {
      CloseWatch& watch = *head_.next_;
      watch.unlink();
      watch.on_connection_closed();
    }
  }

 private:
  class Head final : public CloseWatch {
    void on_connection_closed() override {}
  };
  Head head_;
  bool closed_ = false;
};

}  // namespace arus::net
