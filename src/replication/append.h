// Appending what a Produce request carries to the partitions of one loop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/task.h"
#include "record/validator.h"
#include "replication/loop_partitions.h"

namespace arus::replication {

// The records of one partition: their buffer is changed in place and handed to the writer.
struct AppendItem {
  TopicIdPartition id;
  Slice records;
  // What an earlier try was given in AppendResult::unverified; the coordinator has said since that
  // the transaction contains the partition.
  std::uint64_t guard = TransactionGuards::no_guard;
};

struct AppendRequest {
  bool wait_until_visible = true;  // acks other than 0
  bool all_replicas = false;       // acks=all
  bool zstd_allowed = true;        // Produce from version 7 on
  // The first batch of a transaction is appended only with a guard.
  bool verify_transactions = false;
  std::int16_t transaction_version = 0;  // 2 where the client knows of growing epochs
  env::TimePoint deadline = env::never;
};

struct AppendResult {
  Error error{ErrorCode::none, {}, 0};
  std::vector<record::RecordError> record_errors;
  // Nothing was appended: the transaction's coordinator has to be asked, and the item to come back
  // with this guard.
  std::uint64_t unverified = TransactionGuards::no_guard;
  Offset base_offset = no_offset;
  Offset log_start = no_offset;
  std::int64_t log_append_time_ms = -1;  // −1 for CreateTime
  Leadership leadership;                 // for NOT_LEADER_OR_FOLLOWER
};

// On the loop of `partitions`. Validates each item and appends it before anything suspends, so that
// requests of one connection keep their order; then waits until all are visible to readers.
// REQUEST_TIMED_OUT where that takes too long: the batch stays and a retry is a duplicate. A
// duplicate is answered when its original is visible.
env::Task<std::vector<AppendResult>> append(LoopPartitions& partitions,
                                            std::vector<AppendItem> items, AppendRequest request);

}  // namespace arus::replication
