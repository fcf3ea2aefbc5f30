#include "storage/write_port.h"

#include <algorithm>

#include "base/assert.h"
#include "storage/directory_writer.h"

namespace arus::storage {

void WritePort::add(WriteTarget& target) {
  target.port_index_ = targets_.size();
  targets_.push_back(&target);
}

void WritePort::remove(WriteTarget& target) {
  ARUS_ASSERT(targets_[target.port_index_] == &target);
  targets_[target.port_index_] = targets_.back();
  targets_[target.port_index_]->port_index_ = target.port_index_;
  targets_.pop_back();
  if (target.marks_in_flight_ == 0) return;
  const auto forget = [&target](Pending& pending) {
    for (TargetMark& mark : pending.marks) {
      if (mark.target == &target) mark.target = nullptr;
    }
  };
  forget(pending_);
  std::ranges::for_each(in_flight_, forget);
}

void WritePort::write(const std::shared_ptr<WriterFile>& file, std::int64_t position, Slice bytes,
                      bool logged) {
  if (failure_) return;
  schedule();
  group_.size_bytes += bytes.size();
  space_.room_bytes -= static_cast<std::int64_t>(bytes.size());
  if (file->group_ == group_.id && file->step_ >= first_mergeable_step_) {
    auto& before = std::get<FileWrite>(group_.steps[file->step_]);
    if (before.position + static_cast<std::int64_t>(before.size_bytes) == position &&
        before.logged == logged) {
      before.size_bytes += bytes.size();
      before.pieces.push_back(std::move(bytes));
      return;
    }
  }
  file->group_ = group_.id;
  file->step_ = group_.steps.size();
  FileWrite step{.file = file,
                 .position = position,
                 .size_bytes = bytes.size(),
                 .logged = logged,
                 .pieces = {}};
  step.pieces.push_back(std::move(bytes));
  group_.steps.emplace_back(std::move(step));
}

void WritePort::act(WriterAction action) {
  if (failure_) return;
  schedule();
  group_.steps.emplace_back(std::move(action));
  first_mergeable_step_ = group_.steps.size();
  // Many actions at once, such as new partitions, must not keep others' writes waiting.
  if (group_.steps.size() >= most_steps) send();
}

void WritePort::mark(WriteTarget& target, const WriteMark& mark, bool synced,
                     const std::shared_ptr<WriterFile>& flush) {
  if (failure_) return;
  schedule();
  if (synced) {
    group_.durable = true;
    if (flush != nullptr) need_flush(flush);
  } else {
    group_.answer_written = true;
  }
  if (target.mark_group_ == group_.id) {
    TargetMark& before = pending_.marks[target.mark_index_];
    before.mark = mark;
    before.synced = before.synced || synced;
    return;
  }
  target.mark_group_ = group_.id;
  target.mark_index_ = pending_.marks.size();
  ++target.marks_in_flight_;
  pending_.marks.push_back({&target, mark, synced});
}

void WritePort::need_flush(const std::shared_ptr<WriterFile>& file) {
  // One group flushes few files; those of many partitions differ, and the last one is the usual
  // hit.
  if (!group_.flush.empty() && group_.flush.back() == file) return;
  group_.flush.push_back(file);
}

env::Task<Result<>> WritePort::drain() {
  if (failure_) co_return fail(*failure_);
  const env::OneShot<Result<>> done;
  schedule();
  pending_.waiters.push_back(done);
  co_return co_await done.wait();
}

bool WritePort::stands_still() const {
  if (in_flight_.empty()) return false;
  return outstanding_bytes_ + group_.size_bytes > limits_.outstanding_bytes ||
         loop_.now() - last_progress_ > limits_.stalled_after;
}

Result<> WritePort::check(bool internal) const {
  const bool full = space_.blocked || (space_.full && !internal) ||
                    space_.room_bytes + (internal ? space_.internal_bytes : 0) <= 0;
  if (full) {
    return fail(
        ErrorCode::kafka_storage_error,
        "The disk is full but for its reserve; records are taken again when there is space");
  }
  if (stands_still()) {
    return fail(ErrorCode::request_timed_out, "The log directory does not keep up");
  }
  return {};
}

// What is on its way to the writer is not on the disk yet.
void WritePort::set_space(const SpaceShare& share) {
  space_ = share;
  if (space_.room_bytes == std::numeric_limits<std::int64_t>::max()) return;
  space_.room_bytes -= static_cast<std::int64_t>(outstanding_bytes_ + group_.size_bytes);
}

void WritePort::schedule() {
  if (group_.id == 0) group_.id = next_id_++;
  if (scheduled_) return;
  scheduled_ = true;
  loop_.post([port = shared_from_this()] {
    port->scheduled_ = false;
    port->send();
  });
}

void WritePort::send() {
  if (failure_ || group_.id == 0) return;
  WriteGroup group = std::exchange(group_, {});
  Pending pending = std::exchange(pending_, {});
  first_mergeable_step_ = 0;
  pending.id = group.id;
  pending.size_bytes = group.size_bytes;
  pending.durable = group.durable;
  if (!group.durable) group.answer_written = true;
  if (in_flight_.empty()) last_progress_ = loop_.now();
  outstanding_bytes_ += group.size_bytes;
  in_flight_.push_back(std::move(pending));
  if (const auto writer = writer_.lock()) {
    writer->submit(std::move(group), weak_from_this(), loop_);
  }
}

void WritePort::complete(std::uint64_t group, WriteStage stage, env::Duration flush_took) {
  if (failure_) return;
  if (flush_took > env::Duration{}) cold_read_pace_.flushed(flush_took, loop_.now());
  const auto found = std::ranges::find(in_flight_, group, &Pending::id);
  ARUS_ASSERT(found != in_flight_.end());
  last_progress_ = loop_.now();
  if (stage == WriteStage::written && found->durable) {
    deliver(*found, stage);
    return;
  }
  Pending done = std::move(*found);
  in_flight_.erase(found);
  outstanding_bytes_ -= done.size_bytes;
  deliver(done, stage);
  for (const auto& waiter : done.waiters) waiter.set({});
}

// Targets may go away while others are told; remove() then clears their marks.
void WritePort::deliver(Pending& pending, WriteStage stage) {
  for (TargetMark& entry : pending.marks) {
    WriteTarget* const target = entry.target;
    if (target == nullptr || entry.synced != (stage == WriteStage::durable)) continue;
    entry.target = nullptr;
    --target->marks_in_flight_;
    if (stage == WriteStage::durable) {
      target->on_durable(entry.mark);
    } else {
      target->on_written(entry.mark);
    }
  }
}

void WritePort::fail_all(const Error& error) {
  if (failure_) return;
  failure_ = error;
  group_ = {};
  auto groups = std::exchange(in_flight_, {});
  groups.push_back(std::exchange(pending_, {}));
  outstanding_bytes_ = 0;
  for (Pending& pending : groups) {
    for (TargetMark& mark : pending.marks) {
      if (mark.target != nullptr) mark.target->marks_in_flight_ = 0;
    }
  }
  // A target that is told may close itself and others.
  const std::vector<WriteTarget*> told = targets_;
  for (WriteTarget* const target : told) {
    if (std::ranges::find(targets_, target) != targets_.end()) target->on_writer_failure(error);
  }
  for (const Pending& pending : groups) {
    for (const auto& waiter : pending.waiters) waiter.set(fail(error));
  }
}

}  // namespace arus::storage
