// How a snapshot of the metadata log is named.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace arus::raft {

// A snapshot holds what the log says below `end` (exclusive); `epoch` is that of the record
// before. Its file is `%020d-%010d.checkpoint`, and a name with `.part` behind while it is written.
struct SnapshotId {
  Offset end{0};
  LeaderEpoch epoch{0};
  friend auto operator<=>(const SnapshotId&, const SnapshotId&) = default;

  // 0-0 is what formatting leaves: the first voters, and nothing that the log does not say again.
  [[nodiscard]] bool is_bootstrap() const { return end == Offset{0}; }
  [[nodiscard]] std::string file_name() const;
  [[nodiscard]] static std::optional<SnapshotId> parse_file_name(std::string_view name);
};

}  // namespace arus::raft
