#include "env/simulated/disk.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "env/os_error.h"

namespace arus::env {

struct SimulatedDisk::Inode {
  struct Unsynced {
    Bytes durable;      // what is on the disk instead
    bool lost = false;  // a flush of it has failed
  };

  explicit Inode(bool directory) : is_directory(directory) {}
  // Keeps what is durable of these pages before they change.
  void touch(std::size_t first_byte, std::size_t end_byte) {
    for (std::size_t page = first_byte / page_bytes; page * page_bytes < end_byte; ++page) {
      auto [entry, is_new] = unsynced.try_emplace(page);
      entry->second.lost = false;
      if (!is_new) continue;
      entry->second.durable.assign(page_bytes, 0);
      const std::size_t begin = std::min(page * page_bytes, content.size());
      const std::size_t end = std::min(begin + page_bytes, content.size());
      std::copy(content.begin() + static_cast<std::ptrdiff_t>(begin),
                content.begin() + static_cast<std::ptrdiff_t>(end), entry->second.durable.begin());
    }
  }
  void sync() {
    std::erase_if(unsynced, [](const auto& entry) { return !entry.second.lost; });
    durable_size = content.size();
  }

  const bool is_directory;
  // Whoever opens it has been told of so many failures; all that are not pinned.
  [[nodiscard]] std::uint64_t failures_known() const {
    return pins > 0 ? write_backs_told : write_backs_failed;
  }
  // By a descriptor that has been told of so many.
  void pin(std::uint64_t seen) {
    if (pins++ == 0) write_backs_told = seen;
  }

  std::uint64_t write_backs_failed = 0;
  std::uint64_t write_backs_told = 0;  // to anybody; while it is pinned
  std::size_t pins = 0;
  std::weak_ptr<const void> lock;  // expired when nobody holds it
  Bytes content;
  std::size_t durable_size = 0;
  std::map<std::size_t, Unsynced> unsynced;  // by page
  std::map<std::string, InodePtr> entries;
  std::map<std::string, InodePtr> durable_entries;
};

class SimulatedDisk::OpenFile final : public File {
 public:
  OpenFile(SimulatedDisk& disk, std::string path, InodePtr inode, bool writable)
      : disk_(disk),
        path_(std::move(path)),
        inode_(std::move(inode)),
        epoch_(disk.epoch_),
        writable_(writable),
        failures_seen_(inode_->failures_known()) {}

  Result<std::size_t> read_at(MutableByteView buffer, std::int64_t offset, ReadMode mode) override;
  Result<> write_at(std::span<const ByteView> pieces, std::int64_t offset) override;
  Result<> sync() override;
  Result<> start_write_back() override;
  std::unique_ptr<FilePin> pin() override;
  Result<std::int64_t> size() override {
    ARUS_TRY(check("stat"));
    return static_cast<std::int64_t>(inode_->content.size());
  }
  Result<> truncate(std::int64_t size_bytes) override;
  void drop_cache(std::int64_t, std::int64_t) override {}
  void disable_read_ahead() override {}
  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  [[nodiscard]] Result<> check(const char* what) const {
    if (epoch_ == disk_.epoch_ && disk_.powered_) return {};
    return arus::fail(storage_error(path_, what, EIO));
  }
  [[nodiscard]] std::unexpected<Error> failure(const char* what, int os_error) const {
    return arus::fail(storage_error(path_, what, os_error));
  }
  Result<> write_piece(ByteView piece, std::size_t at);

  SimulatedDisk& disk_;
  const std::string path_;
  const InodePtr inode_;
  const std::uint64_t epoch_;
  const bool writable_;
  std::uint64_t failures_seen_;
};

class SimulatedDisk::Pin final : public FilePin {
 public:
  Pin(SimulatedDisk& disk, InodePtr inode, std::uint64_t seen)
      : disk_(disk), inode_(std::move(inode)) {
    inode_->pin(seen);
    ++disk_.pins_;
  }
  ~Pin() override {
    --inode_->pins;
    --disk_.pins_;
  }

