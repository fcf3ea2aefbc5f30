#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "client/classic_membership.h"
#include "protocol/api/join_group.h"
#include "protocol/api/sync_group.h"

namespace arus::client {
namespace {

const LogComponent join_log{"client.group"};
constexpr auto rebalance_slack = env::seconds(5);  // of the answer beyond the rebalance itself

std::int32_t ms(env::Duration duration) {
  return static_cast<std::int32_t>(std::min<std::int64_t>(
      std::chrono::duration_cast<env::milliseconds>(duration).count(), INT32_MAX));
}

}  // namespace

env::Task<void> ClassicMembership::join() {
  for (int attempt = 0; !stopping_; ++attempt) {
    const Next next = co_await join_once();
    if (next == Next::done || stopping_) break;
    if (next == Next::again) {
      co_await context_.cluster.back_off(std::min(attempt, 16), env::never);
    }
  }
  // Without a result the next advance() begins anew.
  if (!joined_) phase_ = Phase::outside;
  if (!joined_) rejoin_ = true;
  wake();
}

protocol::JoinGroupRequest ClassicMembership::join_request() const {
  const auto& options = context_.options;
  protocol::JoinGroupRequest request;
  request.group_id = options.group_id;
  request.session_timeout_ms = ms(options.session_timeout);
  request.rebalance_timeout_ms = ms(options.max_poll_interval);
  request.member_id = member_id_;
  request.group_instance_id = options.instance_id;
  request.protocol_type = consumer_protocol_type;
  request.reason = reason_;
  ConsumerSubscription subscription;
  subscription.topics.assign(context_.subscription.names().begin(),
                             context_.subscription.names().end());
  const auto owned = context_.partitions.owned();
  subscription.owned.assign(owned.begin(), owned.end());
  subscription.generation = generation_;
  if (!options.consumer.rack.empty()) subscription.rack = options.consumer.rack;
  for (const auto& assignor : options.assignors) {
    subscription.user_data = assignor->user_data(generation_);
    auto& protocol = request.protocols.emplace_back();
    protocol.name = assignor->name();
    protocol.metadata = Slice(encode_subscription(subscription));
  }
  return request;
}

// What a refusal means: another try, or something for the application.
ClassicMembership::Next ClassicMembership::refuse(ErrorCode code, std::string what) {
  context_.coordinator.note(code);
  if (code == ErrorCode::unknown_member_id || code == ErrorCode::illegal_generation) {
    // Cooperative members have kept their partitions up to here: they are lost now.
    reset_member();
    lost_ = true;
    return Next::done;
  }
  if (code == ErrorCode::rebalance_in_progress) return Next::again_at_once;
  if (may_ask_again(code)) return Next::again;
  failure_ = Error{code, std::move(what)};
  return Next::done;
}

env::Task<ClassicMembership::Next> ClassicMembership::join_once() {
  const auto& options = context_.options;
  auto found =
      co_await context_.coordinator.find(now() + context_.cluster.options().request_timeout);
  if (!found) co_return refuse(found.error().code, found.error().message);
  if (stopping_) co_return Next::done;
  const env::Duration patience = std::max<env::Duration>(
      context_.cluster.options().request_timeout, options.max_poll_interval + rebalance_slack);
  joined_as_ = context_.subscription.version();
  join_log.debug("joining group={} member={} generation={} reason={}", options.group_id, member_id_,
                 generation_, reason_);
  auto answer = co_await context_.coordinator.ask_once(join_request(), patience, now() + patience);
  if (stopping_) {
    // So that leaving knows whom to take out.
    if (answer && !answer->member_id.empty()) member_id_ = answer->member_id;
    co_return Next::done;
  }
  if (!answer) co_return refuse(answer.error().code, answer.error().message);
  if (answer->error_code == ErrorCode::member_id_required) {
    member_id_ = answer->member_id;
    co_return Next::again_at_once;
  }
  if (answer->error_code != ErrorCode::none) {
    co_return refuse(answer->error_code, fmt::format("Joining the group {}: {}", options.group_id,
                                                     error_name(answer->error_code)));
  }
  const auto chosen = std::ranges::find_if(options.assignors, [&](const auto& assignor) {
    return answer->protocol_name && assignor->name() == *answer->protocol_name;
  });
  if (chosen == options.assignors.end()) {
    co_return refuse(ErrorCode::inconsistent_group_protocol,
                     fmt::format("The group {} has chosen the assignor {}, which this member has "
                                 "not offered",
                                 options.group_id, answer->protocol_name.value_or("")));
  }
  member_id_ = answer->member_id;
  generation_ = answer->generation_id;
  reason_.clear();
  co_return co_await synchronise(std::move(*answer), *chosen);
}

env::Task<Result<GroupAssignment>> ClassicMembership::divide(
    const protocol::JoinGroupResponse& answer, const Assignor& assignor) {
  AssignmentInput input;
  group_topics_.clear();
  for (const auto& member : answer.members) {
    auto subscription = decode_subscription(member.metadata);
    if (!subscription) {
      co_return fail(subscription.error().code,
                     fmt::format("The subscription of the member {} cannot be read: {}",
                                 member.member_id, subscription.error().message));
    }
    group_topics_.insert(subscription->topics.begin(), subscription->topics.end());
    input.members[member.member_id] = {member.group_instance_id, std::move(*subscription)};
  }
  auto counts = co_await context_.subscription.count_partitions(
      group_topics_, now() + context_.cluster.options().request_timeout);
  if (!counts) co_return fail(std::move(counts).error());
  divided_ = *counts;
  watch_due_ =
      now() + (counts->size() < group_topics_.size() ? context_.cluster.options().retry_backoff_max
                                                     : context_.cluster.options().metadata_max_age);
  input.partition_counts = std::move(*counts);
  // Where the broker knows that nothing has changed, members keep what they had.
  if (answer.skip_assignment) co_return GroupAssignment{};
  co_return assignor.assign(input);
}

env::Task<ClassicMembership::Next> ClassicMembership::synchronise(
    protocol::JoinGroupResponse answer, AssignorPointer assignor) {
  const auto& options = context_.options;
  protocol::SyncGroupRequest request;
  request.group_id = options.group_id;
  request.generation_id = generation_;
  request.member_id = member_id_;
  request.group_instance_id = options.instance_id;
  request.protocol_type = std::string(consumer_protocol_type);
  request.protocol_name = std::string(assignor->name());
  leader_ = answer.leader == member_id_;
  watch_due_ = env::never;
  if (leader_) {
    auto divided = co_await divide(answer, *assignor);
    if (!divided) co_return refuse(divided.error().code, divided.error().message);
    for (auto& [member, assignment] : *divided) {
      auto& entry = request.assignments.emplace_back();
      entry.member_id = member;
      entry.assignment = Slice(encode_assignment(std::move(assignment)));
    }
  }
  const env::Duration patience = std::max<env::Duration>(
      context_.cluster.options().request_timeout, options.max_poll_interval + rebalance_slack);
  auto synced =
      co_await context_.coordinator.ask_once(std::move(request), patience, now() + patience);
  if (stopping_) co_return Next::done;
  if (!synced) co_return refuse(synced.error().code, synced.error().message);
  if (synced->error_code != ErrorCode::none) {
    co_return refuse(synced->error_code,
                     fmt::format("Synchronising the group {}: {}", options.group_id,
                                 error_name(synced->error_code)));
  }
  auto assignment = decode_assignment(synced->assignment);
  if (!assignment) co_return refuse(ErrorCode::unknown_server_error, assignment.error().message);
  join_log.debug("joined group={} member={} generation={} partitions={}", options.group_id,
                 member_id_, generation_, assignment->partitions.size());
  joined_ = Joined{std::move(assignor), std::move(assignment->partitions)};
  co_return Next::done;
}

}  // namespace arus::client
