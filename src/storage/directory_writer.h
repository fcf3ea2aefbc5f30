// The one thread that changes the files of a log directory.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "env/environment.h"
#include "env/event.h"
#include "storage/ballast.h"
#include "storage/closing_files.h"
#include "storage/commit_log.h"
#include "storage/disk_space.h"
#include "storage/write_group.h"
#include "storage/write_port.h"

namespace arus::storage {

// Descriptors of the files that the writer has open, least recently used first out.
// Owner: the writer's thread.
class WriterFiles {
 public:
  WriterFiles(env::FileSystem& files, std::size_t limit) : files_(files), limit_(limit) {}

  // Opens the file or makes it; it stays open until others push it out.
  Result<std::shared_ptr<env::File>> open(const std::shared_ptr<WriterFile>& file);
  void close(WriterFile& file);

 private:
  void evict_one();
  void drop_descriptor(WriterFile& file);

  env::FileSystem& files_;
  const std::size_t limit_;
  std::list<std::shared_ptr<WriterFile>> uses_;  // the most recent one in front
};

// The directory's file system, held since before anything in it was changed: once for what the
// writer does itself, once for its jobs, because an error is told to each only once.
struct HeldForWriter {
  std::unique_ptr<env::HeldFileSystem> itself;
  std::unique_ptr<env::HeldFileSystem> jobs;
};

struct DirectoryWriterLimits {
  std::size_t open_files = 1024;
  // A round waits for more groups only while they are there already, and never beyond these.
  std::size_t round_groups = 4096;
  std::size_t round_bytes = std::size_t{16} << 20;
  // From so many files on, one syncfs is cheaper than flushing each.
  std::size_t sync_each_up_to = 256;
  std::int64_t reserve_bytes = 0;  // of the disk, see SpaceWatch
  CommitLogOptions commit_log;
};

// What the writer found when it looked at its disk.
struct SpaceReport {
  env::Space space{-1, -1};
  std::int64_t reserve_bytes = 0;
  std::int64_t room_bytes = 0;
  bool full = false;
  bool waiting = false;  // a write found no space
};

// Whoever wants to know how the writer is. Told on its own loop.
class WriterObserver {
 public:
  virtual ~WriterObserver() = default;
  virtual void on_waiting() = 0;
  virtual void on_offline(const Error& error) = 0;
};

// Carries out groups in order. Durability is a group commit: when no further group is waiting, or
// a round is full, everything that was written for durable marks is made durable together, by one
// group of the commit log where it has room and by flushes of the files otherwise, and all groups
// of the round are answered.
//
// A write for which the disk has no space takes the ballast's; where that is not enough either, it
// and everything behind it waits, and is tried again with each check_space().
//
// Holds: a group is answered as durable only after what it wrote to every file it named is in the
// commit log, or the file, its folder's entry of it, and for a new partition its folder and
// partition.metadata, are on stable storage; and only after all groups before it. After the first
// failed write, flush or action nothing is changed or answered any more: every port is told, the
// failure stays. Members without another note run on the writer's own thread.
class DirectoryWriter : public std::enable_shared_from_this<DirectoryWriter> {
 public:
  DirectoryWriter(env::Environment& environment, env::Pool& pool, std::string root,
                  HeldForWriter held, const DirectoryWriterLimits& limits);

  // Thread-safe; before the first group. Runs once, before the first change.
  void set_before_first_change(WriterAction action) { before_first_change_ = std::move(action); }
  // Thread-safe; for start-up, before the first group.
  void add_port(const std::shared_ptr<WritePort>& port) { ports_.push_back(port); }

  // Thread-safe.
  void submit(WriteGroup group, std::weak_ptr<WritePort> port, env::Loop& loop);
  // From any loop: runs an action between groups and gives its result there. A failed action does
  // not take the directory offline; on a directory that is, it is not run.
  env::Task<Result<>> run(WriterAction action);
  // For actions: brings these files and their names to stable storage on the pool, with the folder
  // they are in where it is new, then calls `done` on `loop`. For segments that are full. A failure
  // takes the directory offline.
  void sync_in_background(std::vector<std::string> paths,
                          const std::shared_ptr<WriterFolder>& folder, env::Loop& loop,
                          env::Work done);

  // Thread-safe. For the commit log: what was found, before the first group; whose it is.
  void adopt(FoundCommitLog found);
  void set_commit_log_owner(CommitLogOwner owner);
  // Thread-safe. What logs leave is collected from here on instead of written, so that all of it
  // can be written side by side.
  void begin_closing();
  // From any loop: completes when nothing is under way in the background, and ends that.
  env::Task<void> stop_background();

  // Before the first group.
  void observe(env::Loop& loop, std::weak_ptr<WriterObserver> observer) {
    observer_loop_ = &loop;
    observer_ = std::move(observer);
  }
  // From any loop. Looks at the disk, tells the ports, and tries again what waits for space. Calls
  // `done` on `loop`.
  void check_space(env::Loop& loop, std::move_only_function<void(const SpaceReport&)> done);
  // Thread-safe: from now on nothing waits for space, a full disk is a failure. For a stop.
  void stop_waiting();
  // Thread-safe: what else is in this directory has failed. The ports hear it even while the
  // writer waits for its disk: what it brings to an end meanwhile is not acknowledged.
  void fail_offline(Error error);

