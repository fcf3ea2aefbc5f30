#include "env/real/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>

#include "base/assert.h"
#include "env/os_error.h"
#include "env/real/piece_cursor.h"
#include "env/real/resident.h"

namespace arus::env {

namespace {

constexpr ::mode_t file_permissions = 0644;

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::read_write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  ARUS_ASSERT(false);
  return 0;
}

// Calls again while a signal interrupts.
template <class Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class RealHeldFileSystem final : public HeldFileSystem {
 public:
  RealHeldFileSystem(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  ~RealHeldFileSystem() override { ::close(descriptor_); }
  // The system keeps for each descriptor which errors it has told.
  Result<> sync() override {
    if (::syncfs(descriptor_) != 0) {
      return fail(flush_error(path_, "flush the file system", errno));
    }
    return {};
  }

 private:
  const std::string path_;
  const int descriptor_;
};

// A mapping that is never touched: the system keeps a file's inode while it is mapped, and in it
// the error that nobody has been told of.
class Mapping final : public FilePin {
 public:
  static std::unique_ptr<FilePin> make(int descriptor) {
    if (held.fetch_add(1, std::memory_order_relaxed) < most_held) {
      void* const address = ::mmap(nullptr, 1, PROT_NONE, MAP_SHARED, descriptor, 0);
      if (address != MAP_FAILED) return std::unique_ptr<FilePin>(new Mapping(address));
    }
    held.fetch_sub(1, std::memory_order_relaxed);
    return nullptr;
  }
  ~Mapping() override {
    ::munmap(address_, 1);
    held.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  // Half of what the system allows a process by default (vm.max_map_count).
  static constexpr std::size_t most_held = 32'768;
  static inline std::atomic<std::size_t> held = 0;

  explicit Mapping(void* address) : address_(address) {}

  void* const address_;
};

}  // namespace

RealFile::~RealFile() { ::close(descriptor_); }

Result<std::size_t> RealFile::read_at(MutableByteView buffer, std::int64_t offset, ReadMode mode) {
  if (mode == ReadMode::cached_only) {
    if (buffer.empty()) return 0;
    const ::ssize_t count =
        read_resident(descriptor_, buffer, offset,
                      residency_of(descriptor_, offset, static_cast<std::int64_t>(buffer.size())));
    if (count >= 0) return static_cast<std::size_t>(count);
    // Where the file system cannot tell, the caller reads in a place that may block.
    const auto error = static_cast<int>(-count);
    const bool untold = error == EOPNOTSUPP || error == ENOSYS || error == EINVAL;
    return fail(storage_error(path_, "read", untold ? EAGAIN : error));
  }
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ::ssize_t count = retry_interrupted([&] {
      return ::pread(descriptor_, buffer.data() + done, buffer.size() - done,
                     offset + static_cast<std::int64_t>(done));
    });
    if (count < 0) return fail(storage_error(path_, "read", errno));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<> RealFile::write_at(std::span<const ByteView> pieces, std::int64_t offset) {
  std::array<::iovec, PieceCursor::most_vectors> vectors;
  for (PieceCursor rest(pieces); !rest.at_end();) {
    const auto filled = static_cast<int>(rest.fill(vectors));
    const ::ssize_t count =
        retry_interrupted([&] { return ::pwritev(descriptor_, vectors.data(), filled, offset); });
    if (count <= 0) return fail(storage_error(path_, "write", count < 0 ? errno : EIO));
    rest.advance(static_cast<std::size_t>(count));
    offset += count;
  }
  return {};
}

Result<> RealFile::sync() {
  // Interrupted or not, a flush that failed is never tried again: the system may have dropped the
  // dirty pages and would report success.
  if (::fdatasync(descriptor_) != 0) return fail(flush_error(path_, "flush", errno));
  return {};
}

Result<> RealFile::start_write_back() {
  if (::sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE) == 0) return {};
  // Where the file system has no such thing, the flush does it all.
  if (errno == ENOSYS || errno == EINVAL || errno == ESPIPE) return {};
  return fail(flush_error(path_, "write back", errno));
}

std::unique_ptr<FilePin> RealFile::pin() { return Mapping::make(descriptor_); }

Result<std::int64_t> RealFile::size() {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return fail(storage_error(path_, "stat", errno));
  return status.st_size;
}

Result<> RealFile::truncate(std::int64_t size_bytes) {
  if (retry_interrupted([&] { return ::ftruncate(descriptor_, size_bytes); }) != 0) {
    return fail(storage_error(path_, "truncate", errno));
  }
  return {};
}

void RealFile::drop_cache(std::int64_t offset, std::int64_t length) {
  // Advice: nothing depends on its outcome.
  static_cast<void>(::posix_fadvise(descriptor_, offset, length, POSIX_FADV_DONTNEED));
}

void RealFile::disable_read_ahead() {
  static_cast<void>(::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM));
}

Result<std::unique_ptr<File>> RealFileSystem::open(const std::string& path, OpenMode mode) {
  const int descriptor = retry_interrupted(
      [&] { return ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, file_permissions); });
  if (descriptor < 0) return fail(storage_error(path, "open", errno));
  return std::make_unique<RealFile>(path, descriptor);
}

bool RealFileSystem::exists(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0;
}

Result<std::int64_t> RealFileSystem::file_size(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return fail(storage_error(path, "stat", errno));
  return status.st_size;
}

Result<std::vector<DirectoryEntry>> RealFileSystem::list(const std::string& directory) {
  DIR* const stream = ::opendir(directory.c_str());
  if (stream == nullptr) return fail(storage_error(directory, "list", errno));
  std::vector<DirectoryEntry> entries;
  errno = 0;
  while (const ::dirent* const entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool is_directory = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK) {
      struct stat status{};
      is_directory =
          ::fstatat(::dirfd(stream), entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
    }
    entries.push_back({std::string(name), is_directory});
    errno = 0;
  }
  const int error = errno;
  ::closedir(stream);
  if (error != 0) return fail(storage_error(directory, "list", error));
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  return entries;
}

Result<> RealFileSystem::create_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return {};  // mostly only the last one is missing
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail(storage_error(path, "create directory", error.value()));
  return {};
}

Result<> RealFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return fail(storage_error(from, ("rename to " + to).c_str(), errno));
  }
  return {};
}

Result<> RealFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail(storage_error(path, "remove", errno));
  }
  return {};
}

Result<> RealFileSystem::remove_tree(const std::string& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (error) return fail(storage_error(directory, "remove", error.value()));
  return {};
}

Result<> RealFileSystem::sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(storage_error(path, "open", errno));
  const int failed = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (failed != 0) return fail(flush_error(path, "flush", error));
  return {};
}

Result<std::unique_ptr<HeldFileSystem>> RealFileSystem::hold(const std::string& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return fail(storage_error(directory, "open", errno));
  return std::make_unique<RealHeldFileSystem>(directory, descriptor);
}

Result<Space> RealFileSystem::space(const std::string& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0) return fail(storage_error(path, "statvfs", errno));
  const auto block = static_cast<std::int64_t>(status.f_frsize);
  return Space{.total_bytes = static_cast<std::int64_t>(status.f_blocks) * block,
               .usable_bytes = static_cast<std::int64_t>(status.f_bavail) * block};
}

}  // namespace arus::env
