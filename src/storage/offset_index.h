// From offsets to file positions, sparsely: the entries of `.index`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "storage/offset_index_format.h"

namespace arus::storage {

// The batch whose last offset is `offset` begins at `position` in the segment's `.log`.
struct OffsetIndexEntry {
  Offset offset;
  std::int32_t position = 0;
  friend bool operator==(const OffsetIndexEntry&, const OffsetIndexEntry&) = default;
};

void encode(const OffsetIndexEntry& entry, Offset base_offset, Bytes& to);
// One entry; `bytes` holds entry_bytes.
[[nodiscard]] OffsetIndexEntry decode_offset_index_entry(const std::uint8_t* bytes,
                                                         Offset base_offset);
// All entries of a file, up to the zeros that Kafka leaves behind the last while it runs.
// CORRUPT_MESSAGE where entries do not ascend or an entry is cut.
[[nodiscard]] Result<std::vector<OffsetIndexEntry>> parse_offset_index(ByteView file,
                                                                       Offset base_offset);
// The last entry of ascending ones whose offset is at most `offset`.
[[nodiscard]] std::optional<OffsetIndexEntry> floor_entry(std::span<const OffsetIndexEntry> entries,
                                                          Offset offset);

}  // namespace arus::storage
