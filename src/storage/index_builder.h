// Makes the index entries of a segment while its batches pass by.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"

namespace arus::storage {

// Decides which batches get entries: the first one after more than `interval_bytes` without, as
// Kafka does; the time index has an entry there only when the largest timestamp has grown. Entries
// collect in `offsets` and `times` until whoever owns the builder takes them.
class IndexBuilder {
 public:
  // The state in which a segment's files leave it.
  struct Start {
    std::int64_t bytes_since_entry = 0;
    TimeIndexEntry largest{-1, Offset{0}};
    std::int64_t last_indexed_timestamp_ms = -1;
  };

  IndexBuilder() = default;
  explicit IndexBuilder(const Start& start) : state_(start) {}

  // A batch at `position`; call it in order.
  void add(Offset last_offset, std::int64_t position, std::int64_t size_bytes,
           std::int64_t max_timestamp_ms, std::int32_t interval_bytes);
  // The last entry of a segment that is full or closed, so that its largest timestamp is found in
  // the file; nothing when it is there.
  void finish();

  [[nodiscard]] const Start& state() const { return state_; }
  std::vector<OffsetIndexEntry> offsets;
  std::vector<TimeIndexEntry> times;

 private:
  void add_time();
  Start state_;
};

}  // namespace arus::storage
