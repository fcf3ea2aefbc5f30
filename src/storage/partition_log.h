// The log of one partition over the files of its directory.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "env/event.h"
#include "storage/batch_scanner.h"
#include "storage/directory_contents.h"
#include "storage/file_latch.h"
#include "storage/leader_epochs.h"
#include "storage/log.h"
#include "storage/log_cleaning.h"
#include "storage/log_host.h"
#include "storage/log_recovery.h"
#include "storage/producer_state.h"
#include "storage/segment.h"

namespace arus::storage {

struct StagedSwap;

// Takes decisions on the loop (offsets, producers, indexes, rolling) and hands the bytes to the
// directory's writer. Beyond Log's own: segments ascend and do not overlap, only the last has a
// tail; below recovery_point() batches and their indexes are on stable storage.
// An idle log without records has no segment, no open file and no producer state. Destroying it
// hands over what a clean stop leaves; no task of it may be under way then.
class PartitionLog final : public Log, private WriteTarget {
 public:
  struct Identity {
    TopicPartition name;
    Uuid topic_id;
    std::string path;
    bool created = false;  // the directory was made just now
    bool future = false;   // the copy that is to take the place of a log elsewhere
    std::optional<LeaderEpoch> saved_epoch = std::nullopt;  // what a folder that was prepared says
  };

  PartitionLog(std::shared_ptr<LogHost> host, Identity identity,
               std::shared_ptr<const config::TopicConfig> config, LoadedLog loaded,
               Offset recovery_point, const LogOffsets& checkpoint);
  ~PartitionLog() override;

  const TopicPartition& name() const override { return name_; }
  const Uuid& topic_id() const override { return topic_id_; }
  Offset log_start() const override { return log_start_; }
  Offset log_end() const override { return log_end_; }
  Offset written_end() const override { return written_end_; }
  Offset durable_end() const override { return durable_end_; }
  std::optional<Offset> first_unstable_offset() const override;
  bool has_open_transaction(ProducerId producer_id, std::int16_t epoch) const override;
  std::vector<ProducerEntry> producers() const override;
  std::int64_t size_bytes() const override;
  LeaderEpoch latest_epoch() const override { return epochs_.latest(); }
  const std::string& directory() const override { return folder_->path; }
  const std::optional<Error>& failure() const override { return failure_; }
  Result<> check_writable() const override;

  void disown() override;

  void set_observer(LogObserver* observer) override { observer_ = observer; }
  void set_high_watermark(Offset high_watermark) override;
  Offset checkpointed_high_watermark() const override { return checkpointed_high_watermark_; }
  void configure(std::shared_ptr<const config::TopicConfig> config) override;

  Result<Appended> append(Slice batch, const record::ValidatedBatch& facts,
                          const AppendOptions& options) override;
  Result<> append_replicated(Slice batches) override;
  Result<> begin_epoch(LeaderEpoch epoch) override;

  env::Task<Result<Fetched>> read(Offset from, FetchBound bound) override;
  env::Task<Result<std::vector<AbortedTransaction>>> aborted_transactions(Offset from,
                                                                          Offset to) override;
  env::Task<Result<std::optional<TimestampedOffset>>> find_timestamp(std::int64_t timestamp_ms,
                                                                     Offset end) override;
  env::Task<Result<std::optional<TimestampedOffset>>> find_max_timestamp(Offset end) override;
  EpochEnd end_of_epoch(LeaderEpoch epoch) const override;
  LeaderEpoch epoch_of(Offset offset) const override { return epochs_.epoch_of(offset); }

  env::Task<Result<>> flush() override;
  env::Task<Result<>> truncate_to(Offset end) override;
  env::Task<Result<>> advance_log_start(Offset start) override;
  env::Task<Result<RemovedSegments>> apply_retention(std::optional<std::int64_t> now_ms) override;
  env::Task<Result<CompactionNeed>> find_compaction_need(std::int64_t now_ms) override;
  env::Task<Result<CompactionOutcome>> compact(CompactionRequest request) override;
  env::Task<Result<ScrubbedPiece>> scrub(std::int64_t max_bytes) override;
  std::size_t damaged_batches() const override { return damage_ == nullptr ? 0 : damage_->size(); }

