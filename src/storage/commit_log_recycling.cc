// What becomes of the laps of a commit log that are full.
#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "storage/commit_log.h"
#include "storage/durable_directory.h"
#include "storage/file_names.h"
#include "storage/full_disk.h"
#include "storage/presence.h"

namespace arus::storage {

namespace {

const LogComponent recycling_events{"storage.commit_log"};

constexpr std::size_t flushes_at_once = 16;

Result<> start_write_back(env::FileSystem& files, const std::string& path) {
  const auto file = files.open(path, env::OpenMode::read_write);
  return unless_gone(file ? (*file)->start_write_back() : fail(file.error()));
}

}  // namespace

std::optional<BackgroundJob> CommitLog::next_job() {
  if (wants_file()) return make_file_job();
  if (!flushed_.empty()) return tell_job();
  auto job = growth_ ? next_growth_job() : std::nullopt;
  if (!job && !sealed_.empty()) job = next_lap_job(sealed_.front());
  return job;
}

std::optional<BackgroundJob> CommitLog::next_lap_job(Lap& lap) {
  const std::size_t all = lap.dirty.size();
  if (lap.flushed == all) return void_job(lap);
  const bool hurries = in_haste() || is_late();
  if (hurries && all > options_.flush_each_up_to) return sync_job(lap);
  const std::size_t due = hurries ? all : due_of(lap);
  if (due <= lap.flushed) return std::nullopt;
  return flush_job(lap, std::min(due - lap.flushed, flushes_at_once));
}

bool CommitLog::is_late() const { return active_->filled * 4 >= active_->size_bytes * 3; }

// Of n segments the k-th is flushed once the active lap is filled to 2k / 5n: they are done before
// half of it is, when another file would be made if none were free.
std::size_t CommitLog::due_of(const Lap& lap) const {
  const std::size_t due = active_->filled * 5 * lap.dirty.size() / (active_->size_bytes * 2) + 1;
  return std::min(due, lap.dirty.size());
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
    recycling_events.warning("{}; segments are flushed instead", file.error().message);
    made->no_space = true;
    return files.remove(made->lap.path);
  };
  auto done = [this, made] {
    starved_ = false;
    if (made->no_space) {
      numbers_.erase(made->lap.number);
      note_no_space();
    } else {
      put_to_use(std::move(made->lap));
    }
  };
  return {std::move(work), std::move(done)};
}

// A flush of it begins: what is written from here on is for the next. Gives what must live until
// it ends.
std::unique_ptr<env::FilePin> CommitLog::mark(Lap& lap, const std::shared_ptr<WriterFile>& file) {
  const WriterFolder& folder = file->folder();
  lap.marks.push_back({.file = file,
                       .created = folder.created_unsynced,
                       .entries = folder.entries_made,
                       .end = file->logged_end_});
  if (std::exchange(file->descriptor_lost_, false)) lap.descriptor_lost = true;
  file->unsynced_ = false;
  return std::move(file->pin_);
}

// Others are begun to be written back meanwhile: a flush that finds little to write does not hold
// up the flushes that somebody waits for.
BackgroundJob CommitLog::flush_job(Lap& lap, std::size_t count) {
  const std::size_t all = lap.dirty.size();
  const std::size_t ahead = all > options_.flush_each_up_to ? all / 64 + 1 : 0;
  std::vector<Target> targets;
  for (std::size_t i = lap.flushed; i < lap.flushed + count; ++i) {
    const WriterFile& file = *lap.dirty[i];
    const WriterFolder& folder = file.folder();
    targets.push_back({.open = file.open_,
                       .path = file.path(),
                       .pin = mark(lap, lap.dirty[i]),
                       .folder = folder.path,
                       .created = folder.created_unsynced,
                       .new_entries = folder.has_unsynced_entries()});
  }
  std::vector<Target> later;
  lap.started = std::max(lap.started, lap.flushed + count);
  for (const std::size_t end = std::min(all, lap.flushed + count + ahead); lap.started < end;
       ++lap.started) {
    const WriterFile& file = *lap.dirty[lap.started];
    later.push_back({.open = file.open_, .path = file.path()});
  }
  auto work = [&files = files_, root = root_, targets = std::move(targets),
               later = std::move(later)]() -> Result<> {
    for (const Target& target : later) {
      ARUS_TRY(target.open != nullptr ? target.open->start_write_back()
                                      : start_write_back(files, target.path));
    }
    return flush_each(files, root, targets);
  };
  return {std::move(work), [this, count] { end_flushes(count); }};
}

