// Reads records of partitions that the application names.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "client/cluster.h"
#include "client/record.h"

namespace arus::client {

enum class IsolationLevel : std::int8_t { read_uncommitted = 0, read_committed = 1 };

// Special timestamps of ListOffsets.
inline constexpr std::int64_t latest_timestamp = -1;
inline constexpr std::int64_t earliest_timestamp = -2;
inline constexpr std::int64_t max_record_timestamp = -3;
inline constexpr std::int64_t earliest_local_timestamp = -4;
inline constexpr std::int64_t latest_tiered_timestamp = -5;
inline constexpr std::int64_t earliest_pending_upload_timestamp = -6;

struct ConsumerOptions {
  IsolationLevel isolation = IsolationLevel::read_uncommitted;
  std::int32_t fetch_min_bytes = 1;
  env::Duration fetch_max_wait = env::milliseconds(500);
  std::int32_t fetch_max_bytes = 50 << 20;       // of one answer
  std::int32_t partition_fetch_bytes = 1 << 20;  // of one partition in one answer
  bool check_crcs = true;
  std::size_t max_poll_records = 500;
  // Where to go on when a position is out of range; nothing: poll() gives the error.
  std::optional<std::int64_t> reset_timestamp = latest_timestamp;
  // Instead of the timestamp above: so long before the moment of the reset (KIP-1106).
  std::optional<env::Duration> reset_age;
  std::string rack;
};

// Where a partition is read from: an offset, or the first record at or after a timestamp, which
// may be one of the special ones above.
struct StartPosition {
  std::optional<Offset> offset;
  std::int64_t timestamp_ms = latest_timestamp;

  static StartPosition at(Offset offset) { return {offset, 0}; }
  static StartPosition at_time(std::int64_t timestamp_ms) { return {std::nullopt, timestamp_ms}; }
  static StartPosition earliest() { return at_time(earliest_timestamp); }
  static StartPosition latest() { return at_time(latest_timestamp); }
};

struct Assignment {
  TopicPartition partition;
  StartPosition start = StartPosition::latest();
  LeaderEpoch last_epoch = no_leader_epoch;  // of the record before the start, where it is known
};

// Records of one partition come in offset order, each once. With read_committed neither records of
// aborted transactions nor anything at or above the last stable offset is given; control records
// never are. At most one fetch per broker is under way, and none asks for a partition whose
// records wait in the buffer, so that memory is bounded by brokers × fetch_max_bytes plus one
// oversized batch each.
// Owner: the cluster's loop. close() is awaited before it is destroyed.
class Consumer {
 public:
  Consumer(Cluster& cluster, ConsumerOptions options);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Replaces what was assigned before; records of it that wait are dropped. Positions given as
  // timestamps are looked up by the next poll().
  Result<> assign(std::vector<Assignment> assignments);
  // Adds partitions to what is assigned, and takes some away; the others go on undisturbed.
  Result<> add(std::vector<Assignment> assignments);
  void remove(const std::vector<TopicPartition>& partitions);
  // The partition must be assigned.
  Result<> seek(const TopicPartition& partition, StartPosition start);
  Result<> pause(const TopicPartition& partition, bool paused);

  // Records, at once when some are there, otherwise when some come; none at the deadline. From
  // max_poll_records on no further batch is begun. Failures that pass are retried inside; others
  // end the call, and the next one tries again: OFFSET_OUT_OF_RANGE, TOPIC_AUTHORIZATION_FAILED,
  // CORRUPT_MESSAGE, ….
  env::Task<Result<std::vector<ConsumerRecord>>> poll(env::TimePoint deadline);

  // The poll() under way returns at the next turn of the loop with what it has.
  void interrupt();

  // The next offset to be given; nothing while it is not known yet.
  [[nodiscard]] std::optional<Offset> position(const TopicPartition& partition) const;
  // Of the last record that was given; no_leader_epoch before.
  [[nodiscard]] LeaderEpoch last_epoch(const TopicPartition& partition) const;
  // As of the last fetch; nothing before.
  [[nodiscard]] std::optional<Offset> high_watermark(const TopicPartition& partition) const;
  env::Task<void> close();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace arus::client
