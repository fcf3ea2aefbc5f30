// One member of the metadata quorum at work: the core's decisions carried out on the metadata log.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/environment.h"
#include "raft/core/core.h"
#include "raft/core/voters.h"
#include "raft/driver/metadata_log.h"
#include "raft/driver/snapshot_builder.h"

namespace arus::raft {

struct QuorumConfig {
  std::int32_t id = -1;
  Uuid directory_id;
  std::string log_directory;             // that holds __cluster_metadata-0
  std::vector<Voter> static_voters;      // controller.quorum.voters; empty with kraft.version 1
  std::vector<VoterEndpoint> endpoints;  // of this node's controller
  MetadataLogOptions log;
};

// Told what the log holds when it is opened, in order: first the newest snapshot, then the records
// behind it. Called on the log's worker. Control records are the quorum's own.
class Replay {
 public:
  virtual ~Replay() = default;
  virtual void on_snapshot(const SnapshotId& id) = 0;
  virtual Result<> on_record(Offset offset, LeaderEpoch epoch, ByteView value) = 0;
  virtual Result<> on_snapshot_end(const SnapshotId& id) = 0;
};

// Told on the quorum's loop.
class QuorumObserver {
 public:
  virtual ~QuorumObserver() = default;
  // Everything below is committed.
  virtual void on_commit(Offset high_watermark) = 0;
  // Nothing at or beyond `from` was or will be committed; whoever built on it goes back.
  virtual void on_append_failed(Offset from, const Error& error, bool offline) = 0;
};

// Owner: the loop that opened it.
class Quorum : private MetadataLogObserver {
 public:
  // Reads snapshot and log. An error where the files are damaged or other voters are needed.
  static env::Task<Result<std::unique_ptr<Quorum>>> open(env::Environment& environment,
                                                         QuorumConfig config, Replay& replay);

  void observe(QuorumObserver* observer) { observer_ = observer; }

  // Becomes the leader of a new epoch: the vote is durable and the LeaderChange record appended
  // when it completes.
  env::Task<Result<>> elect();

  // As leader: one batch of data records, of at least one. Gives the offset of the first.
  Offset append(const std::vector<Bytes>& values);
  // Where the next record will be.
  [[nodiscard]] Offset end() const { return log_->end(); }
  [[nodiscard]] Offset high_watermark() const { return core_.high_watermark(); }
  [[nodiscard]] LeaderEpoch epoch() const { return core_.epoch(); }
  [[nodiscard]] std::int16_t kraft_version() const { return kraft_version_; }
  [[nodiscard]] const VoterSet& voters() const { return core_.voters(); }
  [[nodiscard]] std::int64_t last_timestamp_ms() const { return last_timestamp_ms_; }
  [[nodiscard]] const MetadataLog& log() const { return *log_; }
  // What else is in the directory of the log has failed.
  void fail_storage(const Error& error) { log_->give_up(error); }
  // No record but control records has ever been in this log.
  [[nodiscard]] bool is_fresh() const { return fresh_; }

  // What a snapshot made now says of the quorum.
  [[nodiscard]] SnapshotOptions snapshot_options(LeaderEpoch epoch) const;
  [[clang::coro_wrapper]] env::Task<Result<>> write_snapshot(SnapshotId id, Chain batches) {
    return log_->write_snapshot(id, std::move(batches));
  }
  [[clang::coro_wrapper]] env::Task<Result<>> clean(std::int64_t retention_bytes,
                                                    std::int64_t oldest_ms) {
    return log_->clean(retention_bytes, oldest_ms);
  }
  [[clang::coro_wrapper]] env::Task<void> close() { return log_->close(); }

 private:
  Quorum(env::Environment& environment, QuorumConfig config, std::unique_ptr<MetadataLog> log);
  Result<> read(Replay& replay);
  Result<> read_batch(const record::BatchView& batch, Replay& replay);
  Result<> read_control(const record::RecordView& record);
  Result<Start> decide_start() const;
  void append_leader_change(LeaderEpoch epoch);
  void on_durable(Offset end) override;
  void on_append_failed(Offset from, const Error& error, bool offline) override;

  env::Environment& environment_;
  QuorumConfig config_;
  std::unique_ptr<MetadataLog> log_;
  QuorumObserver* observer_ = nullptr;
  Core core_;

  // What snapshot and log say.
  std::int16_t kraft_version_ = 0;
  std::optional<VoterSet> recorded_voters_;
  bool voters_in_log_ = false;
  std::vector<std::int32_t> last_leader_voters_;
  bool fresh_ = true;
  bool footer_read_ = false;  // of the snapshot
  std::int64_t last_timestamp_ms_ = 0;
};

}  // namespace arus::raft
