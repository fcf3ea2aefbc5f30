#include "storage/log_cleaning.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "record/batch.h"
#include "storage/aborted_transactions.h"
#include "storage/file_names.h"
#include "storage/producer_replay.h"

namespace arus::storage {

namespace {

constexpr std::size_t cleaning_window_bytes = std::size_t{256} << 10;
constexpr std::size_t out_bytes = std::size_t{256} << 10;
constexpr std::int64_t largest_file_bytes = std::numeric_limits<std::int32_t>::max();

}  // namespace

LogCleaning::LogCleaning(env::FileSystem& files, CleaningPlan plan)
    : files_(files), plan_(std::move(plan)) {
  plan_.rules.mapped_end = plan_.dirty_from;
}

std::string LogCleaning::path_of(Offset base, std::string_view kind) const {
  return join_path(plan_.folder, segment_file_name(base, kind));
}

std::unexpected<Error> LogCleaning::damaged(std::string_view why) const {
  return fail(ErrorCode::corrupt_message,
              fmt::format("Segment {} cannot be compacted: the batch behind offset {}: {}",
                          plan_.segments[at_].base.value(), next_.value(), why));
}

// Transactions that end before the log begins are in no index any more.
Result<> LogCleaning::begin() {
  map_ = std::make_unique<OffsetMap>(plan_.map_slots, plan_.map_load_factor, plan_.secret);
  const Offset end = plan_.segments.back().limit;
  for (const Offset base : plan_.transaction_indexes) {
    const auto bytes = files_.read_file(path_of(base, suffix::transaction_index));
    // The writer has not come to the file of the newest segment: its markers are not visible.
    if (!bytes && bytes.error().os_error == ENOENT) continue;
    if (!bytes) return fail(bytes.error());
    const std::size_t whole = bytes->size() - bytes->size() % transaction_index_format::entry_bytes;
    const auto entries = parse_transaction_index(ByteView(*bytes).first(whole));
    if (!entries) return fail(entries.error());
    std::ranges::copy_if(*entries, std::back_inserter(aborted_),
                         [end](const auto& entry) { return entry.first_offset < end; });
  }
  // Of those that were decided before the dirty part nothing is in it.
  std::vector<TransactionIndexEntry> in_dirty_part;
  std::ranges::copy_if(aborted_, std::back_inserter(in_dirty_part),
                       [this](const auto& entry) { return entry.last_offset >= plan_.dirty_from; });
  transactions_ = std::make_unique<TransactionFilter>(std::move(in_dirty_part));
  while (at_ < plan_.segments.size() && plan_.segments[at_].limit <= plan_.dirty_from) ++at_;
  mapped_ = at_ == plan_.segments.size();
  return {};
}

Result<> LogCleaning::open(const CleanableSegment& segment) {
  auto file = files_.open(path_of(segment.base, suffix::log), env::OpenMode::read);
  if (!file) return fail(std::move(file).error());
  source_ = std::move(*file);
  scanner_.emplace(*source_, 0, segment.size_bytes, env::ReadMode::may_block,
                   cleaning_window_bytes);
  next_ = segment.base;
  return {};
}

Result<std::optional<BatchHeader>> LogCleaning::next_batch() {
  const CleanableSegment& segment = plan_.segments[at_];
  if (!scanner_) ARUS_TRY(open(segment));
  auto batch = scanner_->next();
  if (!scanner_->status()) return damaged(scanner_->status().error().message);
  if (!batch) {
    if (scanner_->position() != segment.size_bytes) return damaged("It is cut off");
    scanner_.reset();
    return std::nullopt;
  }
  const bool legacy = batch->magic < record::format::magic_2;
  const bool in_order = legacy ? batch->last_offset >= next_ : batch->base_offset >= next_;
  if (!in_order || batch->last_offset >= segment.limit) {
    return damaged("Its offsets do not follow those before it");
  }
  next_ = batch->last_offset + 1;
  return batch;
}

Result<std::int64_t> LogCleaning::map_some() {
  std::int64_t read = 0;
  while (!mapped_ && read < piece_bytes) {
    const auto batch = next_batch();
    if (!batch) return fail(batch.error());
    if (!*batch) {
      plan_.rules.mapped_end = plan_.segments[at_].limit;
      mapped_ = ++at_ == plan_.segments.size();
      continue;
    }
    read += (*batch)->size_bytes;
    if ((*batch)->last_offset < plan_.dirty_from) continue;
    const auto room = map_batch(**batch);
    if (!room) return fail(room.error());
    if (*room) {
      plan_.rules.mapped_end = next_;
      continue;
    }
    // The rest stays dirty, for the next round.
    if (plan_.rules.mapped_end <= plan_.dirty_from) {
      return damaged("The memory for keys, log.cleaner.dedupe.buffer.size, is too small for it");
    }
    mapped_ = true;
    scanner_.reset();
  }
  if (mapped_) {
    transactions_ = std::make_unique<TransactionFilter>(std::move(aborted_));
    cleaner_ = std::make_unique<BatchCleaner>(plan_.rules, *map_, *transactions_);
    at_ = group_to_ = 0;
  }
  return read;
}

// False where the map is full.
Result<bool> LogCleaning::map_batch(const BatchHeader& header) {
  const auto bytes = scanner_->bytes();
  if (!bytes) return fail(bytes.error());
  const auto batch = record::BatchView::parse(*bytes);
  if (!batch) return damaged(batch.error().message);
  if (!batch->crc_matches()) return damaged("Its checksum does not match");
  if (header.is_control()) {
    const auto end = read_transaction_end(*bytes);
    if (!end) return damaged(end.error().message);
    transactions_->note_marker(header, *end);
    return true;
  }
  if (transactions_->note_batch(header)) return true;
  record::RecordReader records(*batch, scratch_);
  while (const auto record = records.next()) {
    if (!record->key || record->offset < plan_.dirty_from) continue;
    if (!map_->put(*record->key, record->offset)) return false;
  }
  if (!records.status()) return damaged(records.status().error().message);
  return true;
}

Result<bool> LogCleaning::begin_group() {
  const auto& segments = plan_.segments;
  group_from_ = group_to_;
  if (group_from_ == segments.size() || segments[group_from_].base >= mapped_end()) return false;
  std::int64_t size_bytes = 0;
  std::int64_t index_bytes = 0;
  group_ = {};
  do {
    const CleanableSegment& segment = segments[group_to_];
    size_bytes += segment.size_bytes;
    index_bytes += segment.index_bytes;
    if (segment.size_bytes > 0) last_filled_ = group_to_;
    group_.replaced.push_back(segment.base);
    ++group_to_;
  } while (group_to_ < segments.size() && segments[group_to_].base < mapped_end() &&
           size_bytes + segments[group_to_].size_bytes <= plan_.segment_bytes &&
           index_bytes + segments[group_to_].index_bytes <= plan_.segment_index_bytes &&
           segments[group_to_].limit - segments[group_from_].base <= largest_file_bytes);
  at_ = group_from_;
  group_.segment = {.base_offset = segments[group_from_].base};
  group_.changed = group_.replaced.size() > 1;
  group_ended_ = size_bytes == 0;
  if (group_ended_) {
    group_.changed = false;
    return true;
  }
  auto file =
      files_.open(path_of(segments[group_from_].base, suffix::log) + std::string(suffix::cleaned),
                  env::OpenMode::create);
  failed_to_write_ = !file.has_value();
  if (!file) return fail(std::move(file).error());
  target_ = std::move(*file);
  ARUS_TRY(note_write(target_->truncate(0)));
  out_.clear();
  written_ = 0;
  index_ = IndexBuilder{};
  return true;
}

Result<std::int64_t> LogCleaning::clean_some() {
  std::int64_t moved = 0;
  const std::int64_t before = group_.segment.size_bytes;
  while (!group_ended_ && moved < piece_bytes) {
    const auto batch = next_batch();
    if (!batch) return fail(batch.error());
    if (!*batch) {
      if (++at_ == group_to_) ARUS_TRY(end_group());
      continue;
    }
    moved += (*batch)->size_bytes;
    const auto bytes = scanner_->bytes();
    if (!bytes) return fail(bytes.error());
    ARUS_TRY(clean_batch(**batch, *bytes));
  }
  return moved + group_.segment.size_bytes - before;
}

Result<> LogCleaning::clean_batch(const BatchHeader& batch, ByteView bytes) {
  const bool last = at_ == last_filled_ && scanner_->position() == plan_.segments[at_].size_bytes;
  const auto cleaned = cleaner_->clean(batch, bytes, last);
  if (!cleaned) return damaged(cleaned.error().message);
  if (cleaned->fate != BatchFate::kept) group_.changed = true;
  if (cleaned->fate == BatchFate::dropped) return {};
  const ByteView left = cleaned->fate == BatchFate::kept ? bytes : ByteView(cleaned->bytes);
  const auto size_bytes = static_cast<std::int64_t>(left.size());
  const std::int64_t position = group_.segment.size_bytes;
  if (position + size_bytes > largest_file_bytes) return damaged("The segment grows too large");
  index_.add(batch.last_offset, position, size_bytes, cleaned->max_timestamp_ms,
             plan_.index_interval_bytes);
  out_.insert(out_.end(), left.begin(), left.end());
  group_.segment.size_bytes += size_bytes;
  return out_.size() >= out_bytes ? write_out() : Result<>{};
}

Result<> LogCleaning::note_write(Result<> result) {
  failed_to_write_ = !result.has_value();
  return result;
}

Result<> LogCleaning::write_out() {
  if (out_.empty()) return {};
  ARUS_TRY(note_write(target_->write_at(ByteView(out_), written_)));
  written_ += static_cast<std::int64_t>(out_.size());
  out_.clear();
  return {};
}

Result<> LogCleaning::write_file(std::string_view kind, ByteView bytes) {
  const auto file =
      files_.open(path_of(group_.segment.base_offset, kind) + std::string(suffix::cleaned),
                  env::OpenMode::create);
  if (!file) return fail(file.error());
  ARUS_TRY((*file)->truncate(0));
  if (!bytes.empty()) ARUS_TRY((*file)->write_at(bytes, 0));
  return (*file)->sync();
}

Result<> LogCleaning::end_group() {
  group_ended_ = true;
  const auto entries = transactions_->take_entries();
  if (!group_.changed) return {};
  ARUS_TRY(write_out());
  ARUS_TRY(note_write(target_->sync()));
  target_ = nullptr;
  index_.finish();
  const Offset base = group_.segment.base_offset;
  Bytes bytes;
  for (const auto& entry : index_.offsets) encode(entry, base, bytes);
  ARUS_TRY(note_write(write_file(suffix::offset_index, bytes)));
  bytes.clear();
  for (const auto& entry : index_.times) encode(entry, base, bytes);
  ARUS_TRY(note_write(write_file(suffix::time_index, bytes)));
  bytes = encode_transaction_index(entries);
  if (!bytes.empty()) ARUS_TRY(note_write(write_file(suffix::transaction_index, bytes)));
  LoadedSegment& made = group_.segment;
  made.offset_index_entries = static_cast<std::int32_t>(index_.offsets.size());
  made.time_index_entries = static_cast<std::int32_t>(index_.times.size());
  made.transaction_index_bytes = static_cast<std::int64_t>(bytes.size());
  made.verified_bytes = made.size_bytes;
  group_.largest_timestamp = index_.state().largest;
  return note_write(files_.sync_directory(plan_.folder));
}

}  // namespace arus::storage
