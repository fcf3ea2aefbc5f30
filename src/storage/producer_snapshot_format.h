// Layout of `.snapshot`, version 1, big-endian; docs/formats/producer-snapshot.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arus::storage::producer_snapshot_format {

inline constexpr std::int16_t version = 1;
inline constexpr std::size_t version_at = 0;  // int16
inline constexpr std::size_t crc_at = 2;      // uint32 CRC-32C of everything from count on
inline constexpr std::size_t count_at = 6;    // int32
inline constexpr std::size_t entries_at = 10;
static_assert(crc_at == version_at + 2);
static_assert(count_at == crc_at + 4);
static_assert(entries_at == count_at + 4);

// Of one entry: producer id int64, epoch int16, last sequence int32, last offset int64, offset
// delta int32, timestamp int64, coordinator epoch int32, first offset of the open transaction int64
// (−1: none).
inline constexpr std::size_t entry_bytes = 46;
static_assert(entry_bytes == 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8);

}  // namespace arus::storage::producer_snapshot_format
