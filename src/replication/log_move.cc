#include "replication/log_move.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "record/batch.h"
#include "replication/loop_partitions.h"

namespace arus::replication {
namespace {

const LogComponent log_move_log{"replication.move"};

constexpr std::int32_t piece_bytes = 1 << 20;
constexpr std::int64_t nearly_there_bytes = piece_bytes / 4;
constexpr std::int64_t flush_every_bytes = std::int64_t{8} << 20;
constexpr env::Duration longest_nap = env::milliseconds{100};
constexpr env::Duration exchange_patience = env::seconds{10};

}  // namespace

MovableLog& LogMove::log() { return static_cast<MovableLog&>(partition_->log()); }

std::int64_t LogMove::lag() const {
  if (!partition_->is_open()) return 0;
  const Offset copied = future_ ? future_->log_end() : partition_->log().log_start();
  return std::max<std::int64_t>(partition_->log().log_end() - copied, 0);
}

void LogMove::cancel(bool keep_copy) {
  cancelled_ = true;
  keeps_copy_ = keep_copy;
  changed_.notify_all();
}

env::Task<void> LogMove::ended() {
  while (!ended_) co_await changed_.wait();
}

env::Task<void> LogMove::run() {
  const auto self = shared_from_this();
  const std::string name = partition_->name().to_string();
  {
    const Partition::Use use(*partition_);
    const auto moved = co_await copy_and_exchange();
    if (moved && given_away_) {
      log_move_log.info("{} is in {} now", name, target_.path());
    } else if (given_away_) {
      // A start finds the whole copy there; until then nothing may be put in its place.
      log_move_log.error("{} was not put in place in {}: {}", name, target_.path(),
                         moved.error().message);
      target_.fail_offline(moved.error());
    } else if (keeps_copy_) {
      future_ = nullptr;
    } else {
      log_move_log.warning("{} stays in {}: {}", name, source_.path(),
                           moved ? "the move was cancelled" : moved.error().message);
      future_ = nullptr;
      const auto dropped =
          co_await target_.drop_future(partition_->name(), partition_->id().topic_id);
      if (!dropped) log_move_log.warning("{}: {}", name, dropped.error().message);
    }
  }
  ended_ = true;
  partitions_.move_ended(partition_->id());
  changed_.notify_all();
}

env::Task<Result<>> LogMove::copy_and_exchange() {
  ARUS_CO_TRY(co_await open_future());
  free_at_ = env::Loop::current()->refresh_now();
  ARUS_CO_TRY(co_await copy(true));
  if (stopped()) co_return Result<>{};
  const env::TimePoint deadline = env::Loop::current()->refresh_now() + exchange_patience;
  if (!co_await log().begin_exchange(deadline)) {
    co_return fail(ErrorCode::request_timed_out, "Retention or compaction does not let it go");
  }
  const auto exchanged = co_await exchange();
  if (!exchanged && !given_away_) log().abandon_exchange();
  co_return exchanged;
}

// The copy begins with the batch that holds the log start, as the log itself does.
env::Task<Result<>> LogMove::open_future() {
  Offset begin = log().log_start();
  if (begin < log().log_end()) {
    const auto first = co_await log().read(begin, {.end = log().written_end(), .max_bytes = 1});
    if (!first) co_return fail(first.error());
    if (!first->records.empty()) {
      const auto batch = record::BatchView::parse(first->records.front().view());
      if (!batch) co_return fail(ErrorCode::corrupt_message, "The log begins with no batch");
      begin = std::min(begin, batch->base_offset());
    }
  }
  auto opened = co_await target_.open_future(partition_->name(), partition_->id().topic_id, begin,
                                             partition_->shared_config());
  if (!opened) co_return fail(std::move(opened).error());
  future_ = std::move(*opened);
  co_return Result<>{};
}

env::Task<Result<>> LogMove::copy(bool paced) {
  while (!stopped() && future_->log_end() < log().log_end()) {
    // What retention has taken away needs no copy, but a log has no holes: another one is begun.
    if (future_->log_end() < log().log_start()) {
      future_ = nullptr;
      ARUS_CO_TRY(co_await target_.drop_future(partition_->name(), partition_->id().topic_id));
      ARUS_CO_TRY(co_await open_future());
    }
    const auto moved = co_await copy_piece();
    if (!moved) co_return fail(moved.error());
    if (*moved == 0) {
      co_await env::sleep_for(env::milliseconds{1});  // not written yet
      ARUS_CO_TRY(log().current().failure() ? Result<>(fail(*log().current().failure()))
                                            : Result<>{});
    } else if (paced) {
      co_await pace(*moved);
      if (*moved < nearly_there_bytes) break;  // under load there is always some more
    }
  }
  co_return Result<>{};
}

env::Task<Result<std::int64_t>> LogMove::copy_piece() {
  storage::Log& from = log().current();
  auto fetched =
      co_await from.read(future_->log_end(), {.end = from.written_end(), .max_bytes = piece_bytes});
  if (!fetched) co_return fail(std::move(fetched).error());
  for (Slice& piece : fetched->records) {
    ARUS_CO_TRY(future_->append_replicated(std::move(piece)));
  }
  const auto size = static_cast<std::int64_t>(fetched->size_bytes);
  unflushed_bytes_ += size;
  if (unflushed_bytes_ >= flush_every_bytes) {
    unflushed_bytes_ = 0;
    ARUS_CO_TRY(co_await future_->flush());
  }
  co_return size;
}

env::Task<void> LogMove::pace(std::int64_t bytes) {
  env::Loop& loop = *env::Loop::current();
  const double rate = partitions_.move_bytes_per_second();
  free_at_ = std::max(free_at_, loop.refresh_now());
  const double seconds = static_cast<double>(bytes) / std::max(rate, 1.0);
  free_at_ += env::Duration{static_cast<std::int64_t>(std::min(seconds, 3600.0) * 1e9)};
  while (!stopped() && loop.refresh_now() < free_at_) {
    co_await env::sleep_for(std::min<env::Duration>(free_at_ - loop.now(), longest_nap));
  }
  co_await env::yield();
}

// Nothing is appended any more, so this ends.
env::Task<Result<>> LogMove::exchange() {
  ARUS_CO_TRY(co_await copy(false));
  ARUS_CO_TRY(co_await future_->advance_log_start(log().current().log_start()));
  ARUS_CO_TRY(co_await future_->flush());
  if (stopped()) co_return fail(ErrorCode::not_leader_or_follower, "The move was cancelled");
  if (!co_await log().hold(env::Loop::current()->refresh_now() + exchange_patience)) {
    co_return fail(ErrorCode::request_timed_out, "A reader does not let it go");
  }
  co_return co_await change_names();
}

// From the first step on the partition belongs to the other directory.
env::Task<Result<>> LogMove::change_names() {
  const TopicPartition& name = partition_->name();
  const Uuid& topic_id = partition_->id().topic_id;
  storage::Log& old = log().current();
  ARUS_CO_TRY(co_await partitions_.settings().assigner->assign_directory(
      partition_->id(), target_.identity()->directory_id));
  const Offset end = old.log_end();
  const auto producers = old.producers();
  if (const auto given = co_await source_.give_away(name, topic_id); !given) {
    static_cast<void>(co_await partitions_.settings().assigner->assign_directory(
        partition_->id(), source_.identity()->directory_id));
    co_return given;
  }
  old.disown();
  future_ = nullptr;
  given_away_ = true;
  ARUS_CO_TRY(co_await target_.promote_future(name, topic_id, end, producers));
  auto opened = co_await target_.open_log(name, topic_id, partition_->shared_config());
  if (!opened) co_return fail(std::move(opened).error());
  if (partition_->leadership().here) {
    static_cast<void>((*opened)->begin_epoch(partition_->leadership().epoch));
  }
  log().put(std::move(*opened));
  co_return Result<>{};
}

}  // namespace arus::replication
