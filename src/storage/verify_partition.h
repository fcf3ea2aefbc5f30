// Checks the files of one partition without changing them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "env/file.h"
#include "record/batch.h"
#include "record/compression.h"
#include "storage/batch_scanner.h"
#include "storage/commit_log_reader.h"
#include "storage/leader_epochs.h"
#include "storage/log_host.h"
#include "storage/producer_state.h"
#include "storage/segment_files.h"
#include "storage/verify.h"

namespace arus::storage {

struct PartitionToCheck {
  std::string path;  // of its folder
  TopicPartition name;
  bool is_metadata = false;
  bool clean = false;               // the last stop was orderly
  std::optional<Uuid> expected_id;  // of its topic, where that is known
  LogOffsets offsets;               // as the checkpoints have them
  bool has_recovery_point = false;  // their checkpoint names the partition
  bool cleaning_known = true;       // whether compaction was at work: its checkpoint is whole
  const FoundPartition* logged = nullptr;       // what the commit log has of it
  const std::vector<FoundLap>* laps = nullptr;  // where that is
  bool decode = true;                           // also look at the records inside batches
};

struct SegmentTrial;

// Goes through a partition as its recovery and its readers would, one segment after the other, with
// what the commit log would write again in its place. Memory: one batch and what decoding it needs,
// a segment's indexes, producer state; a batch larger than most_decoded_bytes is only summed up.
// Blocking, for the pool: one caller at a time.
class PartitionCheck {
 public:
  static constexpr std::size_t most_decoded_bytes = std::size_t{64} << 20;
  static constexpr std::size_t most_findings = 1'000;

  PartitionCheck(env::FileSystem& files, PartitionToCheck what);
  ~PartitionCheck();

  // Does a piece of the work, at most a segment; false when all is done.
  bool step();
  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }
  [[nodiscard]] const VerifyTotals& totals() const { return totals_; }
  [[nodiscard]] const PartitionToCheck& what() const { return what_; }

 private:
  struct Segment {
    Offset base;
    Offset limit;
    SegmentFiles on_disk;
    std::string log;     // path
    std::string ending;  // of its files' names: ".swap" for those that a start will rename
    bool is_last = false;
  };

  // Listing, in verify_partition.cc.
  void list();
  void note_entry(const env::DirectoryEntry& entry);
  void note_small_file(const std::string& name);
  void note_partition_metadata();
  void note_epochs();
  void apply_swaps(const std::vector<env::DirectoryEntry>& entries);
  void add_logged_segments();
  bool check_snapshot_file(const std::string& name);
  void check_snapshot_files();
  void finish();
  void check_ends();
  void compare_snapshots(Offset up_to);
  void compare_snapshot(Offset at, const std::vector<ProducerEntry>& entries);

  // One segment, in verify_segment.cc.
  void check_segment(const Segment& segment);
  Result<std::shared_ptr<env::File>> open_segment(const Segment& segment);
  void walk(const Segment& segment, env::File& file, std::int64_t size, SegmentTrial& trial);
  // False where a start would end the log here.
  bool pass_over(const Segment& segment, env::File& file, std::int64_t size,
                 std::optional<BatchScanner>& scanner, SegmentTrial& trial);
  bool check_batch(const Segment& segment, const BatchHeader& batch, BatchScanner& scanner,
                   env::File& file, SegmentTrial& trial);
  bool report_batch(const Segment& segment, const BatchHeader& batch, env::File& file,
                    std::string_view why);
  void check_gap(const Segment& segment, const BatchHeader& batch);
  void check_epoch(const Segment& segment, const BatchHeader& batch);
  void check_records(const Segment& segment, const BatchHeader& batch,
                     const record::BatchView& view, SegmentTrial& trial);
  void replay(const BatchHeader& batch, const record::BatchView& view, bool has_records,
              SegmentTrial& trial);
  void cut_here(const Segment& segment, env::File& file, std::int64_t position, std::int64_t size,
                std::string_view why);
  void judge_indexes(const Segment& segment, const SegmentTrial& trial);

  // Whether recovery believes the segment as it is.
  [[nodiscard]] bool trusts(const Segment& segment) const {
    return what_.clean || (!segment.is_last && segment.limit <= what_.offsets.recovery_point);
  }
  // Whether a start ends the log before a batch with this last offset, should it be damaged.
  [[nodiscard]] bool is_unsure(const Segment& segment, Offset last) const {
    return !trusts(segment) && last >= what_.offsets.recovery_point;
  }
  [[nodiscard]] std::string path_of(const Segment& segment, std::string_view kind) const;
  [[nodiscard]] Repair rebuild(const Segment& segment) const;
  [[nodiscard]] Repair cut_at(const Segment& segment, std::int64_t position, Offset offset) const;
  [[nodiscard]] Repair aside(const std::string& file) const;
  void add(Finding finding);

  env::FileSystem& files_;
  PartitionToCheck what_;
  std::vector<Finding> findings_;
  VerifyTotals totals_;
  record::CodecScratch scratch_;

  enum class Stage : std::uint8_t { list, segments, finish, done };
  Stage stage_ = Stage::list;
  std::map<Offset, Segment> segments_;
  std::map<Offset, Segment>::const_iterator at_;
  std::map<Offset, std::vector<ProducerEntry>> snapshots_;  // those that can be read
  std::map<std::string, std::shared_ptr<env::File>> laps_;  // that are open
  std::optional<LeaderEpochs> epochs_;                      // as the checkpoint has them
  std::vector<std::string> metadata_snapshots_;

  Offset next_;          // the log's end, as far as it was read
  bool ended_ = false;   // a start would end the log before here
  bool broken_ = false;  // batches were passed over: producers are not what they were
  LeaderEpoch last_epoch_ = no_leader_epoch;
  std::size_t wrong_epochs_ = 0;
  ProducerState producers_;
  std::map<ProducerId, bool> with_records_;  // of open transactions: whether any are left
};

}  // namespace arus::storage