// The names that lead to a segment come first.
Result<> CommitLog::flush_each(env::FileSystem& files, const std::string& root,
                               std::span<const Target> targets) {
  bool created = false;
  for (const Target& target : targets) {
    created = created || target.created;
    if (target.created || target.new_entries) {
      ARUS_TRY(sync_partition_folder(files, target.folder, target.created));
    }
  }
  if (created) ARUS_TRY(files.sync_directory(root));
  for (const Target& target : targets) {
    ARUS_TRY(target.open != nullptr ? target.open->sync() : sync_file(files, target.path));
  }
  return {};
}

// All that was written before it begins, with its names. The descriptors of the segments may be
// closed meanwhile: this one tells of every error.
BackgroundJob CommitLog::sync_job(Lap& lap) {
  std::vector<std::unique_ptr<env::FilePin>> pins;
  for (std::size_t i = lap.flushed; i < lap.dirty.size(); ++i) {
    if (auto pin = mark(lap, lap.dirty[i])) pins.push_back(std::move(pin));
  }
  const std::size_t count = lap.dirty.size() - lap.flushed;
  lap.descriptor_lost = false;
  auto work = [held = held_, pins = std::move(pins)] { return held->sync(); };
  return {std::move(work), [this, count] { end_flushes(count); }};
}

void CommitLog::end_flushes(std::size_t count) {
  Lap& lap = sealed_.front();
  lap.flushed += count;
  std::ranges::move(lap.marks, std::back_inserter(flushed_));
  lap.marks.clear();
  tell_some();
}

// Thousands of logs are not told at once, since the writer has others to serve.
BackgroundJob CommitLog::tell_job() {
  return {[] { return Result<>{}; }, [this] { tell_some(); }};
}

void CommitLog::tell_some() {
  constexpr std::size_t at_once = 256;
  for (std::size_t i = 0; i < at_once && !flushed_.empty(); ++i) {
    const Mark mark = std::move(flushed_.front());
    flushed_.pop_front();
    WriterFolder& folder = *mark.file->folder_;
    if (mark.created) folder.created_unsynced = false;
    folder.entries_synced = std::max(folder.entries_synced, mark.entries);
    if (mark.file->logged_end_ >= mark.end) folder.flushed(mark.file->base_offset(), mark.end);
  }
}

BackgroundJob CommitLog::void_job(Lap& lap) {
  auto work = [held = lap.descriptor_lost ? held_ : nullptr, file = lap.file]() -> Result<> {
    if (held != nullptr) ARUS_TRY(held->sync());
    ARUS_TRY(file->write_at(Bytes(commit_log_format::block_bytes), 0));
    return file->sync();
  };
  auto done = [this] {
    Lap lap = std::move(sealed_.front());
    sealed_.pop_front();
    put_to_use(std::move(lap));
  };
  return {std::move(work), std::move(done)};
}

// It grows before that where it should and there is time: another file is free, or may be made.
void CommitLog::put_to_use(Lap lap) {
  const bool has_time = !free_.empty() || (active_ && active_->filled * 2 < active_->size_bytes);
  if (has_time && growth_bytes(lap) > 0) {
    const std::size_t size = lap.size_bytes;
    growth_ = Growth{.lap = std::move(lap), .written = size, .began_at = next_sequence_};
  } else {
    free_.push_back(std::move(lap));
  }
}

// One portion after the other, and a single flush at the end: each flush of a file that has become
// longer commits the journal, behind which flushes that others wait for queue.
std::optional<BackgroundJob> CommitLog::next_growth_job() {
  constexpr std::size_t portion = std::size_t{256} << 10;
  constexpr std::uint64_t entries_for_each = 32;
  const std::size_t begin = growth_->written;
  const std::size_t size = growth_->lap.size_bytes;
  if ((begin - size) / portion * entries_for_each > next_sequence_ - growth_->began_at) {
    return std::nullopt;
  }
  const std::size_t target = commit_log_format::to_blocks(options_.large_file_bytes);
  const std::size_t end = std::min(begin + portion, target);
  auto no_space = std::make_shared<bool>(false);
  auto work = [file = growth_->lap.file, size, begin, end, target, no_space]() -> Result<> {
    Result<> written = write_zeros(*file, begin, end);
    if (written) written = end == target ? file->sync() : file->start_write_back();
    if (written) return {};
    *no_space = is_full_disk(written.error()) || written.error().os_error == EFBIG;
    return *no_space ? file->truncate(static_cast<std::int64_t>(size)) : written;
  };
  auto done = [this, end, target, no_space] {
    growth_->written = end;
    if (*no_space) note_no_space();
    if (!*no_space && end < target) return;
    if (!*no_space) growth_->lap.size_bytes = target;
    free_.push_back(std::move(growth_->lap));
    growth_.reset();
  };
  return BackgroundJob{std::move(work), std::move(done)};
}

}  // namespace arus::storage
