#include "client/classic_membership.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "protocol/api/heartbeat.h"
#include "protocol/api/leave_group.h"

namespace arus::client {
namespace {

const LogComponent membership_log{"client.group"};

}  // namespace

ClassicMembership::ClassicMembership(GroupContext context) : Membership(context) {
  ARUS_ASSERT(!context.options.assignors.empty());
}

ClassicMembership::~ClassicMembership() { ARUS_ASSERT(gate_.running() == 0); }

GroupMetadata ClassicMembership::metadata() const {
  return {context_.options.group_id, generation_, member_id_, context_.options.instance_id};
}

// Only where every assignor can work that way; with a mixture, members of both kinds may meet.
bool ClassicMembership::cooperative() const {
  return std::ranges::all_of(context_.options.assignors,
                             [](const auto& assignor) { return assignor->cooperative(); });
}

void ClassicMembership::wake() {
  wake_.notify_all();
  context_.partitions.consumer().interrupt();
}

void ClassicMembership::demand_rejoin(std::string reason) {
  if (!rejoin_) reason_ = std::move(reason);
  rejoin_ = true;
  wake();
}

void ClassicMembership::reset_member() {
  member_id_.clear();
  generation_ = -1;
  leader_ = false;
  watch_due_ = env::never;
  if (phase_ == Phase::stable) phase_ = Phase::outside;
}

void ClassicMembership::note(ErrorCode code) {
  switch (code) {
    case ErrorCode::rebalance_in_progress:
      if (phase_ != Phase::stable) break;  // it is joining already
      demand_rejoin("offset commit failed since group is already rebalancing");
      break;
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
      if (phase_ != Phase::stable) break;
      reset_member();
      lost_ = true;
      demand_rejoin(fmt::format("the member was told {}", error_name(code)));
      break;
    case ErrorCode::fenced_instance_id:
      failure_ = Error{code, "Another consumer has the same group.instance.id"};
      wake();
      break;
    default:
      break;
  }
}

env::Task<Result<>> ClassicMembership::advance() {
  if (!beating_) {
    beating_ = true;
    env::spawn(gate_, beat());
  }
  for (;;) {
    if (failure_) co_return fail(*std::exchange(failure_, {}));
    if (std::exchange(lost_, false)) co_await context_.partitions.lose_all();
    if (joined_) {
      Joined joined = *std::exchange(joined_, {});
      co_await take(std::move(joined));
      continue;
    }
    if (context_.subscription.version() != joined_as_ && phase_ != Phase::joining) {
      demand_rejoin("the subscription has changed");
    }
    if (phase_ == Phase::joining || !rejoin_) co_return Result<>{};
    if (!prepared_) co_await prepare();
    if (failure_ || lost_) continue;
    prepared_ = true;
    rejoin_ = false;
    phase_ = Phase::joining;
    env::spawn(gate_, join());
    co_return Result<>{};
  }
}

env::Task<void> ClassicMembership::prepare() {
  if (generation_ >= 0) co_await commit_consumed();
  if (generation_ < 0) {
    co_await context_.partitions.lose_all();
  } else if (!cooperative()) {
    co_await context_.partitions.take_all();
  } else {
    std::vector<TopicPartition> unwanted;
    for (const auto& name : context_.partitions.owned()) {
      if (!context_.subscription.names().contains(name.topic)) unwanted.push_back(name);
    }
    co_await context_.partitions.take(std::move(unwanted));
  }
}

env::Task<void> ClassicMembership::take(Joined joined) {
  phase_ = Phase::stable;
  prepared_ = false;
  next_beat_ = now() + context_.options.heartbeat_interval;
  last_answer_ = now();
  wake_.notify_all();
  std::ranges::sort(joined.assigned);
  const auto owned = context_.partitions.owned();
  std::vector<TopicPartition> added;
  std::vector<TopicPartition> revoked;
  std::ranges::set_difference(joined.assigned, owned, std::back_inserter(added));
  std::ranges::set_difference(owned, joined.assigned, std::back_inserter(revoked));
  if (!revoked.empty()) {
    // Others wait for them: they get them in the next round.
    co_await commit_consumed();
    co_await context_.partitions.take(std::move(revoked));
    demand_rejoin("need to revoke partitions and re-join");
  }
  co_await context_.partitions.give(std::move(added));
}

// Runs from the first join to the end. Sends a heartbeat whenever one is due, and leaves the group
// when the application has forgotten about it.
env::Task<void> ClassicMembership::beat() {
  while (!stopping_) {
    env::TimePoint wake_at = poll_limit();
    if (phase_ == Phase::stable) wake_at = std::min({wake_at, next_beat_, watch_due_});
    if (now() < wake_at) {
      // From time to time in any case: poll_limit() moves without a word.
      co_await wake_.wait_until(std::min(wake_at, now() + context_.options.heartbeat_interval));
      continue;
    }
    if (phase_ != Phase::joining && now() >= poll_limit()) {
      if (!member_id_.empty()) {
        membership_log.warning(
            "the member leaves its group, poll() was not called for so long group={} ms={}",
            context_.options.group_id,
            std::chrono::duration_cast<env::milliseconds>(context_.options.max_poll_interval)
                .count());
        co_await leave_group("consumer poll timeout has expired.",
                             now() + context_.cluster.options().request_timeout);
        reset_member();
        lost_ = true;
        rejoin_ = true;
      }
      co_await wake_.wait_until(now() + context_.options.heartbeat_interval);
    } else if (phase_ == Phase::stable && now() >= watch_due_) {
      co_await watch_topics();
    } else if (phase_ == Phase::stable) {
      co_await send_heartbeat();
    } else {
      co_await wake_.wait_until(now() + context_.options.heartbeat_interval);
    }
  }
}

env::Task<void> ClassicMembership::send_heartbeat() {
  next_beat_ = now() + context_.options.heartbeat_interval;
  protocol::HeartbeatRequest request;
  request.group_id = context_.options.group_id;
  request.generation_id = generation_;
  request.member_id = member_id_;
  request.group_instance_id = context_.options.instance_id;
  const env::Duration patience = std::min<env::Duration>(context_.cluster.options().request_timeout,
                                                         context_.options.session_timeout);
  const std::int32_t asked_in = generation_;
  auto answer =
      co_await context_.coordinator.ask_once(std::move(request), patience, now() + patience);
  if (phase_ != Phase::stable || generation_ != asked_in) co_return;
  const ErrorCode code = answer ? answer->error_code : answer.error().code;
  context_.coordinator.note(code);
  if (code == ErrorCode::none) {
    last_answer_ = now();
  } else if (code == ErrorCode::rebalance_in_progress) {
    last_answer_ = now();
    demand_rejoin("group is already rebalancing");
  } else if (code == ErrorCode::unknown_member_id || code == ErrorCode::illegal_generation ||
             code == ErrorCode::fenced_instance_id) {
    note(code);
  } else if (may_ask_again(code)) {
    next_beat_ = now() + context_.cluster.options().retry_backoff;
  } else {
    failure_ = Error{code, fmt::format("The heartbeat of the group {}: {}",
                                       context_.options.group_id, error_name(code))};
    wake();
  }
  if (now() - last_answer_ > context_.options.session_timeout) context_.coordinator.forget();
}

// The leader looks whether the topics of the group still have the partitions that it divided.
env::Task<void> ClassicMembership::watch_topics() {
  watch_due_ = now() + context_.cluster.options().metadata_max_age;
  auto counts = co_await context_.subscription.count_partitions(
      group_topics_, now() + context_.cluster.options().request_timeout);
  if (!leader_ || phase_ != Phase::stable) co_return;
  if (!counts || counts->size() < group_topics_.size()) {
    watch_due_ = now() + context_.cluster.options().retry_backoff_max;
  }
  if (counts && *counts != divided_) {
    divided_ = *counts;
    demand_rejoin("cached metadata has changed");
  }
}

env::Task<void> ClassicMembership::leave_group(std::string reason, env::TimePoint deadline) {
  // A static member comes back under its name; until its session ends nobody takes its place.
  if (member_id_.empty() || context_.options.instance_id) co_return;
  auto broker = co_await context_.coordinator.find(deadline);
  if (!broker) co_return;
  auto connection = co_await context_.cluster.connect(Route::coordinator(*broker), deadline);
  if (!connection) co_return;
  constexpr std::int16_t first_version_of_many = 3;
  const auto version = (*connection)
                           ->negotiate(protocol::LeaveGroupRequest::api_key,
                                       protocol::LeaveGroupRequest::min_version,
                                       protocol::LeaveGroupRequest::max_version);
  if (!version) co_return;
  protocol::LeaveGroupRequest request;
  request.group_id = context_.options.group_id;
  if (*version >= first_version_of_many) {
    auto& member = request.members.emplace_back();
    member.member_id = member_id_;
    member.reason = std::move(reason);
  } else {
    request.member_id = member_id_;
  }
  auto answer = co_await (*connection)->ask(std::move(request), deadline);
  if (!answer) {
    membership_log.debug("the group was not left group={} error={}", context_.options.group_id,
                         answer.error().message);
  }
}

env::Task<void> ClassicMembership::leave(env::TimePoint deadline) {
  stopping_ = true;
  wake();
  // A join waits for the other members; it is not worth waiting for any more, and what follows
  // would stand behind it.
  if (phase_ == Phase::joining) context_.cluster.hang_up(context_.coordinator.broker());
  if (lost_ || generation_ < 0) {
    co_await context_.partitions.lose_all();
  } else {
    co_await commit_consumed(deadline);
    co_await context_.partitions.take_all();
  }
  co_await leave_group("the consumer is being closed", deadline);
  context_.coordinator.abandon();
  co_await gate_.close();
}

}  // namespace arus::client