  // The rest is for actions.
  [[nodiscard]] CommitLog& commit_log() { return commit_log_; }
  // Nothing that was written to this folder's segments below `below` is replayed from here on. With
  // nothing as bound it is all of them, and they are flushed before.
  Result<> settle(const WriterFolder& folder, std::optional<Offset> below);
  // Everything in the directory. A failure takes it offline, as it would not be told again.
  Result<> sync_everything();
  // What an action has come to that others rely on: where its disk has failed, nothing is answered
  // any more from here on.
  Result<> heed(Result<> result);
  [[nodiscard]] env::FileSystem& files() { return files_; }
  [[nodiscard]] const std::string& root() const { return root_; }
  Result<> write(FileWrite& write);
  Result<> truncate(const std::shared_ptr<WriterFile>& file, std::int64_t size_bytes);
  void close(WriterFile& file) { open_files_.close(file); }
  // Closes a file whose bytes another descriptor brought to stable storage, unless a flush of it
  // is still to come.
  void release(WriterFile& file);
  // What a log that is closed leaves; taken only where that succeeds.
  Result<> leave(ClosingFiles& left);
  [[nodiscard]] std::vector<ClosingFiles> take_left() { return std::exchange(left_, {}); }

 private:
  struct Waiting {
    std::uint64_t id = 0;
    std::weak_ptr<WritePort> port;
    env::Loop* loop = nullptr;
    std::vector<std::shared_ptr<WriterFile>> flush;
    std::size_t size_bytes = 0;
  };

  // A group that found no space for its next step.
  struct Stuck {
    WriteGroup group;
    std::weak_ptr<WritePort> port;
    env::Loop* loop = nullptr;
    Error error;
  };

  Result<> prepare();
  Result<> perform(WriteGroup& group);
  Result<> carry_out(std::variant<FileWrite, WriterAction>& step);
  template <class Function>
  Result<> with_reserve(Function function);
  void in_order(env::Work work);
  [[nodiscard]] bool waits_for(const Error& error) const;
  void wait_for_space(Stuck stuck);
  void try_again();
  void tell_space();
  // `what` is given the observer on its loop.
  template <class Function>
  void tell_observer(Function what) {
    if (observer_loop_ == nullptr) return;
    observer_loop_->post([weak = observer_, what = std::move(what)] {
      if (const auto observer = weak.lock()) what(*observer);
    });
  }
  SpaceReport look_at_space();
  Result<> append_logged();
  void execute(WriteGroup group, std::weak_ptr<WritePort> port, env::Loop& loop);
  void end_turn();
  Result<> end_round();
  void divide_round();
  Result<> flush_unlogged();
  Result<> flush(const std::vector<std::shared_ptr<WriterFile>>& files);
  Result<> flush_files(const std::vector<std::shared_ptr<WriterFile>>& files);
  static void note_synced(WriterFile& file);
  Result<> flush_folders(const std::vector<WriterFolder*>& folders);
  void answer(const std::weak_ptr<WritePort>& port, env::Loop& loop, std::uint64_t id,
              WriteStage stage, env::Duration flush_took = {});
  void go_offline(const Error& error);
  void queue_offline(Error error);  // thread-safe
  // From any thread that may block: leaves the mark for the next start, then tells the ports.
  void note_failure(Error error);
  void run_background();
  void end_job(const Result<>& result, std::move_only_function<void()> done);
  void tell_if_idle();

  env::Pool& pool_;
  env::FileSystem& files_;
  env::Clock& clock_;
  const std::string root_;
  const std::unique_ptr<env::HeldFileSystem> held_;
  const DirectoryWriterLimits limits_;
  std::vector<std::shared_ptr<WritePort>> ports_;
  WriterAction before_first_change_;
  WriterFiles open_files_;
  std::vector<Waiting> waiting_;  // for the next flush
  std::size_t waiting_bytes_ = 0;
  std::vector<LoggedWrite> logged_;  // of this round, for the commit log
  CommitLog commit_log_;
  bool job_running_ = false;
  bool background_stopped_ = false;
  bool closing_ = false;
  std::vector<ClosingFiles> left_;
  bool background_paused_ = false;  // a job found no space
  SpaceWatch space_;
  Ballast ballast_;
  bool waits_ = true;  // for space, where there is none
  std::optional<Stuck> stuck_;
  std::deque<env::Work> deferred_;  // behind it
  env::Loop* observer_loop_ = nullptr;
  std::weak_ptr<WriterObserver> observer_;
  std::vector<env::Work> idle_waiters_;
  std::optional<Error> failure_;
  std::unique_ptr<env::Worker> worker_;  // last, so that its thread ends first
};

}  // namespace arus::storage
