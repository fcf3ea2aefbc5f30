#include "storage/log_search.h"

#include <cerrno>

#include "record/batch_format.h"
#include "record/compression.h"
#include "record/record.h"
#include "storage/batch_scanner.h"

namespace arus::storage {

namespace {

constexpr env::ReadMode may_block = env::ReadMode::may_block;
constexpr TimeIndexEntry no_entry{record::no_timestamp, Offset{0}};

// Whether the writer may still have some of the entries.
enum class TimeIndexState : std::uint8_t { growing, whole };

struct FoundEntry {
  TimeIndexEntry entry = no_entry;
  // What the entry before says, or the segment; no later than the entry itself. Batches may share a
  // timestamp, so that an entry whose offset has changed may still agree with the batch there.
  // Who begins here misses nothing where one of both entries is right.
  Offset from;
};

// The last entry of the time index that `wanted` holds for; it holds for a prefix of them.
template <class Wanted>
Result<FoundEntry> last_time_entry(env::FileSystem& files, const SegmentView& segment,
                                   TimeIndexState state, Wanted wanted) {
  FoundEntry found{.from = segment.base_offset};
  if (segment.time_index_entries == 0) return found;
  const auto file = open_segment_file(files, segment, suffix::time_index);
  if (!file) {
    if (file.error().os_error == ENOENT) return found;
    return fail(file.error());
  }
  std::int32_t low = 0;
  std::int32_t high = segment.time_index_entries;
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    std::array<std::uint8_t, time_index_format::entry_bytes> bytes{};
    const auto count = (*file)->read_at(
        bytes, std::int64_t{middle} * static_cast<std::int64_t>(bytes.size()), may_block);
    if (!count) return fail(count.error());
    if (*count < bytes.size() && state == TimeIndexState::whole) {
      return fail(Error{ErrorCode::kafka_storage_error,
                        (*file)->path() + ": read: it ends too early", EIO});
    }
    const auto entry = decode_time_index_entry(bytes.data(), segment.base_offset);
    if (*count == bytes.size() && wanted(entry)) {
      found.entry = entry;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low < 2) return found;
  std::array<std::uint8_t, time_index_format::entry_bytes> bytes{};
  ARUS_TRY(read_fully(**file, bytes,
                      std::int64_t{low - 2} * static_cast<std::int64_t>(bytes.size()), may_block));
  const auto before = decode_time_index_entry(bytes.data(), segment.base_offset);
  // Out of order, one of both has changed, and others may lie between what they should say.
  if (before.offset <= found.entry.offset) {
    found.from = std::max(segment.base_offset, before.offset);
  }
  return found;
}

// Where to begin so that no batch that ends beyond `offset` is missed.
Result<std::int64_t> scan_start(env::FileSystem& files, SegmentView& segment, Offset offset) {
  const auto at = look_up_offset(files, segment, offset, may_block);
  if (!at) return fail(at.error());
  return at->position;
}

// By the headers of all batches.
Result<TimeIndexEntry> scan_largest(env::FileSystem& files, SegmentView& segment) {
  const auto file = segment.open_log(files, may_block);
  if (!file) return fail(file.error());
  TimeIndexEntry largest = no_entry;
  BatchScanner scanner(**file, 0, segment.readable_bytes, may_block, record::format::header_bytes);
  while (const auto batch = scanner.next()) {
    if (batch->max_timestamp_ms > largest.timestamp_ms) {
      largest = {batch->max_timestamp_ms, batch->last_offset};
    }
  }
  if (!scanner.status()) return fail(scanner.status().error());
  return largest;
}

// The first record of the batch in [start, end) for which `wanted` holds.
template <class Wanted>
Result<std::optional<TimestampedOffset>> find_record(ByteView bytes, const TimestampSearch& search,
                                                     Wanted wanted) {
  const auto batch = record::BatchView::parse(bytes);
  if (!batch) return fail(batch.error());
  record::CodecScratch scratch;
  record::RecordReader reader(*batch, scratch);
  while (const auto record = reader.next()) {
    if (record->offset < search.start || !wanted(record->timestamp_ms)) continue;
    if (record->offset >= search.end) return std::nullopt;
    return TimestampedOffset{record->timestamp_ms, record->offset, batch->leader_epoch()};
  }
  if (!reader.status()) return fail(reader.status().error());
  return std::nullopt;
}

}  // namespace

Result<bool> is_believable(env::FileSystem& files, SegmentView& segment,
                           const TimeIndexEntry& entry) {
  const auto position = scan_start(files, segment, entry.offset);
  if (!position) return fail(position.error());
  const auto file = segment.open_log(files, may_block);
  if (!file) return fail(file.error());
  BatchScanner scanner(**file, *position, segment.readable_bytes, may_block);
  while (const auto batch = scanner.next()) {
    if (batch->last_offset >= entry.offset) return batch->max_timestamp_ms == entry.timestamp_ms;
  }
  if (!scanner.status()) return fail(scanner.status().error());
  return false;
}

// One that lies would let retention take what is young.
Result<TimeIndexEntry> find_largest_timestamp(env::FileSystem& files, SegmentView& segment) {
  if (segment.largest_timestamp) return *segment.largest_timestamp;
  const auto entry = last_time_entry(files, segment, TimeIndexState::whole,
                                     [](const TimeIndexEntry&) { return true; });
  if (!entry) return fail(entry.error());
  if (segment.time_index_entries == 0) return entry->entry;
  const auto believable = is_believable(files, segment, entry->entry);
  if (!believable) return fail(believable.error());
  return *believable ? entry->entry : scan_largest(files, segment);
}

Result<std::optional<TimestampedOffset>> search_timestamp(env::FileSystem& files,
                                                          const TimestampSearch& search,
                                                          std::int64_t timestamp_ms) {
  for (SegmentView& segment : search.segments) {
    const auto largest = find_largest_timestamp(files, segment);
    if (!largest) return fail(largest.error());
    if (largest->timestamp_ms < timestamp_ms) continue;
    const auto before = last_time_entry(
        files, segment, TimeIndexState::growing,
        [&](const TimeIndexEntry& entry) { return entry.timestamp_ms < timestamp_ms; });
    if (!before) return fail(before.error());
    Offset from = std::max(segment.base_offset, search.start);
    if (before->entry.timestamp_ms >= 0) {
      const auto believable = is_believable(files, segment, before->entry);
      if (!believable) return fail(believable.error());
      if (*believable) from = std::max(before->from, from);
    }
    const auto position = scan_start(files, segment, from);
    if (!position) return fail(position.error());
    const auto file = segment.open_log(files, may_block);
    if (!file) return fail(file.error());
    BatchScanner scanner(**file, *position, segment.readable_bytes, may_block);
    while (const auto batch = scanner.next()) {
      if (batch->base_offset >= search.end) return std::nullopt;
      if (batch->max_timestamp_ms < timestamp_ms || batch->last_offset < search.start) continue;
      const auto bytes = scanner.bytes();
      if (!bytes) return fail(bytes.error());
      auto found =
          find_record(*bytes, search, [&](std::int64_t at_ms) { return at_ms >= timestamp_ms; });
      if (!found || *found) return found;
    }
    if (!scanner.status()) return fail(scanner.status().error());
  }
  return std::nullopt;
}

namespace {

struct LargestBatch {
  std::int64_t timestamp_ms = record::no_timestamp;
  SegmentView* segment = nullptr;
  Offset offset;  // in the batch that has it
};

// The largest timestamp among batches of this segment that end below the search's end.
Result<TimeIndexEntry> largest_below(env::FileSystem& files, SegmentView& segment,
                                     const TimestampSearch& search) {
  if (const auto& largest = segment.largest_timestamp;
      largest && largest->offset < search.end && largest->offset >= search.start) {
    return *largest;
  }
  if (!segment.largest_timestamp && segment.time_index_entries == 0) return no_entry;
  const auto before =
      last_time_entry(files, segment, TimeIndexState::growing,
                      [&](const TimeIndexEntry& entry) { return entry.offset < search.end; });
  if (!before) return fail(before.error());
  // The batch that the entry names is read, too: nothing that the entry says counts by itself.
  TimeIndexEntry best = no_entry;
  const auto position = scan_start(files, segment, std::max(before->from, search.start));
  if (!position) return fail(position.error());
  const auto file = segment.open_log(files, may_block);
  if (!file) return fail(file.error());
  BatchScanner scanner(**file, *position, segment.readable_bytes, may_block);
  while (const auto batch = scanner.next()) {
    if (batch->last_offset >= search.end) break;
    if (batch->last_offset < search.start) continue;
    if (batch->max_timestamp_ms > best.timestamp_ms) {
      best = {batch->max_timestamp_ms, batch->last_offset};
    }
  }
  if (!scanner.status()) return fail(scanner.status().error());
  return best;
}

}  // namespace

Result<std::optional<TimestampedOffset>> search_max_timestamp(env::FileSystem& files,
                                                              const TimestampSearch& search) {
  LargestBatch best;
  for (SegmentView& segment : search.segments) {
    const auto largest = largest_below(files, segment, search);
    if (!largest) return fail(largest.error());
    if (largest->timestamp_ms > best.timestamp_ms) {
      best = {largest->timestamp_ms, &segment, largest->offset};
    }
  }
  if (best.segment == nullptr) return std::nullopt;
  const auto position = scan_start(files, *best.segment, best.offset);
  if (!position) return fail(position.error());
  const auto file = best.segment->open_log(files, may_block);
  if (!file) return fail(file.error());
  BatchScanner scanner(**file, *position, best.segment->readable_bytes, may_block);
  while (const auto batch = scanner.next()) {
    if (batch->last_offset < best.offset) continue;
    const auto bytes = scanner.bytes();
    if (!bytes) return fail(bytes.error());
    auto found =
        find_record(*bytes, search, [&](std::int64_t at_ms) { return at_ms >= best.timestamp_ms; });
    if (!found || *found) return found;
    // The header promises a timestamp that no record has, as after compaction: the last one stands
    // for it, as in Kafka.
    return TimestampedOffset{best.timestamp_ms, batch->last_offset, batch->leader_epoch};
  }
  if (!scanner.status()) return fail(scanner.status().error());
  return std::nullopt;
}

}  // namespace arus::storage
