#include "storage/batch_search.h"

#include <algorithm>

#include "base/endian.h"
#include "record/batch.h"

namespace arus::storage {

namespace {

constexpr std::size_t window_bytes = std::size_t{1} << 20;
// What claims to be larger is not looked into: among random bytes many lengths are.
constexpr std::int64_t most_batch_bytes = std::int64_t{256} << 20;

// Cheap things first: nearly every position fails here.
bool may_begin(const std::uint8_t* bytes, std::int64_t left, Offset least, Offset limit) {
  if (load_big<std::int8_t>(bytes + record::format::magic_at) != record::format::magic_2)
    return false;
  const Offset base{load_big<std::int64_t>(bytes + record::format::base_offset_at)};
  if (base < least || base >= limit) return false;
  const auto size = record::batch_size_bytes(ByteView(bytes, record::format::bytes_up_to_magic));
  return size && *size && static_cast<std::int64_t>(**size) <= std::min(left, most_batch_bytes);
}

}  // namespace

Result<std::optional<BatchHeader>> find_whole_batch(env::File& file, std::int64_t from,
                                                    std::int64_t to, Offset least, Offset limit) {
  Bytes window;
  while (from + static_cast<std::int64_t>(record::format::header_bytes) <= to) {
    window.resize(static_cast<std::size_t>(
        std::min<std::int64_t>(to - from, static_cast<std::int64_t>(window_bytes))));
    ARUS_TRY(read_fully(file, window, from, env::ReadMode::may_block));
    const std::size_t places = window.size() - record::format::header_bytes + 1;
    for (std::size_t i = 0; i < places; ++i) {
      const std::int64_t at = from + static_cast<std::int64_t>(i);
      if (!may_begin(window.data() + i, to - at, least, limit)) continue;
      BatchScanner scanner(file, at, to, env::ReadMode::may_block, record::format::header_bytes);
      const auto batch = scanner.next();
      if (!batch || batch->last_offset >= limit) continue;
      const auto bytes = scanner.bytes();
      if (!bytes) return fail(bytes.error());
      const auto view = record::BatchView::parse(*bytes);
      if (view && view->crc_matches()) return batch;
    }
    from += static_cast<std::int64_t>(places);
  }
  return std::nullopt;
}

}  // namespace arus::storage