  [[nodiscard]] Offset recovery_point() const { return recovery_point_; }
  [[nodiscard]] LogOffsets offsets() const;
  void expire_producers(std::int64_t now_ms);
  // The writer has brought this segment to stable storage, up to an offset.
  void note_flushed(Offset segment, Offset end);
  // What the files held when they were opened is on stable storage.
  void note_recovery_synced() { note_background_sync(opened_end_); }

 private:
  // So that work that comes back from elsewhere finds the log, or that it is gone.
  struct Link {
    PartitionLog* log;
  };

  void on_written(const WriteMark& mark) override;
  void on_durable(const WriteMark& mark) override;
  void on_writer_failure(const Error& error) override;

  // A copy is flushed when it is asked for; replaying the commit log would put it under its final
  // name.
  [[nodiscard]] bool synced() const {
    return config_->durability == config::Durability::synced && !future_;
  }
  // Replaying the commit log needs the metadata first.
  [[nodiscard]] bool uses_commit_log() const {
    return synced() && name_.topic != metadata_topic_name;
  }
  void adopt(LoadedLog loaded);
  Result<> check_size(std::size_t size_bytes) const;
  // The one way into the log: `header` says what `bytes`, one batch, holds.
  void place(Slice bytes, const BatchHeader& header, const std::optional<ProducerAppend>& producer,
             std::int64_t now_ms);
  [[nodiscard]] bool must_roll(const BatchHeader& header, std::int64_t now_ms) const;
  void open_segment(Offset base);
  void roll();
  // What is not in its file yet.
  [[nodiscard]] std::optional<ClosingFiles::Whole> take_snapshot();
  [[nodiscard]] std::optional<ClosingFiles::Whole> take_epochs();
  void save(std::optional<ClosingFiles::Whole> file);
  void save_snapshot();
  void save_epochs();
  void finish();
  void mark_progress();
  // Says once, for the operator, what a reader or the scrub has met.
  void note_damage(const Error& error);
  void advance_written(const WriteMark& mark);
  void release_decided();
  void note_background_sync(Offset base);
  void note_segment_synced(Offset end);

  [[nodiscard]] Segment* find_segment(Offset offset) const;
  [[nodiscard]] Segment* segment_at(Offset base) const;
  [[nodiscard]] std::int64_t readable_bytes(const Segment& segment) const;
  [[nodiscard]] SegmentView view(const Segment& segment) const;
  [[nodiscard]] std::vector<SegmentView> views(Offset from, Offset to) const;
  [[nodiscard]] SegmentRead request_for(const Segment& segment, Offset from,
                                        FetchBound bound) const;
  [[nodiscard]] std::unexpected<Error> out_of_range(Offset from) const;
  env::Task<Result<>> lower_recovery_point(Offset to);
  env::Task<Result<LoadedLog>> reload();
  env::Task<Result<SegmentBatches>> read_cold(Offset base, Offset from, FetchBound bound,
                                              SegmentView& facts);
  env::Task<void> rest(std::size_t bytes);
  void drop_segments_below(Offset start);

  [[nodiscard]] Offset visible_end() const;
  [[nodiscard]] const Segment* find_unknown_age(std::int64_t now_ms, Offset from,
                                                std::int64_t enough_ms) const;
  // Of closed segments that reach beyond `from`, up to the first that is younger than `enough_ms`.
  env::Task<Result<>> learn_ages(std::int64_t now_ms, Offset from, std::int64_t enough_ms);
  void warn_of_future(std::optional<std::int64_t> newest_ms, std::optional<std::int64_t> now_ms);
  [[nodiscard]] Offset find_retained_start(std::optional<std::int64_t> now_ms);
  void close_newest();
  env::Task<Result<>> wait_for_flush_below(Offset offset);