 private:
  SimulatedDisk& disk_;
  const InodePtr inode_;
};

class SimulatedDisk::Held final : public HeldFileSystem {
 public:
  Held(SimulatedDisk& disk, std::string path)
      : disk_(disk),
        path_(std::move(path)),
        epoch_(disk.epoch_),
        failures_seen_(disk.write_backs_failed_) {}

  Result<> sync() override {
    if (epoch_ != disk_.epoch_) return fail(storage_error(path_, "flush the file system", EIO));
    const Result<> synced = disk_.sync_all(path_);
    const bool failed =
        std::exchange(failures_seen_, disk_.write_backs_failed_) != disk_.write_backs_failed_;
    if (synced && failed) return fail(flush_error(path_, "flush the file system", EIO));
    return synced;
  }

 private:
  SimulatedDisk& disk_;
  const std::string path_;
  const std::uint64_t epoch_;
  std::uint64_t failures_seen_;
};

class SimulatedDisk::Lock final : public FileLock {
 public:
  explicit Lock(std::shared_ptr<const void> held) : held_(std::move(held)) {}

 private:
  std::shared_ptr<const void> held_;
};

Result<std::size_t> SimulatedDisk::OpenFile::read_at(MutableByteView buffer, std::int64_t offset,
                                                     ReadMode mode) {
  ARUS_TRY(check("read"));
  if (mode == ReadMode::cached_only && disk_.scheduler_.random().chance(disk_.cache_miss_)) {
    return failure("read", EAGAIN);
  }
  if (mode == ReadMode::may_block) {
    const FileFault fault = disk_.begin({FileAct::read, path_, offset, buffer.size()});
    if (fault.os_error != 0) return failure("read", fault.os_error);
    if (fault.at_most_bytes) buffer = buffer.first(std::min(buffer.size(), *fault.at_most_bytes));
  }
  if (offset < 0) return failure("read", EINVAL);
  const Bytes& content = inode_->content;
  const std::size_t begin = std::min(static_cast<std::size_t>(offset), content.size());
  const std::size_t count = std::min(buffer.size(), content.size() - begin);
  std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(begin), count, buffer.begin());
  return count;
}

Result<> SimulatedDisk::OpenFile::write_at(std::span<const ByteView> pieces, std::int64_t offset) {
  ARUS_TRY(check("write"));
  if (!writable_) return failure("write", EBADF);
  if (offset < 0) return failure("write", EINVAL);
  std::size_t size = 0;
  for (const ByteView piece : pieces) size += piece.size();
  const FileFault fault = disk_.begin({FileAct::write, path_, offset, size});
  std::size_t left = fault.os_error != 0 ? fault.at_most_bytes.value_or(0) : size;
  auto at = static_cast<std::size_t>(offset);
  for (const ByteView piece : pieces) {
    const ByteView part = piece.first(std::min(piece.size(), left));
    ARUS_TRY(write_piece(part, at));
    at += part.size();
    left -= part.size();
  }
  if (fault.os_error != 0) return failure("write", fault.os_error);
  return {};
}

Result<> SimulatedDisk::OpenFile::write_piece(ByteView piece, std::size_t at) {
  const auto room = static_cast<std::size_t>(
      std::max<std::int64_t>(0, disk_.capacity_bytes_ - disk_.used_bytes_));
  const std::size_t end = at + piece.size();
  const std::size_t growth = end > inode_->content.size() ? end - inode_->content.size() : 0;
  const bool full = growth > room;
  if (full) piece = piece.first(piece.size() - std::min(piece.size(), growth - room));
  if (!piece.empty()) {
    inode_->touch(std::min(at, inode_->content.size()), at + piece.size());
    disk_.resize(*inode_, std::max(inode_->content.size(), at + piece.size()));
    std::ranges::copy(piece, inode_->content.begin() + static_cast<std::ptrdiff_t>(at));
  }
  if (full) return failure("write", ENOSPC);
  return {};
}

