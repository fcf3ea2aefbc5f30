// A log that can be exchanged for its copy in another directory while it is in use.
#pragma once

#include <memory>
#include <vector>

#include "env/event.h"
#include "storage/log.h"

namespace arus::replication {

// Hands everything on to the log of the moment. During an exchange appends are refused with a
// retriable error and whatever suspends waits; that takes some milliseconds.
//
// Holds: nobody is at work in a log that is exchanged. Owner: the loop of the partition.
class MovableLog final : public storage::Log {
 public:
  explicit MovableLog(std::unique_ptr<storage::Log> log) : log_(std::move(log)) {}

  // For a move. Refuses appends from now on, and lets retention and compaction of the log pass;
  // completes when none of them is at work. False where the deadline comes first: then it is over.
  env::Task<bool> begin_exchange(env::TimePoint deadline);
  // Holds up readers, too; completes when none is left. False as above.
  env::Task<bool> hold(env::TimePoint deadline);
  // Ends the exchange with this log, or with the one of before.
  void put(std::unique_ptr<storage::Log> log);
  void abandon_exchange();
  // The log of the moment, for whoever holds it up.
  [[nodiscard]] storage::Log& current() { return *log_; }

  const TopicPartition& name() const override { return log_->name(); }
  const Uuid& topic_id() const override { return log_->topic_id(); }
  Offset log_start() const override { return log_->log_start(); }
  Offset log_end() const override { return log_->log_end(); }
  Offset written_end() const override { return log_->written_end(); }
  Offset durable_end() const override { return log_->durable_end(); }
  std::optional<Offset> first_unstable_offset() const override {
    return log_->first_unstable_offset();
  }
  bool has_open_transaction(ProducerId producer_id, std::int16_t epoch) const override {
    return log_->has_open_transaction(producer_id, epoch);
  }
  std::vector<storage::ProducerEntry> producers() const override { return log_->producers(); }
  std::int64_t size_bytes() const override { return log_->size_bytes(); }
  LeaderEpoch latest_epoch() const override { return log_->latest_epoch(); }
  const std::string& directory() const override { return log_->directory(); }
  const std::optional<Error>& failure() const override { return log_->failure(); }
  Result<> check_writable() const override;

  void set_observer(storage::LogObserver* observer) override;
  void set_high_watermark(Offset high_watermark) override;
  Offset checkpointed_high_watermark() const override {
    return log_->checkpointed_high_watermark();
  }
  void configure(std::shared_ptr<const config::TopicConfig> config) override {
    log_->configure(std::move(config));
  }

  void disown() override { log_->disown(); }

  Result<storage::Appended> append(Slice batch, const record::ValidatedBatch& facts,
                                   const storage::AppendOptions& options) override;
  Result<> append_replicated(Slice batches) override;
  Result<> begin_epoch(LeaderEpoch epoch) override { return log_->begin_epoch(epoch); }

  env::Task<Result<storage::Fetched>> read(Offset from, storage::FetchBound bound) override;
  env::Task<Result<std::vector<storage::AbortedTransaction>>> aborted_transactions(
      Offset from, Offset to) override;
  env::Task<Result<std::optional<storage::TimestampedOffset>>> find_timestamp(
      std::int64_t timestamp_ms, Offset end) override;
  env::Task<Result<std::optional<storage::TimestampedOffset>>> find_max_timestamp(
      Offset end) override;
  storage::EpochEnd end_of_epoch(LeaderEpoch epoch) const override {
    return log_->end_of_epoch(epoch);
  }
  LeaderEpoch epoch_of(Offset offset) const override { return log_->epoch_of(offset); }

  env::Task<Result<>> flush() override;
  env::Task<Result<>> truncate_to(Offset end) override;
  env::Task<Result<>> advance_log_start(Offset start) override;
  env::Task<Result<storage::RemovedSegments>> apply_retention(
      std::optional<std::int64_t> now_ms) override;
  env::Task<Result<storage::CompactionNeed>> find_compaction_need(std::int64_t now_ms) override;
  env::Task<Result<storage::CompactionOutcome>> compact(
      storage::CompactionRequest request) override;
  env::Task<Result<storage::ScrubbedPiece>> scrub(std::int64_t max_bytes) override;
  std::size_t damaged_batches() const override { return log_->damaged_batches(); }

 private:
  enum class State : std::uint8_t {
    open,
    exchanging,  // nothing changes the log
    held,        // nobody reads it
  };
  // Counts those at work while it lives.
  class Entry;
  [[nodiscard]] env::Task<Entry> enter(bool changes);
  [[nodiscard]] Result<> check_open() const;

  std::unique_ptr<storage::Log> log_;
  storage::LogObserver* observer_ = nullptr;
  std::optional<Offset> high_watermark_;
  State state_ = State::open;
  std::size_t changing_ = 0;  // of those at work
  std::size_t reading_ = 0;
  env::Event moved_;  // the state, or a count
};

}  // namespace arus::replication
