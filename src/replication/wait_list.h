// What waits on a partition: appends for durability, fetches for anything new.
#pragma once

#include <cstddef>
#include <utility>

#include "base/assert.h"
#include "base/ids.h"
#include "base/result.h"

namespace arus::replication {

class ProgressWatchList;

// A parked fetch's place in one partition's list. Unlinks itself when destroyed. Costs no
// allocation. Owner: the partition's loop.
class ProgressWatch {
 public:
  ProgressWatch() = default;
  ProgressWatch(const ProgressWatch&) = delete;
  ProgressWatch& operator=(const ProgressWatch&) = delete;
  virtual ~ProgressWatch() { unlink(); }
  // The high watermark has moved, or the partition has changed its leader, failed or closed. Must
  // not destroy or unlink other watches.
  virtual void on_partition_changed() = 0;
  [[nodiscard]] bool linked() const { return previous_ != nullptr; }
  void unlink() {
    if (previous_ == nullptr) return;
    previous_->next_ = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  friend class ProgressWatchList;
  ProgressWatch* previous_ = nullptr;
  ProgressWatch* next_ = nullptr;
};

class ProgressWatchList {
 public:
  ProgressWatchList() = default;
  ProgressWatchList(const ProgressWatchList&) = delete;
  ProgressWatchList& operator=(const ProgressWatchList&) = delete;
  ~ProgressWatchList() {
    while (head_.next_ != nullptr) head_.next_->unlink();
  }
  void add(ProgressWatch& watch) {
    ARUS_ASSERT(!watch.linked());
    watch.next_ = head_.next_;
    watch.previous_ = &head_;
    if (head_.next_ != nullptr) head_.next_->previous_ = &watch;
    head_.next_ = &watch;
  }
  void notify() {
    for (ProgressWatch* watch = head_.next_; watch != nullptr;) {
      ProgressWatch* const next = watch->next_;
      watch->on_partition_changed();
      watch = next;
    }
  }
  [[nodiscard]] bool empty() const { return head_.next_ == nullptr; }

 private:
  class Head final : public ProgressWatch {
    void on_partition_changed() override {}
  };
  Head head_;
};

// One append that waits until everything below `end` is what readers may see. Kept in order of
// `end`. Unlinks itself when destroyed. Owner: the partition's loop.
class AppendWait {
 public:
  AppendWait() = default;
  AppendWait(const AppendWait&) = delete;
  AppendWait& operator=(const AppendWait&) = delete;
  virtual ~AppendWait() { unlink(); }
  // Once: the high watermark has reached `end`, or it never will, for this reason.
  virtual void on_decided(const Result<>& outcome) = 0;
  [[nodiscard]] bool linked() const { return linked_; }
  void unlink();

 private:
  friend class AppendWaitList;
  class AppendWaitList* list_ = nullptr;
  AppendWait* previous_ = nullptr;
  AppendWait* next_ = nullptr;
  Offset end_;
  bool linked_ = false;
};

class AppendWaitList {
 public:
  AppendWaitList() = default;
  AppendWaitList(const AppendWaitList&) = delete;
  AppendWaitList& operator=(const AppendWaitList&) = delete;
  ~AppendWaitList() {
    while (first_ != nullptr) first_->unlink();
  }
  // Appends come with growing ends, so the search from the back is short; duplicates of earlier
  // batches are the exception.
  void add(AppendWait& wait, Offset end);
  // Completes those whose end is at most `reached`.
  void complete(Offset reached);
  void fail(const Error& error);
  [[nodiscard]] bool empty() const { return first_ == nullptr; }

 private:
  friend class AppendWait;
  AppendWait* first_ = nullptr;
  AppendWait* last_ = nullptr;
};

}  // namespace arus::replication