Result<> SimulatedDisk::OpenFile::sync() {
  ARUS_TRY(check("flush"));
  const FileFault fault = disk_.begin({FileAct::sync, path_, 0, inode_->unsynced.size()});
  if (fault.os_error != 0) {
    // Whoever is gone by now has not seen it fail.
    if (disk_.powered_) disk_.fail_write_back(*inode_);
    failures_seen_ = inode_->write_backs_told = inode_->write_backs_failed;
    return arus::fail(flush_error(path_, "flush", fault.os_error));
  }
  inode_->sync();
  inode_->write_backs_told = inode_->write_backs_failed;
  if (std::exchange(failures_seen_, inode_->write_backs_failed) != inode_->write_backs_failed) {
    return arus::fail(flush_error(path_, "flush", EIO));
  }
  return {};
}

Result<> SimulatedDisk::OpenFile::start_write_back() {
  ARUS_TRY(check("write back"));
  const FileFault fault = disk_.begin({FileAct::write_back, path_, 0, inode_->unsynced.size()});
  if (fault.os_error != 0 && disk_.powered_) disk_.fail_write_back(*inode_);
  return check("write back");
}

std::unique_ptr<FilePin> SimulatedDisk::OpenFile::pin() {
  if (disk_.pins_ >= disk_.most_pins_) return nullptr;
  return std::make_unique<Pin>(disk_, inode_, failures_seen_);
}

Result<> SimulatedDisk::OpenFile::truncate(std::int64_t size_bytes) {
  ARUS_TRY(check("truncate"));
  if (!writable_ || size_bytes < 0) return failure("truncate", EINVAL);
  const FileFault fault = disk_.begin({FileAct::truncate, path_, size_bytes, 0});
  if (fault.os_error != 0) return failure("truncate", fault.os_error);
  const auto size = static_cast<std::size_t>(size_bytes);
  inode_->touch(std::min(size, inode_->content.size()), inode_->content.size());
  disk_.resize(*inode_, size);
  return {};
}

SimulatedDisk::SimulatedDisk(Scheduler& scheduler, const Delays& delays)
    : scheduler_(scheduler), delays_(delays), root_(std::make_shared<Inode>(true)) {}

SimulatedDisk::~SimulatedDisk() = default;

FileFault SimulatedDisk::begin(const FileOperation& operation) {
  scheduler_.trace(operation.path);
  scheduler_.trace(static_cast<std::uint64_t>(operation.act) << 56 ^ operation.size_bytes << 40 ^
                   static_cast<std::uint64_t>(operation.offset));
  if (Loop::current() != nullptr) ++calls_from_loops_;
  if (!powered_) return {.os_error = EIO, .at_most_bytes = {}, .stall = {}};
  const bool flushes = operation.act == FileAct::sync || operation.act == FileAct::sync_directory ||
                       operation.act == FileAct::sync_file_system;
  scheduler_.spend(flushes ? scheduler_.random().between(delays_.flush_least, delays_.flush_most)
                           : scheduler_.random().between(delays_.file_least, delays_.file_most));
  FileFault fault = hook_ ? hook_(operation) : FileFault{};
  scheduler_.spend(fault.stall);
  return fault;
}

Result<> SimulatedDisk::begin_simple(FileAct act, const std::string& path) {
  static constexpr std::array<const char*, 13> names{
      "open",   "read",     "write", "write back",
      "flush",  "truncate", "list",  "create directory",
      "rename", "remove",   "flush", "flush the file system",
      "lock"};
  const FileFault fault = begin({act, path});
  if (fault.os_error == 0) return {};
  const bool flushes = act == FileAct::sync_directory || act == FileAct::sync_file_system;
  const char* const name = names.at(static_cast<std::size_t>(act));
  return fail(flushes ? flush_error(path, name, fault.os_error)
                      : storage_error(path, name, fault.os_error));
}

Result<SimulatedDisk::Place> SimulatedDisk::find(const std::string& path, const char* what) const {
  Place place{.directory = nullptr, .name = {}, .inode = root_};
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, end - at);
    at = end + 1;
    if (name.empty() || name == ".") continue;
    if (place.inode == nullptr) return fail(storage_error(path, what, ENOENT));
    if (!place.inode->is_directory) return fail(storage_error(path, what, ENOTDIR));
    const auto found = place.inode->entries.find(name);
    place.directory = place.inode;
    place.name = name;
    place.inode = found == place.directory->entries.end() ? nullptr : found->second;
  }
  return place;
}

