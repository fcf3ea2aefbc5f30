#include "cli/group_view.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/joined.h"
#include "client/admin.h"

namespace arus::cli {
namespace {

// One answer about the first records of many partitions must stay small.
constexpr std::int32_t peek_partition_bytes = 64 << 10;
constexpr std::int32_t peek_answer_bytes = 8 << 20;
// How soon it is noticed that a partition has nothing but markers of transactions left.
constexpr auto peek_glance = env::milliseconds(200);

env::Task<Result<std::map<TopicPartition, Offset>>> list_offsets(client::Cluster& cluster,
                                                                 std::set<TopicPartition> names,
                                                                 std::int64_t timestamp,
                                                                 env::TimePoint deadline) {
  std::map<TopicPartition, Offset> offsets;
  if (names.empty()) co_return offsets;
  std::map<TopicPartition, std::int64_t> questions;
  for (const auto& name : names) questions.emplace(name, timestamp);
  client::Admin admin{cluster};
  auto listed = co_await admin.list_offsets(std::move(questions),
                                            client::IsolationLevel::read_uncommitted, deadline);
  if (!listed) co_return fail(std::move(listed).error());
  for (const auto& [name, offset] : *listed) {
    if (offset && offset->offset != no_offset) offsets.emplace(name, offset->offset);
  }
  co_return offsets;
}

env::Task<Result<std::map<TopicPartition, client::CommittedOffset>>> committed_of(
    client::Cluster& cluster, std::string group, env::TimePoint deadline) {
  client::GroupAdmin admin{cluster};
  auto answers = co_await admin.committed_offsets(group, std::nullopt, false, deadline);
  if (!answers) co_return fail(std::move(answers).error());
  std::map<TopicPartition, client::CommittedOffset> committed;
  for (auto& [name, answer] : *answers) {
    if (!answer) co_return fail(answer.error());
    if (*answer && (*answer)->offset != no_offset) committed.emplace(name, std::move(**answer));
  }
  co_return committed;
}

// Names that are no partitions, or have no leader, in Kafka's words.
env::Task<Result<>> check_partitions(client::Cluster& cluster, std::set<TopicPartition> names,
                                     env::TimePoint deadline) {
  std::vector<std::string> unknown;
  std::vector<std::string> leaderless;
  for (const auto& name : names) {
    auto topic = co_await cluster.topic(name.topic, deadline);
    if (!topic) co_return fail(std::move(topic).error());
    const auto* partition = (*topic)->partition(name.partition);
    if (partition == nullptr) {
      unknown.push_back(name.to_string());
    } else if (partition->leader == no_broker) {
      leaderless.push_back(name.to_string());
    }
  }
  if (!unknown.empty()) {
    co_return fail(ErrorCode::unknown_topic_or_partition,
                   fmt::format("The partitions \"{}\" do not exist", joined(unknown, ",")));
  }
  if (!leaderless.empty()) {
    co_return fail(ErrorCode::leader_not_available,
                   fmt::format("The partitions \"{}\" have no leader", joined(leaderless, ",")));
  }
  co_return Result<>{};
}

// Fills what the strategy needs to know of each partition.
env::Task<Result<std::map<TopicPartition, ResetFacts>>> gather_facts(client::Cluster& cluster,
                                                                     std::string group,
                                                                     std::set<TopicPartition> names,
                                                                     const ResetStrategy& strategy,
                                                                     env::TimePoint deadline) {
  std::map<TopicPartition, ResetFacts> facts;
  for (const auto& name : names) facts.emplace(name, ResetFacts{});
  const auto fill = [&](const std::map<TopicPartition, Offset>& offsets,
                        std::optional<Offset> ResetFacts::* field) {
    for (const auto& [name, offset] : offsets) facts.at(name).*field = offset;
  };
  if (strategy.needs_start()) {
    auto starts = co_await list_offsets(cluster, names, client::earliest_timestamp, deadline);
    if (!starts) co_return fail(std::move(starts).error());
    fill(*starts, &ResetFacts::start);
  }
  if (strategy.needs_end()) {
    auto ends = co_await list_offsets(cluster, names, client::latest_timestamp, deadline);
    if (!ends) co_return fail(std::move(ends).error());
    fill(*ends, &ResetFacts::end);
  }
  if (strategy.to == ResetTo::time) {
    auto found = co_await list_offsets(cluster, names, strategy.timestamp_ms, deadline);
    if (!found) co_return fail(std::move(found).error());
    fill(*found, &ResetFacts::at_time);
  }
  if (strategy.needs_committed()) {
    auto committed = co_await committed_of(cluster, group, deadline);
    if (!committed) co_return fail(std::move(committed).error());
    for (const auto& [name, offset] : *committed) {
      if (const auto found = facts.find(name); found != facts.end()) {
        found->second.committed = offset.offset;
      }
    }
  }
  co_return facts;
}

}  // namespace

std::optional<std::int64_t> GroupPartitionView::lag() const {
  if (!committed || !end) return std::nullopt;
  return end->value() - committed->value();
}

env::Task<Result<std::vector<GroupPartitionView>>> describe_partitions(
    client::Cluster& cluster, const client::GroupDescription& group) {
  const env::TimePoint deadline = cluster.call_deadline();
  auto committed = co_await committed_of(cluster, group.id, deadline);
  if (!committed) co_return fail(std::move(committed).error());
  std::vector<const client::GroupMember*> readers;
  for (const auto& member : group.members) readers.push_back(&member);
  std::ranges::sort(readers, [](const client::GroupMember* a, const client::GroupMember* b) {
    const std::size_t a_size = a->assignment.size();
    const std::size_t b_size = b->assignment.size();
    return a_size != b_size ? a_size > b_size : a->id < b->id;
  });
  std::vector<GroupPartitionView> views;
  std::set<TopicPartition> names;
  for (const client::GroupMember* member : readers) {
    for (const auto& name : member->assignment) {
      views.emplace_back().name = name;
      views.back().member = member;
      names.insert(name);
    }
  }
  for (const auto& [name, offset] : *committed) {
    if (names.insert(name).second) views.emplace_back().name = name;
  }
  auto ends = co_await list_offsets(cluster, names, client::latest_timestamp, deadline);
  if (!ends) co_return fail(std::move(ends).error());
  for (auto& view : views) {
    if (const auto found = committed->find(view.name); found != committed->end()) {
      view.committed = found->second.offset;
      view.leader_epoch = found->second.leader_epoch;
    }
    if (const auto found = ends->find(view.name); found != ends->end()) view.end = found->second;
  }
  co_return views;
}

env::Task<Result<>> add_lag_times(client::Cluster& cluster,
                                  std::vector<GroupPartitionView>& partitions, std::int64_t now_ms,
                                  env::TimePoint deadline) {
  std::map<TopicPartition, std::vector<GroupPartitionView*>> open;
  std::vector<client::Assignment> assignments;
  for (auto& partition : partitions) {
    const auto lag = partition.lag();
    if (lag && *lag <= 0) partition.lag_ms = 0;
    if (!lag || *lag <= 0) continue;
    auto& views = open[partition.name];
    if (views.empty()) {
      assignments.push_back({partition.name, client::StartPosition::at(*partition.committed)});
    }
    views.push_back(&partition);
  }
  if (open.empty()) co_return Result<>{};
  client::ConsumerOptions options;
  options.fetch_max_bytes = peek_answer_bytes;
  options.partition_fetch_bytes = peek_partition_bytes;
  // What retention has deleted waits no longer: the oldest record that is left counts.
  options.reset_timestamp = client::earliest_timestamp;
  client::Consumer consumer{cluster, options};
  const auto settle = [&](const TopicPartition& name, std::optional<std::int64_t> age) -> Result<> {
    const auto found = open.find(name);
    if (found == open.end()) return {};
    for (GroupPartitionView* view : found->second) view->lag_ms = age;
    open.erase(found);
    return consumer.pause(name, true);
  };
  Result<> done = consumer.assign(std::move(assignments));
  while (done && !open.empty() && cluster.now() < deadline) {
    auto records = co_await consumer.poll(std::min(deadline, cluster.now() + peek_glance));
    if (!records) {
      done = fail(std::move(records).error());
      break;
    }
    for (const auto& record : *records) {
      const std::int64_t age = std::max<std::int64_t>(now_ms - record.timestamp_ms, 0);
      done = settle({*record.topic, record.partition},
                    record.timestamp_ms < 0 ? std::nullopt : std::optional(age));
      if (!done) break;
    }
    // Nothing but markers of transactions was left: nothing waits.
    std::vector<TopicPartition> empty;
    for (const auto& [name, views] : open) {
      const auto position = consumer.position(name);
      if (position && *position >= *views.front()->end) empty.push_back(name);
    }
    for (const auto& name : empty) {
      if (done) done = settle(name, 0);
    }
  }
  co_await consumer.close();
  co_return done;
}

bool is_inactive(std::string_view group_state) {
  return group_state == "Empty" || group_state == "Dead";
}

env::Task<Result<std::set<TopicPartition>>> partitions_of(client::Cluster& cluster,
                                                          std::vector<TopicScope> scopes,
                                                          env::TimePoint deadline) {
  std::set<TopicPartition> names;
  for (const auto& scope : scopes) {
    if (scope.partitions) {
      for (const std::int32_t index : *scope.partitions) names.insert({scope.topic, index});
      continue;
    }
    auto topic = co_await cluster.topic(scope.topic, deadline);
    if (!topic) co_return fail(std::move(topic).error());
    for (const auto& partition : (*topic)->partitions) names.insert({scope.topic, partition.index});
  }
  co_return names;
}

env::Task<Result<ResetPlan>> plan_group_reset(client::Cluster& cluster, std::string group,
                                              ResetScope scope, ResetStrategy strategy,
                                              env::TimePoint deadline) {
  std::set<TopicPartition> names;
  if (strategy.to == ResetTo::listed) {
    for (const auto& [name, offset] : strategy.listed) names.insert(name);
  } else if (scope.all_topics) {
    auto committed = co_await committed_of(cluster, group, deadline);
    if (!committed) co_return fail(std::move(committed).error());
    for (const auto& [name, offset] : *committed) names.insert(name);
  } else {
    auto named = co_await partitions_of(cluster, scope.topics, deadline);
    if (!named) co_return fail(std::move(named).error());
    names = std::move(*named);
  }
  ARUS_CO_TRY(co_await check_partitions(cluster, names, deadline));
  auto facts = co_await gather_facts(cluster, group, std::move(names), strategy, deadline);
  if (!facts) co_return fail(std::move(facts).error());
  co_return plan_reset(strategy, *facts);
}

env::Task<Result<>> execute_reset(client::Cluster& cluster, std::string group, ResetPlan plan,
                                  env::TimePoint deadline) {
  std::map<TopicPartition, client::CommittedOffset> offsets;
  for (const auto& [name, offset] : plan.offsets) offsets[name].offset = offset;
  if (offsets.empty()) co_return Result<>{};
  client::GroupAdmin admin{cluster};
  auto outcomes = co_await admin.alter_offsets(group, std::move(offsets), deadline);
  if (!outcomes) co_return fail(std::move(outcomes).error());
  for (const auto& [name, outcome] : *outcomes) {
    if (!outcome) co_return fail(outcome.error());
  }
  co_return Result<>{};
}

std::string offset_text(const std::optional<Offset>& offset) {
  return offset ? std::to_string(offset->value()) : "-";
}

}  // namespace arus::cli
