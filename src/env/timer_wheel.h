// The timers of one loop.
#pragma once

#include <array>
#include <cstdint>

#include "env/loop.h"

namespace arus::env {

// A hierarchical wheel of 1 ms ticks: six levels of 64 slots, each slot of a level as wide as the
// whole level below it. A timer lies on the lowest level where its tick and the present tick share
// all higher digits, so the lowest occupied slot is always the next to expire. Arming and
// disarming take constant time and no memory. Deadlines are rounded up to a tick: never early.
// Owner: one loop. Timers are not owned.
class TimerWheel {
 public:
  explicit TimerWheel(TimePoint origin) : origin_(origin) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  void arm(Timer& timer, TimePoint deadline);
  void disarm(Timer& timer);
  // Collects what is due at `now`; fire_some() then fires it.
  void advance(TimePoint now);
  // Fires at most `limit` collected timers, in the order of their deadlines' ticks.
  std::size_t fire_some(std::size_t limit);
  [[nodiscard]] bool has_due() const { return due_.first != nullptr; }
  // When advance() has something to do next: `never` without timers. May be earlier than the first
  // deadline, which is then on a higher level.
  [[nodiscard]] TimePoint next_advance() const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr unsigned level_bits = 6;
  static constexpr unsigned level_count = 6;
  static constexpr std::size_t slots_per_level = 1U << level_bits;
  // One slot of the highest level less than all: the present slot is never filled again.
  static constexpr std::uint64_t reach_ticks = (slots_per_level - 1ULL)
                                               << (level_bits * (level_count - 1));
  static constexpr std::uint16_t due_slot = level_count * slots_per_level;

  struct List {
    Timer* first = nullptr;
    Timer* last = nullptr;
  };
  struct Expiration {
    std::size_t level;
    std::size_t slot;
    std::uint64_t tick;
  };

  [[nodiscard]] std::uint64_t tick_at_or_after(TimePoint time) const;
  [[nodiscard]] bool next_expiration(Expiration& next) const;
  [[nodiscard]] TimePoint time_of(std::uint64_t tick) const;
  List& list_of(std::uint16_t slot) { return slot == due_slot ? due_ : slots_[slot]; }
  void insert(Timer& timer);
  void link(Timer& timer, std::uint16_t slot);
  void unlink(Timer& timer);

  TimePoint origin_;
  std::uint64_t tick_ = 0;  // everything due up to here has been collected
  std::size_t size_ = 0;
  std::array<std::uint64_t, level_count> occupied_{};  // one bit for each slot
  std::array<List, level_count * slots_per_level> slots_{};
  List due_;
};

}  // namespace arus::env
