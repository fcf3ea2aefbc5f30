// Threads for what blocks: ordered workers (one for each log directory) and a bounded pool.
#pragma once

#include <string>

#include "env/loop.h"

namespace arus::env {

// One thread with an ordered queue. Thread-safe.
class Worker {
 public:
  virtual ~Worker() = default;  // finishes what is queued, then ends the thread
  virtual void submit(Work work) = 0;
  [[nodiscard]] virtual std::size_t queued() const = 0;
};

// A few threads for work of bounded length that may block or burn: cold reads, compression,
// recovery. Higher classes first. Thread-safe.
class Pool {
 public:
  virtual ~Pool() = default;
  virtual void submit(Work work, Priority priority = Priority::client) = 0;
};

namespace detail {
template <class Executor, class Function>
class RunOn {
 public:
  using Value = std::invoke_result_t<Function&>;
  RunOn(Executor& executor, Function function, Priority priority)
      : executor_(executor), function_(std::move(function)), priority_(priority) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    home_ = Loop::current();
    ARUS_ASSERT(home_ != nullptr);
    handle_ = handle;
    // The work holds one pointer, which costs no allocation.
    if constexpr (requires { executor_.submit(Work{}, priority_); }) {
      executor_.submit([this] { run(); }, priority_);
    } else {
      executor_.submit([this] { run(); });
    }
  }
  Value await_resume() {
    if constexpr (!std::is_void_v<Value>) return std::move(*value_);
  }

 private:
  struct Nothing {};

  void run() {
    if constexpr (std::is_void_v<Value>) {
      function_();
    } else {
      value_.emplace(function_());
    }
    // Once posted, the waiter may go on and destroy this.
    home_->post([handle = handle_] { handle.resume(); }, priority_);
  }

  Executor& executor_;
  Function function_;
  Priority priority_;
  Loop* home_ = nullptr;
  std::coroutine_handle<> handle_;
  std::conditional_t<std::is_void_v<Value>, Nothing,
                     std::optional<std::conditional_t<std::is_void_v<Value>, Nothing, Value>>>
      value_;
};
}  // namespace detail

// co_await run_on(worker, f): runs f there and continues here with its result.
template <class Executor, class Function>
[[nodiscard]] auto run_on(Executor& executor, Function function,
                          Priority priority = Priority::client) {
  return detail::RunOn<Executor, Function>{executor, std::move(function), priority};
}

}  // namespace arus::env
