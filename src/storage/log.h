// The log of one partition: append, read, look up, truncate.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/topic_partition.h"
#include "config/topic_config.h"
#include "env/task.h"
#include "env/time.h"
#include "record/validator.h"
#include "storage/producer_state.h"

namespace arus::storage {

struct AppendOptions {
  LeaderEpoch leader_epoch;
  std::int64_t now_ms = 0;        // wall clock, for LogAppendTime and producer expiry
  bool from_coordinator = false;  // transaction markers and coordinator records
  // Feature level transaction.version that the batch was sent under; 0 where it is unknown. From 2
  // on a marker's epoch is greater than the producer's, and an unknown producer begins at 0.
  std::int16_t transaction_version = 0;
};

// What an append did. With `duplicate` nothing was appended and the offsets are those of the
// original batch, which is answered when that one is durable (durability.md, rule 5).
struct Appended {
  Offset base_offset;
  Offset last_offset;
  std::int64_t log_append_time_ms = -1;  // −1 for CreateTime
  bool duplicate = false;
};

struct FetchBound {
  Offset end;                  // nothing at or beyond it is returned
  std::int32_t max_bytes = 0;  // of whole batches; the first batch may exceed it (KIP-74)
  bool at_least_one_batch = true;
  // Large batches may come as a slice of their file (env/file_range.h) instead of bytes: for
  // answers that go to a socket as they are.
  bool as_file = false;
  // What needs the disk fails with would_block(), unless there is something before it.
  bool cached_only = false;
};

struct AbortedTransaction {
  ProducerId producer_id;
  Offset first_offset;
};

struct Fetched {
  Chain records;  // whole batches, as stored
  std::size_t size_bytes = 0;
};

struct TimestampedOffset {
  std::int64_t timestamp_ms = -1;
  Offset offset = no_offset;
  LeaderEpoch leader_epoch = no_leader_epoch;
};

struct EpochEnd {
  LeaderEpoch epoch = no_leader_epoch;
  Offset end = no_offset;
};

// What retention has taken away, with their files.
struct RemovedSegments {
  std::size_t count = 0;
  std::int64_t size_bytes = 0;
};

// How much of a log compaction has to do.
struct CompactionNeed {
  std::int64_t clean_bytes = 0;      // of segments that an earlier round went through
  std::int64_t cleanable_bytes = 0;  // of those that a round may go through now
  bool due = false;                  // by min.cleanable.dirty.ratio or max.compaction.lag.ms
  [[nodiscard]] double dirty_ratio() const {
    if (cleanable_bytes == 0) return 0;
    return static_cast<double>(cleanable_bytes) /
           static_cast<double>(clean_bytes + cleanable_bytes);
  }
};

struct CompactionRequest {
  std::int64_t now_ms = 0;  // wall clock
  std::size_t map_bytes = std::size_t{128} << 20;
  double map_load_factor = 0.9;
  double bytes_per_second = 0;    // read and written; 0: as fast as it goes
  std::function<bool()> stopped;  // asked between pieces; a round that is stopped begins anew later
};

struct CompactionOutcome {
  std::size_t replaced_segments = 0;
  std::int64_t moved_bytes = 0;  // read and written
  std::int64_t freed_bytes = 0;
  bool finished = false;
};

// What one piece of scrubbing did.
struct ScrubbedPiece {
  std::int64_t size_bytes = 0;
  bool finished = false;  // everything was looked at
};

// Told on the partition's loop when the log's ends have moved or its directory has failed.
class LogObserver {
 public:
  virtual ~LogObserver() = default;
  virtual void on_progress() = 0;
  virtual void on_failure(const Error& error) = 0;
};

// Offsets: log_start <= durable_end <= written_end <= log_end. Assigning offsets (append) moves
// log_end at once; the directory's writer moves written_end (page cache) and durable_end (stable
// storage) behind it. Records below written_end are readable. An append never waits and never
// blocks: it hands the same buffer to the writer. Batches are contiguous; a batch is never split.
// Owner: the loop of the partition. Not thread-safe.
class Log {
 public:
  virtual ~Log() = default;

  [[nodiscard]] virtual const TopicPartition& name() const = 0;
  [[nodiscard]] virtual const Uuid& topic_id() const = 0;
  [[nodiscard]] virtual Offset log_start() const = 0;
  [[nodiscard]] virtual Offset log_end() const = 0;
  [[nodiscard]] virtual Offset written_end() const = 0;
  [[nodiscard]] virtual Offset durable_end() const = 0;
  // The smallest first offset of an open transaction, or nothing. Bounds read_committed readers.
  [[nodiscard]] virtual std::optional<Offset> first_unstable_offset() const = 0;
  // Whether this producer has a transaction open here, in this very epoch.
  [[nodiscard]] virtual bool has_open_transaction(ProducerId producer_id,
                                                  std::int16_t epoch) const = 0;
  // All producers that are remembered, ascending by id.
  [[nodiscard]] virtual std::vector<ProducerEntry> producers() const = 0;
  [[nodiscard]] virtual std::int64_t size_bytes() const = 0;
  [[nodiscard]] virtual LeaderEpoch latest_epoch() const = 0;
  [[nodiscard]] virtual const std::string& directory() const = 0;
  // Set once the directory has failed: every later call answers with this error.
  [[nodiscard]] virtual const std::optional<Error>& failure() const = 0;
  // Whether an append of a coordinator would be taken now: the failure, KAFKA_STORAGE_ERROR while
  // the disk is full, or REQUEST_TIMED_OUT while the directory does not keep up. For whoever must
  // know before it decides what to append. Clients are refused earlier on a disk that fills up.
  [[nodiscard]] virtual Result<> check_writable() const = 0;

