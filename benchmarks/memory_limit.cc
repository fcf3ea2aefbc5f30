#include "benchmarks/memory_limit.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <utility>

namespace arus::benchmark {
namespace {

bool write_line(const std::string& path, const std::string& line) {
  std::ofstream file(path);
  file << line << std::endl;
  return file.good();
}

}  // namespace

std::optional<MemoryLimit> MemoryLimit::make(std::int64_t bytes) {
  const std::string name = "arus-benchmark-" + std::to_string(::getpid());
  struct Kind {
    const char* root;
    const char* limit;
  };
  for (const Kind kind : {Kind{"/sys/fs/cgroup/memory/", "/memory.limit_in_bytes"},
                          Kind{"/sys/fs/cgroup/", "/memory.max"}}) {
    std::error_code error;
    const std::string path = kind.root + name;
    if (!std::filesystem::exists(kind.root) || !std::filesystem::create_directory(path, error)) {
      continue;
    }
    if (write_line(path + kind.limit, std::to_string(bytes))) return MemoryLimit(path);
    ::rmdir(path.c_str());
  }
  return std::nullopt;
}

MemoryLimit::MemoryLimit(MemoryLimit&& other) noexcept : path_(std::exchange(other.path_, "")) {}

MemoryLimit::~MemoryLimit() {
  if (!path_.empty()) ::rmdir(path_.c_str());
}

void MemoryLimit::add(pid_t process) const {
  write_line(path_ + "/cgroup.procs", std::to_string(process));
}

}  // namespace arus::benchmark
