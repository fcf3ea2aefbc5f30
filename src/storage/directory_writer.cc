#include "storage/directory_writer.h"

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "base/log.h"
#include "env/os_error.h"
#include "storage/durable_directory.h"
#include "storage/failed_flush.h"
#include "storage/file_names.h"
#include "storage/full_disk.h"
#include "storage/presence.h"

namespace arus::storage {

namespace {
const LogComponent directory_writer_log{"storage.writer"};
}  // namespace

Result<std::shared_ptr<env::File>> WriterFiles::open(const std::shared_ptr<WriterFile>& file) {
  if (file->open_ != nullptr) {
    uses_.splice(uses_.begin(), uses_, file->use_);
    return file->open_;
  }
  if (uses_.size() >= limit_) evict_one();
  auto opened = files_.open(file->path(), env::OpenMode::create);
  if (!opened) return fail(std::move(opened).error());
  file->open_ = std::move(*opened);
  uses_.push_front(file);
  file->use_ = uses_.begin();
  return file->open_;
}

void WriterFiles::close(WriterFile& file) {
  if (std::exchange(file.pin_, nullptr) != nullptr && file.unsynced_) file.descriptor_lost_ = true;
  if (file.open_ != nullptr) drop_descriptor(file);
}

void WriterFiles::drop_descriptor(WriterFile& file) {
  file.open_ = nullptr;
  if (file.unsynced_ && file.pin_ == nullptr) file.descriptor_lost_ = true;
  uses_.erase(file.use_);  // may end the file's life
}

// A file with unflushed bytes is kept open where another can go: its descriptor is the one that
// reports an error of writing them back. Where that one must go as well, the file is pinned.
void WriterFiles::evict_one() {
  constexpr int looked_at = 16;
  auto candidate = std::prev(uses_.end());
  auto victim = candidate;
  for (int i = 0; i < looked_at; ++i) {
    if (!(*candidate)->unsynced_) {
      victim = candidate;
      break;
    }
    if (candidate == uses_.begin()) break;
    --candidate;
  }
  WriterFile& file = **victim;
  if (file.unsynced_ && file.is_log() && file.pin_ == nullptr) file.pin_ = file.open_->pin();
  drop_descriptor(file);
}

DirectoryWriter::DirectoryWriter(env::Environment& environment, env::Pool& pool, std::string root,
                                 HeldForWriter held, const DirectoryWriterLimits& limits)
    : pool_(pool),
      files_(environment.files()),
      clock_(environment.clock()),
      root_(std::move(root)),
      held_(std::move(held.itself)),
      limits_(limits),
      open_files_(environment.files(), limits.open_files),
      commit_log_(environment.files(), std::move(held.jobs), root_, limits.commit_log),
      space_(limits.reserve_bytes),
      ballast_(environment.files(), root_),
      worker_(environment.make_worker("log-writer")) {}

void DirectoryWriter::submit(WriteGroup group, std::weak_ptr<WritePort> port, env::Loop& loop) {
  worker_->submit([this, group = std::move(group), port = std::move(port), &loop]() mutable {
    if (!stuck_) {
      execute(std::move(group), std::move(port), loop);
      return;
    }
    deferred_.emplace_back([this, group = std::move(group), port = std::move(port),
                            &loop]() mutable { execute(std::move(group), std::move(port), loop); });
  });
}

env::Task<Result<>> DirectoryWriter::run(WriterAction action) {
  const env::OneShot<Result<>> done;
  env::Loop& loop = *env::Loop::current();
  worker_->submit([this, done, &action, &loop] {
    in_order([this, done, &action, &loop] {
      Result<> result = prepare();
      if (result) result = with_reserve([this, &action] { return action(this); });
      loop.post([done, result = std::move(result)]() mutable { done.set(std::move(result)); });
      end_turn();
    });
  });
  co_return co_await done.wait();
}

void DirectoryWriter::execute(WriteGroup group, std::weak_ptr<WritePort> port, env::Loop& loop) {
  Result<> result = prepare();
  if (result) result = perform(group);
  if (!result) {
    if (waits_for(result.error())) {
      wait_for_space({std::move(group), std::move(port), &loop, std::move(result).error()});
    } else {
      go_offline(result.error());
    }
    return;
  }
  if (group.answer_written) answer(port, loop, group.id, WriteStage::written);
  if (group.durable) {
    waiting_bytes_ += group.size_bytes;
    waiting_.push_back(
        {group.id, std::move(port), &loop, std::move(group.flush), group.size_bytes});
  }
  group.steps.clear();
  end_turn();
}

Result<> DirectoryWriter::prepare() {
  if (failure_) return fail(*failure_);
  if (before_first_change_) {
    WriterAction action = std::exchange(before_first_change_, nullptr);
    if (Result<> result = action(this); !result) {
      go_offline(result.error());
      return result;
    }
  }
  return {};
}

Result<> DirectoryWriter::perform(WriteGroup& group) {
  for (; group.done < group.steps.size(); ++group.done) {
    auto& step = group.steps[group.done];
    ARUS_TRY(with_reserve([this, &step] { return carry_out(step); }));
  }
  return {};
}

Result<> DirectoryWriter::carry_out(std::variant<FileWrite, WriterAction>& step) {
  if (auto* const bytes = std::get_if<FileWrite>(&step)) return write(*bytes);
  return std::get<WriterAction>(step)(this);
}

// What has been accepted gets the ballast's space rather than waiting.
template <class Function>
Result<> DirectoryWriter::with_reserve(Function function) {
  Result<> result = function();
  if (result || !is_full_disk(result.error()) || !ballast_.release()) return result;
  return function();
}

Result<> DirectoryWriter::write(FileWrite& write) {
  auto file = open_files_.open(write.file);
  if (!file) return fail(std::move(file).error());
  std::vector<ByteView> pieces;
  pieces.reserve(write.pieces.size());
  for (const Slice& piece : write.pieces) pieces.push_back(piece.view());
  // The first write of a segment makes the file, even when it brings no bytes.
  if (write.file->is_log() && write.position == 0) ++write.file->folder_->entries_made;
  write.file->unsynced_ = true;
  if (write.size_bytes == 0) return {};
  ARUS_TRY((*file)->write_at(pieces, write.position));
  if (write.logged && commit_log_.enabled()) {
    write.file->round_bytes_ += write.size_bytes;
    logged_.push_back({.file = std::move(write.file),
                       .position = write.position,
                       .size_bytes = write.size_bytes,
                       .pieces = std::move(write.pieces)});
  } else {
    write.file->unlogged_ = true;
  }
  return {};
}

Result<> DirectoryWriter::truncate(const std::shared_ptr<WriterFile>& file,
                                   std::int64_t size_bytes) {
  auto opened = open_files_.open(file);
  if (!opened) return fail(std::move(opened).error());
  file->unsynced_ = true;
  file->unlogged_ = true;
  return (*opened)->truncate(size_bytes);
}

void DirectoryWriter::release(WriterFile& file) {
  const bool awaited = std::ranges::any_of(waiting_, [&file](const Waiting& group) {
    return std::ranges::any_of(group.flush,
                               [&file](const auto& each) { return each.get() == &file; });
  });
  if (awaited) return;
  file.unsynced_ = false;
  file.unlogged_ = false;
  close(file);
}

Result<> DirectoryWriter::leave(ClosingFiles& left) {
  if (!closing_) return write_closing_files(files_, left);
  left_.push_back(std::move(left));
  return {};
}

// Flushes as soon as nothing more is there to share the flush. Everything that is queued ends with
// this.
void DirectoryWriter::end_turn() {
  if (failure_) return;
  if (waiting_.empty()) {
    run_background();
    return;
  }
  const bool full =
      waiting_.size() >= limits_.round_groups || waiting_bytes_ >= limits_.round_bytes;
  if (!full && (worker_->queued() > 0 || !deferred_.empty())) return;
  if (Result<> ended = end_round(); !ended) {
    go_offline(ended.error());
    return;
  }
  run_background();
}

// Files are flushed before the group of the commit log: what it names never stands behind bytes
// that are not durable.
Result<> DirectoryWriter::end_round() {
  divide_round();
  ARUS_TRY(flush_unlogged());
  env::Duration took{};
  if (!logged_.empty()) {
    const env::TimePoint began = clock_.now();
    ARUS_TRY(append_logged());
    took = clock_.now() - began;
  }
  for (const Waiting& group : std::exchange(waiting_, {})) {
    answer(group.port, *group.loop, group.id, WriteStage::durable, took);
  }
  waiting_bytes_ = 0;
  return {};
}

// A file system that writes elsewhere what is overwritten may have no space for the commit log.
Result<> DirectoryWriter::append_logged() {
  Result<> appended = commit_log_.append(logged_);
  if (!appended && is_full_disk(appended.error())) {
    for (const LoggedWrite& write : logged_) write.file->unlogged_ = true;
    appended = flush_unlogged();
  }
  if (appended) logged_.clear();
  return appended;
}

// Decides what goes to the commit log; the files of the rest are flushed.
void DirectoryWriter::divide_round() {
  const std::size_t direct_from = commit_log_.options().direct_from_bytes;
  std::size_t size = 0;
  for (const LoggedWrite& write : logged_) {
    WriterFile& file = *write.file;
    if (file.round_bytes_ >= direct_from) file.unlogged_ = true;
    file.round_bytes_ = 0;
    if (!file.unlogged_) size += CommitLog::size_of(write);
  }
  const bool fits = size > 0 && commit_log_.make_room(size);
  std::erase_if(logged_, [fits](const LoggedWrite& write) {
    if (!fits) write.file->unlogged_ = true;
    return write.file->unlogged_;
  });
}

Result<> DirectoryWriter::flush_unlogged() {
  std::vector<std::shared_ptr<WriterFile>> files;
  for (const Waiting& group : waiting_) {
    for (const auto& file : group.flush) {
      if (std::exchange(file->unlogged_, false)) files.push_back(file);
    }
  }
  return flush(files);
}

Result<> DirectoryWriter::flush(const std::vector<std::shared_ptr<WriterFile>>& files) {
  std::vector<WriterFolder*> folders;  // in the order of the writes, each once
  std::vector<std::shared_ptr<WriterFile>> present;
  bool descriptor_lost = false;
  for (const auto& file : files) {
    descriptor_lost = std::exchange(file->descriptor_lost_, false) || descriptor_lost;
    WriterFolder& folder = *file->folder_;
    // A topic that is deleted meanwhile takes what nobody waits for with it. An open file needs no
    // name any more.
    const bool needs_folder = folder.created_unsynced || folder.has_unsynced_entries();
    if (needs_folder && is_gone(files_, folder.path)) continue;
    if (file->open_ == nullptr && is_gone(files_, file->path())) continue;
    present.push_back(file);
    if ((folder.created_unsynced || folder.has_unsynced_entries()) &&
        !std::exchange(folder.in_round, true)) {
      folders.push_back(&folder);
    }
  }
  if (descriptor_lost || files.size() + folders.size() > limits_.sync_each_up_to) {
    ARUS_TRY(sync_everything());
  } else {
    ARUS_TRY(flush_folders(folders));
    ARUS_TRY(flush_files(present));
  }
  bool lost_meanwhile = false;
  for (const auto& file : files) {
    note_synced(*file);
    lost_meanwhile = std::exchange(file->descriptor_lost_, false) || lost_meanwhile;
  }
  if (lost_meanwhile) ARUS_TRY(sync_everything());
  for (WriterFolder* const folder : folders) {
    folder->in_round = false;
    folder->created_unsynced = false;
    folder->entries_synced = folder->entries_made;
  }
  return {};
}

Result<> DirectoryWriter::sync_everything() {
  Result<> synced = held_->sync();
  if (!synced) go_offline(synced.error());
  return synced;
}

Result<> DirectoryWriter::heed(Result<> result) {
  if (!result && env::is_device_failure(result.error())) go_offline(result.error());
  return result;
}

Result<> DirectoryWriter::flush_files(const std::vector<std::shared_ptr<WriterFile>>& files) {
  for (const auto& file : files) {
    auto opened = open_files_.open(file);
    if (!opened) return fail(std::move(opened).error());
    ARUS_TRY((*opened)->sync());
    note_synced(*file);
  }
  return {};
}

void DirectoryWriter::note_synced(WriterFile& file) {
  file.unsynced_ = false;
  file.pin_ = nullptr;
}

// A partition's folder and its topic id come first, so that records never survive without them.
Result<> DirectoryWriter::flush_folders(const std::vector<WriterFolder*>& folders) {
  bool created = false;
  for (const WriterFolder* const folder : folders) {
    created = created || folder->created_unsynced;
    ARUS_TRY(sync_partition_folder(files_, folder->path, folder->created_unsynced));
  }
  if (created) ARUS_TRY(files_.sync_directory(root_));
  return {};
}

Result<> DirectoryWriter::settle(const WriterFolder& folder, std::optional<Offset> below) {
  if (!commit_log_.may_replay() && logged_.empty()) return {};
  ARUS_TRY(end_round());
  if (!commit_log_.may_replay()) return {};
  if (!below) {
    auto dirty = commit_log_.dirty_files(folder);
    // Flushes under way do not speak for what is written there later.
    for (const auto& file : dirty) file->logged_end_ = no_offset;
    std::erase_if(dirty, [this](const auto& file) { return is_gone(files_, file->path()); });
    ARUS_TRY(flush(dirty));
  }
  return commit_log_.append_settled(
      folder, below.value_or(Offset{std::numeric_limits<std::int64_t>::max()}));
}

void DirectoryWriter::answer(const std::weak_ptr<WritePort>& port, env::Loop& loop,
                             std::uint64_t id, WriteStage stage, env::Duration flush_took) {
  loop.post([port, id, stage, flush_took] {
    if (const auto alive = port.lock()) alive->complete(id, stage, flush_took);
  });
}

void DirectoryWriter::go_offline(const Error& error) {
  if (failure_) return;
  directory_writer_log.error("{} goes offline: {}", root_, error.message);
  failure_ = error;
  failure_->code = ErrorCode::kafka_storage_error;
  waiting_.clear();
  logged_.clear();
  tell_if_idle();
  note_failure(*failure_);
  tell_observer([error = *failure_](WriterObserver& observer) { observer.on_offline(error); });
  stuck_.reset();
  for (env::Work& work : std::exchange(deferred_, {})) work();  // each finds the failure
}

void DirectoryWriter::note_failure(Error error) {
  mark_failed_flush(files_, root_);
  error.code = ErrorCode::kafka_storage_error;
  for (const auto& port : ports_) {
    port->loop().post([port, error] { port->fail_all(error); });
  }
}

void DirectoryWriter::adopt(FoundCommitLog found) {
  worker_->submit([this, found = std::move(found)] {
    commit_log_.adopt(found);
    end_turn();
  });
}

void DirectoryWriter::set_commit_log_owner(CommitLogOwner owner) {
  worker_->submit([this, owner = std::move(owner)]() mutable {
    commit_log_.set_owner(std::move(owner));
    end_turn();
  });
}

void DirectoryWriter::begin_closing() {
  worker_->submit([this] {
    closing_ = true;
    end_turn();
  });
}

env::Task<void> DirectoryWriter::stop_background() {
  const env::OneShot<bool> idle;
  worker_->submit([this, idle, &loop = *env::Loop::current()] {
    background_stopped_ = true;
    idle_waiters_.emplace_back([idle, &loop] { loop.post([idle] { idle.set(true); }); });
    tell_if_idle();
    end_turn();
  });
  co_await idle.wait();
}

void DirectoryWriter::tell_if_idle() {
  if (job_running_) return;
  for (env::Work& tell : std::exchange(idle_waiters_, {})) tell();
}

void DirectoryWriter::run_background() {
  if (job_running_ || background_stopped_ || background_paused_ || failure_) return;
  auto job = commit_log_.next_job();
  if (!job) return;
  job_running_ = true;
  pool_.submit(
      [weak = weak_from_this(), job = std::move(*job)]() mutable {
        Result<> result = job.work();
        const auto alive = weak.lock();
        if (alive == nullptr) return;
        if (!result && !is_full_disk(result.error())) alive->note_failure(result.error());
        alive->worker_->submit(
            [&self = *alive, result = std::move(result), done = std::move(job.done)]() mutable {
              self.end_job(result, std::move(done));
            });
      },
      env::Priority::background);
}

void DirectoryWriter::end_job(const Result<>& result, std::move_only_function<void()> done) {
  job_running_ = false;
  if (!result && is_full_disk(result.error())) {
    // The same is due again when the disk is looked at the next time.
    background_paused_ = true;
    tell_observer([](WriterObserver& observer) { observer.on_waiting(); });
  } else if (!result) {
    go_offline(result.error());
  } else if (!failure_) {
    done();
  }
  tell_if_idle();
  end_turn();
  run_background();
}

void DirectoryWriter::sync_in_background(std::vector<std::string> paths,
                                         const std::shared_ptr<WriterFolder>& folder,
                                         env::Loop& loop, env::Work done) {
  auto flush = [&files = files_, root = root_, paths = std::move(paths), path = folder->path,
                created = folder->created_unsynced]() -> Result<> {
    ARUS_TRY(sync_partition_folder(files, path, created));
    if (created) ARUS_TRY(files.sync_directory(root));
    for (const std::string& file : paths) ARUS_TRY(sync_file(files, file));
    return {};
  };
  pool_.submit(
      [writer = weak_from_this(), flush = std::move(flush), folder,
       created = folder->created_unsynced, &loop, done = std::move(done)]() mutable {
        const Result<> result = flush();
        const auto alive = writer.lock();
        if (!result) {
          if (alive == nullptr) return;
          alive->note_failure(result.error());
          alive->queue_offline(result.error());
          return;
        }
        if (created && alive != nullptr) {
          alive->worker_->submit([&self = *alive, folder] {
            folder->created_unsynced = false;
            self.end_turn();
          });
        }
        loop.post(std::move(done), env::Priority::background);
      },
      env::Priority::background);
}

}  // namespace arus::storage
