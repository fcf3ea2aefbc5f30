// Waiting on one loop: events, one-shot results, and waits with a deadline.
#pragma once

#include <memory>
#include <optional>

#include "env/loop.h"

namespace arus::env {

// Something that happens again and again. Waiters are woken in order, on the next turn of the
// loop. Owner: one loop; set() from elsewhere goes through Loop::post.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { ARUS_ASSERT(first_ == nullptr); }

  // Wakes everyone who waits now. Nothing is remembered.
  void notify_all();
  // True when notified, false when the deadline came first.
  Task<bool> wait_until(TimePoint deadline);
  Task<void> wait();
  [[nodiscard]] bool has_waiters() const { return first_ != nullptr; }

 private:
  class Waiter;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

// A result that comes later, once. The producer's side and the consumer's side share one cell;
// both are used on one loop. A promise destroyed without set() is a bug.
template <class T>
class OneShot {
 public:
  OneShot() : cell_(std::make_shared<Cell>()) {}

  // May be copied into completions.
  void set(T value) const {
    ARUS_ASSERT(!cell_->value);
    cell_->value.emplace(std::move(value));
    cell_->event.notify_all();
  }
  [[nodiscard]] bool ready() const { return cell_->value.has_value(); }
  // For one waiter.
  [[clang::coro_wrapper]] Task<T> wait() const { return wait_on(cell_); }
  // Nothing when the deadline comes first; the value may still arrive and is dropped.
  [[clang::coro_wrapper]] Task<std::optional<T>> wait_until(TimePoint deadline) const {
    return wait_on_until(cell_, deadline);
  }

 private:
  struct Cell {
    std::optional<T> value;
    Event event;
  };
  static Task<T> wait_on(std::shared_ptr<Cell> cell) {
    while (!cell->value) co_await cell->event.wait();
    co_return std::move(*cell->value);
  }
  static Task<std::optional<T>> wait_on_until(std::shared_ptr<Cell> cell, TimePoint deadline) {
    while (!cell->value) {
      if (!co_await cell->event.wait_until(deadline)) break;
    }
    if (!cell->value) co_return std::nullopt;
    co_return std::move(cell->value);
  }
  std::shared_ptr<Cell> cell_;
};

}  // namespace arus::env
