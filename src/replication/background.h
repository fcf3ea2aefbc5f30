// For tasks of a loop that nobody waits for.
#pragma once

#include <coroutine>

#include "env/loop.h"

namespace arus::replication {

// Suspends here, continues behind everything that clients wait for, and stays in that class.
class EnterBackground {
 public:
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) const {
    env::Loop::current()->post([handle] { handle.resume(); }, env::Priority::background);
  }
  void await_resume() const {}
};

}  // namespace arus::replication
