#include "storage/segment.h"

#include <algorithm>

#include "storage/transaction_index.h"

namespace arus::storage {

SegmentTail::SegmentTail(const std::shared_ptr<WriterFolder>& folder, Offset base_offset,
                         const IndexBuilder::Start& start, std::int32_t offset_entries,
                         std::int32_t time_entries)
    : log(std::make_shared<WriterFile>(folder, base_offset, suffix::log)),
      offset_index(std::make_shared<WriterFile>(folder, base_offset, suffix::offset_index)),
      time_index(std::make_shared<WriterFile>(folder, base_offset, suffix::time_index)),
      base_offset_(base_offset),
      index_(start),
      offsets_written_(offset_entries),
      times_written_(time_entries) {}

SegmentTail::Entries SegmentTail::offsets_left() const {
  return left_of(index_.offsets, offsets_handed_, offsets_written_,
                 offset_index_format::entry_bytes);
}

SegmentTail::Entries SegmentTail::times_left() const {
  return left_of(index_.times, times_handed_, times_written_, time_index_format::entry_bytes);
}

template <class Entry>
SegmentTail::Entries SegmentTail::left_of(const std::vector<Entry>& entries, std::size_t handed,
                                          std::int32_t written, std::size_t entry_bytes) const {
  Entries left{.position = (written + static_cast<std::int64_t>(handed)) *
                           static_cast<std::int64_t>(entry_bytes),
               .bytes = {}};
  for (const Entry& entry : std::span(entries).subspan(handed)) {
    encode(entry, base_offset_, left.bytes);
  }
  return left;
}

void SegmentTail::hand_over(WritePort& port, Offset log_end, bool all) {
  const std::size_t enough = all ? 1 : chunk_entries;
  const std::size_t offsets = index_.offsets.size() - offsets_handed_;
  const std::size_t times = index_.times.size() - times_handed_;
  if (offsets < enough && times < enough) return;
  if (offsets > 0) {
    Entries left = offsets_left();
    port.write(offset_index, left.position, Slice(std::move(left.bytes)));
  }
  if (times > 0) {
    Entries left = times_left();
    port.write(time_index, left.position, Slice(std::move(left.bytes)));
  }
  offsets_handed_ = index_.offsets.size();
  times_handed_ = index_.times.size();
  handed_at_ = log_end;
}

// An empty index is a file too: without it Kafka takes the segment for damaged.
void SegmentTail::finish(WritePort& port, Offset log_end) {
  index_.finish();
  hand_over(port, log_end, true);
  if (offset_entries() == 0) port.write(offset_index, 0, {});
  if (time_entries() == 0) port.write(time_index, 0, {});
}

void SegmentTail::leave(ClosingFiles& left) {
  index_.finish();
  for (const auto& [file, entries] :
       {std::pair{&offset_index, offsets_left()}, std::pair{&time_index, times_left()}}) {
    left.indexes.push_back({(*file)->path(), entries.position, entries.bytes});
  }
}

void SegmentTail::on_written(Offset end) {
  if (offsets_handed_ + times_handed_ == 0 || end <= handed_at_) return;
  const auto drop = [](auto& entries, std::size_t& handed, std::int32_t& written) {
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(handed));
    written += static_cast<std::int32_t>(handed);
    handed = 0;
  };
  drop(index_.offsets, offsets_handed_, offsets_written_);
  drop(index_.times, times_handed_, times_written_);
}

Segment::Segment(std::shared_ptr<WriterFolder> folder, const LoadedSegment& facts)
    : folder_(std::move(folder)),
      base_offset_(facts.base_offset),
      size_bytes_(facts.size_bytes),
      offset_entries_(facts.offset_index_entries),
      time_entries_(facts.time_index_entries),
      transaction_index_bytes_(facts.transaction_index_bytes),
      verified_bytes_(facts.verified_bytes),
      trusted_from_(facts.size_bytes) {}

void Segment::open_tail(const IndexBuilder::Start& start) {
  tail_ =
      std::make_unique<SegmentTail>(folder_, base_offset_, start, offset_entries_, time_entries_);
}

void Segment::close_tail() {
  offset_entries_ = tail_->offset_entries();
  time_entries_ = tail_->time_entries();
  largest_timestamp_ = tail_->largest_timestamp();
  tail_ = nullptr;
}

std::optional<std::int64_t> Segment::newest_ms() const {
  if (newest_ms_) return newest_ms_;
  const auto largest = tail_ ? std::optional(tail_->largest_timestamp()) : largest_timestamp_;
  if (!largest || largest->timestamp_ms < 0) return std::nullopt;
  return largest->timestamp_ms;
}

void Segment::append_aborted(WritePort& port, const CompletedTransaction& transaction) {
  SegmentTail& tail = *tail_;
  if (tail.transaction_index == nullptr) {
    tail.transaction_index =
        std::make_shared<WriterFile>(folder_, base_offset_, suffix::transaction_index);
  }
  Bytes bytes;
  encode(TransactionIndexEntry{transaction.producer_id, transaction.first_offset,
                               transaction.last_offset, transaction.last_stable_offset},
         bytes);
  const auto size = static_cast<std::int64_t>(bytes.size());
  port.write(tail.transaction_index, transaction_index_bytes_, Slice(std::move(bytes)));
  transaction_index_bytes_ += size;
}

SegmentView Segment::view(std::int64_t readable_bytes, Offset limit, OpenFiles& open_files) const {
  return {.folder = folder_,
          .base_offset = base_offset_,
          .readable_bytes = readable_bytes,
          .limit = limit,
          .offset_index_entries = tail_ ? tail_->offset_entries_written() : offset_entries_,
          .time_index_entries = tail_ ? tail_->time_entries_written() : time_entries_,
          .verified_bytes = verified_bytes_,
          .trusted_from = trusted_from_,
          .largest_timestamp = tail_ ? tail_->largest_timestamp() : largest_timestamp_,
          .log = open_files.use(log_),
          .offset_index = open_files.use(offset_index_),
          .staged = staged_};
}

void Segment::keep(const SegmentView& view, std::int64_t verified_bytes, OpenFiles& open_files) {
  if (view.log != nullptr) open_files.put(log_, view.log);
  if (view.offset_index != nullptr) open_files.put(offset_index_, view.offset_index);
  verified_bytes_ = std::max(verified_bytes_, verified_bytes);
}

std::optional<LogPosition> Segment::find_cursor(Offset offset) const {
  const auto found = std::ranges::find(cursors_, offset, &LogPosition::offset);
  if (found == cursors_.end()) return std::nullopt;
  return *found;
}

void Segment::note_cursor(const LogPosition& next) {
  const auto same = std::ranges::find(cursors_, next.offset, &LogPosition::offset);
  if (same != cursors_.end()) {
    cursors_.erase(same);
  } else if (cursors_.size() == cursors_kept) {
    cursors_.erase(cursors_.begin());
  }
  cursors_.push_back(next);
}

}  // namespace arus::storage
