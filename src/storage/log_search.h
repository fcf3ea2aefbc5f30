// Finding records by time, over the segments of a log. Blocking and decoding: for the pool.
#pragma once

#include <optional>
#include <span>

#include "base/result.h"
#include "storage/log.h"
#include "storage/log_reader.h"

namespace arus::storage {

// Segments ascend; offsets outside [start, end) are not considered.
struct TimestampSearch {
  std::span<SegmentView> segments;
  Offset start;
  Offset end;
};

// Whether the batch with the entry's offset has its timestamp: otherwise damage has changed it.
[[nodiscard]] Result<bool> is_believable(env::FileSystem& files, SegmentView& segment,
                                         const TimeIndexEntry& entry);
// The largest timestamp of a segment, with the end of a batch that has it; −1 where it has none.
[[nodiscard]] Result<TimeIndexEntry> find_largest_timestamp(env::FileSystem& files,
                                                            SegmentView& segment);
// The first record whose timestamp is at least `timestamp_ms`.
[[nodiscard]] Result<std::optional<TimestampedOffset>> search_timestamp(
    env::FileSystem& files, const TimestampSearch& search, std::int64_t timestamp_ms);
// The first record that has the largest timestamp of all.
[[nodiscard]] Result<std::optional<TimestampedOffset>> search_max_timestamp(
    env::FileSystem& files, const TimestampSearch& search);

}  // namespace arus::storage
