// What acknowledged batches of all partitions of a directory wait for: one sequential log.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/file.h"
#include "storage/commit_log_format.h"
#include "storage/commit_log_reader.h"
#include "storage/writer_file.h"

namespace arus::storage {

// Whole batches that were written to a segment and not flushed there.
struct LoggedWrite {
  std::shared_ptr<WriterFile> file;
  std::int64_t position = 0;
  std::size_t size_bytes = 0;
  Chain pieces;
};

struct CommitLogOptions {
  std::size_t first_file_bytes = std::size_t{4} << 20;  // 0: no commit log
  std::size_t later_file_bytes = std::size_t{16} << 20;
  std::size_t most_files = 6;
  // A segment that gets so much at once is flushed itself: cheaper than to write it twice.
  std::size_t direct_from_bytes = std::size_t{1} << 20;
  // Segments are flushed one by one. Where a lap with more than this is late, one syncfs ends it.
  std::size_t flush_each_up_to = 256;
  // Files grow to this where a lap has so many dirty segments, all of them together to
  // `most_bytes`: the larger the lap, the less often each is written back.
  std::size_t large_file_bytes = std::size_t{64} << 20;
  std::size_t large_from_segments = 2048;
  std::size_t most_bytes = std::size_t{192} << 20;
};

// Something that waits for the disk and nobody waits for.
struct BackgroundJob {
  std::move_only_function<Result<>()> work;  // on the pool
  std::move_only_function<void()> done;      // on the writer, when the work has succeeded
};

// Appends groups to the active lap, each with one flush. A lap that is full is sealed; once its
// segments are flushed its file is used again; docs/internals/commit-log.md has the whole story.
//
// Holds: a block with acknowledged bytes is not written again while its lap is valid; a lap is
// void only after all its segments are on stable storage, and after every lap before it; at most
// `most_files` files, but for one that a settled entry may need. Sizes are in bytes.
// Owner: the writer's thread.
class CommitLog {
 public:
  // `held` is the directory's file system, for the jobs alone.
  CommitLog(env::FileSystem& files, std::shared_ptr<env::HeldFileSystem> held, std::string root,
            const CommitLogOptions& options)
      : files_(files), held_(std::move(held)), root_(std::move(root)), options_(options) {}

  // Goes on behind what a crash left, which stays as it is until release_found().
  void adopt(const FoundCommitLog& found);
  void set_owner(CommitLogOwner owner) { owner_ = std::move(owner); }
  [[nodiscard]] bool enabled() const { return options_.first_file_bytes > 0; }
  // A further file is made only while the disk has several times its size.
  void set_room(std::int64_t bytes) { room_bytes_ = bytes; }
  // What the next one takes of the room, should it be made or grow.
  [[nodiscard]] std::int64_t next_file_bytes() const;
  [[nodiscard]] const CommitLogOptions& options() const { return options_; }

  // Has the first file made in the background, so that the first append finds it.
  void prepare() { starved_ = starved_ || (enabled() && numbers_.empty()); }
  // Whether a group of entries of so many bytes can be appended now, if need be to another lap.
  [[nodiscard]] bool make_room(std::size_t size_bytes);
  [[nodiscard]] static std::size_t size_of(const LoggedWrite& write);
  // One group, on stable storage when this returns. make_room() has said yes to its size.
  Result<> append(std::span<const LoggedWrite> writes);

  // Whether entries of earlier may be replayed after a crash, so that settling has a meaning.
  [[nodiscard]] bool may_replay() const { return active_ || !sealed_.empty() || !found_.empty(); }
  // Whether what was found is still there.
  [[nodiscard]] bool holds_found() const { return !found_.empty(); }
  // The files below this folder that are not on stable storage for all that is known here.
  [[nodiscard]] std::vector<std::shared_ptr<WriterFile>> dirty_files(
      const WriterFolder& folder) const;
  // From here on nothing that stands before is replayed for segments of this folder below `below`.
  Result<> append_settled(const WriterFolder& folder, Offset below);

  // The next thing to do in the background, one at a time.
  [[nodiscard]] std::optional<BackgroundJob> next_job();
  // What was found is in its segments, on stable storage.
  Result<> release_found();
  // Everything is in its segments, on stable storage, and no job is under way.
  Result<> remove_files();

