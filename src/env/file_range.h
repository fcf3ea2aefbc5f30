// A range of a file in place of bytes, for answers that go from the page cache to a socket.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "env/file.h"

namespace arus::env {

// The file stays open as long as a slice of it lives. What stands in the range must not change.
struct FileRange {
  std::shared_ptr<File> file;
  std::int64_t offset = 0;
  std::size_t length = 0;  // not 0
};

// A slice with the size of the range and without bytes: data() is null. It may be put into a chain
// that goes to a socket, and nowhere else.
[[nodiscard]] Slice slice_of(FileRange range);
// The range that a slice stands for; null for a slice of bytes.
[[nodiscard]] const FileRange* file_range_of(const Slice& slice);

// What of a range is in memory (Linux 6.5 and later: cachestat). To ask brings nothing in.
enum class Residency : std::uint8_t { all, some, none, unknown };
[[nodiscard]] Residency residency(File& file, std::int64_t offset, std::int64_t length);

// Whether all of the range is in memory, so that sending it does not wait for the disk. False where
// the system cannot tell.
[[nodiscard]] inline bool is_cached(File& file, std::int64_t offset, std::int64_t length) {
  return residency(file, offset, length) == Residency::all;
}

}  // namespace arus::env
