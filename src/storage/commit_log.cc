#include "storage/commit_log.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.h"
#include "base/log.h"
#include "record/batch.h"
#include "storage/file_names.h"
#include "storage/full_disk.h"
#include "storage/presence.h"

namespace arus::storage {

namespace {

const LogComponent commit_events{"storage.commit_log"};

constexpr std::size_t smallest_file_bytes = 2 * commit_log_format::block_bytes;
constexpr std::uint64_t entries_between_tries = 10'000;  // after a file found no space

constexpr std::array<std::uint8_t, std::size_t{64} << 10> zeros{};

Result<> sync_path(env::FileSystem& files, const std::string& path) {
  const auto file = files.open(path, env::OpenMode::read_write);
  return unless_gone(file ? (*file)->sync() : fail(file.error()));
}

Bytes void_header() { return Bytes(commit_log_format::block_bytes); }

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
  if (active_) sealed_.push_back(*std::exchange(active_, std::nullopt));
  lap.generation = next_generation_++;
  lap.filled = 0;
  lap.dirty.clear();
  lap.flushed = 0;
  lap.descriptor_lost = false;
  active_ = std::move(lap);
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
  for (std::size_t at = 0; at < size; at += zeros.size()) {
    const ByteView piece = ByteView(zeros).first(std::min(zeros.size(), size - at));
    ARUS_TRY((*file)->write_at(piece, static_cast<std::int64_t>(at)));
  }
  ARUS_TRY((*file)->sync());
  ARUS_TRY(files.sync_directory(root));
  return file;
}

bool CommitLog::wants_file() const {
  if (next_sequence_ < no_file_until_ || next_file_bytes() == 0) return false;
  if (starved_) return true;
  return free_.empty() && active_ && active_->filled * 2 >= active_->size_bytes;
}

std::int64_t CommitLog::next_file_bytes() const {
  constexpr std::int64_t room_factor = 4;
  if (!enabled() || numbers_.size() >= options_.most_files) return 0;
  const auto size = static_cast<std::int64_t>(new_file_bytes());
  return room_bytes_ / room_factor < size ? 0 : size;
}

std::size_t CommitLog::new_file_bytes() const {
  const std::size_t size = numbers_.empty() ? options_.first_file_bytes : options_.later_file_bytes;
  return std::max(commit_log_format::to_blocks(size), smallest_file_bytes);
}

std::size_t CommitLog::free_number() const {
  std::size_t number = 0;
  while (numbers_.contains(number)) ++number;
  return number;
}

// Of n segments the k-th is flushed once the active lap is filled to k / 2n.
bool CommitLog::is_due(const Lap& lap) const {
  if (starved_ || !active_ || sealed_.size() > 1 || lap.flushed == lap.dirty.size()) return true;
  return active_->filled * 2 * lap.dirty.size() >= active_->size_bytes * lap.flushed;
}

std::optional<BackgroundJob> CommitLog::next_job() {
  if (wants_file()) return make_file_job();
  if (sealed_.empty() || !is_due(sealed_.front())) return std::nullopt;
  Lap& lap = sealed_.front();
  return lap.flushed < lap.dirty.size() ? flush_job(lap) : void_job(lap);
}

BackgroundJob CommitLog::make_file_job() {
  struct Made {
    Lap lap;
    bool no_space = false;
  };
  auto made = std::make_shared<Made>();
  Lap& lap = made->lap;
  lap.number = free_number();
  lap.path = join_path(root_, commit_log_file_name(lap.number));
  lap.size_bytes = new_file_bytes();
  numbers_.insert(lap.number);
  auto work = [&files = files_, root = root_, made]() -> Result<> {
    auto file = make_file(files, root, made->lap.path, made->lap.size_bytes);
    if (file) {
      made->lap.file = std::move(*file);
      return {};
    }
    const bool no_space = is_full_disk(file.error()) || file.error().os_error == EFBIG;
    if (!no_space) return fail(std::move(file).error());
    commit_events.warning("{}; segments are flushed instead", file.error().message);
    made->no_space = true;
    return files.remove(made->lap.path);
  };
  auto done = [this, made] {
    starved_ = false;
    if (made->no_space) {
      numbers_.erase(made->lap.number);
      no_file_until_ = next_sequence_ + entries_between_tries;
    } else {
      free_.push_back(std::move(made->lap));
    }
  };
  return {std::move(work), std::move(done)};
}

// The names that lead to the segment come first.
BackgroundJob CommitLog::flush_job(Lap& lap) {
  const std::shared_ptr<WriterFile>& file = lap.dirty[lap.flushed];
  lap.descriptor_lost = std::exchange(file->descriptor_lost_, false) || lap.descriptor_lost;
  file->unsynced_ = false;
  WriterFolder& folder = *file->folder_;
  const bool created = folder.created_unsynced;
  const bool made_entries = folder.has_unsynced_entries();
  const std::uint64_t entries = folder.entries_made;
  const Offset end = file->logged_end_;
  auto work = [&files = files_, root = root_, folder = folder.path, open = file->open_,
               path = file->path(), created, made_entries]() -> Result<> {
    if (created) {
      ARUS_TRY(sync_path(files, join_path(folder, partition_metadata_name)));
    }
    if (created || made_entries) ARUS_TRY(unless_gone(files.sync_directory(folder)));
    if (created) ARUS_TRY(files.sync_directory(root));
    return open != nullptr ? open->sync() : sync_path(files, path);
  };
  auto done = [this, file, created, entries, end] {
    WriterFolder& folder = *file->folder_;
    if (created) folder.created_unsynced = false;
    folder.entries_synced = std::max(folder.entries_synced, entries);
    if (file->logged_end_ >= end) folder.flushed(file->base_offset(), end);
    ++sealed_.front().flushed;
  };
  return {std::move(work), std::move(done)};
}

BackgroundJob CommitLog::void_job(Lap& lap) {
  auto work = [&files = files_, root = root_, file = lap.file,
               lost = lap.descriptor_lost]() -> Result<> {
    if (lost) ARUS_TRY(files.sync_file_system(root));
    ARUS_TRY(file->write_at(void_header(), 0));
    return file->sync();
  };
  auto done = [this] {
    free_.push_back(std::move(sealed_.front()));
    sealed_.pop_front();
  };
  return {std::move(work), std::move(done)};
}

Result<> CommitLog::release_found() {
  while (!found_.empty()) {
    FoundLap& lap = found_.front();
    auto file = files_.open(lap.path, env::OpenMode::read_write);
    if (!file) return fail(std::move(file).error());
    ARUS_TRY((*file)->write_at(void_header(), 0));
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
  free_.clear();
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
