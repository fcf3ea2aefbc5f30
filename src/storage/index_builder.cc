#include "storage/index_builder.h"

namespace arus::storage {

void IndexBuilder::add(Offset last_offset, std::int64_t position, std::int64_t size_bytes,
                       std::int64_t max_timestamp_ms, std::int32_t interval_bytes) {
  if (max_timestamp_ms > state_.largest.timestamp_ms) {
    state_.largest = {max_timestamp_ms, last_offset};
  }
  if (state_.bytes_since_entry > interval_bytes) {
    offsets.push_back({last_offset, static_cast<std::int32_t>(position)});
    add_time();
    state_.bytes_since_entry = 0;
  }
  state_.bytes_since_entry += size_bytes;
}

void IndexBuilder::finish() { add_time(); }

void IndexBuilder::add_time() {
  if (state_.largest.timestamp_ms <= state_.last_indexed_timestamp_ms) return;
  times.push_back(state_.largest);
  state_.last_indexed_timestamp_ms = state_.largest.timestamp_ms;
}

}  // namespace arus::storage
