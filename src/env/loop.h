// The event loop: one thread that runs everything that belongs to it, one piece at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>

#include "env/task.h"
#include "env/time.h"

namespace arus::env {

using Work = std::move_only_function<void()>;

// Under load each loop turn serves these in weighted order; none starves.
enum class Priority : std::uint8_t { control, client, background };
inline constexpr std::size_t priority_count = 3;

// An intrusive entry of a loop's timer wheel. Owned by whoever embeds it, armed and disarmed only
// on that loop, and disarmed by its destructor. Costs no allocation.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();
  // On the loop, once, at or after the deadline. The timer is disarmed before and may be armed
  // again from inside.
  virtual void fire() = 0;
  [[nodiscard]] bool armed() const { return wheel_ != nullptr; }

 private:
  friend class TimerWheel;
  class TimerWheel* wheel_ = nullptr;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  TimePoint deadline_{};
  std::uint16_t slot_ = 0;
};

// Owner of connections, partitions and timers. All members but post() are for its own thread.
class Loop {
 public:
  virtual ~Loop() = default;

  // Thread-safe. Runs `work` on the loop later; what one thread posts in one class runs in order.
  virtual void post(Work work, Priority priority = Priority::client) = 0;
  // The time of this loop turn.
  [[nodiscard]] virtual TimePoint now() const = 0;
  // Reads the clock: for deadlines that must not count from the beginning of a long turn.
  virtual TimePoint refresh_now() = 0;
  // The class of the work that runs now. Whatever waits goes on in the class it waited in.
  [[nodiscard]] virtual Priority priority() const = 0;
  // Arms or moves a timer; resolution is 1 ms, never early. The deadline `never` disarms.
  virtual void arm(Timer& timer, TimePoint deadline) = 0;
  virtual void disarm(Timer& timer) = 0;
  // 0 … number of loops − 1; names the loop in tables and metrics.
  [[nodiscard]] virtual std::size_t index() const = 0;

  // The loop whose thread this is, or null.
  [[nodiscard]] static Loop* current();
  [[nodiscard]] bool is_current() const { return current() == this; }

 protected:
  static void set_current(Loop* loop);
};

namespace detail {
// Suspends here, continues behind what the loop has to do already.
class Yield {
 public:
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) const {
    Loop* const loop = Loop::current();
    ARUS_ASSERT(loop != nullptr);
    loop->post([handle] { handle.resume(); }, loop->priority());
  }
  void await_resume() const {}
};

// Suspends here, continues on `target`.
class MoveTo {
 public:
  MoveTo(Loop& target, Priority priority) : target_(target), priority_(priority) {}
  bool await_ready() const { return target_.is_current(); }
  void await_suspend(std::coroutine_handle<> handle) const {
    target_.post([handle] { handle.resume(); }, priority_);
  }
  void await_resume() const {}

 private:
  Loop& target_;
  Priority priority_;
};

template <class T>
struct TaskValue {
  using type = T;
  static constexpr bool is_task = false;
};
template <class T>
struct TaskValue<Task<T>> {
  using type = T;
  static constexpr bool is_task = true;
};
}  // namespace detail

// Runs `function` (giving T or Task<T>) on `target` and gives its result on the caller's loop. On
// the right loop already it is a direct call.
template <class Function>
auto call(Loop& target, Function function, Priority priority = Priority::client)
    -> Task<typename detail::TaskValue<std::invoke_result_t<Function&>>::type> {
  using Value = detail::TaskValue<std::invoke_result_t<Function&>>;
  Loop* const home = Loop::current();
  co_await detail::MoveTo{target, priority};
  if constexpr (std::is_void_v<typename Value::type>) {
    if constexpr (Value::is_task) {
      co_await function();
    } else {
      function();
    }
    if (home != nullptr) co_await detail::MoveTo{*home, priority};
  } else if constexpr (Value::is_task) {
    auto value = co_await function();
    if (home != nullptr) co_await detail::MoveTo{*home, priority};
    co_return value;
  } else {
    auto value = function();
    if (home != nullptr) co_await detail::MoveTo{*home, priority};
    co_return value;
  }
}

// co_await yield() lets the other work of the loop go first: for long computations.
[[nodiscard]] inline detail::Yield yield() { return {}; }

// Completes after `duration` on the current loop.
Task<void> sleep_for(Duration duration);

// Counts the tasks that a component has spawned, so that closing can wait for them.
// Owner: one loop.
class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { ARUS_ASSERT(running_ == 0); }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] std::size_t running() const { return running_; }
  // No task enters any more; completes when those inside have left.
  Task<void> close();
  void enter() { ++running_; }
  void leave();

 private:
  class Closing;
  std::size_t running_ = 0;
  bool closed_ = false;
  std::coroutine_handle<> closer_;
};

// Starts `task` on the current loop and lets it run. The gate counts it; a closed gate drops it.
void spawn(Gate& gate, Task<void> task);
// The same for what ends by itself and may outlive everyone.
void spawn_detached(Task<void> task);

}  // namespace arus::env
