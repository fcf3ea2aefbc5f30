// The file partition.metadata: which topic id a partition's directory belongs to.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"

namespace arus::storage {

// Two lines, without a newline at the end.
[[nodiscard]] std::string encode_partition_metadata(const Uuid& topic_id);
// CORRUPT_MESSAGE for anything else.
[[nodiscard]] Result<Uuid> parse_partition_metadata(std::string_view text);

}  // namespace arus::storage
