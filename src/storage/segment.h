// A run of consecutive record batches in one file, with its indexes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "storage/closing_files.h"
#include "storage/index_builder.h"
#include "storage/log_reader.h"
#include "storage/log_recovery.h"
#include "storage/open_files.h"
#include "storage/write_port.h"
#include "storage/writer_file.h"

namespace arus::storage {

// The files of the newest segment while it is written, and the index entries that are not in them
// yet: those are handed to the writer in chunks, and kept here until they are written.
class SegmentTail {
 public:
  static constexpr std::size_t chunk_entries = 128;

  SegmentTail(const std::shared_ptr<WriterFolder>& folder, Offset base_offset,
              const IndexBuilder::Start& start, std::int32_t offset_entries,
              std::int32_t time_entries);

  // Where a batch of these facts goes: notes its index entries.
  void add(Offset last_offset, std::int64_t position, std::int64_t size_bytes,
           std::int64_t max_timestamp_ms, std::int32_t interval_bytes) {
    index_.add(last_offset, position, size_bytes, max_timestamp_ms, interval_bytes);
  }
  // Entries that a start found to be missing in the files.
  void adopt(std::vector<OffsetIndexEntry> offsets, std::vector<TimeIndexEntry> times) {
    index_.offsets = std::move(offsets);
    index_.times = std::move(times);
  }
  // Hands a full chunk, or with `all` everything, to the writer. `log_end` is that of the log now.
  void hand_over(WritePort& port, Offset log_end, bool all);
  // Makes both index files exist and complete, as a closed segment has them.
  void finish(WritePort& port, Offset log_end);
  // What does the same once everything that was handed over is written; nothing is added
  // afterwards.
  void leave(ClosingFiles& left);
  // Entries that are in the files now are dropped here.
  void on_written(Offset end);

  [[nodiscard]] std::optional<OffsetIndexEntry> floor(Offset offset) const {
    return floor_entry(index_.offsets, offset);
  }
  [[nodiscard]] const TimeIndexEntry& largest_timestamp() const { return index_.state().largest; }
  // Entries in the files, and all.
  [[nodiscard]] std::int32_t offset_entries_written() const { return offsets_written_; }
  [[nodiscard]] std::int32_t time_entries_written() const { return times_written_; }
  [[nodiscard]] std::int32_t offset_entries() const {
    return offsets_written_ + static_cast<std::int32_t>(index_.offsets.size());
  }
  [[nodiscard]] std::int32_t time_entries() const {
    return times_written_ + static_cast<std::int32_t>(index_.times.size());
  }

  const std::shared_ptr<WriterFile> log;
  const std::shared_ptr<WriterFile> offset_index;
  const std::shared_ptr<WriterFile> time_index;
  std::shared_ptr<WriterFile> transaction_index;  // made with its first entry

 private:
  // Those that were not handed over, and where they go.
  struct Entries {
    std::int64_t position = 0;
    Bytes bytes;
  };
  [[nodiscard]] Entries offsets_left() const;
  [[nodiscard]] Entries times_left() const;
  template <class Entry>
  [[nodiscard]] Entries left_of(const std::vector<Entry>& entries, std::size_t handed,
                                std::int32_t written, std::size_t entry_bytes) const;

  const Offset base_offset_;
  IndexBuilder index_;
  std::int32_t offsets_written_;
  std::int32_t times_written_;
  std::size_t offsets_handed_ = 0;  // of those here
  std::size_t times_handed_ = 0;
  Offset handed_at_{-1};  // the log's end then; they are written once the log is beyond it
};

// Holds: base_offset <= every offset in it < the next segment's base; only the newest segment of a
// log has a tail and accepts appends. Offsets are absolute, sizes in bytes.
// Owner: the loop of the partition. Not thread-safe.
class Segment {
 public:
  Segment(std::shared_ptr<WriterFolder> folder, const LoadedSegment& facts);

  [[nodiscard]] Offset base_offset() const { return base_offset_; }
  [[nodiscard]] std::int64_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] bool has_transaction_index() const { return transaction_index_bytes_ > 0; }
  // Of the larger index, once the segment is closed.
  [[nodiscard]] std::int64_t index_bytes() const {
    return std::max(
        std::int64_t{offset_entries_} * static_cast<std::int64_t>(offset_index_format::entry_bytes),
        std::int64_t{time_entries_} * static_cast<std::int64_t>(time_index_format::entry_bytes));
  }
  void grow(std::int64_t bytes) { size_bytes_ += bytes; }

  // Compaction has put it in place; its files have the ending `.swap` or, already, their final
  // names.
  [[nodiscard]] bool staged() const { return staged_; }
  void note_staged(bool staged) { staged_ = staged; }

  // What the age of the segment counts from: its largest timestamp, or what was noted in its place.
  // Nothing while that is not known.
  [[nodiscard]] std::optional<std::int64_t> newest_ms() const;
  void note_newest(std::int64_t newest_ms) { newest_ms_ = newest_ms; }
  // Since when nothing was added: it was closed, or found in its file.
  [[nodiscard]] env::TimePoint settled_at() const { return settled_at_; }
  void note_settled(env::TimePoint now) { settled_at_ = now; }

  void open_tail(const IndexBuilder::Start& start);
  [[nodiscard]] SegmentTail* tail() const { return tail_.get(); }
  // Of a segment that was closed before; its time index has it too.
  void note_largest_timestamp(const TimeIndexEntry& largest) { largest_timestamp_ = largest; }
  // The segment is full: no more appends.
  void close_tail();
  void append_aborted(WritePort& port, const CompletedTransaction& transaction);

  // Facts for a reader: `readable_bytes` are in the file, with offsets below `limit`.
  [[nodiscard]] SegmentView view(std::int64_t readable_bytes, Offset limit,
                                 OpenFiles& open_files) const;
  // Keeps what a reader has opened and learned.
  void keep(const SegmentView& view, std::int64_t verified_bytes, OpenFiles& open_files);

  // Where readers that go on stopped: the next batch's place needs no index.
  [[nodiscard]] std::optional<LogPosition> find_cursor(Offset offset) const;
  void note_cursor(const LogPosition& next);

 private:
  static constexpr std::size_t cursors_kept = 4;

  const std::shared_ptr<WriterFolder> folder_;
  const Offset base_offset_;
  std::int64_t size_bytes_ = 0;
  std::int32_t offset_entries_ = 0;
  std::int32_t time_entries_ = 0;
  std::int64_t transaction_index_bytes_ = 0;
  std::int64_t verified_bytes_ = 0;
  const std::int64_t trusted_from_;
  bool staged_ = false;
  mutable OpenFile log_;
  mutable OpenFile offset_index_;
  std::optional<TimeIndexEntry> largest_timestamp_;  // known once the tail is closed
  std::optional<std::int64_t> newest_ms_;
  env::TimePoint settled_at_{};
  std::unique_ptr<SegmentTail> tail_;
  std::vector<LogPosition> cursors_;  // the oldest first
};

}  // namespace arus::storage
