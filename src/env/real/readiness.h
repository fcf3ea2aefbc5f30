// Waiting for a descriptor on a loop.
#pragma once

#include <optional>

#include "env/real/loop.h"

namespace arus::env {

// Owns a non-blocking descriptor and suspends coroutines until it may be read or written. One
// waiter for each direction at a time. The descriptor joins the loop's epoll at its first wait, so
// that it may be made on another thread. Owner: the loop.
class Readiness {
 public:
  enum class Direction : std::uint8_t { read, write };
  class Wait;

  Readiness(RealLoop& loop, int descriptor) : loop_(loop), descriptor_(descriptor) {}
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  ~Readiness() { close(); }

  [[nodiscard]] int descriptor() const { return descriptor_; }  // −1 once closed
  [[nodiscard]] bool closed() const { return descriptor_ < 0; }
  [[nodiscard]] RealLoop& loop() const { return loop_; }
  // co_await gives 0 when ready, else an errno: ECANCELED after close(), ETIMEDOUT at the deadline,
  // which also cancels a waiter of the other direction.
  [[nodiscard]] Wait wait(Direction direction, TimePoint deadline = never);
  // Closes the descriptor; waiters go on with ECANCELED.
  void close();

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

  // An errno, or 0.
  int join();

  RealLoop& loop_;
  int descriptor_;
  std::optional<Descriptor> asio_;
};

class Readiness::Wait final : public Timer {
 public:
  Wait(Readiness& readiness, Direction direction, TimePoint deadline)
      : readiness_(&readiness),
        loop_(readiness.loop_),
        deadline_(deadline),
        direction_(direction) {}
  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> handle);
  [[nodiscard]] int await_resume() const { return error_; }
  void fire() override;

 private:
  void complete(int error);

  Readiness* readiness_;
  RealLoop& loop_;
  TimePoint deadline_;
  std::coroutine_handle<> handle_;
  int error_ = 0;
  Direction direction_;
  Priority priority_{};
  bool timed_out_ = false;
};

inline Readiness::Wait Readiness::wait(Direction direction, TimePoint deadline) {
  return {*this, direction, deadline};
}

}  // namespace arus::env
