// Layout of `.index`: entries of 8 bytes, big-endian, ascending; docs/formats/offset-index.md.
#pragma once

#include <cstddef>

namespace arus::storage::offset_index_format {

inline constexpr std::size_t relative_offset_at = 0;  // int32: last offset of a batch − base offset
inline constexpr std::size_t position_at = 4;         // int32: where that batch begins in `.log`
inline constexpr std::size_t entry_bytes = 8;
static_assert(position_at == relative_offset_at + 4);
static_assert(entry_bytes == position_at + 4);

}  // namespace arus::storage::offset_index_format
