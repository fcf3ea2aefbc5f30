// Files and directories. Everything here may block: call it on a Worker or the Pool, never on a
// loop (but File::read_at with ReadMode::cached_only, which never waits for the disk).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace arus::env {

enum class ReadMode : std::uint8_t { may_block, cached_only };
enum class OpenMode : std::uint8_t {
  read,        // must exist
  read_write,  // must exist
  create,      // read and write, made if absent
  create_new,  // read and write, must not exist
};

// Keeps the system from forgetting a file that is closed.
class FilePin {
 public:
  virtual ~FilePin() = default;
};

// An open file. Offsets and lengths in bytes. Errors carry kafka_storage_error and the errno.
// Thread-safe as the system's own descriptors are: reads may overlap one writer.
class File {
 public:
  virtual ~File() = default;
  // Reads up to buffer.size() bytes; fewer only at the end of the file, 0 beyond it. With
  // cached_only fewer also where the rest is not in memory; os_error EAGAIN when nothing is.
  virtual Result<std::size_t> read_at(MutableByteView buffer, std::int64_t offset,
                                      ReadMode mode = ReadMode::may_block) = 0;
  // Writes all pieces, one after the other, from `offset` on.
  virtual Result<> write_at(std::span<const ByteView> pieces, std::int64_t offset) = 0;
  Result<> write_at(ByteView bytes, std::int64_t offset) { return write_at({&bytes, 1}, offset); }
  // fdatasync: contents and length are on stable storage afterwards.
  virtual Result<> sync() = 0;
  // Begins to write what is cached to the disk and waits for none of it: nothing is on stable
  // storage for that, but the flush that comes later has less to do. A failure may show here, or
  // only there.
  virtual Result<> start_write_back() = 0;
  // While it lives, an error of writing this file back is kept for whoever opens it next and
  // flushes it; else it may be forgotten when the last descriptor is closed. It takes no
  // descriptor. Null where too many are held.
  [[nodiscard]] virtual std::unique_ptr<FilePin> pin() = 0;
  [[nodiscard]] virtual Result<std::int64_t> size() = 0;
  virtual Result<> truncate(std::int64_t size_bytes) = 0;
  // Tells the system that these cached pages are not needed any more.
  virtual void drop_cache(std::int64_t offset, std::int64_t length) = 0;
  // Tells it to read only what is asked for.
  virtual void disable_read_ahead() = 0;
  [[nodiscard]] virtual const std::string& path() const = 0;
};

// Holds an exclusive lock on a file until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// A file system that is held open, so that no error of writing back can pass unseen: closing a file
// hides those that come later from whoever opens it again, but not from this. One owner at a time:
// each error is told once to each.
class HeldFileSystem {
 public:
  virtual ~HeldFileSystem() = default;
  // syncfs: all contents and names are on stable storage afterwards. It also fails where a file of
  // it, whosever it is, could not be written back since this was opened or has failed last.
  virtual Result<> sync() = 0;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
};

struct Space {
  std::int64_t total_bytes = 0;
  std::int64_t usable_bytes = 0;
};

// Paths are UTF-8, absolute or relative to the working directory. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  [[nodiscard]] virtual bool exists(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::int64_t> file_size(const std::string& path) = 0;
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  virtual Result<> create_directories(const std::string& path) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<> remove(const std::string& path) = 0;  // a file; absent is success
  virtual Result<> remove_tree(const std::string& directory) = 0;
  // The directory's own entries (made, renamed, removed) are on stable storage afterwards.
  virtual Result<> sync_directory(const std::string& path) = 0;
  // The file system that holds this directory.
  virtual Result<std::unique_ptr<HeldFileSystem>> hold(const std::string& directory) = 0;
  // fcntl lock as Kafka's `.lock`, made if absent; an error when another process holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  virtual Result<Space> space(const std::string& path) = 0;

  // The whole file; an error above `limit_bytes`.
  Result<Bytes> read_file(const std::string& path, std::int64_t limit_bytes = 1LL << 30);
  // Writes `path`.tmp, syncs it and renames it over `path`; the directory is synced when `durable`.
  Result<> replace_file(const std::string& path, ByteView bytes, bool durable = true);
};

}  // namespace arus::env
