// Opens the files of a log: trusts what a clean stop left, rebuilds what a kill may have torn.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "config/topic_config.h"
#include "env/file.h"
#include "storage/leader_epochs.h"
#include "storage/offset_index.h"
#include "storage/producer_state.h"
#include "storage/time_index.h"

namespace arus::storage {

struct LoadRequest {
  std::string path;  // of the partition's directory, which exists
  // From the checkpoints of the log directory; 0 where they say nothing.
  Offset log_start;
  Offset recovery_point;  // everything below was on stable storage, with its indexes
  bool clean = false;     // the last stop was orderly
  // No offset is missing from here on, because compaction was never at work there. Nothing where
  // that is not known.
  std::optional<Offset> contiguous_from;
  std::int32_t index_interval_bytes = 4096;
  std::int64_t now_ms = 0;
  std::int64_t producer_id_expiration_ms = 0;
};

struct LoadedSegment {
  Offset base_offset;
  std::int64_t size_bytes = 0;
  std::int32_t offset_index_entries = 0;
  std::int32_t time_index_entries = 0;
  std::int64_t transaction_index_bytes = 0;
  std::int64_t verified_bytes = 0;  // the checksums of everything below were compared
};

// The state of a log as its files have it.
struct LoadedLog {
  std::vector<LoadedSegment> segments;  // ascending
  LeaderEpochs epochs;
  ProducerState producers;
  Offset log_start;
  Offset log_end;
  // Of the newest segment.
  std::int64_t bytes_since_index_entry = 0;
  std::int64_t first_timestamp_ms = -1;  // its first batch's largest
  TimeIndexEntry largest_timestamp{-1, Offset{0}};
  std::int64_t last_indexed_timestamp_ms = -1;
  // Entries that its index files lack, and whether they lack any or are missing.
  std::vector<OffsetIndexEntry> offset_entries;
  std::vector<TimeIndexEntry> time_entries;
  bool index_incomplete = false;
  std::optional<Offset> snapshot_offset;  // of the newest producer snapshot that is kept
  std::optional<Error> lost;              // what was on stable storage and is not there: damage
  bool changed = false;         // files were written or cut: they are not on stable storage
  bool epochs_changed = false;  // the checkpoint file lacks what `epochs` has
};

// Blocking: for the pool. Only the one caller uses the directory meanwhile. Above the recovery
// point, after an unclean stop, every batch is checked and the log ends before the first that is
// not whole; a missing or damaged index, snapshot or epoch checkpoint is rebuilt from batches.
// Damage below the recovery point is an error (KAFKA_STORAGE_ERROR), never cut.
[[nodiscard]] Result<LoadedLog> load_log(env::FileSystem& files, const LoadRequest& request);

}  // namespace arus::storage
