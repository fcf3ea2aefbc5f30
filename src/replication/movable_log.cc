#include "replication/movable_log.h"

#include <utility>

namespace arus::replication {

class MovableLog::Entry {
 public:
  Entry(MovableLog& log, bool changes) : log_(&log), changes_(changes) { ++count(); }
  Entry(Entry&& other) noexcept
      : log_(std::exchange(other.log_, nullptr)), changes_(other.changes_) {}
  Entry& operator=(Entry&&) = delete;
  ~Entry() {
    if (log_ == nullptr) return;
    if (--count() == 0) log_->moved_.notify_all();
  }

 private:
  [[nodiscard]] std::size_t& count() const { return changes_ ? log_->changing_ : log_->reading_; }

  MovableLog* log_;
  const bool changes_;
};

env::Task<MovableLog::Entry> MovableLog::enter(bool changes) {
  while (state_ == State::held || (changes && state_ == State::exchanging)) {
    co_await moved_.wait();
  }
  co_return Entry(*this, changes);
}

env::Task<bool> MovableLog::begin_exchange(env::TimePoint deadline) {
  state_ = State::exchanging;
  while (changing_ > 0) {
    if (co_await moved_.wait_until(deadline) || changing_ == 0) continue;
    abandon_exchange();
    co_return false;
  }
  co_return true;
}

env::Task<bool> MovableLog::hold(env::TimePoint deadline) {
  state_ = State::held;
  while (reading_ > 0) {
    if (co_await moved_.wait_until(deadline) || reading_ == 0) continue;
    abandon_exchange();
    co_return false;
  }
  co_return true;
}

void MovableLog::put(std::unique_ptr<storage::Log> log) {
  log_->set_observer(nullptr);
  log_ = std::move(log);
  log_->set_observer(observer_);
  if (high_watermark_) log_->set_high_watermark(*high_watermark_);
  abandon_exchange();
  if (observer_ != nullptr) observer_->on_progress();
}

void MovableLog::abandon_exchange() {
  state_ = State::open;
  moved_.notify_all();
}

Result<> MovableLog::check_open() const {
  if (state_ == State::open) return {};
  return fail(ErrorCode::not_leader_or_follower,
              "The partition is being put into another log directory");
}

Result<> MovableLog::check_writable() const {
  ARUS_TRY(check_open());
  return log_->check_writable();
}

void MovableLog::set_observer(storage::LogObserver* observer) {
  observer_ = observer;
  log_->set_observer(observer);
}

void MovableLog::set_high_watermark(Offset high_watermark) {
  high_watermark_ = high_watermark;
  log_->set_high_watermark(high_watermark);
}

Result<storage::Appended> MovableLog::append(Slice batch, const record::ValidatedBatch& facts,
                                             const storage::AppendOptions& options) {
  ARUS_TRY(check_open());
  return log_->append(std::move(batch), facts, options);
}

Result<> MovableLog::append_replicated(Slice batches) {
  ARUS_TRY(check_open());
  return log_->append_replicated(std::move(batches));
}

env::Task<Result<storage::Fetched>> MovableLog::read(Offset from, storage::FetchBound bound) {
  const Entry entry = co_await enter(false);
  co_return co_await log_->read(from, bound);
}

env::Task<Result<std::vector<storage::AbortedTransaction>>> MovableLog::aborted_transactions(
    Offset from, Offset to) {
  const Entry entry = co_await enter(false);
  co_return co_await log_->aborted_transactions(from, to);
}

env::Task<Result<std::optional<storage::TimestampedOffset>>> MovableLog::find_timestamp(
    std::int64_t timestamp_ms, Offset end) {
  const Entry entry = co_await enter(false);
  co_return co_await log_->find_timestamp(timestamp_ms, end);
}

env::Task<Result<std::optional<storage::TimestampedOffset>>> MovableLog::find_max_timestamp(
    Offset end) {
  const Entry entry = co_await enter(false);
  co_return co_await log_->find_max_timestamp(end);
}

env::Task<Result<>> MovableLog::flush() {
  const Entry entry = co_await enter(false);
  co_return co_await log_->flush();
}

env::Task<Result<>> MovableLog::truncate_to(Offset end) {
  const Entry entry = co_await enter(true);
  co_return co_await log_->truncate_to(end);
}

env::Task<Result<>> MovableLog::advance_log_start(Offset start) {
  const Entry entry = co_await enter(true);
  co_return co_await log_->advance_log_start(start);
}

// The next round of these comes soon enough.
env::Task<Result<storage::RemovedSegments>> MovableLog::apply_retention(
    std::optional<std::int64_t> now_ms) {
  if (state_ != State::open) co_return storage::RemovedSegments{};
  const Entry entry = co_await enter(true);
  co_return co_await log_->apply_retention(now_ms);
}

env::Task<Result<storage::CompactionNeed>> MovableLog::find_compaction_need(std::int64_t now_ms) {
  if (state_ != State::open) co_return storage::CompactionNeed{};
  const Entry entry = co_await enter(true);
  co_return co_await log_->find_compaction_need(now_ms);
}

env::Task<Result<storage::CompactionOutcome>> MovableLog::compact(
    storage::CompactionRequest request) {
  if (state_ != State::open) co_return storage::CompactionOutcome{.finished = true};
  const Entry entry = co_await enter(true);
  request.stopped = [this, asked = std::move(request.stopped)] {
    return state_ != State::open || (asked && asked());
  };
  co_return co_await log_->compact(std::move(request));
}

env::Task<Result<storage::ScrubbedPiece>> MovableLog::scrub(std::int64_t max_bytes) {
  const Entry entry = co_await enter(false);
  co_return co_await log_->scrub(max_bytes);
}

}  // namespace arus::replication
