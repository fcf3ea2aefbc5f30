#include "client/consumer_membership.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "protocol/api/consumer_group_heartbeat.h"

namespace arus::client {
namespace {

const LogComponent log_{"client.group"};

constexpr std::int32_t joining_epoch = 0;
constexpr std::int32_t leaving_epoch = -1;
constexpr std::int32_t leaving_for_a_while_epoch = -2;  // a static member that will be back
constexpr auto first_interval = env::seconds(5);        // until the coordinator has said its own

std::string new_member_id(env::Environment& environment) {
  return Uuid::of_halves(environment.random().next(), environment.random().next()).to_string();
}

}  // namespace

ConsumerMembership::ConsumerMembership(GroupContext context)
    : Membership(context),
      member_id_(new_member_id(context.cluster.environment())),
      interval_(first_interval) {}

ConsumerMembership::~ConsumerMembership() { ARUS_ASSERT(gate_.running() == 0); }

GroupMetadata ConsumerMembership::metadata() const {
  return {context_.options.group_id, epoch_, member_id_, context_.options.instance_id};
}

void ConsumerMembership::wake() {
  wake_.notify_all();
  context_.partitions.consumer().interrupt();
}

void ConsumerMembership::fence() {
  lost_ = true;
  phase_ = Phase::waiting;
  epoch_ = joining_epoch;
  said_.reset();
  wanted_.reset();
  target_.reset();
  unresolved_ = false;
  wake();
}

void ConsumerMembership::note(ErrorCode code) {
  if (code == ErrorCode::fenced_member_epoch ||
      (code == ErrorCode::unknown_member_id && phase_ == Phase::member)) {
    // The next heartbeat hears the same and says what is to be done.
    next_beat_ = {};
    wake();
  } else if (code == ErrorCode::stale_member_epoch) {
    next_beat_ = {};
    wake_.notify_all();
  }
}

env::Task<Result<>> ConsumerMembership::advance() {
  if (!beating_) {
    beating_ = true;
    env::spawn(gate_, beat());
  }
  if (failure_) co_return fail(*std::exchange(failure_, {}));
  if (std::exchange(lost_, false)) co_await context_.partitions.lose_all();
  const bool named = context_.subscription.refreshed() || context_.subscription.pattern();
  if (phase_ == Phase::waiting && named &&
      (!fatal_ || failed_as_ != context_.subscription.version())) {
    fatal_ = false;
    phase_ = Phase::joining;
    next_beat_ = {};
    wake_.notify_all();
  }
  if (!target_) co_return Result<>{};
  const auto target = *target_;
  const auto owned = context_.partitions.owned();
  std::vector<TopicPartition> added;
  std::vector<TopicPartition> revoked;
  std::ranges::set_difference(target, owned, std::back_inserter(added));
  std::ranges::set_difference(owned, target, std::back_inserter(revoked));
  if (!revoked.empty()) {
    co_await commit_consumed();
    co_await context_.partitions.take(std::move(revoked));
  }
  // Meanwhile the member may have been fenced: then nothing may be taken over.
  if (lost_ || phase_ != Phase::member) co_return co_await advance();
  if (target_ == target) target_.reset();
  co_await context_.partitions.give(std::move(added));
  acknowledge_ = true;
  wake_.notify_all();
  co_return Result<>{};
}

env::Task<void> ConsumerMembership::beat() {
  while (!stopping_) {
    env::TimePoint wake_at = poll_limit();
    if (phase_ != Phase::waiting) {
      const bool news = acknowledge_ || !said_ || said_->names != context_.subscription.names() ||
                        said_->pattern != context_.subscription.pattern();
      wake_at = std::min(wake_at, news && failures_ == 0 ? now() : next_beat_);
    }
    if (now() < wake_at) {
      // From time to time in any case: poll_limit() moves without a word.
      co_await wake_.wait_until(std::min(wake_at, now() + interval_));
      continue;
    }
    if (phase_ == Phase::waiting) {
      co_await wake_.wait_until(now() + interval_);
    } else if (now() >= poll_limit()) {
      log_.warning("the member leaves its group, poll() was not called for so long group={} ms={}",
                   context_.options.group_id,
                   std::chrono::duration_cast<env::milliseconds>(context_.options.max_poll_interval)
                       .count());
      co_await send_leave(now() + context_.cluster.options().request_timeout);
      fence();
    } else {
      co_await send_heartbeat();
    }
  }
}

protocol::ConsumerGroupHeartbeatRequest ConsumerMembership::next_request(Said& said) const {
  const auto& options = context_.options;
  protocol::ConsumerGroupHeartbeatRequest request;
  request.group_id = options.group_id;
  request.member_id = member_id_;
  request.member_epoch = epoch_;
  request.instance_id = options.instance_id;
  const bool all = !said_ || epoch_ == joining_epoch;
  said.names = context_.subscription.names();
  said.pattern = context_.subscription.pattern();
  said.owned = context_.partitions.owned();
  if (all) {
    if (!options.consumer.rack.empty()) request.rack_id = options.consumer.rack;
    request.rebalance_timeout_ms = static_cast<std::int32_t>(
        std::chrono::duration_cast<env::milliseconds>(options.max_poll_interval).count());
    request.server_assignor = options.server_assignor;
  }
  if (all || said_->names != said.names) {
    request.subscribed_topic_names.emplace(said.names.begin(), said.names.end());
  }
  if ((all && said.pattern) || (!all && said_->pattern != said.pattern)) {
    request.subscribed_topic_regex = said.pattern.value_or("");
  }
  if (epoch_ == joining_epoch) {
    said.owned.emplace();  // who joins owns nothing
    request.topic_partitions.emplace();
  } else if (all || acknowledge_ || said_->owned != said.owned) {
    request.topic_partitions.emplace();
    by_topic(
        *said.owned,
        [&](const std::string& topic) {
          const auto id = ids_.find(topic);
          ARUS_ASSERT(id != ids_.end());
          request.topic_partitions->emplace_back().topic_id = id->second;
        },
        [&](std::int32_t index) { request.topic_partitions->back().partitions.push_back(index); });
  }
  return request;
}

env::Task<void> ConsumerMembership::send_heartbeat() {
  Said said;
  auto request = next_request(said);
  acknowledge_ = false;
  next_beat_ = now() + interval_;
  const env::Duration patience = context_.cluster.options().request_timeout;
  sending_ = true;
  auto answer =
      co_await context_.coordinator.ask_once(std::move(request), patience, now() + patience);
  sending_ = false;
  sent_.notify_all();
  // A member that was given up meanwhile does not care any more.
  if (phase_ == Phase::waiting) co_return;
  if (stopping_) {
    // So that leaving knows whether there is something to leave.
    if (answer && answer->error_code == ErrorCode::none) {
      phase_ = Phase::member;
      epoch_ = answer->member_epoch;
    }
    co_return;
  }
  const ErrorCode code = answer ? answer->error_code : answer.error().code;
  context_.coordinator.note(code);
  if (code == ErrorCode::none) {
    failures_ = 0;
    said_ = std::move(said);
    co_await take_answer(std::move(*answer));
    co_return;
  }
  said_.reset();
  refuse(code, answer ? answer->error_message.value_or("") : answer.error().message);
}

void ConsumerMembership::refuse(ErrorCode code, const std::string& message) {
  if (code == ErrorCode::fenced_member_epoch || code == ErrorCode::unknown_member_id) {
    log_.debug("the member is fenced group={} member={} error={}", context_.options.group_id,
               member_id_, error_name(code));
    fence();
    return;
  }
  const std::string text = fmt::format("The group {}: {}", context_.options.group_id,
                                       message.empty() ? std::string(error_name(code)) : message);
  if (may_ask_again(code) || code == ErrorCode::topic_authorization_failed) {
    auto pause = context_.cluster.options().retry_backoff;
    const auto longest = context_.cluster.options().retry_backoff_max;
    for (int i = 0; i < failures_ && pause < longest; ++i) pause *= 2;
    ++failures_;
    next_beat_ = now() + std::min(pause, longest);
    if (code == ErrorCode::topic_authorization_failed) {
      failure_ = Error{code, text};
      wake();
    }
    return;
  }
  fence();
  fatal_ = true;
  failed_as_ = context_.subscription.version();
  failure_ = Error{code, text};
}

env::Task<void> ConsumerMembership::take_answer(protocol::ConsumerGroupHeartbeatResponse answer) {
  phase_ = Phase::member;
  if (answer.member_id && !answer.member_id->empty()) member_id_ = *answer.member_id;
  epoch_ = answer.member_epoch;
  if (answer.heartbeat_interval_ms > 0) {
    interval_ = env::milliseconds(answer.heartbeat_interval_ms);
  }
  next_beat_ = now() + interval_;
  if (answer.assignment) {
    wanted_.emplace();
    for (const auto& topic : answer.assignment->topic_partitions) {
      for (const std::int32_t index : topic.partitions) wanted_->insert({topic.topic_id, index});
    }
    unresolved_ = true;
  }
  if (unresolved_) co_await resolve_target();
}

// From topic ids to names: what is unknown is asked for, and left out until it is known.
env::Task<void> ConsumerMembership::resolve_target() {
  std::map<Uuid, std::string> names;
  for (const auto& [name, id] : ids_) names[id] = name;
  for (const auto& [name, topic] : context_.subscription.topics()) names[topic->id] = name;
  std::set<Uuid> unknown;
  for (const auto& partition : *wanted_) {
    if (!names.contains(partition.topic_id)) unknown.insert(partition.topic_id);
  }
  if (!unknown.empty()) {
    auto topics = co_await context_.cluster.topics_by_id(
        std::move(unknown), now() + context_.cluster.options().request_timeout);
    if (phase_ != Phase::member || !wanted_) co_return;
    for (const auto& [id, topic] : topics ? *topics : std::map<Uuid, TopicPointer>{}) {
      names[id] = topic->name;
    }
  }
  unresolved_ = false;
  std::set<TopicPartition> target;
  for (const auto& partition : *wanted_) {
    const auto name = names.find(partition.topic_id);
    if (name == names.end()) {
      unresolved_ = true;
      continue;
    }
    ids_[name->second] = partition.topic_id;
    target.insert({name->second, partition.partition});
  }
  target_ = std::move(target);
  context_.partitions.consumer().interrupt();
}

env::Task<void> ConsumerMembership::send_leave(env::TimePoint deadline) {
  if (phase_ != Phase::member) co_return;
  protocol::ConsumerGroupHeartbeatRequest request;
  request.group_id = context_.options.group_id;
  request.member_id = member_id_;
  request.instance_id = context_.options.instance_id;
  request.member_epoch = context_.options.instance_id ? leaving_for_a_while_epoch : leaving_epoch;
  const env::Duration patience = context_.cluster.options().request_timeout;
  auto answer = co_await context_.coordinator.ask_once(std::move(request), patience, deadline);
  const ErrorCode code = answer ? answer->error_code : answer.error().code;
  if (code != ErrorCode::none) {
    log_.debug("the group was not left group={} error={}", context_.options.group_id,
               error_name(code));
  }
}

env::Task<void> ConsumerMembership::leave(env::TimePoint deadline) {
  stopping_ = true;
  wake();
  if (lost_ || phase_ != Phase::member) {
    co_await context_.partitions.lose_all();
  } else {
    co_await commit_consumed(deadline);
    co_await context_.partitions.take_all();
  }
  // A first heartbeat under way may make this a member.
  while (sending_ && co_await sent_.wait_until(deadline)) {
  }
  co_await send_leave(deadline);
  context_.coordinator.abandon();
  co_await gate_.close();
}

}  // namespace arus::client
