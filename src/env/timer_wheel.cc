#include "env/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace arus::env {

namespace {
constexpr Duration tick_length = milliseconds(1);
}  // namespace

Timer::~Timer() {
  if (wheel_ != nullptr) wheel_->disarm(*this);
}

TimerWheel::~TimerWheel() {
  const auto forget = [](List& list) {
    for (Timer* timer = list.first; timer != nullptr;) {
      timer->wheel_ = nullptr;
      timer = timer->next_;
    }
  };
  for (List& list : slots_) forget(list);
  forget(due_);
}

void TimerWheel::arm(Timer& timer, TimePoint deadline) {
  disarm(timer);
  if (deadline == never) return;
  timer.deadline_ = deadline;
  timer.wheel_ = this;
  ++size_;
  insert(timer);
}

void TimerWheel::disarm(Timer& timer) {
  if (timer.wheel_ == nullptr) return;
  ARUS_ASSERT(timer.wheel_ == this);
  unlink(timer);
  timer.wheel_ = nullptr;
  --size_;
}

void TimerWheel::advance(TimePoint now) {
  if (now < origin_) return;
  const auto present = static_cast<std::uint64_t>((now - origin_) / tick_length);
  for (Expiration next{}; next_expiration(next) && next.tick <= present;) {
    tick_ = next.tick;
    const auto slot = static_cast<std::uint16_t>(next.level * slots_per_level + next.slot);
    // What expires on a higher level spreads over the levels below it, or is due.
    while (Timer* const timer = slots_[slot].first) {
      unlink(*timer);
      insert(*timer);
    }
  }
  tick_ = std::max(tick_, present);
}

std::size_t TimerWheel::fire_some(std::size_t limit) {
  std::size_t fired = 0;
  while (fired < limit && due_.first != nullptr) {
    Timer& timer = *due_.first;
    disarm(timer);
    ++fired;
    timer.fire();
  }
  return fired;
}

TimePoint TimerWheel::next_advance() const {
  if (has_due()) return time_of(tick_);
  Expiration next{};
  return next_expiration(next) ? time_of(next.tick) : never;
}

std::uint64_t TimerWheel::tick_at_or_after(TimePoint time) const {
  if (time <= origin_) return 0;
  const Duration since = time - origin_;
  return static_cast<std::uint64_t>(since / tick_length) + (since % tick_length != Duration{0});
}

TimePoint TimerWheel::time_of(std::uint64_t tick) const {
  return origin_ + tick_length * static_cast<std::int64_t>(tick);
}

bool TimerWheel::next_expiration(Expiration& next) const {
  for (unsigned level = 0; level < level_count; ++level) {
    if (occupied_[level] == 0) continue;
    const unsigned shift = level * level_bits;
    const auto here = static_cast<unsigned>((tick_ >> shift) & (slots_per_level - 1));
    // The first occupied slot from here on, round the wheel.
    const auto ahead = static_cast<unsigned>(
        std::countr_zero(std::rotr(occupied_[level], static_cast<int>(here))));
    const std::uint64_t tick = (((tick_ >> shift) + ahead) << shift);
    next = {level, (here + ahead) % slots_per_level, std::max(tick, tick_)};
    return true;
  }
  return false;
}

void TimerWheel::insert(Timer& timer) {
  std::uint64_t tick = tick_at_or_after(timer.deadline_);
  if (tick <= tick_) {
    link(timer, due_slot);
    return;
  }
  // Beyond its reach the wheel comes by earlier and inserts again.
  tick = std::min(tick, tick_ + reach_ticks);
  const std::uint64_t differing = tick ^ tick_;
  const auto digit = static_cast<unsigned>(std::bit_width(differing) - 1) / level_bits;
  const unsigned level = std::min(digit, level_count - 1);
  const auto slot = static_cast<unsigned>((tick >> (level * level_bits)) & (slots_per_level - 1));
  link(timer, static_cast<std::uint16_t>(level * slots_per_level + slot));
}

void TimerWheel::link(Timer& timer, std::uint16_t slot) {
  List& list = list_of(slot);
  timer.slot_ = slot;
  timer.previous_ = list.last;
  timer.next_ = nullptr;
  (list.last == nullptr ? list.first : list.last->next_) = &timer;
  list.last = &timer;
  if (slot != due_slot) occupied_[slot / slots_per_level] |= 1ULL << (slot % slots_per_level);
}

void TimerWheel::unlink(Timer& timer) {
  List& list = list_of(timer.slot_);
  (timer.previous_ == nullptr ? list.first : timer.previous_->next_) = timer.next_;
  (timer.next_ == nullptr ? list.last : timer.next_->previous_) = timer.previous_;
  if (list.first == nullptr && timer.slot_ != due_slot) {
    occupied_[timer.slot_ / slots_per_level] &= ~(1ULL << (timer.slot_ % slots_per_level));
  }
}

}  // namespace arus::env
