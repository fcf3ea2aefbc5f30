// From timestamps to offsets, sparsely: the entries of `.timeindex`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "storage/time_index_format.h"

namespace arus::storage {

// No record at or before `offset` has a timestamp above this one; the batch that ends at `offset`
// holds a record that has it.
struct TimeIndexEntry {
  std::int64_t timestamp_ms = 0;
  Offset offset;
  friend bool operator==(const TimeIndexEntry&, const TimeIndexEntry&) = default;
};

void encode(const TimeIndexEntry& entry, Offset base_offset, Bytes& to);
[[nodiscard]] TimeIndexEntry decode_time_index_entry(const std::uint8_t* bytes, Offset base_offset);
// All entries of a file, up to the zeros that Kafka leaves behind the last while it runs.
// CORRUPT_MESSAGE where entries do not ascend or an entry is cut.
[[nodiscard]] Result<std::vector<TimeIndexEntry>> parse_time_index(ByteView file,
                                                                   Offset base_offset);
// The last entry of ascending ones whose timestamp is at most `timestamp_ms`.
[[nodiscard]] std::optional<TimeIndexEntry> floor_entry(std::span<const TimeIndexEntry> entries,
                                                        std::int64_t timestamp_ms);

}  // namespace arus::storage