Result<SimulatedDisk::InodePtr> SimulatedDisk::find_directory(const std::string& path,
                                                              const char* what) const {
  auto place = find(path, what);
  if (!place) return fail(place.error());
  if (place->inode == nullptr) return fail(storage_error(path, what, ENOENT));
  if (!place->inode->is_directory) return fail(storage_error(path, what, ENOTDIR));
  return place->inode;
}

void SimulatedDisk::change(EntryOperation operation) {
  for (const Change& change : operation) {
    if (change.to == nullptr) {
      change.directory->entries.erase(change.name);
    } else {
      change.directory->entries[change.name] = change.to;
    }
  }
  unsynced_entries_.push_back(std::move(operation));
}

void SimulatedDisk::apply(const EntryOperation& operation) {
  for (const Change& change : operation) {
    if (change.to == nullptr) {
      change.directory->durable_entries.erase(change.name);
    } else {
      change.directory->durable_entries[change.name] = change.to;
    }
  }
}

void SimulatedDisk::resize(Inode& file, std::size_t size) {
  used_bytes_ += static_cast<std::int64_t>(size) - static_cast<std::int64_t>(file.content.size());
  file.content.resize(size);
}

Result<std::unique_ptr<File>> SimulatedDisk::open(const std::string& path, OpenMode mode) {
  ARUS_TRY(begin_simple(FileAct::open, path));
  auto place = find(path, "open");
  if (!place) return fail(place.error());
  const bool may_create = mode == OpenMode::create || mode == OpenMode::create_new;
  if (place->inode == nullptr) {
    if (!may_create) return fail(storage_error(path, "open", ENOENT));
    place->inode = std::make_shared<Inode>(false);
    change({{place->directory, place->name, place->inode}});
  } else if (place->inode->is_directory) {
    return fail(storage_error(path, "open", EISDIR));
  } else if (mode == OpenMode::create_new) {
    return fail(storage_error(path, "open", EEXIST));
  }
  return std::make_unique<OpenFile>(*this, path, place->inode, mode != OpenMode::read);
}

bool SimulatedDisk::exists(const std::string& path) {
  const auto place = find(path, "stat");
  return powered_ && place && place->inode != nullptr;
}

Result<std::int64_t> SimulatedDisk::file_size(const std::string& path) {
  const auto place = find(path, "stat");
  if (!place) return fail(place.error());
  if (!powered_) return fail(storage_error(path, "stat", EIO));
  if (place->inode == nullptr) return fail(storage_error(path, "stat", ENOENT));
  return static_cast<std::int64_t>(place->inode->content.size());
}

Result<std::vector<DirectoryEntry>> SimulatedDisk::list(const std::string& directory) {
  ARUS_TRY(begin_simple(FileAct::list, directory));
  const auto inode = find_directory(directory, "list");
  if (!inode) return fail(inode.error());
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, entry] : (*inode)->entries) {
    entries.push_back({name, entry->is_directory});
  }
  return entries;
}

Result<> SimulatedDisk::create_directories(const std::string& path) {
  ARUS_TRY(begin_simple(FileAct::create_directory, path));
  for (std::size_t end = 0; end <= path.size(); ++end) {
    if (end < path.size() && path[end] != '/') continue;
    const auto place = find(path.substr(0, end), "create directory");
    if (!place) return fail(place.error());
    if (place->inode == nullptr) {
      change({{place->directory, place->name, std::make_shared<Inode>(true)}});
    } else if (!place->inode->is_directory) {
      return fail(storage_error(path, "create directory", ENOTDIR));
    }
  }
  return {};
}

Result<> SimulatedDisk::rename(const std::string& from, const std::string& to) {
  ARUS_TRY(begin_simple(FileAct::rename, from));
  const auto source = find(from, "rename");
  if (!source) return fail(source.error());
  const auto target = find(to, "rename");
  if (!target) return fail(target.error());
  if (source->inode == nullptr) return fail(storage_error(from, "rename", ENOENT));
  if (source->directory == nullptr || target->directory == nullptr) {
    return fail(storage_error(from, "rename", EBUSY));
  }
  if (source->inode == target->inode) return {};
  if (target->inode != nullptr) {
    const bool is_directory = target->inode->is_directory;
    if (is_directory != source->inode->is_directory) {
      return fail(storage_error(from, "rename", is_directory ? EISDIR : ENOTDIR));
    }
    if (!target->inode->entries.empty()) return fail(storage_error(from, "rename", ENOTEMPTY));
    used_bytes_ -= static_cast<std::int64_t>(target->inode->content.size());
  }
  change({{source->directory, source->name, nullptr},
          {target->directory, target->name, source->inode}});
  return {};
}

