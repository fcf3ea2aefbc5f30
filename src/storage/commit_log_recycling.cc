// What becomes of the laps of a commit log that are full.
#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/log.h"
#include "storage/commit_log.h"
#include "storage/durable_directory.h"
#include "storage/file_names.h"
#include "storage/full_disk.h"
#include "storage/presence.h"

namespace arus::storage {

namespace {

const LogComponent recycling_events{"storage.commit_log"};

constexpr std::size_t segments_at_once = 8;  // of a wide lap, in one job
// For each block that the active lap gets, which is mostly a flush, so many segments of a wide one
// are written back, and then of its own.
constexpr std::size_t started_for_each_block = 2;
constexpr std::size_t ahead_for_each_block = 4;

Result<> start_write_back(env::FileSystem& files, const std::string& path) {
  const auto file = files.open(path, env::OpenMode::read_write);
  return unless_gone(file ? (*file)->start_write_back() : fail(file.error()));
}

}  // namespace

// Of n segments the k-th is flushed once the active lap is filled to k / 2n.
bool CommitLog::is_due(const Lap& lap) const {
  if (in_haste() || lap.flushed == lap.dirty.size()) return true;
  return active_->filled * 2 * lap.dirty.size() >= active_->size_bytes * lap.flushed;
}

std::optional<BackgroundJob> CommitLog::next_job() {
  if (wants_file()) return make_file_job();
  if (!flushed_.empty()) return tell_job();
  auto job = sealed_.empty() ? std::nullopt : next_lap_job(sealed_.front());
  if (!job && growth_) job = next_growth_job();
  return job;
}

std::optional<BackgroundJob> CommitLog::next_lap_job(Lap& lap) {
  if (is_wide(lap)) return next_wide_job(lap);
  if (!is_due(lap)) return std::nullopt;
  return lap.flushed < lap.dirty.size() ? flush_job(lap) : void_job(lap);
}

// First the segments of the lap, then those that the active lap has made dirty meanwhile, until few
// are left: what syncfs finds to do holds up the flushes that others wait for.
std::optional<BackgroundJob> CommitLog::next_wide_job(Lap& lap) {
  if (lap.flushed == lap.dirty.size()) return void_job(lap);
  if (in_haste()) return sync_job(lap);
  const std::size_t all = lap.dirty.size();
  const std::size_t blocks = active_->filled / commit_log_format::block_bytes;
  if (lap.started < all) {
    const bool due = lap.started <= blocks * started_for_each_block ||
                     active_->size_bytes * lap.started <= active_->filled * 2 * all;
    if (!due) return std::nullopt;
    const auto some =
        std::span(lap.dirty).subspan(lap.started, std::min(segments_at_once, all - lap.started));
    for (const auto& file : some) mark(lap, file);
    lap.started += some.size();
    lap.started_at = blocks;
    return write_back_job(some);
  }
  if (is_nearly_clean(*active_)) return sync_job(lap);
  if (active_->ahead > (blocks - lap.started_at) * ahead_for_each_block) return std::nullopt;
  const auto some = std::span(active_->dirty)
                        .subspan(active_->ahead, std::min(segments_at_once,
                                                          active_->dirty.size() - active_->ahead));
  active_->ahead += some.size();
  return write_back_job(some);
}

// Or it is late.
bool CommitLog::is_nearly_clean(const Lap& lap) const {
  return lap.dirty.size() - lap.ahead <= options_.flush_each_up_to ||
         lap.filled * 4 >= lap.size_bytes * 3;
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
      free_.push_back(std::move(made->lap));
    }
  };
  return {std::move(work), std::move(done)};
}

void CommitLog::mark(Lap& lap, const std::shared_ptr<WriterFile>& file) {
  const WriterFolder& folder = file->folder();
  lap.marks.push_back({.file = file,
                       .created = folder.created_unsynced,
                       .entries = folder.entries_made,
                       .end = file->logged_end_});
}

// The names that lead to the segment come first.
BackgroundJob CommitLog::flush_job(Lap& lap) {
  const std::shared_ptr<WriterFile>& file = lap.dirty[lap.flushed];
  lap.descriptor_lost = std::exchange(file->descriptor_lost_, false) || lap.descriptor_lost;
  file->unsynced_ = false;
  mark(lap, file);
  const WriterFolder& folder = file->folder();
  auto work = [&files = files_, root = root_, folder = folder.path, open = file->open_,
               path = file->path(), created = folder.created_unsynced,
               made_entries = folder.has_unsynced_entries()]() -> Result<> {
    if (created || made_entries) ARUS_TRY(sync_partition_folder(files, folder, created));
    if (created) ARUS_TRY(files.sync_directory(root));
    return open != nullptr ? open->sync() : sync_file(files, path);
  };
  auto done = [this] { end_flushes(1); };
  return {std::move(work), std::move(done)};
}

BackgroundJob CommitLog::write_back_job(std::span<const std::shared_ptr<WriterFile>> some) {
  struct Target {
    std::shared_ptr<env::File> open;
    std::string path;
  };
  std::vector<Target> targets;
  for (const auto& file : some) targets.push_back({file->open_, file->path()});
  auto work = [&files = files_, targets = std::move(targets)]() -> Result<> {
    for (const Target& target : targets) {
      ARUS_TRY(target.open != nullptr ? target.open->start_write_back()
                                      : start_write_back(files, target.path));
    }
    return {};
  };
  return {std::move(work), [] {}};
}

// All that was written before it begins, with its names. The descriptors of the segments may be
// closed meanwhile: this one tells of every error.
BackgroundJob CommitLog::sync_job(Lap& lap) {
  for (; lap.started < lap.dirty.size(); ++lap.started) mark(lap, lap.dirty[lap.started]);
  auto work = [held = held_] { return held->sync(); };
  auto done = [this, count = lap.dirty.size()] { end_flushes(count); };
  return {std::move(work), std::move(done)};
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
    // Growing takes a while, so it is for when another file is ready for use.
    if (!free_.empty() && growth_bytes(lap) > 0) {
      const std::size_t size = lap.size_bytes;
      growth_ = Growth{.lap = std::move(lap), .written = size, .began_at = next_sequence_};
    } else {
      free_.push_back(std::move(lap));
    }
  };
  return {std::move(work), std::move(done)};
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
