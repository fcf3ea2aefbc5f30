// Records of committed offsets, as they stand in __consumer_offsets.
#pragma once

#include "coordinator/group/offset_store.h"
#include "coordinator/group/pending_offsets.h"
#include "coordinator/runtime/record.h"

namespace arus::coordinator {

[[nodiscard]] Record offset_record(const OffsetKey& key, const OffsetValue& value);
[[nodiscard]] Record offset_tombstone(const OffsetKey& key);

// Of the key types 0, which Kafka wrote before 0.9, and 1. `bytes` are the whole key.
[[nodiscard]] Result<OffsetKey> decode_offset_key(ByteView bytes);
// Of any version.
[[nodiscard]] Result<OffsetValue> decode_offset_value(ByteView bytes);

}  // namespace arus::coordinator
