#include "storage/commit_log.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "record/batch.h"
#include "storage/file_names.h"

namespace arus::storage {

namespace {

constexpr std::size_t smallest_file_bytes = 2 * commit_log_format::block_bytes;

constexpr std::array<std::uint8_t, std::size_t{64} << 10> zeros{};

CommitLogEntry entry_of(const LoggedWrite& write, std::uint64_t sequence) {
  const WriterFolder& folder = write.file->folder();
  CommitLogEntry entry{.sequence = sequence,
                       .type = CommitLogEntryType::batches,
                       .name = folder.name,
                       .topic_id = folder.topic_id,
                       .segment = write.file->base_offset(),
                       .position = static_cast<std::int32_t>(write.position)};
  const auto first = record::BatchView::parse(write.pieces.front().view());
  ARUS_ASSERT(first);
  entry.base_offset = first->base_offset();
  entry.leader_epoch = first->leader_epoch();
  return entry;
}

}  // namespace

void CommitLog::adopt(const FoundCommitLog& found) {
  found_ = found.laps;
  for (const FoundLap& lap : found_) numbers_.insert(lap.number);
  next_generation_ = found.next_generation;
  next_sequence_ = found.next_sequence;
}

std::size_t CommitLog::size_of(const LoggedWrite& write) {
  return commit_log_entry_size(write.file->folder().name.topic, write.size_bytes);
}

bool CommitLog::make_room(std::size_t size_bytes) {
  const std::size_t wanted = commit_log_format::to_blocks(size_bytes);
  if (active_ && active_->filled + wanted <= active_->size_bytes) return true;
  const auto next = std::ranges::find_if(free_, [wanted](const Lap& lap) {
    return commit_log_format::block_bytes + wanted <= lap.size_bytes;
  });
  starved_ = next == free_.end();
  if (starved_) return false;
  Lap lap = std::move(*next);
  free_.erase(next);
  activate(std::move(lap));
  return true;
}

void CommitLog::activate(Lap lap) {
  if (active_) {
    large_ = active_->dirty.size() >= options_.large_from_segments;
    sealed_.push_back(*std::exchange(active_, std::nullopt));
  }
  active_ = Lap{.number = lap.number,
                .path = std::move(lap.path),
                .file = std::move(lap.file),
                .size_bytes = lap.size_bytes,
                .generation = next_generation_++};
}

Result<> CommitLog::append(std::span<const LoggedWrite> writes) {
  const std::uint32_t salt = commit_log_salt(active_->generation);
  Bytes heads;
  std::vector<std::size_t> ends;  // of each head
  std::size_t size = 0;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    encode(entry_of(writes[i], next_sequence_ + i), writes[i].pieces, salt, heads);
    ends.push_back(heads.size());
    size += size_of(writes[i]);
  }
  std::vector<ByteView> pieces;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    pieces.push_back(ByteView(heads).subspan(begin, ends[i] - begin));
    for (const Slice& piece : writes[i].pieces) pieces.push_back(piece.view());
  }
  ARUS_TRY(write_group(pieces, size, writes.size()));
  for (const LoggedWrite& write : writes) note_dirty(write);
  return {};
}

// One write and one flush; the lap's header goes along with its first group.
Result<> CommitLog::write_group(std::vector<ByteView> pieces, std::size_t size_bytes,
                                std::size_t entries) {
  Lap& lap = *active_;
  Bytes header;
  std::size_t at = lap.filled;
  std::size_t end =
      commit_log_format::to_blocks(size_bytes) + std::max(at, commit_log_format::block_bytes);
  ARUS_ASSERT(end <= lap.size_bytes);
  pieces.push_back(ByteView(zeros).first(commit_log_format::to_blocks(size_bytes) - size_bytes));
  if (at == 0) {
    header = encode(CommitLogHeader{lap.generation, next_sequence_, owner_});
    pieces.insert(pieces.begin(), header);
  }
  ARUS_TRY(lap.file->write_at(pieces, static_cast<std::int64_t>(at)));
  ARUS_TRY(lap.file->sync());
  lap.filled = end;
  next_sequence_ += entries;
  return {};
}

void CommitLog::note_dirty(const LoggedWrite& write) {
  const std::shared_ptr<WriterFile>& file = write.file;
  const auto last = record::BatchView::parse(write.pieces.back().view());
  ARUS_ASSERT(last);
  file->logged_end_ = last->next_offset();
  if (file->lap_ == active_->generation) return;
  file->lap_ = active_->generation;
  active_->dirty.push_back(file);
}

std::vector<std::shared_ptr<WriterFile>> CommitLog::dirty_files(const WriterFolder& folder) const {
  std::vector<std::shared_ptr<WriterFile>> files;
  const auto collect = [&](const Lap& lap) {
    for (std::size_t i = lap.flushed; i < lap.dirty.size(); ++i) {
      const WriterFolder& its = lap.dirty[i]->folder();
      if (its.topic_id == folder.topic_id && its.path == folder.path) files.push_back(lap.dirty[i]);
    }
  };
  std::ranges::for_each(sealed_, collect);
  if (active_) collect(*active_);
  return files;
}

