// The timers of one state machine: as many as it has members, one timer of the loop for all.
#pragma once

#include "env/timer_wheel.h"

namespace arus::coordinator {

class Timers;
class Turn;

// Embedded in what it belongs to; disarmed by its destructor. Owner: its state machine.
class Timer : private env::Timer {
 public:
  using env::Timer::armed;
  // Inside a turn of its own, once; it is disarmed before and may be armed again from inside.
  virtual void fire(Turn& turn) = 0;

 private:
  friend class Timers;
  void fire() final;
  Timers* timers_ = nullptr;
};

// Reads no clock: time is what the turns say. Must outlive its timers or outlast their being
// armed. Owner: one state machine.
class Timers {
 public:
  // `origin` is a time at or before every deadline.
  explicit Timers(env::TimePoint origin) : wheel_(origin) {}

  // Arms or moves a timer.
  void arm(Timer& timer, env::TimePoint deadline);
  void disarm(Timer& timer);
  // When fire_due() has something to do next; `never` without timers.
  [[nodiscard]] env::TimePoint next() const;
  // Fires at most `limit` of those due at the turn's time; true when more are due.
  bool fire_due(Turn& turn, std::size_t limit);

 private:
  friend class Timer;
  env::TimerWheel wheel_;
  Turn* turn_ = nullptr;
};

}  // namespace arus::coordinator
