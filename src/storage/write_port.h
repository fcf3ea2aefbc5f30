// The loop's end of the writer of a log directory.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "env/loop.h"
#include "storage/cold_read_pace.h"
#include "storage/disk_space.h"
#include "storage/write_group.h"

namespace arus::storage {

// How far the file of a log's newest segment and the log itself reach once a group is written.
struct WriteMark {
  Offset end;           // of the log
  Offset segment_base;  // of the segment that was written last
  std::int64_t segment_bytes = 0;
};

// A log as its port sees it: it is told, on its loop, what has happened to what it handed over.
class WriteTarget {
 public:
  WriteTarget() = default;
  WriteTarget(const WriteTarget&) = delete;
  WriteTarget& operator=(const WriteTarget&) = delete;
  virtual ~WriteTarget() = default;
  virtual void on_written(const WriteMark& mark) = 0;
  virtual void on_durable(const WriteMark& mark) = 0;
  virtual void on_writer_failure(const Error& error) = 0;

 private:
  friend class WritePort;
  std::uint64_t mark_group_ = 0;  // the group being filled that has a mark of this log
  std::size_t mark_index_ = 0;
  std::size_t marks_in_flight_ = 0;
  std::size_t port_index_ = 0;
};

struct WritePortLimits {
  std::size_t outstanding_bytes = std::size_t{256} << 20;
  env::Duration stalled_after = env::seconds{1};
};

// Collects what the logs of one loop write during a turn into one group, hands it to the writer
// when the turn's work is done, and passes the answer on: one message each way for a group,
// whatever the number of partitions in it.
//
// Holds: groups are carried out in the order they were sent, and everything in a group in the
// order it was put there. After a failure nothing is sent any more and every target is told once.
// Owner: one loop; the directory and completions under way share it.
class WritePort : public std::enable_shared_from_this<WritePort> {
 public:
  WritePort(std::weak_ptr<DirectoryWriter> writer, env::Loop& loop, WritePortLimits limits)
      : writer_(std::move(writer)), loop_(loop), limits_(limits) {}

  [[nodiscard]] env::Loop& loop() const { return loop_; }

  void add(WriteTarget& target);
  void remove(WriteTarget& target);
  [[nodiscard]] const std::vector<WriteTarget*>& targets() const { return targets_; }

  // Puts a write behind those before it in this group. Nothing else may change the bytes any more.
  // With `logged` they are whole batches, marked as synced, which the commit log may make durable.
  void write(const std::shared_ptr<WriterFile>& file, std::int64_t position, Slice bytes,
             bool logged = false);
  void act(WriterAction action);
  // Tells `target` when everything so far in this group is written; with `flush` when that file and
  // everything before is durable.
  void mark(WriteTarget& target, const WriteMark& mark, bool synced,
            const std::shared_ptr<WriterFile>& flush);
  // Makes `file` part of what this group's durable marks wait for.
  void need_flush(const std::shared_ptr<WriterFile>& file);
  // Completes when everything handed over so far is written, and durable where it was asked to be.
  env::Task<Result<>> drain();

  // Whether something is under way to the writer.
  [[nodiscard]] bool busy() const { return scheduled_ || !in_flight_.empty(); }
  // Why an append is better refused now: KAFKA_STORAGE_ERROR where the disk is full, for what the
  // broker itself appends later than for clients; REQUEST_TIMED_OUT where it would wait behind a
  // writer that does nothing.
  [[nodiscard]] Result<> check(bool internal) const;
  // From the writer, on this loop.
  void set_space(const SpaceShare& share);
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

  // From the writer, on this loop. `flush_took` is not 0 where the commit log was flushed for it.
  void complete(std::uint64_t group, WriteStage stage, env::Duration flush_took = {});
  [[nodiscard]] ColdReadPace& cold_read_pace() { return cold_read_pace_; }
  void fail_all(const Error& error);

 private:
  static constexpr std::size_t most_steps = 256;  // of a group that holds actions

  struct TargetMark {
    WriteTarget* target;
    WriteMark mark;
    bool synced;
  };
  struct Pending {
    std::uint64_t id = 0;
    std::size_t size_bytes = 0;
    bool durable = false;
    std::vector<TargetMark> marks;
    std::vector<env::OneShot<Result<>>> waiters;
  };

  [[nodiscard]] bool stands_still() const;
  void schedule();
  void send();
  void deliver(Pending& pending, WriteStage stage);

  std::weak_ptr<DirectoryWriter> writer_;
  env::Loop& loop_;
  const WritePortLimits limits_;
  std::vector<WriteTarget*> targets_;

  std::uint64_t next_id_ = 1;
  WriteGroup group_;                      // being filled
  Pending pending_;                       // its other half, which stays here
  std::size_t first_mergeable_step_ = 0;  // writes before it stand before an action
  bool scheduled_ = false;
  std::deque<Pending> in_flight_;
  std::size_t outstanding_bytes_ = 0;
  SpaceShare space_;
  env::TimePoint last_progress_{};
  std::optional<Error> failure_;
  ColdReadPace cold_read_pace_;
};

}  // namespace arus::storage