 private:
  // What a flush that begins later brings to stable storage at least.
  struct Mark {
    std::shared_ptr<WriterFile> file;
    bool created = false;
    std::uint64_t entries = 0;
    Offset end{-1};
  };
  struct Lap {
    std::size_t number = 0;  // of the file
    std::string path;
    std::shared_ptr<env::File> file;
    std::size_t size_bytes = 0;
    std::uint64_t generation = 0;
    std::size_t filled = 0;  // where the next group begins; 0 before the header is written
    std::vector<std::shared_ptr<WriterFile>> dirty;
    std::size_t flushed = 0;       // of those
    std::size_t started = 0;       // of those: writing back has begun
    bool descriptor_lost = false;  // of one of them, before it was flushed
    std::vector<Mark> marks;       // of the flushes that are under way
  };
  // What a job needs of a segment that is written on meanwhile.
  struct Target {
    std::shared_ptr<env::File> open;
    std::string path;
    std::unique_ptr<env::FilePin> pin;
    std::string folder;
    bool created = false;      // the folder
    bool new_entries = false;  // in it
  };

  static Result<std::unique_ptr<env::File>> make_file(env::FileSystem& files,
                                                      const std::string& root,
                                                      const std::string& path, std::size_t size);
  static Result<> write_zeros(env::File& file, std::size_t begin, std::size_t end);
  struct Growth {
    Lap lap;  // void
    std::size_t written = 0;
    std::uint64_t began_at = 0;  // sequence
  };
  void activate(Lap lap);
  Result<> write_group(std::vector<ByteView> pieces, std::size_t size_bytes, std::size_t entries);
  void note_dirty(const LoggedWrite& write);
  [[nodiscard]] bool wants_file() const;
  [[nodiscard]] std::size_t free_number() const;
  [[nodiscard]] std::size_t new_file_bytes() const;
  [[nodiscard]] std::size_t growth_bytes(const Lap& lap) const;
  [[nodiscard]] bool may_add(std::size_t bytes) const;
  void note_no_space();

  // What becomes of sealed laps, commit_log_recycling.cc.
  [[nodiscard]] bool in_haste() const { return starved_ || !active_ || sealed_.size() > 1; }
  [[nodiscard]] bool is_late() const;
  [[nodiscard]] std::size_t due_of(const Lap& lap) const;
  [[nodiscard]] std::optional<BackgroundJob> next_lap_job(Lap& lap);
  [[nodiscard]] std::optional<BackgroundJob> next_growth_job();
  [[nodiscard]] BackgroundJob make_file_job();
  [[nodiscard]] BackgroundJob flush_job(Lap& lap, std::size_t count);
  static Result<> flush_each(env::FileSystem& files, const std::string& root,
                             std::span<const Target> targets);
  [[nodiscard]] BackgroundJob sync_job(Lap& lap);
  void put_to_use(Lap lap);
  [[nodiscard]] BackgroundJob tell_job();
  [[nodiscard]] BackgroundJob void_job(Lap& lap);
  [[nodiscard]] static std::unique_ptr<env::FilePin> mark(Lap& lap,
                                                          const std::shared_ptr<WriterFile>& file);
  void end_flushes(std::size_t count);
  void tell_some();

  env::FileSystem& files_;
  const std::shared_ptr<env::HeldFileSystem> held_;
  const std::string root_;
  const CommitLogOptions options_;
  CommitLogOwner owner_;
  std::uint64_t next_generation_ = 1;
  std::uint64_t next_sequence_ = 1;
  std::optional<Lap> active_;
  std::deque<Lap> sealed_;  // the oldest first
  std::deque<Lap> free_;
  std::optional<Growth> growth_;
  std::vector<FoundLap> found_;
  std::deque<Mark> flushed_;       // on stable storage, and their logs not told yet
  std::set<std::size_t> numbers_;  // of all files
  bool large_ = false;             // the last lap had many dirty segments
  bool starved_ = false;           // the last group found no room
  std::int64_t room_bytes_ = std::numeric_limits<std::int64_t>::max();
  std::uint64_t no_file_until_ = 0;  // sequence: there was no space for another one
};

}  // namespace arus::storage
