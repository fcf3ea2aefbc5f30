// The lock of a file, against other processes and within this one.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "env/os_error.h"
#include "env/real/file.h"

namespace arus::env {

namespace {

using FileIdentity = std::pair<dev_t, ino_t>;

// The system grants a process its own lock again and drops it when any descriptor of the file is
// closed, so this process remembers what it holds and opens no locked file twice.
struct Held {
  std::mutex mutex;
  std::set<FileIdentity> files;
};
Held& held() {
  static Held instance;
  return instance;
}

class RealFileLock final : public FileLock {
 public:
  RealFileLock(int descriptor, FileIdentity identity)
      : descriptor_(descriptor), identity_(identity) {}
  ~RealFileLock() override {
    const std::scoped_lock lock(held().mutex);
    ::close(descriptor_);
    held().files.erase(identity_);
  }

 private:
  int descriptor_;
  FileIdentity identity_;
};

std::unexpected<Error> held_by(const std::string& path, const char* whom) {
  return fail(
      Error{ErrorCode::kafka_storage_error, path + ": lock: held by " + whom + " process", EAGAIN});
}

}  // namespace

Result<std::unique_ptr<FileLock>> RealFileSystem::lock(const std::string& path) {
  const std::scoped_lock lock(held().mutex);
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && held().files.contains({status.st_dev, status.st_ino})) {
    return held_by(path, "this");
  }
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return fail(storage_error(path, "open", errno));
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(descriptor, F_SETLK, &whole) != 0 || ::fstat(descriptor, &status) != 0) {
    const int error = errno;
    ::close(descriptor);
    if (error == EAGAIN || error == EACCES) return held_by(path, "another");
    return fail(storage_error(path, "lock", error));
  }
  const FileIdentity identity{status.st_dev, status.st_ino};
  held().files.insert(identity);
  return std::make_unique<RealFileLock>(descriptor, identity);
}

}  // namespace arus::env
