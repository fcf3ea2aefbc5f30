#include <fmt/core.h>

#include <fstream>
#include <sstream>

#include "cli/kafka/command.h"
#include "cli/kafka/consumer_group_actions.h"
#include "cli/kafka/group_tables.h"
#include "cli/time_text.h"

namespace arus::cli::kafka {
namespace {

Result<GroupOffsets> read_plan(const ParsedOptions& options, const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    return fail(ErrorCode::resource_not_found, "java.nio.file.NoSuchFileException: " + path);
  }
  std::ostringstream text;
  text << file.rdbuf();
  const auto& groups = options.values("group");
  return parse_offsets_csv(text.str(),
                           groups.size() == 1 ? std::optional(groups.front()) : std::nullopt);
}

// The plan of one group that nobody reads for.
env::Task<Result<ResetPlan>> plan_one(client::Cluster& cluster, Console& console,
                                      const ResetOrder& order, std::string group) {
  ResetStrategy strategy = order.strategy;
  if (order.ago_ms) {
    strategy.timestamp_ms = cluster.environment().clock().wall_ms() - *order.ago_ms;
  }
  if (order.file) {
    const auto found = order.file->find(group);
    if (found == order.file->end()) {
      console.print("\nError: No reset plan for group {} found\n", group);
      co_return ResetPlan{};
    }
    strategy.listed = found->second;
  }
  co_return co_await plan_group_reset(cluster, group, order.scope, strategy,
                                      cluster.call_deadline());
}

}  // namespace

Result<ResetOrder> reset_order(const ParsedOptions& options) {
  ResetOrder order;
  ResetStrategy& strategy = order.strategy;
  order.scope.all_topics = options.has("all-topics");
  if (!order.scope.all_topics) {
    for (const auto& text : options.values("topic")) {
      auto scope = parse_topic_scope(text);
      if (!scope) return fail(std::move(scope).error());
      order.scope.topics.push_back(std::move(*scope));
    }
  }
  const auto offset = options.number("to-offset");
  if (!offset) return fail(offset.error());
  const auto shift = options.number("shift-by");
  if (!shift) return fail(shift.error());
  if (*offset || *shift) {
    strategy.to = *offset ? ResetTo::offset : ResetTo::shift;
    strategy.number = *offset ? **offset : **shift;
  } else if (options.has("to-earliest")) {
    strategy.to = ResetTo::earliest;
  } else if (options.has("to-latest")) {
    strategy.to = ResetTo::latest;
  } else if (const auto moment = options.value("to-datetime")) {
    const auto parsed = parse_date_time(*moment);
    if (!parsed) {
      return fail(parsed.error().code, "java.text.ParseException: " + parsed.error().message);
    }
    strategy.to = ResetTo::time;
    strategy.timestamp_ms = *parsed;
  } else if (const auto duration = options.value("by-duration")) {
    const auto parsed = parse_duration(*duration);
    if (!parsed) return fail(parsed.error());
    strategy.to = ResetTo::time;
    order.ago_ms = *parsed;
  } else if (const auto path = options.value("from-file")) {
    auto read = read_plan(options, *path);
    if (!read) return fail(std::move(read).error());
    strategy.to = ResetTo::listed;
    order.file = std::move(*read);
  }
  return order;
}

env::Task<Result<>> reset_groups(client::Cluster& cluster, Console& console,
                                 const GroupProgram& program, std::vector<std::string> groups) {
  const ParsedOptions& options = program.options;
  client::GroupAdmin admin{cluster};
  auto described = co_await admin.describe_groups({groups.begin(), groups.end()}, false,
                                                  cluster.call_deadline());
  if (!described) co_return fail(described.error().code, exception_text(described.error()));
  std::map<std::string, ResetPlan> plans;
  for (const auto& [group, description] : *described) {
    ResetPlan& kept = plans[group];
    if (!description && description.error().code != ErrorCode::group_id_not_found) {
      co_return fail(description.error().code, exception_text(description.error()));
    }
    if (description && !is_inactive(description->state)) {
      console.print(
          "\nError: Assignments can only be reset if the group '{}' is inactive, but the current "
          "state is {}.\n",
          group, group_state_text(description->state));
      continue;
    }
    auto plan = co_await plan_one(cluster, console, program.reset, group);
    if (!plan) co_return fail(plan.error().code, plain_text(plan.error()));
    for (const auto& note : plan->fallbacks) console.print("\nWarn: {}\n", note);
    for (const auto& note : plan->corrections) console.print_error("WARN {}\n", note);
    if (options.has("execute")) {
      const auto done = co_await execute_reset(cluster, group, *plan, cluster.call_deadline());
      if (!done) co_return fail(done.error().code, plain_text(done.error()));
    }
    kept = std::move(*plan);
  }
  if (!options.has("export")) {
    console.out(reset_table(plans));
    co_return Result<>{};
  }
  GroupOffsets offsets;
  for (auto& [group, plan] : plans) offsets[group] = std::move(plan.offsets);
  console.print("{}\n", offsets_as_csv(offsets, options.values("group").size() != 1));
  co_return Result<>{};
}

}  // namespace arus::cli::kafka
