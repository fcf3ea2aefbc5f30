#include "replication/partition.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace arus::replication {
namespace {

const LogComponent partition_log{"replication.partition"};

}  // namespace

Partition::Partition(const TopicIdPartition& id, TopicPartition name)
    : id_(id), name_(std::move(name)) {}

Partition::~Partition() {
  if (log_) log_->set_observer(nullptr);
}

void Partition::open(std::unique_ptr<storage::Log> log,
                     std::shared_ptr<const config::TopicConfig> config) {
  ARUS_ASSERT(!log_);
  log_ = std::move(log);
  config_ = std::move(config);
  log_->set_observer(this);
  high_watermark_ = std::max(log_->log_start(), visible_end());
  log_->set_high_watermark(high_watermark_);
  if (leadership_.here) set_leadership(leadership_);
  end_append_turn();
}

void Partition::fail_to_open(Error error) {
  refusal_ = std::move(error);
  append_waits_.fail(*refusal_);
  end_append_turn();
  watches_.notify();
}

env::Task<Result<>> Partition::opened(env::TimePoint deadline) {
  while (!log_ && !refusal_) {
    if (co_await turn_.wait_until(deadline) || log_ || refusal_) continue;
    co_return fail(ErrorCode::kafka_storage_error, "The log takes long to open");
  }
  if (refusal_) co_return std::unexpected(*refusal_);
  co_return Result<>{};
}

void Partition::refuse(Error why) {
  if (!refusal_) refusal_ = std::move(why);
  append_waits_.fail(*refusal_);
  watches_.notify();
  turn_.notify_all();
}

env::Task<void> Partition::close(Error why) {
  refuse(std::move(why));
  co_await gate_.close();
  if (log_) log_->set_observer(nullptr);
  log_.reset();
}

void Partition::set_leadership(const Leadership& leadership) {
  const bool changed = leadership.here != leadership_.here || leadership.epoch != leadership_.epoch;
  leadership_ = leadership;
  if (log_ && leadership_.here && leadership_.epoch > log_->latest_epoch()) {
    if (const auto begun = log_->begin_epoch(leadership_.epoch); !begun) {
      partition_log.error("{}: epoch {} cannot begin: {}", name_.to_string(),
                          leadership_.epoch.value(), begun.error().message);
    }
  }
  if (!changed) return;
  if (!leadership_.here) {
    append_waits_.fail(
        {ErrorCode::not_leader_or_follower, "This broker leads the partition no more", 0});
  }
  watches_.notify();
}

Result<> Partition::check_leader(std::int32_t claimed_epoch) const {
  if (refusal_) return std::unexpected(*refusal_);
  if (!leadership_.here) {
    return fail(ErrorCode::not_leader_or_follower, "This broker does not lead the partition");
  }
  if (claimed_epoch >= 0 && claimed_epoch != leadership_.epoch.value()) {
    return claimed_epoch < leadership_.epoch.value()
               ? fail(ErrorCode::fenced_leader_epoch, "The leader epoch is an old one")
               : fail(ErrorCode::unknown_leader_epoch, "The leader epoch is not known here yet");
  }
  return {};
}

Result<> Partition::check_in_sync() const {
  const auto asked = static_cast<std::size_t>(std::max(config_->min_insync_replicas, 1));
  if (leadership_.in_sync >= std::min(asked, leadership_.replicas)) return {};
  return fail(ErrorCode::not_enough_replicas, "Fewer replicas are in sync than acks=all asks for");
}

void Partition::configure(std::shared_ptr<const config::TopicConfig> config) {
  config_ = std::move(config);
  if (!log_) return;
  log_->configure(config_);
  on_progress();
}

Offset Partition::visible_end() const {
  const bool synced = config_->durability == config::Durability::synced;
  return synced ? log_->durable_end() : log_->written_end();
}

Offset Partition::last_stable_offset() const {
  const auto unstable = log_->first_unstable_offset();
  return unstable ? std::min(*unstable, high_watermark_) : high_watermark_;
}

env::Task<void> Partition::wait_for_append_turn(std::uint64_t ticket) {
  while (serving_ != ticket) co_await turn_.wait();
}

void Partition::end_append_turn() {
  ++serving_;
  turn_.notify_all();
}

void Partition::when_visible(AppendWait& wait, Offset end) {
  if (refusal_) {
    wait.on_decided(std::unexpected(*refusal_));
  } else if (high_watermark_ >= end) {
    wait.on_decided({});
  } else {
    append_waits_.add(wait, end);
  }
}

void Partition::on_progress() {
  const Offset end = visible_end();
  if (end <= high_watermark_) return;
  high_watermark_ = end;
  log_->set_high_watermark(end);
  append_waits_.complete(end);
  watches_.notify();
}

// Reads below the high watermark go on; appends are refused by the log itself from now on.
void Partition::on_failure(const Error& error) {
  partition_log.error("{}: {}", name_.to_string(), error.message);
  append_waits_.fail(error);
  watches_.notify();
}

}  // namespace arus::replication
