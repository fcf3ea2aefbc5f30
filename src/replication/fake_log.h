// For tests: a log and a directory in memory, whose writer moves only when the test says so.
#pragma once

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "metadata/image.h"
#include "record/batch.h"
#include "storage/log_directory.h"

namespace arus::replication::testing {

// Of the topic that most tests have.
inline const Uuid topic_id = Uuid::of_halves(7, 7);

// Topic "events", all of whose replicas are on node 1.
inline std::shared_ptr<metadata::TopicImage> events_topic(int partitions, int leader = 1,
                                                          int epoch = 1, Uuid id = topic_id) {
  auto topic = std::make_shared<metadata::TopicImage>();
  topic->name = "events";
  topic->id = id;
  for (int i = 0; i < partitions; ++i) {
    auto partition = std::make_shared<metadata::PartitionImage>();
    partition->replicas = partition->isr = {BrokerId{1}};
    partition->leader = BrokerId{leader};
    partition->leader_epoch = LeaderEpoch{epoch};
    topic->partitions.push_back(std::move(partition));
  }
  return topic;
}

// Batches in a list. Duplicates are batches with the sequence of one that is there.
class FakeLog final : public storage::Log {
 public:
  FakeLog(TopicPartition name, Uuid id) : name_(std::move(name)), id_(id) {}

  // What the writer would do.
  void write_all() {
    written_ = end_;
    progress();
  }
  void sync_to(Offset offset) {
    durable_ = std::min(offset, end_);
    written_ = std::max(written_, durable_);
    progress();
  }
  void sync_all() { sync_to(end_); }
  void fail_directory() {
    failure_ = Error{ErrorCode::kafka_storage_error, "The directory has failed", 5};
    if (observer_ != nullptr) observer_->on_failure(*failure_);
  }
  [[nodiscard]] std::size_t batches() const { return batches_.size(); }

  const TopicPartition& name() const override { return name_; }
  const Uuid& topic_id() const override { return id_; }
  Offset log_start() const override { return Offset{0}; }
  Offset log_end() const override { return end_; }
  Offset written_end() const override { return written_; }
  Offset durable_end() const override { return durable_; }
  std::optional<Offset> first_unstable_offset() const override { return unstable; }
  bool has_open_transaction(ProducerId producer_id, std::int16_t) const override {
    return open_transaction == producer_id;
  }
  std::vector<storage::ProducerEntry> producers() const override { return {}; }
  std::int64_t size_bytes() const override { return size_; }
  LeaderEpoch latest_epoch() const override { return epoch_; }
  const std::string& directory() const override { return path_; }
  const std::optional<Error>& failure() const override { return failure_; }
  Result<> check_writable() const override {
    if (failure_) return std::unexpected(*failure_);
    if (stalled) return fail(ErrorCode::request_timed_out, "The directory does not keep up");
    return {};
  }
  void disown() override {}
  void set_observer(storage::LogObserver* observer) override { observer_ = observer; }
  void set_high_watermark(Offset high_watermark) override { told_ = high_watermark; }
  Offset checkpointed_high_watermark() const override { return Offset{0}; }
  void configure(std::shared_ptr<const config::TopicConfig>) override {}

