// Which leader epoch wrote which offsets: what leader-epoch-checkpoint holds.
#pragma once

#include <span>
#include <vector>

#include "base/ids.h"
#include "storage/checkpoint_file.h"

namespace arus::storage {

// Holds: epochs and start offsets both ascend strictly in what append() leaves. An epoch without
// records gives its place to the next one that begins at the same offset. Owner: the log.
class LeaderEpochs {
 public:
  LeaderEpochs() = default;
  explicit LeaderEpochs(std::vector<EpochStart> entries) : entries_(std::move(entries)) {}

  // Notes that `epoch` begins at `start`; true when that is news. Entries that contradict it, with
  // an epoch or a start that is not smaller, are dropped: their records are not in the log.
  bool append(LeaderEpoch epoch, Offset start);
  [[nodiscard]] LeaderEpoch latest() const {
    return entries_.empty() ? no_leader_epoch : entries_.back().epoch;
  }
  // The epoch that wrote `offset`; −1 when it is below the first entry.
  [[nodiscard]] LeaderEpoch epoch_of(Offset offset) const;
  // The largest epoch at most `epoch` and where it ends: {−1, −1} when `epoch` is above all; the
  // start of the first when it is below all (OffsetForLeaderEpoch, KIP-101, KIP-279).
  [[nodiscard]] EpochStart end_of(LeaderEpoch epoch, Offset log_end) const;
  // Drops what begins at or beyond `end`; true when something did.
  bool truncate_to(Offset end);
  // Drops epochs that end at or before `start`; the one that contains it begins there.
  bool advance_start(Offset start);
  [[nodiscard]] std::span<const EpochStart> entries() const { return entries_; }

 private:
  std::vector<EpochStart> entries_;
};

}  // namespace arus::storage
