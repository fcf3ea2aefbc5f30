#include "storage/logged_file.h"

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "storage/batch_scanner.h"

namespace arus::storage {

void LoggedFile::add(std::shared_ptr<env::File> lap, std::int64_t payload_at, std::int64_t position,
                     std::int64_t size_bytes) {
  ARUS_ASSERT(position <= size_bytes_);
  writes_.push_back({std::move(lap), payload_at, position, position + size_bytes});
  size_bytes_ = std::max(size_bytes_, position + size_bytes);
}

Result<std::size_t> LoggedFile::read_at(MutableByteView buffer, std::int64_t offset,
                                        env::ReadMode mode) {
  const auto size = static_cast<std::size_t>(
      std::clamp<std::int64_t>(size_bytes_ - offset, 0, static_cast<std::int64_t>(buffer.size())));
  const std::int64_t end = offset + static_cast<std::int64_t>(size);
  if (below_ != nullptr && offset < below_bytes_) {
    const auto below = static_cast<std::size_t>(std::min(end, below_bytes_) - offset);
    ARUS_TRY(read_fully(*below_, buffer.first(below), offset, mode));
  }
  for (const Write& write : writes_) {
    const std::int64_t first = std::max(offset, write.position);
    const std::int64_t last = std::min(end, write.end);
    if (first >= last) continue;
    ARUS_TRY(read_fully(*write.lap,
                        buffer.subspan(static_cast<std::size_t>(first - offset),
                                       static_cast<std::size_t>(last - first)),
                        write.payload_at + first - write.position, mode));
  }
  return size;
}

Result<> LoggedFile::write_at(std::span<const ByteView> /*pieces*/, std::int64_t /*offset*/) {
  return fail(Error{ErrorCode::kafka_storage_error, path_ + " is only read", EROFS});
}

Result<> LoggedFile::truncate(std::int64_t /*size_bytes*/) {
  return fail(Error{ErrorCode::kafka_storage_error, path_ + " is only read", EROFS});
}

}  // namespace arus::storage
