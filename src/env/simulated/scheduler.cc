#include "env/simulated/scheduler.h"

#include <algorithm>

namespace arus::env {

namespace {

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

}  // namespace

void SimulatedRandom::fill(MutableByteView bytes) {
  while (!bytes.empty()) {
    const std::uint64_t value = mix(state_ += 0x9e3779b97f4a7c15ULL);
    const std::size_t count = std::min(bytes.size(), sizeof value);
    std::memcpy(bytes.data(), &value, count);
    bytes = bytes.subspan(count);
  }
}

bool SimulatedRandom::chance(double probability) {
  constexpr double range = 1ULL << 53;
  return static_cast<double>(next() >> 11) < probability * range;
}

Duration SimulatedRandom::between(Duration least, Duration most) {
  ARUS_ASSERT(least <= most);
  const auto width = static_cast<std::uint64_t>((most - least).count()) + 1;
  return least + Duration(static_cast<std::int64_t>(below(width)));
}

void Scheduler::at(TimePoint time, ActorId actor, Work work) {
  events_.push_back({std::max(time, now_), random_.next(), sequence_++, actor, std::move(work)});
  std::ranges::push_heap(events_, later);
}

TimePoint Scheduler::in_order(ActorId from, ActorId to, std::uint32_t channel, TimePoint earliest) {
  TimePoint& last = last_in_order_[{from, to, channel}];
  last = std::max(earliest, last + Duration(1));
  return last;
}

bool Scheduler::step() {
  if (events_.empty()) return false;
  std::ranges::pop_heap(events_, later);
  Happening next = std::move(events_.back());
  events_.pop_back();
  now_ = next.time;
  spent_ = {};
  running_ = next.actor;
  ++steps_;
  trace(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  trace(next.sequence << 16 | next.actor);
  next.work();
  next.work = nullptr;
  running_ = outside;
  spent_ = {};
  return true;
}

void Scheduler::trace(std::uint64_t fact) { trace_hash_ = mix(trace_hash_ * 31 + fact); }

void Scheduler::trace(std::string_view text) {
  for (const char c : text) trace(static_cast<std::uint8_t>(c));
}

}  // namespace arus::env
