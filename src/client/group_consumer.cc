#include "client/group_consumer.h"

#include <fmt/core.h>

#include "base/log.h"
#include "client/classic_membership.h"
#include "client/consumer_membership.h"
#include "client/group_consumer_state.h"

namespace arus::client {
namespace {

const LogComponent consumer_log{"client.group"};

std::unique_ptr<Membership> make_membership(const GroupContext& context) {
  if (context.options.protocol == GroupProtocol::consumer) {
    return std::make_unique<ConsumerMembership>(context);
  }
  return std::make_unique<ClassicMembership>(context);
}

}  // namespace

GroupConsumer::State::State(Cluster& cluster, GroupConsumerOptions options)
    : cluster_(cluster),
      options_(std::move(options)),
      coordinator_(cluster, CoordinatorType::group, options_.group_id),
      subscription_(cluster, options_.create_topics, options_.exclude_internal),
      partitions_(cluster, coordinator_, options_.consumer,
                  [this] { return membership_->metadata(); }),
      membership_(make_membership({cluster_, options_, coordinator_, subscription_, partitions_})) {
  ARUS_ASSERT(!options_.group_id.empty());
}

GroupConsumer::State::~State() { ARUS_ASSERT(gate_.running() == 0); }

Result<> GroupConsumer::State::check_usable() const {
  if (stopping_) return fail(ErrorCode::invalid_request, "The consumer is closed");
  return {};
}

env::Task<Result<std::vector<ConsumerRecord>>> GroupConsumer::State::poll(env::TimePoint deadline) {
  ARUS_CO_TRY(check_usable());
  if (!subscription_.chosen()) {
    co_return fail(ErrorCode::invalid_request, "The consumer is not subscribed to any topics");
  }
  ARUS_ASSERT(!polling_);
  polling_ = true;
  membership_->enter_poll();
  auto records = co_await poll_inside(deadline);
  membership_->leave_poll();
  polling_ = false;
  co_return records;
}

env::Task<Result<std::vector<ConsumerRecord>>> GroupConsumer::State::poll_inside(
    env::TimePoint deadline) {
  for (;;) {
    ARUS_CO_TRY(check_usable());
    if (failure_) co_return fail(*std::exchange(failure_, {}));
    if (!refreshing_ && cluster_.now() >= subscription_.refresh_due()) {
      refreshing_ = true;
      env::spawn(gate_, refresh_topics());
    }
    commit_by_itself();
    if (subscription_.refreshed()) ARUS_CO_TRY(co_await membership_->advance());
    partitions_.begin_waiting();
    if (auto failure = partitions_.take_failure()) co_return fail(std::move(*failure));
    env::TimePoint wake = deadline;
    if (!refreshing_) wake = std::min(wake, subscription_.refresh_due());
    if (options_.auto_commit) wake = std::min(wake, next_auto_commit_);
    auto records = co_await partitions_.consumer().poll(wake);
    if (!records || !records->empty() || cluster_.now() >= deadline) co_return records;
  }
}

env::Task<void> GroupConsumer::State::refresh_topics() {
  auto refreshed =
      co_await subscription_.refresh(cluster_.now() + cluster_.options().request_timeout);
  if (!refreshed) failure_ = refreshed.error();
  refreshing_ = false;
  partitions_.consumer().interrupt();
}

void GroupConsumer::State::commit_by_itself() {
  if (!options_.auto_commit || cluster_.now() < next_auto_commit_) return;
  const bool first = next_auto_commit_ == env::TimePoint{};
  next_auto_commit_ = cluster_.now() + options_.auto_commit_interval;
  if (first || async_commits_ > 0) return;
  auto offsets = partitions_.consumed();
  if (offsets.empty()) return;
  commit_async(std::move(offsets), [this](const Result<>& committed) {
    if (committed) return;
    consumer_log.debug("the offsets were not committed group={} error={}", options_.group_id,
                       committed.error().message);
    if (may_ask_again(committed.error().code)) {
      next_auto_commit_ =
          std::min(next_auto_commit_, cluster_.now() + cluster_.options().retry_backoff);
    }
  });
}

env::Task<Result<>> GroupConsumer::State::commit_once(OffsetsToCommit offsets,
                                                      env::TimePoint deadline) {
  auto outcomes = co_await commit_offsets_once(cluster_, coordinator_, membership_->metadata(),
                                               std::move(offsets), deadline);
  if (!outcomes) co_return fail(std::move(outcomes).error());
  for (const auto& [name, outcome] : *outcomes) {
    if (outcome) continue;
    membership_->note(outcome.error().code);
    co_return fail(outcome.error());
  }
  co_return Result<>{};
}

env::Task<Result<>> GroupConsumer::State::commit(OffsetsToCommit offsets, env::TimePoint deadline) {
  ARUS_CO_TRY(check_usable());
  while (async_commits_ > 0) {
    if (!co_await async_done_.wait_until(deadline)) {
      co_return fail(ErrorCode::request_timed_out, "Commits before this one are not answered yet");
    }
  }
  if (offsets.empty()) co_return Result<>{};
  for (int attempt = 0;; ++attempt) {
    auto committed = co_await commit_once(offsets, deadline);
    const bool again = !committed && (may_ask_again(committed.error().code) ||
                                      committed.error().code == ErrorCode::stale_member_epoch);
    if (!again || cluster_.now() >= deadline) co_return committed;
    co_await cluster_.back_off(attempt, deadline);
  }
}

void GroupConsumer::State::commit_async(OffsetsToCommit offsets, CommitReport report) {
  if (stopping_) {
    if (report) report(check_usable());
    return;
  }
  ++async_commits_;
  env::spawn(gate_, run_async_commit(std::move(offsets), std::move(report)));
}

env::Task<void> GroupConsumer::State::run_async_commit(OffsetsToCommit offsets,
                                                       CommitReport report) {
  Result<> committed;
  if (!offsets.empty()) {
    committed = co_await commit_once(std::move(offsets),
                                     cluster_.now() + cluster_.options().request_timeout);
  }
  --async_commits_;
  async_done_.notify_all();
  if (report) report(std::move(committed));
}

env::Task<Result<std::map<TopicPartition, std::optional<CommittedOffset>>>>
GroupConsumer::State::committed(std::set<TopicPartition> partitions, env::TimePoint deadline) {
  auto offsets = co_await fetch_offsets(cluster_, coordinator_, membership_->metadata(), partitions,
                                        true, deadline);
  if (!offsets) co_return fail(std::move(offsets).error());
  std::map<TopicPartition, std::optional<CommittedOffset>> committed;
  for (auto& [name, offset] : *offsets) {
    if (!offset) co_return fail(std::move(offset).error());
    committed[name] = std::move(*offset);
  }
  co_return committed;
}

env::Task<void> GroupConsumer::State::close(env::TimePoint deadline) {
  if (stopping_) co_return;
  ARUS_ASSERT(!polling_);
  while (async_commits_ > 0) {
    if (!co_await async_done_.wait_until(deadline)) break;
  }
  // The listener may still commit.
  co_await membership_->leave(deadline);
  stopping_ = true;
  co_await partitions_.close();
  co_await gate_.close();
}

GroupConsumer::GroupConsumer(Cluster& cluster, GroupConsumerOptions options)
    : state_(std::make_unique<State>(cluster, std::move(options))) {}
GroupConsumer::~GroupConsumer() = default;

Result<> GroupConsumer::subscribe(std::vector<std::string> topics, RebalanceListener* listener) {
  ARUS_TRY(state_->check_usable());
  if (topics.empty()) return fail(ErrorCode::invalid_request, "There is no topic to subscribe to");
  state_->listen(listener);
  state_->subscription().choose_topics({topics.begin(), topics.end()});
  state_->resubscribed();
  return {};
}

Result<> GroupConsumer::subscribe_matching(std::function<bool(std::string_view)> likes,
                                           RebalanceListener* listener) {
  ARUS_TRY(state_->check_usable());
  state_->listen(listener);
  state_->subscription().choose_matching(std::move(likes));
  state_->resubscribed();
  return {};
}

Result<> GroupConsumer::subscribe_pattern(std::string regex, RebalanceListener* listener) {
  ARUS_TRY(state_->check_usable());
  if (state_->options().protocol != GroupProtocol::consumer) {
    return fail(ErrorCode::unsupported_version,
                "Patterns of the coordinator need the consumer protocol");
  }
  state_->listen(listener);
  state_->subscription().choose_pattern(std::move(regex));
  state_->resubscribed();
  return {};
}

env::Task<Result<std::vector<ConsumerRecord>>> GroupConsumer::poll(env::TimePoint deadline) {
  co_return co_await state_->poll(deadline);
}

env::Task<Result<>> GroupConsumer::commit(env::TimePoint deadline) {
  co_return co_await state_->commit(consumed(), deadline);
}
env::Task<Result<>> GroupConsumer::commit(OffsetsToCommit offsets, env::TimePoint deadline) {
  co_return co_await state_->commit(std::move(offsets), deadline);
}
void GroupConsumer::commit_async(CommitReport report) {
  state_->commit_async(consumed(), std::move(report));
}
void GroupConsumer::commit_async(OffsetsToCommit offsets, CommitReport report) {
  state_->commit_async(std::move(offsets), std::move(report));
}
env::Task<Result<std::map<TopicPartition, std::optional<CommittedOffset>>>>
GroupConsumer::committed(std::set<TopicPartition> partitions, env::TimePoint deadline) {
  co_return co_await state_->committed(std::move(partitions), deadline);
}

std::vector<TopicPartition> GroupConsumer::assignment() const {
  const auto owned = state_->partitions().owned();
  return {owned.begin(), owned.end()};
}
std::optional<Offset> GroupConsumer::position(const TopicPartition& partition) const {
  return state_->partitions().position(partition);
}
std::optional<Offset> GroupConsumer::high_watermark(const TopicPartition& partition) const {
  return state_->partitions().consumer().high_watermark(partition);
}
OffsetsToCommit GroupConsumer::consumed() const { return state_->partitions().consumed(); }
Result<> GroupConsumer::seek(const TopicPartition& partition, StartPosition start) {
  return state_->partitions().seek(partition, start);
}
Result<> GroupConsumer::pause(const TopicPartition& partition, bool paused) {
  return state_->partitions().pause(partition, paused);
}
GroupMetadata GroupConsumer::group_metadata() const { return state_->membership().metadata(); }

env::Task<void> GroupConsumer::close(env::TimePoint deadline) { co_await state_->close(deadline); }

}  // namespace arus::client
