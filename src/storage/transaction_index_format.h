// Layout of `.txnindex`: entries of 34 bytes, big-endian; docs/formats/transaction-index.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arus::storage::transaction_index_format {

inline constexpr std::int16_t version = 0;
inline constexpr std::size_t version_at = 0;              // int16
inline constexpr std::size_t producer_id_at = 2;          // int64
inline constexpr std::size_t first_offset_at = 10;        // int64
inline constexpr std::size_t last_offset_at = 18;         // int64: of the marker
inline constexpr std::size_t last_stable_offset_at = 26;  // int64
inline constexpr std::size_t entry_bytes = 34;
static_assert(producer_id_at == version_at + 2);
static_assert(first_offset_at == producer_id_at + 8);
static_assert(last_offset_at == first_offset_at + 8);
static_assert(last_stable_offset_at == last_offset_at + 8);
static_assert(entry_bytes == last_stable_offset_at + 8);

}  // namespace arus::storage::transaction_index_format
