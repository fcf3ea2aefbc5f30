#include "client/group_subscription.h"

#include <fmt/core.h>

#include "client/coordinator.h"

namespace arus::client {

void GroupSubscription::begin() {
  chosen_ = true;
  likes_ = nullptr;
  pattern_.reset();
  names_.clear();
  topics_.clear();
  refreshed_ = false;
  refresh_due_ = {};
  failures_ = 0;
  ++version_;
  ++choice_;
}

void GroupSubscription::choose_topics(std::set<std::string> names) {
  begin();
  names_ = std::move(names);
}

void GroupSubscription::choose_matching(std::function<bool(std::string_view)> likes) {
  begin();
  likes_ = std::move(likes);
}

void GroupSubscription::choose_pattern(std::string regex) {
  begin();
  pattern_ = std::move(regex);
  refreshed_ = true;
  refresh_due_ = env::never;
}

std::map<std::string, std::int32_t> GroupSubscription::partition_counts() const {
  std::map<std::string, std::int32_t> counts;
  for (const auto& [name, topic] : topics_) {
    counts[name] = static_cast<std::int32_t>(topic->partitions.size());
  }
  return counts;
}

env::Task<Result<std::map<std::string, std::int32_t>>> GroupSubscription::count_partitions(
    std::set<std::string> names, env::TimePoint deadline) {
  std::map<std::string, std::int32_t> counts;
  auto topics = co_await cluster_.topics(std::move(names), create_topics_, deadline);
  if (!topics) co_return fail(std::move(topics).error());
  for (const auto& [name, topic] : *topics) {
    if (topic) counts[name] = static_cast<std::int32_t>((*topic)->partitions.size());
  }
  co_return counts;
}

void GroupSubscription::take(std::map<std::string, TopicPointer> topics) {
  topics_ = std::move(topics);
  if (likes_) {
    std::set<std::string> names;
    for (const auto& [name, topic] : topics_) names.insert(name);
    if (names != names_) {
      names_ = std::move(names);
      ++version_;
    }
  }
  refreshed_ = true;
}

env::Task<Result<>> GroupSubscription::refresh(env::TimePoint deadline) {
  if (pattern_) co_return Result<>{};
  const std::uint64_t choice = choice_;
  const auto names = names_;
  std::map<std::string, TopicPointer> found;
  bool complete = true;
  Result<> outcome;
  if (likes_) {
    auto all = co_await cluster_.all_topics(deadline);
    if (choice != choice_) co_return Result<>{};
    complete = all.has_value();
    if (!all && !may_ask_again(all.error().code)) outcome = fail(all.error());
    for (const auto& topic : all ? *all : std::vector<TopicPointer>{}) {
      if (!(topic->internal && exclude_internal_) && likes_(topic->name)) {
        found[topic->name] = topic;
      }
    }
  } else {
    auto topics = co_await cluster_.topics(names, create_topics_, deadline);
    if (choice != choice_) co_return Result<>{};
    complete = topics.has_value();
    if (!topics && !may_ask_again(topics.error().code)) outcome = fail(topics.error());
    for (const auto& [name, topic] : topics ? *topics : Cluster::Topics{}) {
      if (topic) {
        found[name] = *topic;
        continue;
      }
      complete = false;
      if (!may_ask_again(topic.error().code)) outcome = fail(topic.error());
    }
    if (!topics) found = topics_;
  }
  if (complete || !likes_) take(std::move(found));
  if (complete) {
    failures_ = 0;
    refresh_due_ = cluster_.now() + cluster_.options().metadata_max_age;
  } else {
    // A topic that is not there yet, or brokers that do not answer.
    auto pause = cluster_.options().retry_backoff;
    for (int i = 0; i < failures_ && pause < cluster_.options().retry_backoff_max; ++i) pause *= 2;
    ++failures_;
    refresh_due_ = cluster_.now() + std::min(pause, cluster_.options().retry_backoff_max);
  }
  co_return outcome;
}

}  // namespace arus::client
