#include "storage/log_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "env/file_range.h"
#include "record/batch.h"
#include "storage/batch_scanner.h"

namespace arus::storage {

Result<std::unique_ptr<env::File>> open_segment_file(env::FileSystem& files,
                                                     const SegmentView& segment,
                                                     std::string_view suffix) {
  return under_its_name(segment.path(suffix), segment.staged, [&files](const std::string& path) {
    return files.open(path, env::OpenMode::read);
  });
}

namespace {

Result<env::File*> open_once(env::FileSystem& files, std::shared_ptr<env::File>& slot,
                             const SegmentView& segment, std::string_view suffix,
                             env::ReadMode mode) {
  if (slot == nullptr) {
    if (mode == env::ReadMode::cached_only) {
      return fail(Error{ErrorCode::kafka_storage_error, "Not open", EAGAIN});
    }
    auto opened = open_segment_file(files, segment, suffix);
    if (!opened) return fail(std::move(opened).error());
    slot = std::move(*opened);
    // What is not cached is read in large pieces, and let go again.
    slot->disable_read_ahead();
  }
  return slot.get();
}

// Whether the checksums of batches between these positions are still to be compared.
bool is_unsure(const SegmentView& segment, std::int64_t position, std::int64_t end) {
  return position < segment.trusted_from && end > segment.verified_bytes;
}

bool is_legacy(const BatchHeader& batch) { return batch.magic < record::format::magic_2; }

// Offsets are outside the checksum. What tells that a bit of them has flipped is the batch before
// or the one behind, or the entry of the index: one flip makes either overlap.
//
// Where a search begins. `sure`: something else than its header says which offsets the batch there
// has; at the segment's beginning it is the name of the file.
struct Floor {
  LogPosition place;
  bool sure = false;
};

struct FoundBatch {
  BatchHeader header;
  bool sure = false;  // as of a floor, or it begins where one that is whole ends
};

Result<bool> is_whole(env::File& file, const SegmentView& segment, const BatchHeader& header,
                      env::ReadMode mode) {
  if (!is_unsure(segment, header.position, header.position + header.size_bytes)) return true;
  BatchScanner scanner(file, header.position, segment.readable_bytes, mode);
  if (!scanner.next())
    return scanner.status() ? Result<bool>(false) : fail(scanner.status().error());
  const auto bytes = scanner.bytes();
  if (!bytes) return fail(bytes.error());
  const auto view = record::BatchView::parse(*bytes);
  return view && view->crc_matches();
}

// The batch that holds `offset`, or the first one after it.
Result<std::optional<FoundBatch>> find_batch(env::File& file, const SegmentView& segment,
                                             const Floor& floor, Offset offset,
                                             env::ReadMode mode) {
  constexpr std::size_t window_bytes = 8192;
  BatchScanner scanner(file, floor.place.position, segment.readable_bytes, mode, window_bytes);
  std::optional<BatchHeader> before;
  Offset next = segment.base_offset;
  bool sure = floor.sure;
  std::optional<BatchHeader> found;
  while (auto batch = scanner.next()) {
    if ((is_legacy(*batch) ? batch->last_offset : batch->base_offset) < next) {
      return fail(ErrorCode::corrupt_message, "Its offsets do not follow those before it");
    }
    if (before || batch->position == 0) sure = sure && batch->base_offset == next;
    if (batch->last_offset >= offset) {
      found = batch;
      break;
    }
    next = batch->last_offset + 1;
    before = batch;
  }
  if (!scanner.status()) return fail(scanner.status().error());
  // What is readable ends with a whole batch: a length that leads beyond it hides what follows.
  if (!found && scanner.position() < segment.readable_bytes) {
    return fail(ErrorCode::corrupt_message, "A batch is longer than its segment");
  }
  // Where nothing is said to have the offset, the one before may have had it.
  if (before && next <= offset && offset < (found ? found->base_offset : segment.limit)) {
    const auto whole = is_whole(file, segment, *before, mode);
    if (!whole) return fail(whole.error());
    if (!*whole) return fail(ErrorCode::corrupt_message, "The checksum before it does not match");
  }
  if (!found) return std::nullopt;
  return FoundBatch{*found, sure};
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
              fmt::format("{}: the batch at byte {}, offset {}, is damaged: {}",
                          segment.path(suffix::log), position, offset.value(), why));
}

enum class Belief : std::uint8_t {
  no,
  before,  // the batch there ends before what the entry says: it was made for several at a time
  exact,
};

// An entry that damage has changed could lead behind the batch that is wanted. The batch where it
// points must not end beyond what it says.
Result<Belief> judge_entry(env::FileSystem& files, SegmentView& segment, const LogPosition& entry,
                           env::ReadMode mode) {
  const auto file = segment.open_log(files, mode);
  if (!file) return fail(file.error());
  BatchScanner scanner(**file, entry.position, segment.readable_bytes, mode,
                       record::format::header_bytes);
  const auto batch = scanner.next();
  if (batch) {
    if (batch->last_offset == entry.offset) return Belief::exact;
    return batch->last_offset < entry.offset ? Belief::before : Belief::no;
  }
  const Result<>& status = scanner.status();
  if (!status && status.error().code != ErrorCode::corrupt_message) return fail(status.error());
  return Belief::no;
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

// Whether the batch behind `end` begins at `next` or later; also where there is none.
Result<bool> is_followed(env::File& file, const SegmentView& segment, std::int64_t end, Offset next,
                         env::ReadMode mode) {
  BatchScanner scanner(file, end, segment.readable_bytes, mode, record::format::header_bytes);
  const auto behind = scanner.next();
  if (!scanner.status() && scanner.status().error().code != ErrorCode::corrupt_message) {
    return fail(scanner.status().error());
  }
  return !behind || is_legacy(*behind) || behind->base_offset >= next;
}

// How many of the bytes are whole, undamaged batches below the end. Damage is an error only for
// whoever begins to read at it. `sure` as of a found batch.
Result<std::size_t> accept(env::File& file, const SegmentView& segment, const SegmentRead& read,
                           ByteView bytes, std::int64_t position, bool sure, env::ReadMode mode,
                           SegmentBatches& batches) {
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
      const bool all = position + static_cast<std::int64_t>(bytes.size()) >= segment.readable_bytes;
      if (all && accepted == 0 && !bytes.empty()) {
        return damaged(segment, at, next, "it is longer than its segment");
      }
      break;
    }
    const bool searched = accepted == 0 && !read.exact;
    if (const char* const why = find_damage(segment, *batch, at, next, searched)) {
      if (accepted == 0) return damaged(segment, at, next, why);
      break;
    }
    const std::int64_t behind = position + static_cast<std::int64_t>(reader.position());
    sure = searched ? sure : batch->base_offset() == next;
    if (!sure && !batch->is_legacy() && is_unsure(segment, at, behind)) {
      const auto followed = is_followed(file, segment, behind, batch->next_offset(), mode);
      if (!followed) return fail(followed.error());
      if (!*followed && accepted == 0) {
        return damaged(segment, at, next, "its offsets are those of the next one, too");
      }
      if (!*followed) break;
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

namespace {

// Entries that the writer has not written yet, or that damage put out of range, count as later.
Result<std::optional<LogPosition>> read_entry(env::File& index, const SegmentView& segment,
                                              std::int32_t number, env::ReadMode mode) {
  std::array<std::uint8_t, offset_index_format::entry_bytes> bytes{};
  const auto count =
      index.read_at(bytes, std::int64_t{number} * static_cast<std::int64_t>(bytes.size()), mode);
  if (!count) return fail(count.error());
  const OffsetIndexEntry entry = decode_offset_index_entry(bytes.data(), segment.base_offset);
  const bool usable =
      *count == bytes.size() && entry.position >= 0 && entry.position < segment.readable_bytes;
  if (!usable) return std::nullopt;
  return LogPosition{entry.offset, entry.position};
}

Result<Floor> find_floor(env::FileSystem& files, SegmentView& segment, Offset offset,
                         env::ReadMode mode) {
  const Floor beginning{{segment.base_offset, 0}, true};
  if (segment.offset_index_entries == 0) return beginning;
  const auto file = segment.open_offset_index(files, mode);
  if (!file) {
    // The index only makes reading faster; one that is gone is rebuilt by the next start.
    if (file.error().os_error == ENOENT) return beginning;
    return fail(file.error());
  }
  Floor found = beginning;
  std::int32_t low = 0;
  std::int32_t high = segment.offset_index_entries;
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    const auto entry = read_entry(**file, segment, middle, mode);
    if (!entry) return fail(entry.error());
    if (*entry && (*entry)->offset <= offset) {
      found.place = **entry;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (found.place.position == 0) return beginning;
  auto belief = judge_entry(files, segment, found.place, mode);
  if (!belief) return fail(belief.error());
  found.sure = *belief == Belief::exact;
  const bool unsure = is_unsure(segment, found.place.position, segment.readable_bytes);
  if (*belief == Belief::before && unsure && low > 1) {
    // The way from the entry before shows whether the batch has the offsets that it says.
    const auto entry = read_entry(**file, segment, low - 2, mode);
    if (!entry) return fail(entry.error());
    if (!*entry || (*entry)->position == 0) return beginning;
    belief = judge_entry(files, segment, **entry, mode);
    if (!belief) return fail(belief.error());
    found = {**entry, *belief == Belief::exact};
  }
  return *belief == Belief::no ? beginning : found;
}

}  // namespace

Result<LogPosition> look_up_offset(env::FileSystem& files, SegmentView& segment, Offset offset,
                                   env::ReadMode mode) {
  const auto floor = find_floor(files, segment, offset, mode);
  if (!floor) return fail(floor.error());
  return floor->place;
}

Result<SegmentBatches> read_batches(env::FileSystem& files, SegmentView& segment,
                                    const SegmentRead& read, env::ReadMode mode) {
  const auto file = segment.open_log(files, mode);
  if (!file) return fail(file.error());
  SegmentBatches batches{.verified_to = segment.verified_bytes};
  LogPosition start{read.from, 0};
  bool sure = false;
  std::size_t wanted = static_cast<std::size_t>(std::max(read.max_bytes, 0));
  std::size_t first_bytes = 0;
  if (read.exact) {
    start = *read.start;
  } else {
    const auto floor = read.start ? Result<Floor>({*read.start, true})
                                  : find_floor(files, segment, read.from, mode);
    if (!floor) return fail(floor.error());
    const auto first = find_batch(**file, segment, *floor, read.from, mode);
    if (!first) {
      if (first.error().code == ErrorCode::corrupt_message) {
        return damaged(segment, floor->place.position, read.from, first.error().message);
      }
      return fail(first.error());
    }
    if (!*first) {
      batches.at_end = true;
      return batches;
    }
    sure = (*first)->sure;
    start.position = (*first)->header.position;
    first_bytes = static_cast<std::size_t>((*first)->header.size_bytes);
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
  batches.next = {read.from, start.position};
  const std::size_t asked = wanted;
  const CopyPlan how = plan_copy(**file, start.position, available, wanted, first_bytes, mode);
  wanted = how.wanted;
  batches.from_disk = how.from_disk;
  while (available > 0) {
    const std::size_t size = std::min(wanted, available);
    auto bytes = read_slice(**file, start.position, size, mode, how.piece_bytes);
    if (!bytes) return fail(std::move(bytes).error());
    const auto accepted =
        accept(**file, segment, read, bytes->view(), start.position, sure, mode, batches);
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
