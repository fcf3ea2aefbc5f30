#include "storage/time_index.h"

#include <algorithm>

#include "base/endian.h"
#include "storage/zeros.h"

namespace arus::storage {

void encode(const TimeIndexEntry& entry, Offset base_offset, Bytes& to) {
  const std::size_t at = to.size();
  to.resize(at + time_index_format::entry_bytes);
  store_big(to.data() + at + time_index_format::timestamp_at, entry.timestamp_ms);
  store_big(to.data() + at + time_index_format::relative_offset_at,
            static_cast<std::int32_t>(entry.offset - base_offset));
}

TimeIndexEntry decode_time_index_entry(const std::uint8_t* bytes, Offset base_offset) {
  return {load_big<std::int64_t>(bytes + time_index_format::timestamp_at),
          base_offset + load_big<std::int32_t>(bytes + time_index_format::relative_offset_at)};
}

Result<std::vector<TimeIndexEntry>> parse_time_index(ByteView file, Offset base_offset) {
  std::vector<TimeIndexEntry> entries;
  entries.reserve(std::min<std::size_t>(file.size() / time_index_format::entry_bytes, 1 << 16));
  std::size_t at = 0;
  for (; at + time_index_format::entry_bytes <= file.size(); at += time_index_format::entry_bytes) {
    const TimeIndexEntry entry = decode_time_index_entry(file.data() + at, base_offset);
    if (entry.offset == base_offset && entry.timestamp_ms == 0) {
      const ByteView rest = file.subspan(at);
      if (only_zeros(rest)) return entries;
    }
    const bool ascends = entry.timestamp_ms >= 0 && entry.offset >= base_offset &&
                         (entries.empty() || (entry.timestamp_ms > entries.back().timestamp_ms &&
                                              entry.offset >= entries.back().offset));
    if (!ascends) return fail(ErrorCode::corrupt_message, "The time index does not ascend");
    entries.push_back(entry);
  }
  if (at != file.size()) return fail(ErrorCode::corrupt_message, "The time index is cut");
  return entries;
}

std::optional<TimeIndexEntry> floor_entry(std::span<const TimeIndexEntry> entries,
                                          std::int64_t timestamp_ms) {
  const auto above =
      std::ranges::upper_bound(entries, timestamp_ms, {}, &TimeIndexEntry::timestamp_ms);
  if (above == entries.begin()) return std::nullopt;
  return *(above - 1);
}

}  // namespace arus::storage
