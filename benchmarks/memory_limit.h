// A memory cgroup for one process, of version 1 or 2.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace arus::benchmark {

// Owner of one cgroup; removes it. Its processes must have ended before.
class MemoryLimit {
 public:
  // Nothing where cgroups may not be made.
  static std::optional<MemoryLimit> make(std::int64_t bytes);
  MemoryLimit(MemoryLimit&& other) noexcept;
  MemoryLimit& operator=(MemoryLimit&&) = delete;
  ~MemoryLimit();
  // What it has allocated before does not count.
  void add(pid_t process) const;

 private:
  explicit MemoryLimit(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace arus::benchmark