  class CompactionRound;
  env::Task<Result<CompactionOutcome>> run_compaction(CompactionRequest request);
  [[nodiscard]] Offset dirty_from() const;
  [[nodiscard]] std::size_t count_cleanable(std::int64_t now_ms, Offset recovery_point) const;
  [[nodiscard]] CleaningPlan plan_cleaning(const CompactionRequest& request,
                                           Offset recovery_point) const;
  env::Task<Result<std::int64_t>> first_dirty_timestamp(std::size_t cleanable);
  [[nodiscard]] bool holds_segments(std::span<const Offset> bases) const;
  env::Task<Result<bool>> exchange(const CleanedGroup& group, const std::shared_ptr<Link>& link);
  void install(const CleanedGroup& group);
  env::Task<Result<std::vector<std::string>>> name_exchanged(
      std::shared_ptr<const StagedSwap> swap);
  env::Task<Result<>> change_names(std::move_only_function<Result<>(env::FileSystem&)> rename);
  void take_offline(const Error& error);

  const std::shared_ptr<LogHost> host_;
  const TopicPartition name_;
  const Uuid topic_id_;
  const bool future_;
  const std::shared_ptr<Link> self_;  // for as long as this lives
  const std::shared_ptr<WriterFolder> folder_;
  std::shared_ptr<const config::TopicConfig> config_;
  LogObserver* observer_ = nullptr;
  std::optional<Error> failure_;
  std::shared_ptr<Link> link_;  // made anew when the files are read again

  Offset log_start_;
  Offset stated_start_;  // for the checkpoint; log_start_ follows once that is durable
  Offset files_begin_;   // base of the first segment that may be found after a power cut
  Offset log_end_;
  Offset written_end_;
  Offset durable_end_;
  Offset recovery_point_;
  Offset opened_end_;  // log_end when the files were read
  Offset checkpointed_high_watermark_;
  std::optional<Offset> high_watermark_;
  Offset written_segment_;          // segments before it are wholly in their files,
  std::int64_t written_bytes_ = 0;  // of this one so many bytes are

  std::vector<std::unique_ptr<Segment>> segments_;
  std::vector<std::shared_ptr<WriterFile>> unsynced_;  // full segments since the last flush
  LeaderEpochs epochs_;
  std::unique_ptr<ProducerState> producers_;  // null while there are none
  Offset snapshot_offset_{-1};                // of the newest producer snapshot
  std::int64_t first_timestamp_ms_ = -1;      // of the newest segment
  std::int64_t segment_created_ms_ = 0;
  std::int64_t roll_jitter_ms_ = 0;
  FileLatch change_latch_;  // held alone by who takes files away or exchanges them; taken first
  FileLatch file_latch_;
  std::optional<Offset> cleaned_to_;  // as of the last finished round
  bool compacting_ = false;
  RemovedSegments removed_;  // since the log was opened
  env::TimePoint next_future_warning_{};
  // Full segments that are being flushed, in order.
  struct BackgroundSync {
    Offset end;
    bool done = false;
  };
  // What was said of damage, so that it is said once; null while there is none.
  static constexpr std::size_t most_damage_noted = 100;
  std::unique_ptr<std::set<std::string>> damage_;
  Offset scrub_segment_;       // the scrub is in this segment
  std::int64_t scrub_at_ = 0;  // and here in it
  std::deque<BackgroundSync> background_syncs_;
  env::Event background_synced_;            // the recovery point moved, or never will
  std::optional<LeaderEpoch> saved_epoch_;  // the file has this one, from offset 0, and no other
  bool epochs_unsaved_ = false;
  bool cutting_ = false;  // truncate_to() is under way
  bool dirty_ = false;    // a clean stop has something to finish
  bool disowned_ = false;
};

}  // namespace arus::storage
