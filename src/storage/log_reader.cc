#include "storage/log_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "env/file_range.h"
#include "record/batch.h"
#include "storage/batch_scanner.h"

namespace arus::storage {

namespace {

Result<env::File*> open_once(env::FileSystem& files, std::shared_ptr<env::File>& slot,
                             const SegmentView& segment, std::string_view suffix,
                             env::ReadMode mode) {
  if (slot == nullptr) {
    if (mode == env::ReadMode::cached_only) {
      return fail(Error{ErrorCode::kafka_storage_error, "Not open", EAGAIN});
    }
    auto opened =
        files.open(join_path(segment.folder->path, segment_file_name(segment.base_offset, suffix)),
                   env::OpenMode::read);
    if (!opened) return fail(std::move(opened).error());
    slot = std::move(*opened);
    // What is not cached is read in large pieces, and let go again.
    slot->disable_read_ahead();
  }
  return slot.get();
}

// The batch that holds `offset`, or the first one after it.
Result<std::optional<BatchHeader>> find_batch(env::File& file, const SegmentView& segment,
                                              std::int64_t from, Offset offset,
                                              env::ReadMode mode) {
  constexpr std::size_t window_bytes = 8192;
  BatchScanner scanner(file, from, segment.readable_bytes, mode, window_bytes);
  while (auto batch = scanner.next()) {
    if (batch->last_offset >= offset) return batch;
  }
  if (!scanner.status()) return fail(scanner.status().error());
  // What is readable ends with a whole batch: a length that leads beyond it hides what follows.
  if (scanner.position() < segment.readable_bytes) {
    return fail(ErrorCode::corrupt_message, "A batch is longer than its segment");
  }
  return std::nullopt;
}

// In pieces of at most `piece_bytes`.
Result<Slice> read_slice(env::File& file, std::int64_t position, std::size_t size,
                         env::ReadMode mode, std::size_t piece_bytes) {
  auto buffer = std::make_shared_for_overwrite<std::uint8_t[]>(size);
  const MutableByteView view{buffer.get(), size};
  for (std::size_t done = 0; done < size; done += piece_bytes) {
    const MutableByteView piece = view.subspan(done, std::min(piece_bytes, size - done));
    ARUS_TRY(read_fully(file, piece, position + static_cast<std::int64_t>(done), mode));
  }
  return Slice(std::move(buffer), view);
}

std::unexpected<Error> damaged(const SegmentView& segment, std::int64_t position, Offset offset,
                               std::string_view why) {
  return fail(ErrorCode::corrupt_message,
              fmt::format("{}/{}: the batch at byte {}, offset {}, is damaged: {}",
                          segment.folder->path, segment_file_name(segment.base_offset, suffix::log),
                          position, offset.value(), why));
}

// An entry that damage has changed could lead behind the batch that is wanted. The batch where it
// points must not end beyond what it says.
Result<bool> is_believable(env::FileSystem& files, SegmentView& segment, const LogPosition& entry,
                           env::ReadMode mode) {
  const auto file = segment.open_log(files, mode);
  if (!file) return fail(file.error());
  BatchScanner scanner(**file, entry.position, segment.readable_bytes, mode,
                       record::format::header_bytes);
  const auto batch = scanner.next();
  if (batch) return batch->last_offset <= entry.offset;
  const Result<>& status = scanner.status();
  if (!status && status.error().code != ErrorCode::corrupt_message) return fail(status.error());
  return false;
}

// Whether the checksums of batches between these positions are still to be compared.
bool is_unsure(const SegmentView& segment, std::int64_t position, std::int64_t end) {
  return position < segment.trusted_from && end > segment.verified_bytes;
}

// Why a batch with these offsets cannot stand behind those that end at `next`; null when it can.
const char* find_disorder(const SegmentView& segment, Offset base, Offset last, bool legacy,
                          Offset next, bool first) {
  if (last >= segment.limit) return "its offsets belong to a later segment";
  if (last < next || !(first || legacy || base >= next)) {
    return "its offsets do not follow those before it";
  }
  return nullptr;
}

// Why a batch at `position` cannot be served after those that end at `next`; null when it can.
const char* find_damage(const SegmentView& segment, const record::BatchView& batch,
                        std::int64_t position, Offset next, bool first) {
  if (const char* const why = find_disorder(segment, batch.base_offset(), batch.last_offset(),
                                            batch.is_legacy(), next, first)) {
    return why;
  }
  const std::int64_t end = position + static_cast<std::int64_t>(batch.size_bytes());
  if (is_unsure(segment, position, end) && !batch.crc_matches()) {
    return "its checksum does not match";
  }
  return nullptr;
}

// How many of the bytes are whole, undamaged batches below the end. Damage is an error only for
// whoever begins to read at it.
Result<std::size_t> accept(const SegmentView& segment, const SegmentRead& read, ByteView bytes,
                           std::int64_t position, SegmentBatches& batches) {
  std::size_t accepted = 0;
  Offset next = batches.next.offset;
  record::BatchReader reader(bytes);
  while (next < read.end) {
    const std::int64_t at = position + static_cast<std::int64_t>(accepted);
    const auto batch = reader.next();
    if (!batch) {
      if (!reader.status() && accepted == 0) {
        return damaged(segment, at, next, reader.status().error().message);
      }
      break;
    }
    if (const char* const why = find_damage(segment, *batch, at, next, accepted == 0)) {
      if (accepted == 0) return damaged(segment, at, next, why);
      break;
    }
    if (batch->last_offset() >= read.end) break;
    next = batch->next_offset();
    accepted = reader.position();
  }
  batches.next = {next, position + static_cast<std::int64_t>(accepted)};
  return accepted;
}

// Looking at the header of each batch costs a read; below this size copying the batch costs less.
constexpr std::int64_t least_file_batch_bytes = std::int64_t{64} << 10;

struct CopyPlan {
  std::size_t wanted = 0;
  std::size_t piece_bytes = 0;
  bool from_disk = false;
};

// How the bytes from `position` on are to be read, of which `first_bytes` must be.
CopyPlan plan_copy(env::File& file, std::int64_t position, std::size_t available,
                   std::size_t wanted, std::size_t first_bytes, env::ReadMode mode) {
  CopyPlan plan{.wanted = std::max(std::min(wanted, most_copied_bytes), first_bytes),
                .piece_bytes = available};
  const auto size = static_cast<std::int64_t>(std::min(plan.wanted, available));
  if (mode == env::ReadMode::may_block && !env::is_cached(file, position, size)) {
    plan.piece_bytes = cold_piece_bytes;
    plan.from_disk = true;
  }
  return plan;
}

// The batches from `start` on as a range of their file, where that is cheaper than copying them:
// large, in the page cache, and with checksums that need not be compared. Nothing otherwise, damage
// included, which is for the reader of bytes to describe.
std::optional<SegmentBatches> range_of_batches(env::File& file, const SegmentView& segment,
                                               const SegmentRead& read, const LogPosition& start,
                                               std::int64_t wanted) {
  BatchScanner scanner(file, start.position, segment.readable_bytes, env::ReadMode::cached_only,
                       record::format::header_bytes);
  LogPosition next = start;
  while (next.offset < read.end && next.position - start.position < wanted) {
    const auto batch = scanner.next();
    if (!batch || batch->last_offset >= read.end) break;
    const bool first = next.position == start.position;
    if (batch->size_bytes < least_file_batch_bytes && first) return std::nullopt;
    if (!first && scanner.position() - start.position > wanted) break;
    const bool legacy = batch->magic < record::format::magic_2;
    if (find_disorder(segment, batch->base_offset, batch->last_offset, legacy, next.offset,
                      first) != nullptr) {
      break;
    }
    next = {batch->last_offset + 1, scanner.position()};
  }
  const std::int64_t size = next.position - start.position;
  if (size < least_file_batch_bytes || is_unsure(segment, start.position, next.position) ||
      !env::is_cached(file, start.position, size)) {
    return std::nullopt;
  }
  return SegmentBatches{
      .records = env::slice_of({segment.log, start.position, static_cast<std::size_t>(size)}),
      .next = next,
      .at_end = next.position >= segment.readable_bytes,
      .verified_to = segment.verified_bytes};
}

}  // namespace

Result<env::File*> SegmentView::open_log(env::FileSystem& files, env::ReadMode mode) {
  return open_once(files, log, *this, suffix::log, mode);
}

Result<env::File*> SegmentView::open_offset_index(env::FileSystem& files, env::ReadMode mode) {
  return open_once(files, offset_index, *this, suffix::offset_index, mode);
}

Result<LogPosition> look_up_offset(env::FileSystem& files, SegmentView& segment, Offset offset,
                                   env::ReadMode mode) {
  LogPosition found{segment.base_offset, 0};
  if (segment.offset_index_entries == 0) return found;
  const auto file = segment.open_offset_index(files, mode);
  if (!file) {
    // The index only makes reading faster; one that is gone is rebuilt by the next start.
    if (file.error().os_error == ENOENT) return found;
    return fail(file.error());
  }
  std::int32_t low = 0;
  std::int32_t high = segment.offset_index_entries;
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    std::array<std::uint8_t, offset_index_format::entry_bytes> bytes{};
    const auto count = (*file)->read_at(
        bytes, std::int64_t{middle} * static_cast<std::int64_t>(bytes.size()), mode);
    if (!count) return fail(count.error());
    const OffsetIndexEntry entry = decode_offset_index_entry(bytes.data(), segment.base_offset);
    // Entries that the writer has not written yet, or that damage put out of range, count as later.
    const bool usable =
        *count == bytes.size() && entry.position >= 0 && entry.position < segment.readable_bytes;
    if (usable && entry.offset <= offset) {
      found = {entry.offset, entry.position};
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (found.position == 0) return found;
  const auto believable = is_believable(files, segment, found, mode);
  if (!believable) return fail(believable.error());
  return *believable ? found : LogPosition{segment.base_offset, 0};
}

Result<SegmentBatches> read_batches(env::FileSystem& files, SegmentView& segment,
                                    const SegmentRead& read, env::ReadMode mode) {
  const auto file = segment.open_log(files, mode);
  if (!file) return fail(file.error());
  SegmentBatches batches{.verified_to = segment.verified_bytes};
  LogPosition start{read.from, 0};
  std::size_t wanted = static_cast<std::size_t>(std::max(read.max_bytes, 0));
  std::size_t first_bytes = 0;
  if (read.exact) {
    start = *read.start;
  } else {
    const auto floor = read.start ? Result<LogPosition>(*read.start)
                                  : look_up_offset(files, segment, read.from, mode);
    if (!floor) return fail(floor.error());
    const auto first = find_batch(**file, segment, floor->position, read.from, mode);
    if (!first) {
      if (first.error().code == ErrorCode::corrupt_message) {
        return damaged(segment, floor->position, read.from, first.error().message);
      }
      return fail(first.error());
    }
    if (!*first) {
      batches.at_end = true;
      return batches;
    }
    start.position = (*first)->position;
    first_bytes = static_cast<std::size_t>((*first)->size_bytes);
    if (first_bytes > wanted && !read.at_least_one_batch) return batches;
    wanted = std::max(wanted, first_bytes);
  }
  const auto available =
      static_cast<std::size_t>(std::max<std::int64_t>(segment.readable_bytes - start.position, 0));
  if (read.as_file && mode == env::ReadMode::cached_only &&
      static_cast<std::int64_t>(available) >= least_file_batch_bytes) {
    if (auto range = range_of_batches(**file, segment, read, {read.from, start.position},
                                      static_cast<std::int64_t>(wanted))) {
      return std::move(*range);
    }
  }
  batches.at_end = available == 0;
  const std::size_t asked = wanted;
  const CopyPlan how = plan_copy(**file, start.position, available, wanted, first_bytes, mode);
  wanted = how.wanted;
  batches.from_disk = how.from_disk;
  while (available > 0) {
    const std::size_t size = std::min(wanted, available);
    auto bytes = read_slice(**file, start.position, size, mode, how.piece_bytes);
    if (!bytes) return fail(std::move(bytes).error());
    batches.next = {read.from, start.position};
    const auto accepted = accept(segment, read, bytes->view(), start.position, batches);
    if (!accepted) return fail(accepted.error());
    if (*accepted > 0) {
      batches.records = bytes->sub(0, *accepted);
      break;
    }
    // Nothing whole: the first batch is larger than what was read, or there is none.
    if (size == available || (!read.at_least_one_batch && size >= asked)) return batches;
    std::array<std::uint8_t, record::format::bytes_up_to_magic> front{};
    if (available < front.size()) return batches;
    ARUS_TRY(read_fully(**file, front, start.position, mode));
    const auto first_size = record::batch_size_bytes(front);
    if (!first_size) {
      return damaged(segment, start.position, read.from, first_size.error().message);
    }
    if (!*first_size || **first_size <= size) return batches;
    if (!read.at_least_one_batch && **first_size > asked) return batches;
    wanted = **first_size;
  }
  batches.at_end = batches.next.position >= segment.readable_bytes;
  if (start.position <= segment.verified_bytes) {
    batches.verified_to = std::max(segment.verified_bytes, batches.next.position);
  }
  return batches;
}

}  // namespace arus::storage
