// Cutting a log at either end.
#include <fmt/core.h>

#include <algorithm>

#include "storage/batch_scanner.h"
#include "storage/directory_contents.h"
#include "storage/partition_log.h"

namespace arus::storage {

namespace {

constexpr std::string_view segment_kinds[] = {suffix::log, suffix::offset_index, suffix::time_index,
                                              suffix::transaction_index};

// Where in the file the first batch that reaches `end` begins.
Result<std::int64_t> cut_position(env::FileSystem& files, const std::string& path, Offset end) {
  const auto file = files.open(path, env::OpenMode::read);
  if (!file) return fail(file.error());
  const auto size = (*file)->size();
  if (!size) return fail(size.error());
  BatchScanner scanner(**file, 0, *size, env::ReadMode::may_block);
  while (const auto batch = scanner.next()) {
    if (batch->last_offset >= end) return batch->position;
  }
  if (!scanner.status()) return fail(scanner.status().error());
  return *size;
}

// Also those that no segment begins at: a stop leaves one wherever the log ended.
Result<> add_snapshots_below(env::FileSystem& files, const std::string& folder, Offset begin,
                             std::vector<std::string>& paths) {
  const auto entries = files.list(folder);
  if (!entries) return fail(entries.error());
  for (const auto& entry : *entries) {
    const auto at = parse_segment_file_name(entry.name, suffix::producer_snapshot);
    if (at && *at < begin) paths.push_back(join_path(folder, entry.name));
  }
  return {};
}

struct Cut {
  std::string folder;
  std::vector<Offset> removed;      // segments that go
  std::optional<Offset> shortened;  // the one that holds the new end
  std::vector<Offset> snapshots;    // that lie beyond it
};

// The cut is on stable storage before anything is appended behind it.
Result<> carry_out(DirectoryWriter& writer, const Cut& cut, Offset end) {
  env::FileSystem& files = writer.files();
  const auto path = [&](Offset base, std::string_view kind) {
    return join_path(cut.folder, segment_file_name(base, kind));
  };
  for (const Offset base : cut.removed) {
    for (const std::string_view kind : segment_kinds) ARUS_TRY(files.remove(path(base, kind)));
  }
  for (const Offset at : cut.snapshots) {
    ARUS_TRY(files.remove(path(at, suffix::producer_snapshot)));
  }
  if (cut.shortened) {
    const std::string log = path(*cut.shortened, suffix::log);
    const auto position = cut_position(files, log, end);
    if (!position) return fail(position.error());
    const auto file = files.open(log, env::OpenMode::read_write);
    if (!file) return fail(file.error());
    ARUS_TRY((*file)->truncate(*position));
    ARUS_TRY((*file)->sync());
    // The indexes are rebuilt from what is left.
    for (const std::string_view kind : segment_kinds) {
      if (kind != suffix::log) ARUS_TRY(files.remove(path(*cut.shortened, kind)));
    }
  }
  return files.sync_directory(cut.folder);
}

}  // namespace

env::Task<Result<>> PartitionLog::truncate_to(Offset end) {
  if (failure_) co_return fail(*failure_);
  if (end >= log_end_) co_return Result<>{};
  if (end < log_start_) {
    co_return fail(ErrorCode::offset_out_of_range,
                   fmt::format("{} begins at {} and cannot be cut to {}", name_.to_string(),
                               log_start_.value(), end.value()));
  }
  const auto changing = co_await change_latch_.hold_alone();
  const auto alone = co_await file_latch_.hold_alone();
  // Nothing of what goes may still wait to be written or flushed; what stays is durable afterwards.
  if (auto done = co_await flush(); !done) co_return fail(std::move(done).error());
  if (auto done = co_await host_->port->drain(); !done) co_return fail(std::move(done).error());
  epochs_.truncate_to(end);
  epochs_unsaved_ = true;
  save_epochs();
  Cut cut{.folder = folder_->path, .removed = {}, .shortened = {}, .snapshots = {}};
  std::vector<std::shared_ptr<WriterFile>> open;
  for (const auto& segment : segments_) {
    if (segment->base_offset() >= end &&
        segment->base_offset() > segments_.front()->base_offset()) {
      cut.removed.push_back(segment->base_offset());
    } else {
      cut.shortened = segment->base_offset();
    }
    if (segment->base_offset() > end) cut.snapshots.push_back(segment->base_offset());
  }
  if (snapshot_offset_ > end) cut.snapshots.push_back(snapshot_offset_);
  if (SegmentTail* const tail = segments_.empty() ? nullptr : segments_.back()->tail()) {
    open = {tail->log, tail->offset_index, tail->time_index};
    if (tail->transaction_index) open.push_back(tail->transaction_index);
  }
  if (auto lowered = co_await lower_recovery_point(cut.shortened.value_or(end)); !lowered) {
    co_return fail(std::move(lowered).error());
  }
  if (cleaned_to_ && *cleaned_to_ > end) cleaned_to_ = end;
  host_->port->act(
      [open = std::move(open), folder = folder_, cut, end](DirectoryWriter* writer) -> Result<> {
        ARUS_TRY(writer->settle(*folder, std::nullopt));
        for (const auto& file : open) writer->close(*file);
        return carry_out(*writer, cut, end);
      });
  if (auto done = co_await host_->port->drain(); !done) co_return fail(std::move(done).error());
  auto loaded = co_await reload();
  if (!loaded) co_return fail(std::move(loaded).error());
  adopt(std::move(*loaded));
  cutting_ = false;
  dirty_ = true;
  host_->offsets_changed = true;
  if (observer_ != nullptr) observer_->on_progress();
  co_return Result<>{};
}

// What will stand between the cut and the recovery point of before is not checked by a recovery
// that believes the latter. Flushes of what is cut, which end later, must not move it back.
env::Task<Result<>> PartitionLog::lower_recovery_point(Offset to) {
  link_->log = nullptr;
  link_ = std::make_shared<Link>(this);
  cutting_ = true;
  if (recovery_point_ <= to) co_return Result<>{};
  recovery_point_ = to;
  host_->offsets_changed = true;
  const auto directory = host_->directory.lock();
  if (directory == nullptr || name_.topic == metadata_topic_name) co_return Result<>{};
  co_return co_await directory->checkpoint_now();
}

env::Task<Result<LoadedLog>> PartitionLog::reload() {
  const LoadRequest request{
      .path = folder_->path,
      .log_start = log_start_,
      .recovery_point = recovery_point_,
      .clean = false,
      .contiguous_from = config_->cleanup_compact ? std::nullopt : std::optional(recovery_point_),
      .index_interval_bytes = config_->index_interval_bytes,
      .now_ms = host_->environment.clock().wall_ms(),
      .producer_id_expiration_ms = host_->producer_id_expiration_ms};
  env::FileSystem& files = host_->environment.files();
  co_return co_await env::run_on(host_->pool,
                                 [&files, &request] { return load_log(files, request); });
}

env::Task<Result<>> PartitionLog::advance_log_start(Offset start) {
  if (failure_) co_return fail(*failure_);
  if (start > log_end_) {
    co_return fail(ErrorCode::offset_out_of_range,
                   fmt::format("{} ends at {} and cannot begin at {}", name_.to_string(),
                               log_end_.value(), start.value()));
  }
  if (start <= log_start_) co_return Result<>{};
  if (start > stated_start_) {
    stated_start_ = start;
    dirty_ = true;
    host_->offsets_changed = true;
  }
  // The metadata log is not in the checkpoints: where it begins, its snapshot says.
  const auto directory = host_->directory.lock();
  if (directory != nullptr && name_.topic != metadata_topic_name) {
    if (auto kept = co_await directory->checkpoint_now(); !kept) {
      co_return fail(std::move(kept).error());
    }
  }
  // A segment that compaction is putting in place of others must not be taken for one of those.
  co_await change_latch_.pass();
  // Others may have gone further meanwhile.
  if (start <= log_start_) co_return Result<>{};
  log_start_ = start;
  if (epochs_.advance_start(start)) {
    epochs_unsaved_ = true;
    save_epochs();
  }
  drop_segments_below(start);
  if (observer_ != nullptr) observer_->on_progress();
  co_return Result<>{};
}

// Takes away the segments that lie wholly below `start`, but never the newest one. Their files get
// another name at once and go later, so that whoever reads them finishes.
void PartitionLog::drop_segments_below(Offset start) {
  std::vector<std::string> paths;
  while (segments_.size() > 1 && segments_[1]->base_offset() <= start) {
    const Offset base = segments_.front()->base_offset();
    for (const std::string_view kind : segment_kinds) {
      paths.push_back(join_path(folder_->path, segment_file_name(base, kind)));
    }
    ++removed_.count;
    removed_.size_bytes += segments_.front()->size_bytes();
    std::erase_if(unsynced_, [base](const auto& file) { return file->base_offset() == base; });
    segments_.erase(segments_.begin());
  }
  if (paths.empty()) return;
  const auto delay = env::milliseconds{config_->file_delete_delay_ms};
  host_->port->act([paths = std::move(paths), folder = folder_, delay, directory = host_->directory,
                    link = link_, begin = segments_.front()->base_offset(),
                    renamed = std::vector<std::string>{},
                    &loop = host_->port->loop()](DirectoryWriter* writer) mutable -> Result<> {
    env::FileSystem& files = writer->files();
    ARUS_TRY(writer->settle(*folder, begin));
    ARUS_TRY(add_snapshots_below(files, folder->path, begin, paths));
    for (const std::string& path : paths) {
      if (!files.exists(path)) continue;
      ARUS_TRY(files.rename(path, path + std::string(suffix::deleted)));
      renamed.push_back(path + std::string(suffix::deleted));
    }
    ARUS_TRY(files.sync_directory(folder->path));
    loop.post(
        [directory, link, begin, renamed = std::move(renamed), delay]() mutable {
          if (const auto alive = directory.lock()) alive->remove_later(std::move(renamed), delay);
          if (link->log == nullptr) return;
          link->log->files_begin_ = std::max(link->log->files_begin_, begin);
          link->log->host_->offsets_changed = true;
        },
        env::Priority::background);
    return {};
  });
}

}  // namespace arus::storage