Result<> CommitLog::append_settled(const WriterFolder& folder, Offset below) {
  // What is flushed already may be cut off and written anew.
  const auto is_of_folder = [&folder](const Mark& mark) {
    const WriterFolder& its = mark.file->folder();
    return its.topic_id == folder.topic_id && its.path == folder.path;
  };
  std::erase_if(flushed_, is_of_folder);
  for (Lap& lap : sealed_) std::erase_if(lap.marks, is_of_folder);
  const std::size_t size = commit_log_entry_size(folder.name.topic, 0);
  if (!make_room(size)) {
    const std::size_t number = free_number();
    const std::string path = join_path(root_, commit_log_file_name(number));
    auto file = make_file(files_, root_, path, smallest_file_bytes);
    if (!file) return fail(std::move(file).error());
    numbers_.insert(number);
    activate({.number = number,
              .path = path,
              .file = std::move(*file),
              .size_bytes = smallest_file_bytes});
  }
  Bytes head;
  encode(CommitLogEntry{.sequence = next_sequence_,
                        .type = CommitLogEntryType::settled,
                        .name = folder.name,
                        .topic_id = folder.topic_id,
                        .segment = below},
         {}, commit_log_salt(active_->generation), head);
  return write_group({head}, size, 1);
}

Result<std::unique_ptr<env::File>> CommitLog::make_file(env::FileSystem& files,
                                                        const std::string& root,
                                                        const std::string& path, std::size_t size) {
  auto file = files.open(path, env::OpenMode::create);
  if (!file) return file;
  ARUS_TRY((*file)->truncate(0));
  ARUS_TRY(write_zeros(**file, 0, size));
  ARUS_TRY((*file)->sync());
  ARUS_TRY(files.sync_directory(root));
  return file;
}

Result<> CommitLog::write_zeros(env::File& file, std::size_t begin, std::size_t end) {
  for (std::size_t at = begin; at < end; at += zeros.size()) {
    const ByteView piece = ByteView(zeros).first(std::min(zeros.size(), end - at));
    ARUS_TRY(file.write_at(piece, static_cast<std::int64_t>(at)));
  }
  return {};
}

bool CommitLog::wants_file() const {
  if (new_file_bytes() == 0) return false;
  if (starved_) return true;
  return free_.empty() && active_ && active_->filled * 2 >= active_->size_bytes;
}

std::int64_t CommitLog::next_file_bytes() const {
  const std::size_t growth = growth_           ? options_.large_file_bytes - growth_->written
                             : sealed_.empty() ? 0
                                               : growth_bytes(sealed_.front());
  return static_cast<std::int64_t>(std::max(new_file_bytes(), growth));
}

// 0 where none may be made.
std::size_t CommitLog::new_file_bytes() const {
  if (!enabled() || numbers_.size() >= options_.most_files) return 0;
  const std::size_t wanted =
      numbers_.empty() ? options_.first_file_bytes : options_.later_file_bytes;
  const std::size_t size = std::max(commit_log_format::to_blocks(wanted), smallest_file_bytes);
  return may_add(size) ? size : 0;
}

std::size_t CommitLog::growth_bytes(const Lap& lap) const {
  const std::size_t wanted = commit_log_format::to_blocks(options_.large_file_bytes);
  if (!large_ || growth_ || lap.size_bytes >= wanted) return 0;
  const std::size_t growth = wanted - lap.size_bytes;
  return may_add(growth) ? growth : 0;
}

// Whether the files may take so much more, together and of the disk.
bool CommitLog::may_add(std::size_t bytes) const {
  constexpr std::int64_t room_factor = 4;
  std::size_t total = bytes + (active_ ? active_->size_bytes : 0);
  for (const Lap& lap : sealed_) total += lap.size_bytes;
  for (const Lap& lap : free_) total += lap.size_bytes;
  if (growth_) total += options_.large_file_bytes;
  for (const FoundLap& lap : found_) total += lap.size_bytes;
  return total <= options_.most_bytes && next_sequence_ >= no_file_until_ &&
         room_bytes_ / room_factor >= static_cast<std::int64_t>(bytes);
}

void CommitLog::note_no_space() {
  constexpr std::uint64_t entries_between_tries = 10'000;
  no_file_until_ = next_sequence_ + entries_between_tries;
}

std::size_t CommitLog::free_number() const {
  std::size_t number = 0;
  while (numbers_.contains(number)) ++number;
  return number;
}

Result<> CommitLog::release_found() {
  while (!found_.empty()) {
    FoundLap& lap = found_.front();
    auto file = files_.open(lap.path, env::OpenMode::read_write);
    if (!file) return fail(std::move(file).error());
    ARUS_TRY((*file)->write_at(Bytes(commit_log_format::block_bytes), 0));
    ARUS_TRY((*file)->sync());
    const std::size_t size =
        lap.size_bytes / commit_log_format::block_bytes * commit_log_format::block_bytes;
    if (size >= smallest_file_bytes) {
      free_.push_back(
          {.number = lap.number, .path = lap.path, .file = std::move(*file), .size_bytes = size});
    } else {
      numbers_.erase(lap.number);
    }
    found_.erase(found_.begin());
  }
  return {};
}

Result<> CommitLog::remove_files() {
  active_.reset();
  sealed_.clear();
  flushed_.clear();
  free_.clear();
  growth_.reset();
  found_.clear();
  numbers_.clear();
  const auto entries = files_.list(root_);
  if (!entries) return fail(entries.error());
  bool removed = false;
  for (const auto& entry : *entries) {
    if (entry.is_directory || !parse_commit_log_file_name(entry.name)) continue;
    ARUS_TRY(files_.remove(join_path(root_, entry.name)));
    removed = true;
  }
  return removed ? files_.sync_directory(root_) : Result<>{};
}

}  // namespace arus::storage
