// Checkpoint files: a version, a count, and a line for each entry; docs/formats/checkpoints.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/topic_partition.h"

namespace arus::storage {

// An offset of one partition: what replication-offset-checkpoint and its like at the top of a log
// directory hold.
struct PartitionOffset {
  TopicPartition partition;
  Offset offset;
  friend bool operator==(const PartitionOffset&, const PartitionOffset&) = default;
};

[[nodiscard]] std::string encode_offset_checkpoint(std::span<const PartitionOffset> entries);
// CORRUPT_MESSAGE for a file that is no such checkpoint.
[[nodiscard]] Result<std::vector<PartitionOffset>> parse_offset_checkpoint(std::string_view text);

// The first offset that was written in a leader epoch.
struct EpochStart {
  LeaderEpoch epoch;
  Offset start;
  friend bool operator==(const EpochStart&, const EpochStart&) = default;
};

[[nodiscard]] std::string encode_leader_epoch_checkpoint(std::span<const EpochStart> entries);
// CORRUPT_MESSAGE for a file that is no such checkpoint or whose epochs or offsets do not ascend.
[[nodiscard]] Result<std::vector<EpochStart>> parse_leader_epoch_checkpoint(std::string_view text);

}  // namespace arus::storage
