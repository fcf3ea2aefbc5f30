#include "env/simulated/actors.h"

namespace arus::env {

namespace {

constexpr std::array<std::uint64_t, priority_count> class_weights{8, 4, 1};

}  // namespace

SimulatedLoop::SimulatedLoop(Scheduler& scheduler, const Delays& delays, std::size_t index)
    : scheduler_(scheduler),
      delays_(delays),
      index_(index),
      id_(scheduler.add_actor()),
      now_(scheduler.now()),
      wheel_(now_) {}

void SimulatedLoop::post(Work work, Priority priority) {
  if (is_current()) {
    push(std::move(work), priority);
    return;
  }
  const TimePoint arrival = scheduler_.in_order(
      scheduler_.running(), id_, static_cast<std::uint32_t>(priority),
      scheduler_.now() + scheduler_.random().between(delays_.message_least, delays_.message_most));
  scheduler_.at(arrival, id_,
                [weak = weak_from_this(), work = std::move(work), priority]() mutable {
                  if (const auto loop = weak.lock()) loop->push(std::move(work), priority);
                });
}

void SimulatedLoop::push(Work work, Priority priority) {
  ready_[static_cast<std::size_t>(priority)].push_back(std::move(work));
  schedule_turn();
}

void SimulatedLoop::schedule_turn() {
  if (turn_scheduled_) return;
  turn_scheduled_ = true;
  const Duration step = scheduler_.random().between(delays_.step_least, delays_.step_most);
  scheduler_.at(std::max(scheduler_.now(), busy_until_) + step, id_, [weak = weak_from_this()] {
    if (const auto loop = weak.lock()) loop->run_turn();
  });
}

void SimulatedLoop::run_turn() {
  turn_scheduled_ = false;
  const std::size_t drawn = draw_class();
  if (drawn == priority_count) return;
  Work work = std::move(ready_[drawn].front());
  ready_[drawn].pop_front();
  running_class_ = static_cast<Priority>(drawn);
  refresh_now();
  {
    const Scope scope(this);
    work();
    work = nullptr;
  }
  busy_until_ = scheduler_.now();
  if (draw_class() != priority_count) schedule_turn();
}

std::size_t SimulatedLoop::draw_class() {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < priority_count; ++i) {
    if (!ready_[i].empty()) total += class_weights[i];
  }
  if (total == 0) return priority_count;
  std::uint64_t drawn = scheduler_.random().below(total);
  for (std::size_t i = 0;; ++i) {
    if (ready_[i].empty()) continue;
    if (drawn < class_weights[i]) return i;
    drawn -= class_weights[i];
  }
}

void SimulatedLoop::arm(Timer& timer, TimePoint deadline) {
  wheel_.arm(timer, deadline);
  schedule_timers();
}

void SimulatedLoop::schedule_timers() {
  const TimePoint next = wheel_.next_advance();
  if (next >= timers_scheduled_) return;
  timers_scheduled_ = next;
  const Duration late = scheduler_.random().between(delays_.timer_least, delays_.timer_most);
  scheduler_.at(std::max({next, busy_until_, scheduler_.now()}) + late, id_,
                [weak = weak_from_this(), next] {
                  if (const auto loop = weak.lock()) loop->run_timers(next);
                });
}

void SimulatedLoop::run_timers(TimePoint scheduled) {
  // An earlier deadline came since: its event has taken the place of this one.
  if (scheduled != timers_scheduled_) return;
  timers_scheduled_ = never;
  // A loop that is busy looks at its timers afterwards.
  if (scheduler_.now() >= busy_until_) {
    refresh_now();
    running_class_ = Priority::client;
    const Scope scope(this);
    wheel_.advance(now_);
    wheel_.fire_some(wheel_.size());
    busy_until_ = scheduler_.now();
  }
  schedule_timers();
}

SimulatedThreads::SimulatedThreads(Scheduler& scheduler, const Delays& delays, std::size_t threads)
    : scheduler_(scheduler), delays_(delays) {
  for (std::size_t i = 0; i < threads; ++i) threads_.push_back({.id = scheduler.add_actor()});
}

void SimulatedThreads::submit(Work work, Priority priority) {
  queues_[static_cast<std::size_t>(priority)].push_back(std::move(work));
  // One that the disk holds up leaves it to the others.
  Thread* free = nullptr;
  for (Thread& thread : threads_) {
    if (thread.scheduled) continue;
    if (free == nullptr || thread.busy_until < free->busy_until) free = &thread;
  }
  if (free != nullptr) schedule(*free);
}

std::size_t SimulatedThreads::queued() const {
  std::size_t count = 0;
  for (const auto& queue : queues_) count += queue.size();
  return count;
}

void SimulatedThreads::schedule(Thread& thread) {
  thread.scheduled = true;
  const Duration delay = scheduler_.random().between(delays_.message_least, delays_.message_most);
  scheduler_.at(std::max(scheduler_.now(), thread.busy_until) + delay, thread.id,
                [weak = weak_from_this(), &thread] {
                  if (const auto threads = weak.lock()) threads->run_one(thread);
                });
}

void SimulatedThreads::run_one(Thread& thread) {
  if (queued() > 0) {
    const SimulatedLoop::Scope no_loop(nullptr);
    take()();
  }
  thread.busy_until = scheduler_.now();
  thread.scheduled = false;
  if (queued() > 0) schedule(thread);
}

Work SimulatedThreads::take() {
  constexpr std::uint64_t lowest_class_every = 8;
  const bool lowest = scheduler_.random().below(lowest_class_every) == 0;
  for (std::size_t i = 0; i < priority_count; ++i) {
    auto& queue = queues_[lowest ? priority_count - 1 - i : i];
    if (queue.empty()) continue;
    Work work = std::move(queue.front());
    queue.pop_front();
    return work;
  }
  ARUS_ASSERT(false);
  return {};
}

void SimulatedThreads::finish() {
  const SimulatedLoop::Scope no_loop(nullptr);
  while (queued() > 0) take()();
}

}  // namespace arus::env
