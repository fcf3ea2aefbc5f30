// A disk in memory that remembers what is durable, fails on demand and loses power.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/simulated.h"
#include "env/simulated/scheduler.h"

namespace arus::env {

enum class FileAct : std::uint8_t {
  open,
  read,
  write,
  write_back,
  sync,
  truncate,
  list,
  create_directory,
  rename,
  remove,
  sync_directory,
  sync_file_system,
  lock,
};

struct FileOperation {
  FileAct act;
  const std::string& path;
  std::int64_t offset = 0;
  std::size_t size_bytes = 0;
};

// What goes wrong with one operation. A write that fails has done `at_most_bytes` before; without
// an error it is the length of a short read. A failed flush leaves its pages clean but not durable,
// as Linux does: a later flush does not bring them back. So does one that fails to write back, of
// which nobody is told before the next flush.
struct FileFault {
  int os_error = 0;
  std::optional<std::size_t> at_most_bytes;
  Duration stall{};
};

// How much of what was not flushed survives a crash. Probabilities.
struct CrashPolicy {
  double keep_page = 0.5;         // each page of 4 KiB for itself
  double tear_page = 0.2;         // of those: each sector of 512 bytes for itself
  double whole_file = 0;          // of files: all their pages are kept, or none
  std::size_t inline_bytes = 0;   // smaller files are kept, as part of what names them
  double keep_entry = 0.5;        // each entry made, renamed or removed in an unflushed directory
  bool entries_in_order = false;  // a prefix of them, as a journal does
};

// Contents are durable after File::sync, entries after sync_directory, both after
// HeldFileSystem::sync; nothing else is. An error of writing back is told once to each descriptor
// that was open before, and to nobody who opens the file later, but that of a pinned file. Owner:
// the one thread of the simulation; it outlives the nodes that use it.
class SimulatedDisk final : public FileSystem {
 public:
  static constexpr std::size_t page_bytes = 4096;
  static constexpr std::size_t sector_bytes = 512;
  using FaultHook = std::function<FileFault(const FileOperation&)>;

  SimulatedDisk(Scheduler& scheduler, const Delays& delays);
  ~SimulatedDisk() override;

  // Asked before each operation. Null ends it.
  void set_fault_hook(FaultHook hook) { hook_ = std::move(hook); }
  // Writes beyond it fail with ENOSPC.
  void set_capacity(std::int64_t bytes) { capacity_bytes_ = bytes; }
  // How often a read of cached_only finds nothing.
  void set_cache_miss(double probability) { cache_miss_ = probability; }
  // From now on every operation fails and changes nothing, so that a node whose machine is off can
  // be closed in order, as if it had never been. crash() ends it.
  void cut_power() { powered_ = false; }
  // The process that used it was killed: what it wrote stays, on stable storage or not. Open files
  // and locks are dead; ends cut_power().
  void kill_process();
  // Loses what was not durable, as the policy draws it. Open files and locks of before are dead.
  void crash(const CrashPolicy& policy = {});
  // So many files can be pinned at once.
  void set_most_pins(std::size_t most) { most_pins_ = most; }
  // The time of whoever is at work.
  [[nodiscard]] TimePoint now() const { return scheduler_.now(); }
  // The system writes this file back by itself, and fails; false where there is nothing to write.
  bool fail_write_back(const std::string& path);
  // How often a loop has called what may block.
  [[nodiscard]] std::uint64_t calls_from_loops() const { return calls_from_loops_; }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  bool exists(const std::string& path) override;
  Result<std::int64_t> file_size(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<> create_directories(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> remove_tree(const std::string& directory) override;
  Result<> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<HeldFileSystem>> hold(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<Space> space(const std::string& path) override;

 private:
  class OpenFile;
  class Pin;
  class Held;
  class Lock;
  struct Inode;
  using InodePtr = std::shared_ptr<Inode>;
  // One entry of a directory that changes; null removes it.
  struct Change {
    InodePtr directory;
    std::string name;
    InodePtr to;
  };
  // Changes that happen together or not at all.
  using EntryOperation = std::vector<Change>;
  struct Place {
    InodePtr directory;
    std::string name;
    InodePtr inode;  // null when there is none
  };

  // Takes its time and gives the fault that is drawn for it.
  FileFault begin(const FileOperation& operation);
  Result<> begin_simple(FileAct act, const std::string& path);
  [[nodiscard]] Result<Place> find(const std::string& path, const char* what) const;
  [[nodiscard]] Result<InodePtr> find_directory(const std::string& path, const char* what) const;
  void change(EntryOperation operation);
  static void apply(const EntryOperation& operation);
  Result<> sync_all(const std::string& path);
  void fail_write_back(Inode& file);
  void crash_entries(const CrashPolicy& policy);
  void crash_contents(Inode& file, const CrashPolicy& policy);
  void crash_below(Inode& directory, const CrashPolicy& policy);
  void resize(Inode& file, std::size_t size);

  Scheduler& scheduler_;
  const Delays delays_;
  InodePtr root_;
  std::vector<EntryOperation> unsynced_entries_;  // in order
  FaultHook hook_;
  std::int64_t capacity_bytes_ = 1LL << 40;
  std::int64_t used_bytes_ = 0;
  double cache_miss_ = 0.1;
  bool powered_ = true;
  std::size_t most_pins_ = std::numeric_limits<std::size_t>::max();
  std::size_t pins_ = 0;
  std::uint64_t write_backs_failed_ = 0;
  std::uint64_t epoch_ = 0;  // counts crashes
  std::uint64_t calls_from_loops_ = 0;
};

}  // namespace arus::env
