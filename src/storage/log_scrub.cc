#include "storage/log_scrub.h"

#include <fmt/core.h>

#include <algorithm>

#include "env/file_range.h"
#include "record/batch.h"
#include "storage/batch_scanner.h"

namespace arus::storage {

namespace {

constexpr std::size_t window_bytes = std::size_t{256} << 10;

Error damage_at(const std::string& path, std::int64_t position, Offset offset,
                std::string_view why) {
  return {ErrorCode::corrupt_message,
          fmt::format("{}: the batch at byte {}, offset {}, is damaged: {}", path, position,
                      offset.value(), why),
          0};
}

}  // namespace

Result<ScrubbedBatches> scrub_batches(env::FileSystem& files, const SegmentView& segment,
                                      std::int64_t from, std::int64_t max_bytes) {
  const std::string path = segment.path(suffix::log);
  const auto file = open_segment_file(files, segment, suffix::log);
  if (!file) return fail(file.error());
  const std::int64_t end = std::min(segment.trusted_from, segment.readable_bytes);
  const bool cached = env::is_cached(**file, from, std::min(end - from, max_bytes));
  ScrubbedBatches scrubbed{.next = from, .verified_to = segment.verified_bytes, .damage = {}};
  BatchScanner scanner(**file, from, end, env::ReadMode::may_block, window_bytes);
  Offset next = segment.base_offset;
  while (scrubbed.next < from + max_bytes) {
    const auto batch = scanner.next();
    if (!batch) break;
    const auto bytes = scanner.bytes();
    if (!bytes) return fail(bytes.error());
    const auto view = record::BatchView::parse(*bytes);
    const bool legacy = batch->magic < record::format::magic_2;
    // Offsets are outside the checksum.
    if ((legacy ? batch->last_offset : batch->base_offset) < next ||
        batch->last_offset >= segment.limit) {
      scrubbed.damage.push_back(
          damage_at(path, batch->position, next, "its offsets do not follow those before it"));
    } else {
      next = batch->last_offset + 1;
    }
    if (!view || !view->crc_matches()) {
      scrubbed.damage.push_back(
          damage_at(path, batch->position, batch->base_offset, "its checksum does not match"));
    }
    scrubbed.next = scanner.position();
    if (scrubbed.damage.empty() && from <= segment.verified_bytes) {
      scrubbed.verified_to = std::max(scrubbed.verified_to, scrubbed.next);
    }
  }
  const Result<>& status = scanner.status();
  if (!status && status.error().code != ErrorCode::corrupt_message) return fail(status.error());
  const bool stuck = scrubbed.next < from + max_bytes && scrubbed.next < end;
  if (stuck) {
    scrubbed.damage.push_back(
        damage_at(path, scrubbed.next, next, status ? "it is cut off" : status.error().message));
  }
  if (!cached) (*file)->drop_cache(from, scrubbed.next - from);
  if (stuck) scrubbed.next = end;
  return scrubbed;
}

}  // namespace arus::storage
