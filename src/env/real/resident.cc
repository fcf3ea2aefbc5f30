#include "env/real/resident.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

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

std::int64_t page_size() {
  static const std::int64_t bytes = ::sysconf(_SC_PAGESIZE);
  return bytes;
}

constexpr std::size_t long_range_bytes = std::size_t{64} << 10;

}  // namespace

Residency residency_of(int descriptor, std::int64_t offset, std::int64_t length) {
  if (length <= 0) return Residency::unknown;
  const CachestatRange range{static_cast<std::uint64_t>(offset),
                             static_cast<std::uint64_t>(length)};
  Cachestat found;
  if (::syscall(cachestat_call, descriptor, &range, &found, 0) != 0) return Residency::unknown;
  if (found.cached == 0) return Residency::none;
  const std::int64_t first = offset / page_size();
  const std::int64_t last = (offset + length - 1) / page_size();
  return found.cached >= static_cast<std::uint64_t>(last - first + 1) ? Residency::all
                                                                      : Residency::some;
}

// RWF_NOWAIT alone waits for nothing, but it has the system fetch what is missing, all that was
// asked for: memory is found and the disk is given work, here and now. So it is used for what is
// there. Where the system cannot tell, both ends of a long range are tried, which costs a page
// each.
::ssize_t read_resident(int descriptor, MutableByteView buffer, std::int64_t offset,
                        Residency resident) {
  const auto read = [descriptor](MutableByteView part, std::int64_t at) {
    const ::iovec vector{part.data(), part.size()};
    ::ssize_t count = 0;
    do {
      count = ::preadv2(descriptor, &vector, 1, at, RWF_NOWAIT);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
  };
  switch (resident) {
    case Residency::none:
      return -EAGAIN;
    case Residency::some: {
      const std::int64_t left = page_size() - offset % page_size();
      const auto part = std::min(buffer.size(), static_cast<std::size_t>(left));
      const bool there =
          residency_of(descriptor, offset, static_cast<std::int64_t>(part)) == Residency::all;
      return there ? read(buffer.first(part), offset) : -EAGAIN;
    }
    case Residency::unknown:
      for (const std::size_t at : {buffer.size() - 1, std::size_t{0}}) {
        if (buffer.size() < long_range_bytes) break;
        std::uint8_t byte = 0;
        const ::ssize_t count = read({&byte, 1}, offset + static_cast<std::int64_t>(at));
        if (count < 0) return count;
      }
      return read(buffer, offset);
    case Residency::all:
      return read(buffer, offset);
  }
  return -EINVAL;
}

}  // namespace arus::env