  Result<storage::Appended> append(Slice batch, const record::ValidatedBatch& facts,
                                   const storage::AppendOptions& options) override {
    ARUS_TRY(check_writable());
    if (facts.base_sequence >= 0) {
      const auto known = sequences_.find(facts.base_sequence);
      if (known != sequences_.end()) {
        return storage::Appended{.base_offset = known->second,
                                 .last_offset = known->second + (facts.count - 1),
                                 .duplicate = true};
      }
      sequences_.emplace(facts.base_sequence, end_);
    }
    record::set_base_offset(batch.mutable_view(), end_);
    record::set_leader_epoch(batch.mutable_view(), options.leader_epoch);
    const storage::Appended appended{.base_offset = end_, .last_offset = end_ + (facts.count - 1)};
    size_ += static_cast<std::int64_t>(batch.size());
    batches_.emplace(end_, std::move(batch));
    end_ += facts.count;
    return appended;
  }
  Result<> append_replicated(Slice) override { return {}; }
  Result<> begin_epoch(LeaderEpoch epoch) override {
    epoch_ = epoch;
    return {};
  }
  env::Task<Result<storage::Fetched>> read(Offset from, storage::FetchBound bound) override {
    if (disk_stalls && !cached) {
      if (bound.cached_only) {
        co_return arus::fail(Error{ErrorCode::kafka_storage_error, "Not cached", EAGAIN});
      }
      co_await wait_for_disk();
    }
    storage::Fetched fetched;
    for (auto batch = std::prev(batches_.upper_bound(from));
         batch != batches_.end() && batch->first < bound.end; ++batch) {
      const bool fits = fetched.size_bytes + batch->second.size() <=
                        static_cast<std::size_t>(std::max(bound.max_bytes, 0));
      if (!fits && !(bound.at_least_one_batch && fetched.records.empty())) break;
      fetched.size_bytes += batch->second.size();
      fetched.records.push_back(batch->second);
    }
    co_return fetched;
  }
  env::Task<Result<std::vector<storage::AbortedTransaction>>> aborted_transactions(
      Offset, Offset) override {
    co_return std::vector<storage::AbortedTransaction>{};
  }
  env::Task<Result<std::optional<storage::TimestampedOffset>>> find_timestamp(std::int64_t,
                                                                              Offset) override {
    co_await wait_for_disk();
    co_return std::optional<storage::TimestampedOffset>{};
  }
  env::Task<Result<std::optional<storage::TimestampedOffset>>> find_max_timestamp(Offset) override {
    co_await wait_for_disk();
    co_return std::optional<storage::TimestampedOffset>{};
  }
  storage::EpochEnd end_of_epoch(LeaderEpoch) const override { return {epoch_, end_}; }
  LeaderEpoch epoch_of(Offset) const override { return epoch_; }
  env::Task<Result<>> flush() override { co_return Result<>{}; }
  env::Task<Result<>> truncate_to(Offset) override { co_return Result<>{}; }
  env::Task<Result<>> advance_log_start(Offset) override {
    co_await wait_for_disk();
    co_return Result<>{};
  }
  env::Task<Result<storage::RemovedSegments>> apply_retention(
      std::optional<std::int64_t> now_ms) override {
    retention_rounds.push_back(now_ms);
    if (upkeep_error) co_return std::unexpected(*upkeep_error);
    co_return storage::RemovedSegments{.count = 1, .size_bytes = 100};
  }
  env::Task<Result<storage::CompactionNeed>> find_compaction_need(std::int64_t) override {
    co_return storage::CompactionNeed{
        .clean_bytes = 100, .cleanable_bytes = dirty_bytes, .due = dirty_bytes > 0};
  }
  env::Task<Result<storage::CompactionOutcome>> compact(
      storage::CompactionRequest request) override {
    ++compactions;
    while (compaction_held_back && !request.stopped()) {
      co_await env::sleep_for(env::milliseconds{1});
    }
    if (upkeep_error) co_return std::unexpected(*upkeep_error);
    const std::int64_t freed = std::exchange(dirty_bytes, 0);
    co_return storage::CompactionOutcome{
        .replaced_segments = 1, .moved_bytes = 10, .freed_bytes = freed, .finished = true};
  }

  // Whatever needs the disk waits.
  bool disk_stalls = false;
  bool cached = false;  // all that a read may want
  int reads_stalled = 0;
  void end_stall() {
    disk_stalls = false;
    stall_ended_.notify_all();
  }

  std::optional<Offset> unstable;
  ProducerId open_transaction = no_producer;
  bool stalled = false;
  std::vector<std::optional<std::int64_t>> retention_rounds;
  std::optional<Error> upkeep_error;
  std::int64_t dirty_bytes = 0;
  env::Task<Result<storage::ScrubbedPiece>> scrub(std::int64_t max_bytes) override {
    const std::int64_t size = std::min(max_bytes, unscrubbed_bytes);
    unscrubbed_bytes -= size;
    ++scrubs;
    co_return storage::ScrubbedPiece{.size_bytes = size, .finished = unscrubbed_bytes == 0};
  }
  std::size_t damaged_batches() const override { return damaged; }

  std::int64_t unscrubbed_bytes = 0;
  int scrubs = 0;
  std::size_t damaged = 0;
  int compactions = 0;
  bool compaction_held_back = false;

 private:
  env::Task<void> wait_for_disk() {
    ++reads_stalled;
    while (disk_stalls) co_await stall_ended_.wait();
    --reads_stalled;
  }
  void progress() {
    if (observer_ != nullptr) observer_->on_progress();
  }

