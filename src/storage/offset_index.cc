#include "storage/offset_index.h"

#include <algorithm>

#include "base/endian.h"
#include "storage/zeros.h"

namespace arus::storage {

void encode(const OffsetIndexEntry& entry, Offset base_offset, Bytes& to) {
  const std::size_t at = to.size();
  to.resize(at + offset_index_format::entry_bytes);
  store_big(to.data() + at + offset_index_format::relative_offset_at,
            static_cast<std::int32_t>(entry.offset - base_offset));
  store_big(to.data() + at + offset_index_format::position_at, entry.position);
}

OffsetIndexEntry decode_offset_index_entry(const std::uint8_t* bytes, Offset base_offset) {
  return {base_offset + load_big<std::int32_t>(bytes + offset_index_format::relative_offset_at),
          load_big<std::int32_t>(bytes + offset_index_format::position_at)};
}

Result<std::vector<OffsetIndexEntry>> parse_offset_index(ByteView file, Offset base_offset) {
  std::vector<OffsetIndexEntry> entries;
  entries.reserve(std::min<std::size_t>(file.size() / offset_index_format::entry_bytes, 1 << 16));
  std::size_t at = 0;
  for (; at + offset_index_format::entry_bytes <= file.size();
       at += offset_index_format::entry_bytes) {
    const OffsetIndexEntry entry = decode_offset_index_entry(file.data() + at, base_offset);
    const bool is_zero = entry.offset == base_offset && entry.position == 0;
    if (is_zero && at > 0) {
      const ByteView rest = file.subspan(at);
      if (only_zeros(rest)) return entries;
    }
    const bool ascends = entries.empty() ? entry.offset >= base_offset && entry.position >= 0
                                         : entry.offset > entries.back().offset &&
                                               entry.position > entries.back().position;
    if (!ascends) return fail(ErrorCode::corrupt_message, "The offset index does not ascend");
    entries.push_back(entry);
  }
  if (at != file.size()) return fail(ErrorCode::corrupt_message, "The offset index is cut");
  return entries;
}

std::optional<OffsetIndexEntry> floor_entry(std::span<const OffsetIndexEntry> entries,
                                            Offset offset) {
  const auto above = std::ranges::upper_bound(entries, offset, {}, &OffsetIndexEntry::offset);
  if (above == entries.begin()) return std::nullopt;
  return *(above - 1);
}

}  // namespace arus::storage
