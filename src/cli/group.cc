#include <fmt/core.h>

#include "base/json.h"
#include "cli/group_view.h"
#include "cli/own.h"
#include "cli/table.h"
#include "cli/time_text.h"

namespace arus::cli {
namespace {

// How long the records at committed offsets are waited for.
constexpr auto peek_timeout = env::seconds(10);

std::string or_dash(std::string_view text) { return text.empty() ? "-" : std::string(text); }

void add_number(JsonWriter& json, std::string_view key, const std::optional<std::int64_t>& number) {
  json.key(key);
  if (number) {
    json.number(*number);
  } else {
    json.null();
  }
}

void add_partitions(JsonWriter& json, std::string_view key,
                    const std::vector<TopicPartition>& names) {
  json.key(key).begin_array();
  for (const auto& name : names) {
    json.begin_object();
    json.key("topic").text(name.topic);
    json.key("partition").number(name.partition);
    json.end_object();
  }
  json.end_array();
}

std::optional<std::int64_t> value_of(const std::optional<Offset>& offset) {
  return offset ? std::optional(offset->value()) : std::nullopt;
}

env::Task<int> run_list(Session session, Console& console, const GroupOptions& options) {
  client::GroupAdmin admin{session.cluster};
  auto listing =
      co_await admin.list_groups(options.states, options.types, session.cluster.call_deadline());
  if (!listing) co_return report(console, listing.error());
  if (options.json) {
    JsonWriter json;
    json.begin_array();
    for (const auto& group : listing->groups) {
      json.begin_object();
      json.key("group").text(group.id);
      json.key("state").text(group.state);
      json.key("type").text(group.type);
      json.key("protocol_type").text(group.protocol_type);
      json.key("coordinator").number(group.coordinator.value());
      json.end_object();
    }
    json.end_array();
    console.print("{}\n", json.take());
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const auto& group : listing->groups) {
      rows.push_back({group.id, or_dash(group.state), or_dash(group.type),
                      or_dash(group.protocol_type), std::to_string(group.coordinator.value())});
    }
    console.out(aligned_table({"GROUP", "STATE", "TYPE", "PROTOCOL", "COORDINATOR"}, rows));
  }
  int status = 0;
  for (const auto& failure : listing->failures) status = report(console, failure);
  co_return status;
}

// Groups of any protocol: what is no group of consumers is described as the classic group it is.
env::Task<Result<client::GroupAdmin::Outcomes<std::string, client::GroupDescription>>>
describe_named(client::Cluster& cluster, const std::vector<std::string>& names) {
  client::GroupAdmin admin{cluster};
  co_return co_await admin.describe_groups({names.begin(), names.end()}, false,
                                           cluster.call_deadline());
}

std::string summary_of(const client::GroupDescription& group) {
  std::string text =
      fmt::format("Group {}: {}, {} group{}, {} member{}, coordinator {} ({})", group.id,
                  group.state, group.classic ? "classic" : "consumer",
                  group.assignor.empty() ? "" : fmt::format(", assignor {}", group.assignor),
                  group.members.size(), group.members.size() == 1 ? "" : "s",
                  group.coordinator.address.to_string(), group.coordinator.id.value());
  if (!group.classic) {
    text += fmt::format(", epoch {}, assignment of epoch {}", group.group_epoch,
                        group.assignment_epoch);
  }
  return text + "\n";
}

std::string holdup_line(const client::GroupDescription& group, const Holdup& holdup) {
  if (holdup.member_id.empty()) return fmt::format("Waits: {}\n", holdup.why);
  const auto found = std::ranges::find(group.members, holdup.member_id, &client::GroupMember::id);
  const std::string where =
      found == group.members.end()
          ? ""
          : fmt::format(" ({}{} at {})",
                        found->instance_id ? fmt::format("instance {}, ", *found->instance_id) : "",
                        found->client_id, found->client_host);
  return fmt::format("Waits for member {}{}: {}\n", holdup.member_id, where, holdup.why);
}

std::string partition_table(const std::vector<GroupPartitionView>& partitions, bool times) {
  std::vector<std::string> headers = {"TOPIC", "PARTITION", "COMMITTED", "END", "LAG"};
  if (times) headers.emplace_back("BEHIND");
  headers.insert(headers.end(), {"MEMBER", "CLIENT", "HOST"});
  std::vector<std::vector<std::string>> rows;
  for (const auto& view : partitions) {
    const auto lag = view.lag();
    auto& row = rows.emplace_back();
    row = {view.name.topic, std::to_string(view.name.partition), offset_text(view.committed),
           offset_text(view.end), lag ? std::to_string(*lag) : "-"};
    if (times) row.push_back(view.lag_ms ? duration_text(*view.lag_ms) : "-");
    const auto* member = view.member;
    row.push_back(member == nullptr ? "-" : member->id);
    row.push_back(member == nullptr ? "-" : member->client_id);
    row.push_back(member == nullptr ? "-" : member->client_host);
  }
  return aligned_table(headers, rows);
}

struct LagTotal {
  std::int64_t records = 0;
  std::optional<std::int64_t> oldest_ms;
};

LagTotal total_of(const std::vector<GroupPartitionView>& partitions) {
  LagTotal total;
  for (const auto& view : partitions) {
    total.records += std::max<std::int64_t>(view.lag().value_or(0), 0);
    if (view.lag_ms) total.oldest_ms = std::max(total.oldest_ms.value_or(0), *view.lag_ms);
  }
  return total;
}

void add_description(JsonWriter& json, const client::GroupDescription& group,
                     const std::vector<GroupPartitionView>& partitions,
                     const std::vector<Holdup>& holdups) {
  const LagTotal total = total_of(partitions);
  json.begin_object();
  json.key("group").text(group.id);
  json.key("state").text(group.state);
  json.key("type").text(group.classic ? "classic" : "consumer");
  json.key("protocol_type").text(group.protocol_type);
  json.key("assignor").text(group.assignor);
  json.key("coordinator").number(group.coordinator.id.value());
  json.key("members").number(static_cast<std::int64_t>(group.members.size()));
  json.key("lag").number(total.records);
  add_number(json, "lag_ms", total.oldest_ms);
  json.key("waits_for").begin_array();
  for (const auto& holdup : holdups) {
    json.begin_object();
    json.key("member").text(holdup.member_id);
    json.key("why").text(holdup.why);
    json.end_object();
  }
  json.end_array();
  json.key("partitions").begin_array();
  for (const auto& view : partitions) {
    json.begin_object();
    json.key("topic").text(view.name.topic);
    json.key("partition").number(view.name.partition);
    add_number(json, "committed", value_of(view.committed));
    add_number(json, "end", value_of(view.end));
    add_number(json, "lag", view.lag());
    add_number(json, "lag_ms", view.lag_ms);
    json.key("member");
    if (view.member == nullptr) {
      json.null();
    } else {
      json.text(view.member->id);
    }
    json.end_object();
  }
  json.end_array().end_object();
}

env::Task<int> run_describe(Session session, Console& console, const GroupOptions& options) {
  client::Cluster& cluster = session.cluster;
  auto described = co_await describe_named(cluster, options.names);
  if (!described) co_return report(console, described.error());
  JsonWriter json;
  json.begin_array();
  int status = 0;
  for (const auto& [id, group] : *described) {
    if (!group) {
      status = report(console, group.error());
      continue;
    }
    auto partitions = co_await describe_partitions(cluster, *group);
    if (!partitions) co_return report(console, partitions.error());
    if (!options.skip_times) {
      const auto timed =
          co_await add_lag_times(cluster, *partitions, session.environment.clock().wall_ms(),
                                 cluster.now() + peek_timeout);
      if (!timed) status = report(console, timed.error());
    }
    const auto holdups = find_holdups(*group);
    if (options.json) {
      add_description(json, *group, *partitions, holdups);
      continue;
    }
    console.out(summary_of(*group));
    for (const auto& holdup : holdups) console.out(holdup_line(*group, holdup));
    if (partitions->empty()) continue;
    console.out(partition_table(*partitions, !options.skip_times));
    const LagTotal total = total_of(*partitions);
    console.print("Lag: {} record{}{}\n", total.records, total.records == 1 ? "" : "s",
                  total.oldest_ms.value_or(0) > 0
                      ? fmt::format(", the oldest waits for {}", duration_text(*total.oldest_ms))
                      : "");
  }
  json.end_array();
  if (options.json) console.print("{}\n", json.take());
  co_return status;
}

void add_member(JsonWriter& json, const client::GroupDescription& group,
                const client::GroupMember& member) {
  json.begin_object();
  json.key("group").text(group.id);
  json.key("member").text(member.id);
  json.key("instance");
  if (member.instance_id) {
    json.text(*member.instance_id);
  } else {
    json.null();
  }
  json.key("client").text(member.client_id);
  json.key("host").text(member.client_host);
  add_number(json, "epoch",
             group.classic ? std::nullopt : std::optional<std::int64_t>(member.epoch));
  json.key("subscribed_topics").begin_array();
  for (const auto& topic : member.subscribed_topics) json.text(topic);
  json.end_array();
  add_partitions(json, "assignment", member.assignment);
  if (!group.classic) add_partitions(json, "target_assignment", member.target_assignment);
  json.end_object();
}

// "orders:0,1 payments:2"
std::string partitions_text(const std::vector<TopicPartition>& names) {
  std::string text;
  const std::string* topic = nullptr;
  for (const auto& name : names) {
    if (topic != nullptr && *topic == name.topic) {
      text += fmt::format(",{}", name.partition);
    } else {
      text += fmt::format("{}{}:{}", text.empty() ? "" : " ", name.topic, name.partition);
    }
    topic = &name.topic;
  }
  return or_dash(text);
}

env::Task<int> run_members(Session session, Console& console, const GroupOptions& options) {
  auto described = co_await describe_named(session.cluster, options.names);
  if (!described) co_return report(console, described.error());
  JsonWriter json;
  json.begin_array();
  int status = 0;
  for (const auto& [id, group] : *described) {
    if (!group) {
      status = report(console, group.error());
      continue;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& member : group->members) {
      if (options.json) add_member(json, *group, member);
      rows.push_back({member.id, or_dash(member.instance_id.value_or("")), member.client_id,
                      member.client_host, group->classic ? "-" : std::to_string(member.epoch),
                      partitions_text(member.assignment),
                      group->classic ? "-" : partitions_text(member.target_assignment)});
    }
    if (options.json) continue;
    console.out(summary_of(*group));
    for (const auto& holdup : find_holdups(*group)) console.out(holdup_line(*group, holdup));
    if (rows.empty()) continue;
    console.out(aligned_table(
        {"MEMBER", "INSTANCE", "CLIENT", "HOST", "EPOCH", "ASSIGNMENT", "TARGET"}, rows));
  }
  json.end_array();
  if (options.json) console.print("{}\n", json.take());
  co_return status;
}

env::Task<Result<>> delete_offsets(client::Cluster& cluster, Console& console, std::string group,
                                   std::vector<TopicScope> scopes) {
  auto names = co_await partitions_of(cluster, std::move(scopes), cluster.call_deadline());
  if (!names) co_return fail(std::move(names).error());
  client::GroupAdmin admin{cluster};
  auto outcomes = co_await admin.delete_offsets(group, *names, cluster.call_deadline());
  if (!outcomes) co_return fail(std::move(outcomes).error());
  for (const auto& [name, outcome] : *outcomes) {
    if (!outcome) {
      co_return fail(outcome.error().code,
                     fmt::format("{}: {}", name.to_string(), outcome.error().message));
    }
    console.print("Deleted the offset of {} from group {}\n", name.to_string(), group);
  }
  co_return Result<>{};
}

env::Task<int> run_delete(Session session, Console& console, const GroupOptions& options) {
  client::Cluster& cluster = session.cluster;
  int status = 0;
  if (!options.topics.empty()) {
    std::vector<TopicScope> scopes;
    for (const auto& text : options.topics) {
      auto scope = parse_topic_scope(text);
      if (!scope) co_return report(console, scope.error());
      scopes.push_back(std::move(*scope));
    }
    for (const auto& group : options.names) {
      const auto done = co_await delete_offsets(cluster, console, group, scopes);
      if (!done) status = report(console, done.error());
    }
    co_return status;
  }
  client::GroupAdmin admin{cluster};
  auto outcomes = co_await admin.delete_groups({options.names.begin(), options.names.end()},
                                               cluster.call_deadline());
  if (!outcomes) co_return report(console, outcomes.error());
  for (const auto& [group, outcome] : *outcomes) {
    if (outcome) {
      console.print("Deleted group {}\n", group);
    } else {
      const bool members = outcome.error().code == ErrorCode::non_empty_group;
      status = report(console,
                      {outcome.error().code, fmt::format("Group {}: {}", group,
                                                         members ? "it has members: stop them first"
                                                                 : outcome.error().message)});
    }
  }
  co_return status;
}

int run(Console& console, const ClusterOptions& cluster, const GroupOptions& options,
        env::Task<int> (*body)(Session, Console&, const GroupOptions&)) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  return run_session(*client, body, console, options);
}

}  // namespace

int list_groups(Console& console, const ClusterOptions& cluster, const GroupOptions& options) {
  return run(console, cluster, options, run_list);
}
int describe_groups(Console& console, const ClusterOptions& cluster, const GroupOptions& options) {
  return run(console, cluster, options, run_describe);
}
int show_members(Console& console, const ClusterOptions& cluster, const GroupOptions& options) {
  return run(console, cluster, options, run_members);
}
int delete_groups(Console& console, const ClusterOptions& cluster, const GroupOptions& options) {
  return run(console, cluster, options, run_delete);
}

}  // namespace arus::cli
