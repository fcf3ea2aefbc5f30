// Makes the batches of a snapshot, or of a bootstrap checkpoint, which has the same form.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "raft/core/voters.h"
#include "record/builder.h"

namespace arus::raft {

struct SnapshotOptions {
  LeaderEpoch epoch{0};
  std::int64_t last_contained_log_timestamp_ms = 0;
  std::int64_t now_ms = 0;
  // With kraft.version 1 the header is followed by these.
  std::optional<VoterSet> voters;
};

// A batch of control records (SnapshotHeader, and KRaftVersion and KRaftVoters where there are
// voters), batches of data records, a batch with the SnapshotFooter; offsets count from 0.
class SnapshotBuilder {
 public:
  static constexpr std::size_t batch_bytes = std::size_t{1} << 20;

  explicit SnapshotBuilder(const SnapshotOptions& options);
  // One metadata record, with its frame.
  void append(ByteView value);
  [[nodiscard]] Chain finish();

 private:
  void end_batch();
  [[nodiscard]] record::BatchOptions batch_options(bool control) const;

  SnapshotOptions options_;
  record::BatchBuilder builder_;
  Chain batches_;
};

}  // namespace arus::raft
