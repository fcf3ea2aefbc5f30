// Layout of `.timeindex`: entries of 12 bytes, big-endian, ascending; docs/formats/time-index.md.
#pragma once

#include <cstddef>

namespace arus::storage::time_index_format {

inline constexpr std::size_t timestamp_at = 0;        // int64: largest timestamp so far, ms
inline constexpr std::size_t relative_offset_at = 8;  // int32: offset − base offset
inline constexpr std::size_t entry_bytes = 12;
static_assert(relative_offset_at == timestamp_at + 8);
static_assert(entry_bytes == relative_offset_at + 4);

}  // namespace arus::storage::time_index_format
