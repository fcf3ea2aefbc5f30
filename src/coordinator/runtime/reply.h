// The answer that a request waits for, wherever it is kept meanwhile.
#pragma once

#include <functional>
#include <utility>

#include "base/result.h"

namespace arus::coordinator {

// Move-only; answered exactly once. One that is dropped without an answer says NOT_COORDINATOR, so
// that nobody waits for a state machine that is gone. Owner: the loop of the partition.
template <class T>
class Reply {
 public:
  using Deliver = std::move_only_function<void(Result<T>)>;

  Reply() = default;
  explicit Reply(Deliver deliver) : deliver_(std::move(deliver)) {}
  Reply(Reply&& other) noexcept : deliver_(std::exchange(other.deliver_, nullptr)) {}
  Reply& operator=(Reply&& other) noexcept {
    if (this != &other) {
      abandon();
      deliver_ = std::exchange(other.deliver_, nullptr);
    }
    return *this;
  }
  ~Reply() { abandon(); }

  // Whether somebody still waits for it.
  [[nodiscard]] bool waits() const { return deliver_ != nullptr; }
  // At once: state machines answer through Turn::answer(), which waits for what is durable.
  void deliver(Result<T> value) {
    if (auto deliver = std::exchange(deliver_, nullptr)) deliver(std::move(value));
  }

 private:
  void abandon() { deliver(fail(ErrorCode::not_coordinator, "The coordinator has moved")); }

  Deliver deliver_;
};

}  // namespace arus::coordinator
