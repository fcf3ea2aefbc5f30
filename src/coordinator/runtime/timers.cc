#include "coordinator/runtime/timers.h"

#include <utility>

#include "coordinator/runtime/turn.h"

namespace arus::coordinator {

void Timer::fire() { fire(*timers_->turn_); }

void Timers::arm(Timer& timer, env::TimePoint deadline) {
  timer.timers_ = this;
  wheel_.arm(timer, deadline);
}

void Timers::disarm(Timer& timer) { wheel_.disarm(timer); }

env::TimePoint Timers::next() const { return wheel_.next_advance(); }

bool Timers::fire_due(Turn& turn, std::size_t limit) {
  turn_ = &turn;
  wheel_.advance(turn.now());
  wheel_.fire_some(limit);
  turn_ = nullptr;
  return wheel_.has_due();
}

}  // namespace arus::coordinator
