// The decisions of one member of the metadata quorum: events in, effects out. No clock, no file.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "raft/core/quorum_state.h"
#include "raft/core/voters.h"

namespace arus::raft {

// The states of KRaft (KIP-595, KIP-996). A sole voter goes from unattached to leader at once; the
// others are reached when a quorum has several voters.
enum class Role : std::uint8_t {
  unattached,
  prospective,
  candidate,
  leader,
  resigned,
  follower,
};

// What a member knows when it starts.
struct Start {
  std::int32_t id = -1;
  Uuid directory_id;
  std::int16_t kraft_version = 0;
  VoterSet voters;  // of the newest record in snapshot or log, or those configured
  std::optional<ElectionState> persisted;
  Offset log_end;
  LeaderEpoch log_epoch{0};  // of the last batch, or of the snapshot
};

// What the driver has to do, in this order. A state that is to be persisted is on stable storage
// before anything else of the same or a later effect is done, and then told by persisted().
struct Effects {
  std::optional<ElectionState> persist;
  // This member leads the epoch: the driver appends the LeaderChange record at the log end.
  std::optional<LeaderEpoch> lead;
  // Everything below is committed; it only grows.
  std::optional<Offset> high_watermark;
};

// Holds: epochs never go back; nothing of an epoch is led before the vote for it is persisted; an
// offset is committed only when the leader's own log is durable there (Kafka's sole voter commits
// before its flush, this one does not) and a record of its own epoch is among what it commits.
class Core {
 public:
  explicit Core(const Start& start);

  // UNSUPPORTED_VERSION where others vote too; INCONSISTENT_VOTER_SET where this member does not.
  [[nodiscard]] Result<Effects> start();
  // The state that was asked for is on stable storage.
  [[nodiscard]] Effects persisted(const ElectionState& state);
  // The leader's records, its LeaderChange first, end here now.
  void appended(Offset log_end);
  // Records at and beyond this offset could not be stored.
  void retreat(Offset log_end);
  // The log is on stable storage below `durable_end`.
  [[nodiscard]] Effects flushed(Offset durable_end);

  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] LeaderEpoch epoch() const { return epoch_; }
  [[nodiscard]] std::int32_t leader_id() const { return leader_id_; }
  [[nodiscard]] const VoterSet& voters() const { return voters_; }
  void set_voters(VoterSet voters) { voters_ = std::move(voters); }
  [[nodiscard]] Offset log_end() const { return log_end_; }
  [[nodiscard]] Offset high_watermark() const { return high_watermark_; }

 private:
  std::int32_t id_;
  Uuid directory_id_;
  std::int16_t kraft_version_;
  VoterSet voters_;
  Role role_ = Role::unattached;
  LeaderEpoch epoch_{0};
  std::int32_t leader_id_ = -1;
  std::optional<LeaderEpoch> wanted_epoch_;  // persisting it is under way
  Offset log_end_;
  Offset epoch_start_;
  Offset high_watermark_ = no_offset;
};

}  // namespace arus::raft
