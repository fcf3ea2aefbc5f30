#include <fmt/core.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "cli/group_view.h"
#include "cli/offset_csv.h"
#include "cli/own.h"
#include "cli/table.h"
#include "cli/time_text.h"

namespace arus::cli {
namespace {

// What is to be done, as far as the options say it.
struct ResetProgram {
  const GroupOptions& options;
  ResetStrategy strategy;
  ResetScope scope;
  std::optional<std::int64_t> ago_ms;
};

Result<> read_target(const GroupOptions& options, ResetStrategy& strategy) {
  const std::string& text = options.to;
  if (text == "earliest" || text == "latest" || text == "current") {
    strategy.to = text == "earliest" ? ResetTo::earliest
                  : text == "latest" ? ResetTo::latest
                                     : ResetTo::current;
    return {};
  }
  const bool shift = text.starts_with('+') || text.starts_with('-');
  const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, strategy.number);
  if (error != std::errc{} || end != last || first == last) {
    return fail(ErrorCode::invalid_request,
                fmt::format("--to takes earliest, latest, current, an offset, +records or "
                            "-records, not {}",
                            text));
  }
  strategy.to = shift ? ResetTo::shift : ResetTo::offset;
  return {};
}

Result<> read_file(const GroupOptions& options, ResetStrategy& strategy) {
  std::ifstream file{options.from_file, std::ios::binary};
  if (!file) {
    return fail(ErrorCode::invalid_request, fmt::format("{} cannot be read", options.from_file));
  }
  std::ostringstream text;
  text << file.rdbuf();
  const std::string& group = options.names.front();
  auto offsets = parse_offsets_csv(text.str(), group);
  if (!offsets) return fail(std::move(offsets).error());
  const auto found = offsets->find(group);
  if (found == offsets->end()) {
    return fail(ErrorCode::invalid_request,
                fmt::format("{} says nothing about group {}", options.from_file, group));
  }
  strategy.to = ResetTo::listed;
  strategy.listed = std::move(found->second);
  return {};
}

Result<ResetProgram> reset_program(const GroupOptions& options) {
  ResetProgram program{options, {}, {}, {}};
  const int targets = (options.to.empty() ? 0 : 1) + (options.to_time.empty() ? 0 : 1) +
                      (options.ago.empty() ? 0 : 1) + (options.from_file.empty() ? 0 : 1);
  if (targets != 1) {
    return fail(ErrorCode::invalid_request,
                "Say where to: one of --to, --to-time, --ago and --from-file");
  }
  if (options.execute && options.dry_run) {
    return fail(ErrorCode::invalid_request, "--execute and --dry-run contradict each other");
  }
  program.scope.all_topics = options.topics.empty();
  for (const auto& text : options.topics) {
    auto scope = parse_topic_scope(text);
    if (!scope) return fail(std::move(scope).error());
    program.scope.topics.push_back(std::move(*scope));
  }
  if (!options.to.empty()) ARUS_TRY(read_target(options, program.strategy));
  if (!options.from_file.empty()) ARUS_TRY(read_file(options, program.strategy));
  if (!options.to_time.empty()) {
    const auto moment = parse_moment(options.to_time);
    if (!moment) return fail(moment.error());
    program.strategy.to = ResetTo::time;
    program.strategy.timestamp_ms = *moment;
  }
  if (!options.ago.empty()) {
    const auto duration = parse_duration(options.ago);
    if (!duration) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("{} is no duration: write PT1H30M or P1D", options.ago));
    }
    program.strategy.to = ResetTo::time;
    program.ago_ms = *duration;
  }
  return program;
}

std::string plan_text(const std::string& group, const ResetPlan& plan,
                      const std::vector<GroupPartitionView>& before, bool json_wanted) {
  std::map<TopicPartition, std::optional<Offset>> committed;
  for (const auto& view : before) committed[view.name] = view.committed;
  JsonWriter json;
  json.begin_array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, offset] : plan.offsets) {
    const auto old = committed[name];
    rows.push_back({name.topic, std::to_string(name.partition), offset_text(old),
                    std::to_string(offset.value()),
                    old ? fmt::format("{:+}", offset.value() - old->value()) : "-"});
    json.begin_object();
    json.key("group").text(group);
    json.key("topic").text(name.topic);
    json.key("partition").number(name.partition);
    json.key("committed").raw(old ? std::to_string(old->value()) : "null");
    json.key("new").number(offset.value());
    json.end_object();
  }
  json.end_array();
  if (json_wanted) return json.take() + "\n";
  return aligned_table({"TOPIC", "PARTITION", "COMMITTED", "NEW", "CHANGE"}, rows);
}

// What of the group is there now, or an error when it may not be reset.
env::Task<Result<std::vector<GroupPartitionView>>> positions_before(client::Cluster& cluster,
                                                                    std::string group) {
  client::GroupAdmin admin{cluster};
  auto described = co_await admin.describe_groups({group}, false, cluster.call_deadline());
  if (!described) co_return fail(std::move(described).error());
  const auto& description = described->at(group);
  if (!description && description.error().code == ErrorCode::group_id_not_found) {
    co_return std::vector<GroupPartitionView>{};
  }
  if (!description) co_return fail(description.error());
  if (!is_inactive(description->state)) {
    co_return fail(
        ErrorCode::non_empty_group,
        fmt::format("Group {} is {} with {} member{}: stop them first", group, description->state,
                    description->members.size(), description->members.size() == 1 ? "" : "s"));
  }
  auto views = co_await describe_partitions(cluster, *description);
  co_return views;
}

env::Task<int> run_reset(Session session, Console& console, const ResetProgram& program) {
  client::Cluster& cluster = session.cluster;
  const std::string group = program.options.names.front();
  auto before = co_await positions_before(cluster, group);
  if (!before) co_return report(console, before.error());
  ResetStrategy strategy = program.strategy;
  if (program.ago_ms) {
    strategy.timestamp_ms = session.environment.clock().wall_ms() - *program.ago_ms;
  }
  auto plan = co_await plan_group_reset(cluster, group, program.scope, std::move(strategy),
                                        cluster.call_deadline());
  if (!plan) co_return report(console, plan.error());
  if (plan->offsets.empty()) {
    co_return report(console,
                     {ErrorCode::invalid_request,
                      fmt::format("Group {} has no offsets: name topics with --topic", group)});
  }
  for (const auto& note : plan->corrections) console.print_error("{}\n", note);
  for (const auto& note : plan->fallbacks) console.print_error("{}\n", note);
  console.out(plan_text(group, *plan, *before, program.options.json));
  if (!program.options.execute) {
    console.err("Nothing was changed: --execute carries this plan out.\n");
    co_return 0;
  }
  const auto done = co_await execute_reset(cluster, group, *plan, cluster.call_deadline());
  if (!done) co_return report(console, done.error());
  console.err(fmt::format("The offsets of group {} were changed.\n", group));
  co_return 0;
}

}  // namespace

int reset_group(Console& console, const ClusterOptions& cluster, const GroupOptions& options) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  const auto program = reset_program(options);
  if (!program) return report(console, program.error());
  return run_session(*client, run_reset, console, *program);
}

}  // namespace arus::cli