Result<> SimulatedDisk::remove(const std::string& path) {
  ARUS_TRY(begin_simple(FileAct::remove, path));
  const auto place = find(path, "remove");
  if (!place) {
    if (place.error().os_error == ENOENT) return {};
    return fail(place.error());
  }
  if (place->inode == nullptr) return {};
  if (place->inode->is_directory) return fail(storage_error(path, "remove", EISDIR));
  used_bytes_ -= static_cast<std::int64_t>(place->inode->content.size());
  change({{place->directory, place->name, nullptr}});
  return {};
}

Result<> SimulatedDisk::remove_tree(const std::string& directory) {
  const auto place = find(directory, "remove");
  if (!place || place->inode == nullptr) return {};
  if (!place->inode->is_directory) return remove(directory);
  if (place->directory == nullptr) return fail(storage_error(directory, "remove", EBUSY));
  // From a copy: each removal changes the entries.
  const auto entries = place->inode->entries;
  for (const auto& [name, entry] : entries) ARUS_TRY(remove_tree(directory + "/" + name));
  ARUS_TRY(begin_simple(FileAct::remove, directory));
  change({{place->directory, place->name, nullptr}});
  return {};
}

Result<> SimulatedDisk::sync_directory(const std::string& path) {
  ARUS_TRY(begin_simple(FileAct::sync_directory, path));
  const auto inode = find_directory(path, "flush");
  if (!inode) return fail(inode.error());
  // An operation brings along what came before it in all its directories.
  std::set<Inode*> reached{inode->get()};
  std::vector<bool> is_synced(unsynced_entries_.size());
  for (std::size_t i = unsynced_entries_.size(); i-- > 0;) {
    is_synced[i] = std::ranges::any_of(unsynced_entries_[i], [&](const Change& change) {
      return reached.contains(change.directory.get());
    });
    if (!is_synced[i]) continue;
    for (const Change& change : unsynced_entries_[i]) reached.insert(change.directory.get());
  }
  std::vector<EntryOperation> left;
  for (std::size_t i = 0; i < unsynced_entries_.size(); ++i) {
    if (is_synced[i]) {
      apply(unsynced_entries_[i]);
    } else {
      left.push_back(std::move(unsynced_entries_[i]));
    }
  }
  unsynced_entries_ = std::move(left);
  return {};
}

Result<std::unique_ptr<HeldFileSystem>> SimulatedDisk::hold(const std::string& directory) {
  if (!powered_) return fail(storage_error(directory, "open", EIO));
  const auto inode = find_directory(directory, "open");
  if (!inode) return fail(inode.error());
  return std::make_unique<Held>(*this, directory);
}

void SimulatedDisk::fail_write_back(Inode& file) {
  for (auto& [page, state] : file.unsynced) state.lost = true;
  ++file.write_backs_failed;
  ++write_backs_failed_;
}

bool SimulatedDisk::fail_write_back(const std::string& path) {
  const auto place = find(path, "write back");
  if (!place || place->inode == nullptr || place->inode->unsynced.empty()) return false;
  fail_write_back(*place->inode);
  return true;
}

Result<> SimulatedDisk::sync_all(const std::string& path) {
  const Result<> begun = begin_simple(FileAct::sync_file_system, path);
  if (!begun && !powered_) return begun;
  if (begun) {
    for (const EntryOperation& operation : unsynced_entries_) apply(operation);
    unsynced_entries_.clear();
  }
  const auto sync_below = [&](const auto& self, Inode& inode) -> void {
    if (begun && !inode.is_directory) inode.sync();
    if (!begun && !inode.unsynced.empty()) fail_write_back(inode);
    for (const auto& [name, entry] : inode.entries) self(self, *entry);
  };
  sync_below(sync_below, *root_);
  return begun;
}

