#include "storage/leader_epochs.h"

#include <algorithm>

namespace arus::storage {

bool LeaderEpochs::append(LeaderEpoch epoch, Offset start) {
  if (epoch.value() < 0) return false;
  if (!entries_.empty() && entries_.back().epoch == epoch && entries_.back().start <= start) {
    return false;
  }
  while (!entries_.empty() && (entries_.back().epoch >= epoch || entries_.back().start >= start)) {
    entries_.pop_back();
  }
  entries_.push_back({epoch, start});
  return true;
}

LeaderEpoch LeaderEpochs::epoch_of(Offset offset) const {
  const auto above = std::ranges::upper_bound(entries_, offset, {}, &EpochStart::start);
  return above == entries_.begin() ? no_leader_epoch : (above - 1)->epoch;
}

EpochStart LeaderEpochs::end_of(LeaderEpoch epoch, Offset log_end) const {
  constexpr EpochStart undefined{no_leader_epoch, no_offset};
  if (epoch.value() < 0 || entries_.empty()) return undefined;
  if (epoch == latest()) return {epoch, log_end};
  const auto above = std::ranges::upper_bound(entries_, epoch, {}, &EpochStart::epoch);
  if (above == entries_.end()) return undefined;
  if (above == entries_.begin()) return {epoch, above->start};
  return {(above - 1)->epoch, above->start};
}

bool LeaderEpochs::truncate_to(Offset end) {
  return std::erase_if(entries_, [end](const EpochStart& e) { return e.start >= end; }) > 0;
}

bool LeaderEpochs::advance_start(Offset start) {
  const auto above = std::ranges::upper_bound(entries_, start, {}, &EpochStart::start);
  if (above == entries_.begin()) return false;
  const auto holder = above - 1;
  if (holder == entries_.begin() && holder->start == start) return false;
  holder->start = start;
  entries_.erase(entries_.begin(), holder);
  return true;
}

}  // namespace arus::storage
