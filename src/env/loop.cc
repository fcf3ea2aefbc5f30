#include "env/loop.h"

namespace arus::env {

namespace {

thread_local Loop* current_loop = nullptr;

// Suspends a coroutine until its deadline.
class Sleep final : public Timer {
 public:
  explicit Sleep(TimePoint deadline) : deadline_(deadline) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    loop_ = Loop::current();
    handle_ = handle;
    priority_ = loop_->priority();
    loop_->arm(*this, deadline_);
  }
  void await_resume() const {}
  void fire() override {
    loop_->post([handle = handle_] { handle.resume(); }, priority_);
  }

 private:
  TimePoint deadline_;
  Loop* loop_ = nullptr;
  std::coroutine_handle<> handle_;
  Priority priority_{};
};

detail::Detached run_in_gate(Gate& gate, Task<void> task) {
  gate.enter();
  co_await std::move(task);
  gate.leave();
}

detail::Detached run_alone(Task<void> task) { co_await std::move(task); }

}  // namespace

Loop* Loop::current() { return current_loop; }

void Loop::set_current(Loop* loop) { current_loop = loop; }

Task<void> sleep_for(Duration duration) {
  Loop* const loop = Loop::current();
  ARUS_ASSERT(loop != nullptr);
  const TimePoint now = loop->refresh_now();
  co_await Sleep{duration < never - now ? now + duration : never};
}

// Suspends whoever closes a gate until the last task has left it.
class Gate::Closing {
 public:
  explicit Closing(Gate& gate) : gate_(gate) {}
  bool await_ready() const { return gate_.running_ == 0; }
  void await_suspend(std::coroutine_handle<> handle) const {
    ARUS_ASSERT(!gate_.closer_);
    gate_.closer_ = handle;
  }
  void await_resume() const {}

 private:
  Gate& gate_;
};

Task<void> Gate::close() {
  closed_ = true;
  co_await Closing{*this};
}

void Gate::leave() {
  ARUS_ASSERT(running_ > 0);
  --running_;
  if (running_ > 0 || !closer_) return;
  // By way of the loop: the task that leaves ends before the gate may be destroyed.
  Loop* const loop = Loop::current();
  ARUS_ASSERT(loop != nullptr);
  const auto closer = std::exchange(closer_, nullptr);
  loop->post([closer] { closer.resume(); }, loop->priority());
}

void spawn(Gate& gate, Task<void> task) {
  if (gate.closed()) return;
  run_in_gate(gate, std::move(task));
}

void spawn_detached(Task<void> task) { run_alone(std::move(task)); }

}  // namespace arus::env