Result<std::unique_ptr<FileLock>> SimulatedDisk::lock(const std::string& path) {
  ARUS_TRY(begin_simple(FileAct::lock, path));
  const auto file = open(path, OpenMode::create);
  if (!file) return fail(file.error());
  const auto place = find(path, "lock");
  if (!place->inode->lock.expired()) {
    return fail(
        Error{ErrorCode::kafka_storage_error, path + ": lock: held by another process", EAGAIN});
  }
  auto held = std::make_shared<char>();
  place->inode->lock = held;
  return std::make_unique<Lock>(std::move(held));
}

Result<Space> SimulatedDisk::space(const std::string& path) {
  if (!powered_) return fail(storage_error(path, "statvfs", EIO));
  return Space{.total_bytes = capacity_bytes_,
               .usable_bytes = std::max<std::int64_t>(0, capacity_bytes_ - used_bytes_)};
}

void SimulatedDisk::kill_process() {
  ++epoch_;
  powered_ = true;
  scheduler_.trace("kill");
  const auto release = [](const auto& self, Inode& inode) -> void {
    inode.lock.reset();
    for (const auto& [name, entry] : inode.entries) self(self, *entry);
  };
  release(release, *root_);
}

void SimulatedDisk::crash(const CrashPolicy& policy) {
  ++epoch_;
  powered_ = true;
  scheduler_.trace("crash");
  crash_entries(policy);
  used_bytes_ = 0;
  crash_below(*root_, policy);
}

void SimulatedDisk::crash_entries(const CrashPolicy& policy) {
  for (const EntryOperation& operation : unsynced_entries_) {
    const bool kept = scheduler_.random().chance(policy.keep_entry);
    if (!kept && policy.entries_in_order) break;
    if (kept) apply(operation);
  }
  unsynced_entries_.clear();
}

void SimulatedDisk::crash_below(Inode& directory, const CrashPolicy& policy) {
  directory.entries = directory.durable_entries;
  for (const auto& [name, entry] : directory.entries) {
    entry->lock.reset();
    if (entry->is_directory) {
      crash_below(*entry, policy);
    } else {
      crash_contents(*entry, policy);
      used_bytes_ += static_cast<std::int64_t>(entry->content.size());
    }
  }
}

void SimulatedDisk::crash_contents(Inode& file, const CrashPolicy& policy) {
  SimulatedRandom& random = scheduler_.random();
  const bool is_inline = file.content.size() < policy.inline_bytes;
  if (is_inline || (policy.whole_file > 0 && random.chance(policy.whole_file))) {
    const bool kept = is_inline || random.chance(policy.keep_page);
    return crash_contents(file, {.keep_page = kept ? 1.0 : 0.0, .tear_page = 0});
  }
  const std::size_t written_size = file.content.size();
  std::size_t size = file.durable_size;
  if (size != written_size && random.chance(policy.keep_page)) {
    size = written_size;
    // A file that grows may have got any part of its new length.
    if (written_size > file.durable_size && random.chance(policy.tear_page)) {
      size = file.durable_size + random.below(written_size - file.durable_size + 1);
    }
  }
  file.content.resize(std::max(file.durable_size, written_size));
  for (const auto& [page, state] : file.unsynced) {
    const std::size_t begin = page * page_bytes;
    // Where the truncation is lost, so is what else became of that page.
    const bool cut_off =
        begin >= written_size || (size > written_size && begin + page_bytes > written_size);
    const bool torn = !cut_off && !state.lost && random.chance(policy.tear_page);
    const bool kept = !cut_off && !state.lost && random.chance(policy.keep_page);
    for (std::size_t at = 0; at < page_bytes && begin + at < file.content.size();
         at += sector_bytes) {
      if (torn ? random.chance(policy.keep_page) : kept) continue;
      const std::size_t count = std::min(sector_bytes, file.content.size() - begin - at);
      std::copy_n(state.durable.begin() + static_cast<std::ptrdiff_t>(at), count,
                  file.content.begin() + static_cast<std::ptrdiff_t>(begin + at));
    }
  }
  file.content.resize(size);
  file.durable_size = size;
  file.unsynced.clear();
}

}  // namespace arus::env
