// Reading one segment: from an offset to whole batches.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/writer_file.h"

namespace arus::storage {

// What `use` gives for the name that a segment's file has now. Of a staged one that is the name
// with
// `.swap`, until it has its final one: whoever does not find the first finds the second.
template <class Use>
auto under_its_name(const std::string& path, bool staged, Use use) {
  if (staged) {
    auto found = use(path + std::string(suffix::swap));
    if (found || found.error().os_error != ENOENT) return found;
  }
  return use(path);
}

// What a reader needs to know of a segment: a copy, so that it may be used on the pool while the
// log goes on. Descriptors that the reader opens are left in here for the log to keep.
struct SegmentView {
  std::shared_ptr<const WriterFolder> folder;
  Offset base_offset;
  std::int64_t readable_bytes = 0;
  Offset limit;                           // offsets in those bytes stay below
  std::int32_t offset_index_entries = 0;  // in the file
  std::int32_t time_index_entries = 0;
  // Checksums are compared once after a start: bytes below `verified_bytes` were, those from
  // `trusted_from` on came through this process.
  std::int64_t verified_bytes = 0;
  std::int64_t trusted_from = 0;
  // The segment's largest timestamp, where it is known without its file.
  std::optional<TimeIndexEntry> largest_timestamp;
  std::shared_ptr<env::File> log;
  std::shared_ptr<env::File> offset_index;
  bool staged = false;  // compaction is giving its files their final names

  [[nodiscard]] std::string path(std::string_view suffix) const {
    return join_path(folder->path, segment_file_name(base_offset, suffix));
  }
  // Opening waits for the disk: with cached_only a file that is not open would_block().
  Result<env::File*> open_log(env::FileSystem& files, env::ReadMode mode);
  Result<env::File*> open_offset_index(env::FileSystem& files, env::ReadMode mode);
};

[[nodiscard]] Result<std::unique_ptr<env::File>> open_segment_file(env::FileSystem& files,
                                                                   const SegmentView& segment,
                                                                   std::string_view suffix);

// A batch boundary: batches from `position` on hold offsets from `offset` on, none smaller.
struct LogPosition {
  Offset offset;
  std::int64_t position = 0;
};

// The greatest indexed boundary that is at or before the batch with `offset`; the segment's
// beginning without one.
[[nodiscard]] Result<LogPosition> look_up_offset(env::FileSystem& files, SegmentView& segment,
                                                 Offset offset, env::ReadMode mode);

struct SegmentRead {
  Offset from;
  Offset end;                  // nothing at or beyond it
  std::int32_t max_bytes = 0;  // of whole batches
  bool at_least_one_batch = true;
  // Where to begin, when it is known without the index; `exact` when `from`'s own batch is there.
  std::optional<LogPosition> start;
  bool exact = false;
  bool as_file = false;  // see FetchBound
};

// More than this is not copied at once, unless one batch is larger: it would keep others of the
// loop waiting, and a disk's other users.
inline constexpr std::size_t most_copied_bytes = std::size_t{1} << 20;
// The disk is asked for so much at a time: the flush that an acknowledgement waits for comes behind
// one piece at most.
inline constexpr std::size_t cold_piece_bytes = std::size_t{128} << 10;

struct SegmentBatches {
  Slice records;  // whole batches; empty when the segment has none at `from` or beyond
  LogPosition next;
  bool at_end = false;           // nothing of the segment is left behind them
  bool from_disk = false;        // not all of them were in memory before
  std::int64_t verified_to = 0;  // the new value of verified_bytes
};

// CORRUPT_MESSAGE for damage; KAFKA_STORAGE_ERROR for a failed read.
[[nodiscard]] Result<SegmentBatches> read_batches(env::FileSystem& files, SegmentView& segment,
                                                  const SegmentRead& read, env::ReadMode mode);

}  // namespace arus::storage
