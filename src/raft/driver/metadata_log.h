// The files of __cluster_metadata-0: segments, snapshots, epochs and the vote.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/environment.h"
#include "raft/core/quorum_state.h"
#include "raft/driver/batch_file.h"
#include "raft/driver/snapshot_id.h"

namespace arus::raft {

inline constexpr const char* metadata_log_name = "__cluster_metadata-0";

struct MetadataLogOptions {
  std::int64_t segment_bytes = 1LL << 30;
};

// Told on the log's loop.
class MetadataLogObserver {
 public:
  virtual ~MetadataLogObserver() = default;
  virtual void on_durable(Offset end) = 0;
  // Nothing at or beyond `from` was made durable, and the log end is `from` again. With `offline`
  // the log takes nothing any more; otherwise (the disk is full) later appends may succeed.
  virtual void on_append_failed(Offset from, const Error& error, bool offline) = 0;
};

// A log of batches, always flushed before it says so. Holds: durable_end <= end; batches are
// contiguous; the newest snapshot covers everything below the first segment. One writer thread of
// its own makes every change to segments, in order; while it flushes, later appends collect and
// share the next flush. After a failed write or flush nothing is written any more, but that a full
// disk lets the log try again later. Owner: the loop that opened it, for all members but those
// marked blocking, which a worker may call before the first append.
class MetadataLog {
 public:
  // Opens or makes the log in this log directory; cuts an unfinished batch off its end, drops
  // unfinished and outdated snapshots, and makes durable what it keeps.
  static env::Task<Result<std::unique_ptr<MetadataLog>>> open(env::Environment& environment,
                                                              std::string log_directory,
                                                              MetadataLogOptions options);
  ~MetadataLog();
  MetadataLog(const MetadataLog&) = delete;
  MetadataLog& operator=(const MetadataLog&) = delete;

  void observe(MetadataLogObserver* observer) { observer_ = observer; }

  [[nodiscard]] const std::optional<ElectionState>& quorum_state() const { return quorum_state_; }
  [[nodiscard]] const std::vector<SnapshotId>& snapshots() const {
    return snapshots_;
  }  // ascending
  [[nodiscard]] Offset start() const { return segments_.front().base; }
  [[nodiscard]] Offset end() const { return end_; }
  [[nodiscard]] Offset durable_end() const { return durable_end_; }
  [[nodiscard]] LeaderEpoch last_epoch() const { return last_epoch_; }
  [[nodiscard]] bool offline() const { return offline_; }
  // Bytes of batches that are not durable yet.
  [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_ + flight_bytes_; }

  // Blocking. The whole snapshot; an error when its end is missing.
  Result<> read_snapshot(const SnapshotId& id, const BatchVisitor& visit) const;
  // Blocking. Every batch that ends beyond `from`, up to the log end at opening.
  Result<> read_log(Offset from, const BatchVisitor& visit) const;
  // Runs what blocks on the writer's thread.
  env::Worker& worker() { return *worker_; }

  // Takes one batch whose base offset is end() and whose epoch is not below the last one.
  void append(Bytes batch);
  // Writes quorum-state; durable when it completes.
  env::Task<Result<>> persist(ElectionState state, std::int16_t version,
                              std::vector<std::int32_t> voters);
  // Writes a snapshot file; durable and in snapshots() when it completes.
  env::Task<Result<>> write_snapshot(SnapshotId id, Chain batches);
  // Drops the oldest snapshots, but never the newest, while the log and its snapshots together
  // exceed `retention_bytes` or the oldest was written before `oldest_ms` (wall time), and then the
  // segments that lie wholly below the oldest snapshot left.
  env::Task<Result<>> clean(std::int64_t retention_bytes, std::int64_t oldest_ms);
  // The directory has failed elsewhere: nothing more is said to be durable here.
  void give_up(const Error& error);
  // Completes when all that was appended is durable or has failed, and the writer is idle.
  env::Task<void> close();

 private:
  struct Segment {
    Offset base;
    std::int64_t size_bytes = 0;
  };
  struct EpochStart {
    LeaderEpoch epoch;
    Offset start;
  };
  // The open segment; touched on the writer's thread only.
  struct Active {
    std::unique_ptr<env::File> file;
    std::int64_t size_bytes = 0;
  };
  struct SnapshotFacts {
    std::int64_t size_bytes = 0;
    std::int64_t written_ms = 0;
  };
  // One group: what one flush makes durable.
  struct Flight {
    std::vector<Bytes> batches;
    std::optional<Offset> new_segment;  // these batches begin it
    std::optional<std::string> epochs;  // leader-epoch-checkpoint to be written first
  };

  MetadataLog(env::Environment& environment, std::string directory, MetadataLogOptions options);
  Result<> open_blocking();
  Result<> list_files();
  Result<> recover_segments();
  Result<> recover_segment(Segment& segment, bool is_last);
  Result<> check_torn(env::File& file, const BatchFileEnd& read) const;
  Result<> start_at(Offset base);
  Result<> load_epochs();
  Result<> write_flight(Flight& flight);
  [[nodiscard]] Result<> marked(Result<> result) const;
  static Result<> write_batches(const Flight& flight, Active& active);
  Result<std::vector<SnapshotFacts>> measure_snapshots(const std::vector<SnapshotId>& ids) const;
  Result<> remove_blocking(const std::vector<std::string>& names) const;
  env::Task<void> run_flights();
  void note_epoch(LeaderEpoch epoch, Offset start);
  void fail_from(Offset from, const Error& error);
  [[nodiscard]] std::string epochs_text() const;
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  [[nodiscard]] std::string root() const { return directory_.substr(0, directory_.rfind('/')); }

  env::Environment& environment_;
  std::string directory_;
  MetadataLogOptions options_;
  std::unique_ptr<env::Worker> worker_;
  MetadataLogObserver* observer_ = nullptr;

  std::optional<ElectionState> quorum_state_;
  std::vector<SnapshotId> snapshots_;
  std::vector<Segment> segments_;
  std::vector<EpochStart> epochs_;
  Active active_;
  Offset end_{0};
  Offset durable_end_{0};
  LeaderEpoch last_epoch_{0};

  std::vector<Bytes> pending_;
  std::size_t pending_bytes_ = 0;
  std::size_t flight_bytes_ = 0;
  bool flying_ = false;
  bool epochs_changed_ = false;
  bool offline_ = false;
  std::optional<Error> failure_;  // of the directory
  env::Gate gate_;
};

}  // namespace arus::raft
