// Moves a partition to another log directory of this node while it serves.
#pragma once

#include <memory>
#include <string>

#include "env/event.h"
#include "replication/movable_log.h"
#include "replication/partition.h"
#include "storage/log_directory.h"

namespace arus::replication {

class LoopPartitions;

// Copies the log to `topic-N.<hex>-future` in the other directory, piece by piece and paced, until
// it has nearly caught up; then holds appends for some milliseconds, copies the rest, has the
// metadata say where the partition is, and exchanges the names: docs/internals/moving-logs.md.
//
// Holds: at any moment exactly one of both logs has all that was acknowledged and is found by a
// start. What fails before the names change leaves the partition where it is. Owner: the loop of
// the partition.
class LogMove : public std::enable_shared_from_this<LogMove> {
 public:
  LogMove(LoopPartitions& partitions, std::shared_ptr<Partition> partition,
          storage::LogDirectory& source, storage::LogDirectory& target)
      : partitions_(partitions),
        partition_(std::move(partition)),
        source_(source),
        target_(target) {}

  // On a loop, once; keeps itself alive.
  env::Task<void> run();
  // The copy is given up, unless the exchange is under way, or kept for the next start.
  void cancel(bool keep_copy = false);
  env::Task<void> ended();

  [[nodiscard]] const storage::LogDirectory& target() const { return target_; }
  [[nodiscard]] const Partition& partition() const { return *partition_; }
  [[nodiscard]] std::int64_t size_bytes() const { return future_ ? future_->size_bytes() : 0; }
  [[nodiscard]] std::int64_t lag() const;

 private:
  [[nodiscard]] MovableLog& log();
  [[nodiscard]] bool stopped() const { return cancelled_ || partition_->closed(); }
  env::Task<Result<>> copy_and_exchange();
  env::Task<Result<>> open_future();
  // All up to the log end of the moment; with `paced` as the settings ask.
  env::Task<Result<>> copy(bool paced);
  env::Task<Result<std::int64_t>> copy_piece();
  env::Task<void> pace(std::int64_t bytes);
  env::Task<Result<>> exchange();
  env::Task<Result<>> change_names();

  LoopPartitions& partitions_;
  const std::shared_ptr<Partition> partition_;
  storage::LogDirectory& source_;
  storage::LogDirectory& target_;
  std::unique_ptr<storage::Log> future_;
  env::TimePoint free_at_{};  // when the bytes so far have had their time
  std::int64_t unflushed_bytes_ = 0;
  bool cancelled_ = false;
  bool keeps_copy_ = false;
  bool given_away_ = false;
  bool ended_ = false;
  env::Event changed_;
};

}  // namespace arus::replication
