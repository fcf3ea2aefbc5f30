// Reads of the disk that take longer than whoever asked for them can wait.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "env/event.h"
#include "replication/partition.h"

namespace arus::replication {

inline std::unexpected<Error> slow_disk() {
  return fail(ErrorCode::kafka_storage_error, "The disk takes long to answer");
}

// Counts the reads that nobody waits for any more, so that a disk that stalls does not collect
// them. Owner: a loop; it outlives them, because its partitions do.
class LateReads {
 public:
  // Of one partition. While it has as many, nothing of it is read that needs the disk.
  static constexpr std::size_t most = 4;

  [[nodiscard]] bool full(const TopicIdPartition& id) const {
    const auto found = counts_.find(id);
    return found != counts_.end() && found->second >= most;
  }
  void begin(const TopicIdPartition& id) { ++counts_[id]; }
  void end(const TopicIdPartition& id) {
    const auto found = counts_.find(id);
    if (--found->second == 0) counts_.erase(found);
    ended_.notify_all();
  }
  // Completes when there is room for another, or with an error at the deadline. The caller holds
  // the partition.
  env::Task<Result<>> wait_for_room(TopicIdPartition id, env::TimePoint deadline) {
    while (full(id)) {
      if (!co_await ended_.wait_until(deadline) && full(id)) co_return slow_disk();
    }
    co_return Result<>{};
  }

 private:
  std::unordered_map<TopicIdPartition, std::size_t> counts_;
  env::Event ended_;
};

// What a request reads from one partition, perhaps from its disk; shared by the task that reads and
// the one that waits. Where the deadline comes first the read ends by itself, which holds the
// partition until then, and what it gives is dropped.
template <class T>
class DiskRead {
 public:
  DiskRead(LateReads& late_reads, std::shared_ptr<Partition> partition)
      : late_reads_(late_reads), partition_(std::move(partition)) {}

  [[nodiscard]] Partition& partition() { return *partition_; }

  // By who reads, once, while the partition is in use.
  void finish(Result<T> result) {
    if (late_) {
      late_reads_.end(partition_->id());
    } else {
      result_.emplace(std::move(result));
      finished_.notify_all();
    }
  }
  // By who waits, once. What is read without waiting is there without a task.
  [[nodiscard]] bool finished() const { return result_.has_value(); }
  [[nodiscard]] Result<T> take() { return std::move(*result_); }
  env::Task<Result<T>> wait_until(env::TimePoint deadline) {
    if (!result_ && !co_await finished_.wait_until(deadline) && !result_) {
      late_ = true;
      late_reads_.begin(partition_->id());
      co_return slow_disk();
    }
    co_return take();
  }

 private:
  LateReads& late_reads_;
  const std::shared_ptr<Partition> partition_;
  std::optional<Result<T>> result_;
  env::Event finished_;
  bool late_ = false;
};

}  // namespace arus::replication
