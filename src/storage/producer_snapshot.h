// The file `.snapshot`: producer state as it was when the log ended at the offset in its name.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/producer_snapshot_format.h"
#include "storage/producer_state.h"

namespace arus::storage {

// Of each producer the file keeps the newest batch only; what was sent before cannot be recognised
// again after a restart, as in Kafka.
[[nodiscard]] Bytes encode_producer_snapshot(std::span<const ProducerEntry> entries);
// CORRUPT_MESSAGE where version, checksum or sizes are wrong.
[[nodiscard]] Result<std::vector<ProducerEntry>> parse_producer_snapshot(ByteView file);

}  // namespace arus::storage
