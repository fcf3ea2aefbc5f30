#include "client/group_partitions.h"

#include <fmt/core.h>

#include "client/offset_calls.h"

namespace arus::client {

GroupPartitions::GroupPartitions(Cluster& cluster, Coordinator& coordinator,
                                 ConsumerOptions options, std::function<GroupMetadata()> member)
    : cluster_(cluster),
      coordinator_(coordinator),
      options_(options),
      member_(std::move(member)),
      consumer_(cluster, std::move(options)) {}

std::set<TopicPartition> GroupPartitions::owned() const {
  std::set<TopicPartition> names;
  for (const auto& [name, owned] : owned_) names.insert(name);
  return names;
}

env::Task<void> GroupPartitions::give(std::vector<TopicPartition> names) {
  for (const auto& name : names) owned_[name].number = ++last_number_;
  // A listener may seek, which then is where the partition begins.
  if (listener_ != nullptr) co_await listener_->on_assigned(std::move(names));
}

env::Task<void> GroupPartitions::take(std::vector<TopicPartition> names) {
  if (names.empty()) co_return;
  if (listener_ != nullptr) co_await listener_->on_revoked(names);
  for (const auto& name : names) owned_.erase(name);
  consumer_.remove(names);
}

env::Task<void> GroupPartitions::take_all() {
  const auto names = owned();
  co_await take(std::vector(names.begin(), names.end()));
}

env::Task<void> GroupPartitions::lose_all() {
  const auto all = owned();
  std::vector<TopicPartition> names(all.begin(), all.end());
  if (names.empty()) co_return;
  if (listener_ != nullptr) co_await listener_->on_lost(names);
  for (const auto& name : names) owned_.erase(name);
  consumer_.remove(names);
}

void GroupPartitions::begin(const TopicPartition& name, Owned& owned, StartPosition start,
                            LeaderEpoch epoch) {
  owned.begun = true;
  const auto added = consumer_.add({{name, start, epoch}});
  ARUS_ASSERT(added);
  if (owned.paused) static_cast<void>(consumer_.pause(name, true));
}

std::optional<StartPosition> GroupPartitions::reset_position() const {
  if (options_.reset_age) {
    const auto age = std::chrono::duration_cast<env::milliseconds>(*options_.reset_age);
    return StartPosition::at_time(cluster_.environment().clock().wall_ms() - age.count());
  }
  if (!options_.reset_timestamp) return std::nullopt;
  return StartPosition::at_time(*options_.reset_timestamp);
}

void GroupPartitions::begin_waiting() {
  if (looking_up_ || stopping_) return;
  for (const auto& [name, owned] : owned_) {
    if (owned.begun) continue;
    looking_up_ = true;
    env::spawn(gate_, look_up());
    return;
  }
}

env::Task<void> GroupPartitions::look_up() {
  std::set<TopicPartition> names;
  std::map<TopicPartition, std::uint64_t> numbers;
  for (const auto& [name, owned] : owned_) {
    if (owned.begun) continue;
    names.insert(name);
    numbers[name] = owned.number;
  }
  const env::TimePoint deadline = cluster_.now() + cluster_.options().request_timeout;
  auto offsets = co_await fetch_offsets_once(cluster_, coordinator_, member_(), std::move(names),
                                             true, deadline);
  bool again = false;
  const auto take_error = [&](const Error& error) {
    // The epoch has moved on between question and answer, or the group is changing.
    if (may_ask_again(error.code) || error.code == ErrorCode::stale_member_epoch ||
        error.code == ErrorCode::unknown_member_id || error.code == ErrorCode::illegal_generation) {
      again = true;
    } else {
      failure_ = error;
    }
  };
  if (!offsets) take_error(offsets.error());
  for (const auto& [name, offset] : offsets ? *offsets : GroupAdmin::Offsets{}) {
    const auto number = numbers.find(name);
    const auto owned = owned_.find(name);
    if (number == numbers.end() || owned == owned_.end() || owned->second.begun ||
        owned->second.number != number->second) {
      continue;
    }
    if (!offset) {
      take_error(offset.error());
    } else if (*offset) {
      begin(name, owned->second, StartPosition::at((*offset)->offset), (*offset)->leader_epoch);
    } else if (const auto start = reset_position()) {
      begin(name, owned->second, *start, no_leader_epoch);
    } else {
      failure_ = Error{ErrorCode::offset_out_of_range,
                       fmt::format("Undefined offset with no reset policy for partitions: [{}]",
                                   name.to_string())};
    }
  }
  if (again || failure_) co_await cluster_.back_off(0, deadline);
  looking_up_ = false;
  consumer_.interrupt();
}

Result<> GroupPartitions::seek(const TopicPartition& name, StartPosition start) {
  const auto found = owned_.find(name);
  if (found == owned_.end()) {
    return fail(ErrorCode::invalid_request, fmt::format("{} is not assigned", name.to_string()));
  }
  if (found->second.begun) return consumer_.seek(name, start);
  begin(name, found->second, start, no_leader_epoch);
  return {};
}

Result<> GroupPartitions::pause(const TopicPartition& name, bool paused) {
  const auto found = owned_.find(name);
  if (found == owned_.end()) {
    return fail(ErrorCode::invalid_request, fmt::format("{} is not assigned", name.to_string()));
  }
  found->second.paused = paused;
  return found->second.begun ? consumer_.pause(name, paused) : Result<>{};
}

OffsetsToCommit GroupPartitions::consumed() const {
  OffsetsToCommit offsets;
  for (const auto& [name, owned] : owned_) {
    if (!owned.begun) continue;
    if (const auto position = consumer_.position(name)) {
      offsets[name] = {*position, consumer_.last_epoch(name), {}};
    }
  }
  return offsets;
}

env::Task<void> GroupPartitions::close() {
  stopping_ = true;
  co_await gate_.close();
  co_await consumer_.close();
}

}  // namespace arus::client
