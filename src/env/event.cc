#include "env/event.h"

namespace arus::env {

// One suspended coroutine in the event's list, and the timer of its deadline.
class Event::Waiter final : public Timer {
 public:
  Waiter(Event& event, TimePoint deadline) : event_(&event), deadline_(deadline) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    loop_ = Loop::current();
    ARUS_ASSERT(loop_ != nullptr);
    handle_ = handle;
    priority_ = loop_->priority();
    previous_ = event_->last_;
    (event_->last_ == nullptr ? event_->first_ : event_->last_->next_) = this;
    event_->last_ = this;
    if (deadline_ != never) loop_->arm(*this, deadline_);
  }
  [[nodiscard]] bool await_resume() const { return notified_; }

  void fire() override {
    (previous_ == nullptr ? event_->first_ : previous_->next_) = next_;
    (next_ == nullptr ? event_->last_ : next_->previous_) = previous_;
    go_on();
  }
  // Taken out of the list by the caller. Gives the waiter behind this one.
  Waiter* notify() {
    Waiter* const behind = next_;
    if (armed()) loop_->disarm(*this);
    notified_ = true;
    go_on();
    return behind;
  }

 private:
  // The event may be gone when the coroutine goes on.
  void go_on() {
    event_ = nullptr;
    loop_->post([handle = handle_] { handle.resume(); }, priority_);
  }

  Event* event_;
  TimePoint deadline_;
  Loop* loop_ = nullptr;
  std::coroutine_handle<> handle_;
  Waiter* previous_ = nullptr;
  Waiter* next_ = nullptr;
  Priority priority_{};
  bool notified_ = false;
};

void Event::notify_all() {
  last_ = nullptr;
  for (Waiter* waiter = std::exchange(first_, nullptr); waiter != nullptr;) {
    waiter = waiter->notify();
  }
}

Task<bool> Event::wait_until(TimePoint deadline) { co_return co_await Waiter{*this, deadline}; }

Task<void> Event::wait() {
  const bool notified = co_await Waiter{*this, never};
  ARUS_ASSERT(notified);
}

}  // namespace arus::env
