// Drives a state machine in a test: turns at a time that the test sets, a log in memory.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "coordinator/runtime/machine.h"

namespace arus::coordinator {

// The answer that a decision gave, when it has.
template <class T>
class Answer {
 public:
  Answer() : cell_(std::make_shared<std::optional<Result<T>>>()) {}
  [[nodiscard]] Reply<T> reply() const {
    return Reply<T>([cell = cell_](Result<T> value) { cell->emplace(std::move(value)); });
  }
  [[nodiscard]] bool given() const { return cell_->has_value(); }
  [[nodiscard]] const Result<T>& result() const {
    ARUS_ASSERT(cell_->has_value());
    return **cell_;
  }
  [[nodiscard]] const T& value() const { return *result(); }

 private:
  std::shared_ptr<std::optional<Result<T>>> cell_;
};

// Keeps what a machine appends, and gives its answers at once or, while `durable` is false, only
// when release() is called, as the log would.
class MachineBench {
 public:
  explicit MachineBench(Machine& machine, env::TimePoint now = env::TimePoint{} + env::seconds(1))
      : machine_(&machine), now_(now) {}

  // decide(Turn&) in a turn of its own.
  template <class Decide>
  void turn(Decide decide) {
    Turn turn(*machine_, now_, wall_ms_);
    decide(turn);
    keep(turn);
  }
  // Lets time pass and fires what is due on the way.
  void pass(env::Duration duration) {
    const env::TimePoint end = now_ + duration;
    const env::TimePoint begin = now_;
    const std::int64_t wall_begin = wall_ms_;
    while (machine_->timers().next() <= end) {
      now_ = std::max(now_, machine_->timers().next());
      wall_ms_ = wall_begin + std::chrono::duration_cast<env::milliseconds>(now_ - begin).count();
      bool more = true;
      while (more) turn([&](Turn& turn) { more = machine_->timers().fire_due(turn, 64); });
    }
    now_ = end;
    wall_ms_ = wall_begin + std::chrono::duration_cast<env::milliseconds>(end - begin).count();
  }
  // Replays the first `count` records of this bench's log (all without) into another machine.
  void replay_into(Machine& machine, std::optional<std::size_t> count = {}) const {
    for (std::size_t i = 0; i < count.value_or(log_.size()); ++i) {
      const Record& record = log_[i].record;
      const auto replayed = machine.replay(
          {.offset = Offset{static_cast<std::int64_t>(i)},
           .timestamp_ms = wall_ms_,
           .producer_id = log_[i].producer_id,
           .producer_epoch = log_[i].producer_epoch,
           .key = record.key,
           .value = record.value ? std::optional<ByteView>(*record.value) : std::nullopt});
      ARUS_ASSERT(replayed);
    }
  }
  void release() {
    for (auto& finish : std::exchange(waiting_, {})) finish(Result<>{});
  }

  struct Logged {
    Record record;
    ProducerId producer_id = no_producer;
    std::int16_t producer_epoch = -1;
  };
  [[nodiscard]] const std::vector<Logged>& log() const { return log_; }
  [[nodiscard]] env::TimePoint now() const { return now_; }
  [[nodiscard]] std::int64_t wall_ms() const { return wall_ms_; }
  bool durable = true;

 private:
  void keep(Turn& turn) {
    for (auto& record : turn.records()) log_.push_back({std::move(record)});
    auto& transactional = turn.transactional();
    for (auto& record : transactional.records) {
      const auto replayed = machine_->replay(
          {.offset = Offset{static_cast<std::int64_t>(log_.size())},
           .timestamp_ms = wall_ms_,
           .producer_id = transactional.producer_id,
           .producer_epoch = transactional.producer_epoch,
           .key = record.key,
           .value = record.value ? std::optional<ByteView>(*record.value) : std::nullopt});
      ARUS_ASSERT(replayed);
      log_.push_back({std::move(record), transactional.producer_id, transactional.producer_epoch});
    }
    for (auto& finish : turn.finish()) waiting_.push_back(std::move(finish));
    if (durable) release();
  }

  Machine* machine_;
  env::TimePoint now_;
  std::int64_t wall_ms_ = 1'700'000'000'000;
  std::vector<Logged> log_;
  std::vector<Turn::Finish> waiting_;
};

}  // namespace arus::coordinator