  // Its files are not this log's any more: nothing is finished and nothing remembered of it.
  virtual void disown() = 0;

  virtual void set_observer(LogObserver* observer) = 0;
  // Tells the log what consumers may read: transactions whose marker lies below are decided, and
  // the directory's checkpoint of high watermarks follows. A log that is never told takes what is
  // durable (synced) or written (page-cache).
  virtual void set_high_watermark(Offset high_watermark) = 0;
  // The high watermark that the checkpoint had when the log was opened, at most log_end().
  [[nodiscard]] virtual Offset checkpointed_high_watermark() const = 0;
  // Takes effect as each key says (segment sizes at the next roll, the rest at once).
  virtual void configure(std::shared_ptr<const config::TopicConfig> config) = 0;

  // Appends one validated batch as leader: checks the producer's sequence and epoch
  // (OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, …), assigns offsets and the leader epoch
  // in place in `batch`'s own buffer, and hands it to the writer. In `synced` a flush follows.
  virtual Result<Appended> append(Slice batch, const record::ValidatedBatch& facts,
                                  const AppendOptions& options) = 0;
  // Appends batches that already carry offsets and epochs (followers, recovery, tests).
  virtual Result<> append_replicated(Slice batches) = 0;
  // Records that `epoch` begins at the log end, with no write of records.
  virtual Result<> begin_epoch(LeaderEpoch epoch) = 0;

  // Batches from the one that holds `from` on. OFFSET_OUT_OF_RANGE outside [log_start, log_end].
  // Answers from memory at once where the bytes are cached; otherwise waits on the pool.
  virtual env::Task<Result<Fetched>> read(Offset from, FetchBound bound) = 0;
  // Aborted transactions that overlap [from, to), for read_committed.
  virtual env::Task<Result<std::vector<AbortedTransaction>>> aborted_transactions(Offset from,
                                                                                  Offset to) = 0;
  // The first record at or after the timestamp and below `end`; nothing when there is none.
  virtual env::Task<Result<std::optional<TimestampedOffset>>> find_timestamp(
      std::int64_t timestamp_ms, Offset end) = 0;
  // The record with the largest timestamp below `end` (ListOffsets −3).
  virtual env::Task<Result<std::optional<TimestampedOffset>>> find_max_timestamp(Offset end) = 0;
  // OffsetForLeaderEpoch: the largest epoch <= `epoch` and where it ends; {−1, −1} when undefined.
  [[nodiscard]] virtual EpochEnd end_of_epoch(LeaderEpoch epoch) const = 0;
  [[nodiscard]] virtual LeaderEpoch epoch_of(Offset offset) const = 0;

  // Completes when everything below the log end at the time of the call is durable, or with the
  // error that prevents it.
  virtual env::Task<Result<>> flush() = 0;
  // Cuts the log to `end` (followers).
  virtual env::Task<Result<>> truncate_to(Offset end) = 0;
  // Moves the log start (DeleteRecords): completes when a restart would find it there. Segments
  // that lie wholly below it are taken away. OFFSET_OUT_OF_RANGE beyond the log end; nothing
  // happens below the log start.
  virtual env::Task<Result<>> advance_log_start(Offset start) = 0;
  // Moves the log start over segments that are older or more than retention allows, but not beyond
  // the high watermark. Without `now_ms`, the wall clock's time, nothing goes for its age.
  virtual env::Task<Result<RemovedSegments>> apply_retention(
      std::optional<std::int64_t> now_ms) = 0;
  // Nothing is due in a log whose cleanup.policy lacks `compact`.
  virtual env::Task<Result<CompactionNeed>> find_compaction_need(std::int64_t now_ms) = 0;
  // One round of compaction, as docs/internals/compaction.md says. One at a time. After an error,
  // or when it was stopped, the log serves what it did; CORRUPT_MESSAGE for damage.
  virtual env::Task<Result<CompactionOutcome>> compact(CompactionRequest request) = 0;
  // Compares checksums of what the files held when the log was opened and no reader has asked for
  // since, about `max_bytes` of it, in the background class; the next call goes on from there.
  // Damage is noted and skipped.
  virtual env::Task<Result<ScrubbedPiece>> scrub(std::int64_t max_bytes) = 0;
  // Damaged batches that readers and the scrub have met, as far as they were counted.
  [[nodiscard]] virtual std::size_t damaged_batches() const = 0;
};

}  // namespace arus::storage
