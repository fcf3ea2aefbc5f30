// Bodies of the control records of the metadata log and its snapshots.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "raft/core/voters.h"

namespace arus::raft {

// Every value begins with an int16 version and ends with tagged fields (docs/formats). What is
// written is version 0, as Kafka 4.3 does; readers take the newer LeaderChange as well.
struct LeaderChange {
  std::int32_t leader_id = -1;
  std::vector<std::int32_t> voters;
  std::vector<std::int32_t> granting_voters;
};

[[nodiscard]] Bytes encode_leader_change(const LeaderChange& change);
[[nodiscard]] Bytes encode_snapshot_header(std::int64_t last_contained_log_timestamp_ms);
[[nodiscard]] Bytes encode_snapshot_footer();
[[nodiscard]] Bytes encode_kraft_version(std::int16_t level);
[[nodiscard]] Bytes encode_voters(const VoterSet& voters);

// Nothing for bytes that are no such record.
[[nodiscard]] std::optional<LeaderChange> decode_leader_change(ByteView value);
[[nodiscard]] std::optional<std::int64_t> decode_snapshot_header(ByteView value);
[[nodiscard]] std::optional<std::int16_t> decode_kraft_version(ByteView value);
[[nodiscard]] std::optional<VoterSet> decode_voters(ByteView value);

}  // namespace arus::raft
