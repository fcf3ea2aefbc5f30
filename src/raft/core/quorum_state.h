// The vote that must not be forgotten: what the file `quorum-state` holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"

namespace arus::raft {

// On disk before it is acted on. −1 is none. One line of JSON: version 0 (kraft.version 0) names
// the voters, version 1 the directory that was voted for.
struct ElectionState {
  LeaderEpoch epoch{0};
  std::int32_t leader_id = -1;
  std::int32_t voted_id = -1;
  Uuid voted_directory_id;
  friend bool operator==(const ElectionState&, const ElectionState&) = default;
};

// `voters` is written in version 0 only.
[[nodiscard]] std::string format_quorum_state(const ElectionState& state, std::int16_t version,
                                              const std::vector<std::int32_t>& voters);
// Takes both versions and fields it does not know. An error for anything else.
[[nodiscard]] Result<ElectionState> parse_quorum_state(std::string_view text);

}  // namespace arus::raft
