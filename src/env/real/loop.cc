#include "env/real/loop.h"

namespace arus::env {

RealLoop::RealLoop(std::size_t index)
    : index_(index),
      io_(1),
      io_has_work_(io_.get_executor()),
      now_(std::chrono::steady_clock::now()),
      wheel_(now_) {}

void RealLoop::post(Work work, Priority priority) {
  if (is_current()) {
    push(std::move(work), priority);
    return;
  }
  bool wakes = false;
  {
    const std::scoped_lock lock(inbox_.mutex);
    inbox_.work[static_cast<std::size_t>(priority)].push_back(std::move(work));
    inbox_.has_work = true;
    wakes = std::exchange(inbox_.asleep, false);
  }
  if (wakes) wake();
}

void RealLoop::stop() {
  bool wakes = false;
  {
    const std::scoped_lock lock(inbox_.mutex);
    inbox_.stopping = true;
    wakes = std::exchange(inbox_.asleep, false);
  }
  if (wakes) wake();
}

void RealLoop::wake() {
  asio::post(io_, [] {});
}

void RealLoop::run() {
  ARUS_ASSERT(current() == nullptr);
  set_current(this);
  do {
    refresh_now();
    take_posted();
    wheel_.advance(now_);
    running_class_ = Priority::client;
    wheel_.fire_some(turn_completions);
    run_ready();
  } while (poll_or_sleep());
  set_current(nullptr);
}

void RealLoop::push(Work work, Priority priority) {
  ready_[static_cast<std::size_t>(priority)].push(std::move(work));
  ++ready_count_;
}

void RealLoop::take_posted() {
  {
    const std::scoped_lock lock(inbox_.mutex);
    if (!inbox_.has_work) return;
    inbox_.has_work = false;
    taken_.swap(inbox_.work);
  }
  for (std::size_t i = 0; i < priority_count; ++i) {
    for (Work& work : taken_[i]) push(std::move(work), static_cast<Priority>(i));
    taken_[i].clear();
  }
}

void RealLoop::run_ready() {
  for (std::size_t done = 0; ready_count_ > 0 && done < turn_completions;) {
    if (credit_ == 0 || ready_[class_].empty()) {
      class_ = (class_ + 1) % priority_count;
      credit_ = weights[class_];
      continue;
    }
    --credit_;
    --ready_count_;
    Work work = ready_[class_].pop();
    running_class_ = static_cast<Priority>(class_);
    work();
    ++done;
    if (done % completions_per_clock_reading == 0 &&
        std::chrono::steady_clock::now() - now_ >= turn_time) {
      return;
    }
  }
}

bool RealLoop::poll_or_sleep() {
  bool sleeps = ready_count_ == 0 && !wheel_.has_due();
  {
    const std::scoped_lock lock(inbox_.mutex);
    sleeps = sleeps && !inbox_.has_work;
    if (inbox_.stopping) {
      if (sleeps || ++turns_since_stop_ == turns_after_stop) {
        inbox_.stopping = false;
        turns_since_stop_ = 0;
        return false;
      }
    }
    inbox_.asleep = sleeps;
  }
  if (!sleeps) {
    io_.poll();
    return true;
  }
  const TimePoint next = wheel_.next_advance();
  if (next == never) {
    io_.run_one();
  } else if (io_.run_one_until(next) == 0) {
    // A deadline that is past already must not keep descriptors from being looked at.
    io_.poll();
  }
  const std::scoped_lock lock(inbox_.mutex);
  inbox_.asleep = false;
  return true;
}

}  // namespace arus::env