  TopicPartition name_;
  Uuid id_;
  std::string path_ = "fake";
  Offset end_;
  Offset written_;
  Offset durable_;
  Offset told_;
  LeaderEpoch epoch_ = no_leader_epoch;
  std::int64_t size_ = 0;
  std::map<Offset, Slice> batches_;
  std::map<std::int32_t, Offset> sequences_;
  std::optional<Error> failure_;
  storage::LogObserver* observer_ = nullptr;
  env::Event stall_ended_;
};

// Gives FakeLogs; opening can be held back.
class FakeDirectory final : public storage::LogDirectory {
 public:
  const std::string& path() const override { return path_; }
  const std::optional<storage::DirectoryIdentity>& identity() const override { return identity_; }
  Result<> stamp(const storage::DirectoryIdentity&) override { return {}; }
  std::optional<std::int64_t> clean_shutdown_epoch() const override { return 1; }
  const std::vector<storage::FoundLog>& found() const override { return found_; }
  env::Task<Result<std::unique_ptr<storage::Log>>> open_log(
      TopicPartition name, Uuid id, std::shared_ptr<const config::TopicConfig>) override {
    while (held_back) co_await released.wait();
    if (broken) co_return fail(ErrorCode::kafka_storage_error, "It cannot be opened");
    auto log = std::make_unique<FakeLog>(name, id);
    logs[name] = log.get();
    co_return log;
  }
  env::Task<Result<bool>> prepare_log(TopicPartition name, Uuid, LeaderEpoch) override {
    prepared.push_back(name);
    co_return true;
  }
  env::Task<Result<>> sync_prepared() override { co_return Result<>{}; }
  env::Task<Result<>> remove_log(TopicPartition name, Uuid) override {
    while (held_back) co_await released.wait();
    removed.push_back(name);
    co_return Result<>{};
  }
  env::Task<Result<>> set_aside(TopicPartition name) override {
    aside.push_back(name);
    co_return Result<>{};
  }
  env::Task<Result<storage::DirectorySize>> space() override { co_return storage::DirectorySize{}; }
  env::Task<Result<>> check_commit_log(std::optional<storage::BrokerRegistration>) override {
    co_return Result<>{};
  }
  void set_registration(const storage::BrokerRegistration&) override {}
  env::Task<Result<>> sync_recovered() override { co_return Result<>{}; }
  void begin_closing() override {}
  env::Task<Result<>> close(std::int64_t) override { co_return Result<>{}; }
  bool offline() const override { return false; }
  env::Task<Result<std::unique_ptr<storage::Log>>> open_future(
      TopicPartition, Uuid, Offset, std::shared_ptr<const config::TopicConfig>) override {
    co_return fail(ErrorCode::kafka_storage_error, "Nothing is moved here");
  }
  env::Task<Result<>> promote_future(TopicPartition, Uuid, Offset,
                                     std::vector<storage::ProducerEntry>) override {
    co_return fail(ErrorCode::kafka_storage_error, "Nothing is moved here");
  }
  env::Task<Result<>> drop_future(TopicPartition, Uuid) override { co_return Result<>{}; }
  env::Task<Result<>> give_away(TopicPartition, Uuid) override { co_return Result<>{}; }
  const std::vector<storage::FoundFuture>& futures() const override { return futures_; }
  Result<> adopt_future(const storage::FoundFuture&) override { return {}; }
  env::Task<storage::DirectoryStatus> status() override { co_return storage::DirectoryStatus{}; }
  void watch(storage::StatusWatcher watcher) override {
    if (watcher) watcher({});
  }
  void fail_offline(Error) override {}
  void stop_waiting() override {}
  env::Pool& pool() override { return *threads; }
  void release() {
    held_back = false;
    released.notify_all();
  }

  env::Pool* threads = nullptr;
  bool held_back = false;
  bool broken = false;
  env::Event released;
  std::map<TopicPartition, FakeLog*> logs;
  std::vector<TopicPartition> removed;
  std::vector<TopicPartition> prepared;
  std::vector<TopicPartition> aside;
  std::vector<storage::FoundLog> found_;

 private:
  std::vector<storage::FoundFuture> futures_;
  std::string path_ = "fake";
  std::optional<storage::DirectoryIdentity> identity_;
};

}  // namespace arus::replication::testing
