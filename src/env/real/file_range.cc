#include "env/file_range.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "env/real/file.h"

namespace arus::env {
namespace {

// Younger than the headers of Debian 12; the same number on every architecture.
constexpr long cachestat_call = 451;

struct CachestatRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// In pages.
struct Cachestat {
  std::uint64_t cached = 0;
  std::uint64_t dirty = 0;
  std::uint64_t writing_back = 0;
  std::uint64_t evicted = 0;
  std::uint64_t recently_evicted = 0;
};

}  // namespace

Slice slice_of(FileRange range) {
  const std::size_t length = range.length;
  std::uint8_t* const nowhere = nullptr;
  return {std::make_shared<const FileRange>(std::move(range)), {nowhere, length}};
}

const FileRange* file_range_of(const Slice& slice) {
  if (slice.data() != nullptr || slice.empty()) return nullptr;
  return static_cast<const FileRange*>(slice.owner().get());
}

bool is_cached(File& file, std::int64_t offset, std::int64_t length) {
  const auto* const real = dynamic_cast<const RealFile*>(&file);
  if (real == nullptr || length <= 0) return false;
  static const std::int64_t page_bytes = ::sysconf(_SC_PAGESIZE);
  const CachestatRange range{static_cast<std::uint64_t>(offset),
                             static_cast<std::uint64_t>(length)};
  Cachestat found;
  if (::syscall(cachestat_call, real->descriptor(), &range, &found, 0) != 0) return false;
  const std::int64_t first = offset / page_bytes;
  const std::int64_t last = (offset + length - 1) / page_bytes;
  return found.cached >= static_cast<std::uint64_t>(last - first + 1);
}

}  // namespace arus::env
