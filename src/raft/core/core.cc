#include "raft/core/core.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/assert.h"

namespace arus::raft {

Core::Core(const Start& start)
    : id_(start.id),
      directory_id_(start.directory_id),
      kraft_version_(start.kraft_version),
      voters_(start.voters),
      log_end_(start.log_end),
      epoch_start_(start.log_end) {
  // An epoch in the log that the file does not know was led by somebody: it must not be led again.
  const LeaderEpoch persisted = start.persisted ? start.persisted->epoch : LeaderEpoch{0};
  epoch_ = std::max(persisted, start.log_epoch);
}

Result<Effects> Core::start() {
  const Voter* self = voters_.find(id_);
  if (self == nullptr) {
    return fail(ErrorCode::inconsistent_voter_set,
                fmt::format("Node {} is not among the voters of the metadata quorum", id_));
  }
  if (kraft_version_ >= 1 && self->directory_id != directory_id_) {
    return fail(
        ErrorCode::inconsistent_voter_set,
        fmt::format("Voter {} of the metadata quorum has the directory {}, not this one, {}", id_,
                    self->directory_id.to_string(), directory_id_.to_string()));
  }
  if (!voters_.is_sole(id_)) {
    return fail(ErrorCode::unsupported_version,
                fmt::format("The metadata quorum has {} voters; only a sole voter can be served",
                            voters_.voters.size()));
  }
  wanted_epoch_ = LeaderEpoch{epoch_.value() + 1};
  return Effects{.persist = ElectionState{.epoch = *wanted_epoch_, .leader_id = id_}};
}

Effects Core::persisted(const ElectionState& state) {
  if (!wanted_epoch_ || state.epoch != *wanted_epoch_ || state.leader_id != id_) return {};
  wanted_epoch_.reset();
  epoch_ = state.epoch;
  leader_id_ = id_;
  role_ = Role::leader;
  epoch_start_ = log_end_;
  return Effects{.lead = epoch_};
}

void Core::appended(Offset log_end) { log_end_ = std::max(log_end_, log_end); }

void Core::retreat(Offset log_end) {
  ARUS_ASSERT(log_end >= high_watermark_);
  log_end_ = std::min(log_end_, log_end);
}

Effects Core::flushed(Offset durable_end) {
  const Offset end = std::min(durable_end, log_end_);
  if (role_ != Role::leader || end <= epoch_start_ || end <= high_watermark_) return {};
  high_watermark_ = end;
  return Effects{.high_watermark = end};
}

}  // namespace arus::raft
