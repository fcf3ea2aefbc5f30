#include "cli/kafka/consumer_group_actions.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/joined.h"
#include "cli/kafka/command.h"
#include "cli/kafka/group_tables.h"

namespace arus::cli::kafka {
namespace {

std::vector<std::string> quoted(const std::set<std::string>& names) {
  std::vector<std::string> quoted;
  for (const auto& name : names) quoted.push_back("'" + name + "'");
  return quoted;
}

class GroupActions {
 public:
  GroupActions(client::Cluster& cluster, Console& console, const GroupProgram& program)
      : cluster_(cluster), console_(console), program_(program), options_(program.options) {}

  env::Task<Result<>> run() {
    if (options_.has("list")) co_return co_await list();
    if (options_.has("delete-offsets")) co_return co_await delete_offsets();
    auto groups = co_await named_groups();
    if (!groups) co_return fail(std::move(groups).error());
    if (options_.has("describe")) co_return co_await describe(std::move(*groups));
    if (options_.has("delete")) co_return co_await delete_groups(std::move(*groups));
    co_return co_await reset_groups(cluster_, console_, program_, std::move(*groups));
  }

 private:
  env::Task<Result<std::vector<std::string>>> named_groups() {
    if (!options_.has("all-groups")) co_return options_.values("group");
    auto listed = co_await list_consumer_groups(cluster_, {}, {});
    if (!listed) co_return fail(std::move(listed).error());
    std::vector<std::string> names;
    for (const auto& group : *listed) names.push_back(group.id);
    co_return names;
  }

  env::Task<Result<>> list() {
    auto groups = co_await list_consumer_groups(cluster_, program_.states, program_.types);
    if (!groups) co_return fail(std::move(groups).error());
    if (options_.has("type") || options_.has("state")) {
      console_.out(listing_table(*groups, options_.has("type"), options_.has("state")));
      co_return Result<>{};
    }
    for (const auto& group : *groups) console_.print("{}\n", group.id);
    co_return Result<>{};
  }

  // What has to be said before a group's table; whether there is anything to show.
  bool announce(const client::GroupDescription& group, std::size_t rows) {
    const std::string state = group_state_text(group.state);
    if (state == "Dead") {
      console_.print("\nError: Consumer group '{}' does not exist.\n", group.id);
      return false;
    }
    if (state == "Empty") {
      console_.print_error("\nConsumer group '{}' has no active members.\n", group.id);
    } else if (state != "Stable") {
      console_.print_error("\nWarning: Consumer group '{}' is rebalancing.\n", group.id);
    }
    return rows > 0;
  }

  env::Task<Result<>> describe(std::vector<std::string> groups) {
    client::GroupAdmin admin{cluster_};
    auto described = co_await admin.describe_groups({groups.begin(), groups.end()}, false,
                                                    cluster_.call_deadline());
    if (!described) co_return fail(std::move(described).error());
    for (const auto& [id, description] : *described) {
      if (!description) co_return fail(description.error());
      ARUS_CO_TRY(check_protocol(*description));
    }
    const bool verbose = options_.has("verbose");
    for (const auto& [id, group] : *described) {
      if (options_.has("members")) {
        announce(*group, group->members.size());
        console_.out(members_table(*group, verbose));
      } else if (options_.has("state")) {
        if (announce(*group, 1)) console_.out(state_table(*group, verbose));
      } else {
        auto partitions = co_await describe_partitions(cluster_, *group);
        if (!partitions) co_return fail(std::move(partitions).error());
        if (announce(*group, partitions->size())) {
          console_.out(offsets_table(id, *partitions, verbose));
        }
      }
    }
    co_return Result<>{};
  }

  static Result<> check_protocol(const client::GroupDescription& group) {
    if (group.protocol_type.empty() || group.protocol_type == "consumer") return {};
    return fail(
        ErrorCode::inconsistent_group_protocol,
        fmt::format("GroupId {} is not a consumer group ({}).", group.id, group.protocol_type));
  }

  env::Task<Result<>> delete_groups(std::vector<std::string> groups) {
    client::GroupAdmin admin{cluster_};
    auto outcomes =
        co_await admin.delete_groups({groups.begin(), groups.end()}, cluster_.call_deadline());
    if (!outcomes) co_return fail(std::move(outcomes).error());
    std::set<std::string> deleted;
    for (const auto& [group, outcome] : *outcomes) {
      if (outcome) deleted.insert(group);
    }
    if (deleted.size() == outcomes->size()) {
      console_.print("Deletion of requested consumer groups ({}) was successful.\n",
                     joined(quoted(deleted), ", "));
      co_return Result<>{};
    }
    console_.out("\nError: Deletion of some consumer groups failed:\n");
    for (const auto& [group, outcome] : *outcomes) {
      if (outcome) continue;
      console_.print("* Group '{}' could not be deleted due to: {}\n", group,
                     exception_text(outcome.error()));
    }
    if (!deleted.empty()) {
      console_.print("\nThese consumer groups were deleted successfully: {}\n",
                     joined(quoted(deleted), ", "));
    }
    co_return Result<>{};
  }

  env::Task<Result<>> delete_offsets() {
    const std::string group = *options_.value("group");
    std::map<TopicPartition, std::optional<Error>> rows;
    std::set<TopicPartition> names;
    for (const auto& text : options_.values("topic")) {
      const auto scope = parse_topic_scope(text);
      if (!scope) co_return fail(scope.error());
      auto named = co_await partitions_of(cluster_, {*scope}, cluster_.call_deadline());
      if (named) {
        names.merge(*named);
      } else {
        rows[{scope->topic, -1}] = named.error();
      }
    }
    ErrorCode worst = ErrorCode::none;
    if (!names.empty()) {
      client::GroupAdmin admin{cluster_};
      auto outcomes = co_await admin.delete_offsets(group, names, cluster_.call_deadline());
      for (const auto& name : names) {
        const auto outcome = !outcomes ? Result<>(fail(outcomes.error())) : outcomes->at(name);
        rows[name] = outcome ? std::nullopt : std::optional(outcome.error());
        if (!outcome && worst == ErrorCode::none) worst = outcome.error().code;
      }
    }
    console_.out(deletion_verdict(worst, group));
    console_.out(deletion_table(rows));
    co_return Result<>{};
  }

  static std::string deletion_verdict(ErrorCode worst, const std::string& group) {
    switch (worst) {
      case ErrorCode::none:
        return fmt::format("Request succeeded for deleting offsets from group {}.\n", group);
      case ErrorCode::invalid_group_id:
      case ErrorCode::group_id_not_found:
      case ErrorCode::group_authorization_failed:
      case ErrorCode::non_empty_group:
        return fmt::format("\nError: {}\n", message_of(worst, std::nullopt));
      case ErrorCode::group_subscribed_to_topic:
      case ErrorCode::topic_authorization_failed:
      case ErrorCode::unknown_topic_or_partition:
        return "\nError: Encountered some partition-level error, see the follow-up details.\n";
      default:
        return fmt::format("\nError: Encountered some unknown error: {}\n", error_name(worst));
    }
  }

  static std::string deletion_table(const std::map<TopicPartition, std::optional<Error>>& rows) {
    std::size_t width = 15;
    for (const auto& [name, error] : rows) width = std::max(width, name.topic.size());
    std::string text = fmt::format("\n{:<{}} {:<10} {:<15}", "TOPIC", width, "PARTITION", "STATUS");
    for (const auto& [name, error] : rows) {
      text += fmt::format("\n{:<{}} {:<10} {:<15}", name.topic, width,
                          name.partition < 0 ? "-" : std::to_string(name.partition),
                          error ? "Error: " + exception_text(*error) : "Successful");
    }
    return text + "\n";
  }

  client::Cluster& cluster_;
  Console& console_;
  const GroupProgram& program_;
  const ParsedOptions& options_;
};

}  // namespace

env::Task<Result<std::vector<client::ListedGroup>>> list_consumer_groups(
    client::Cluster& cluster, std::vector<std::string> states, std::vector<std::string> types) {
  client::GroupAdmin admin{cluster};
  auto listing =
      co_await admin.list_groups(std::move(states), std::move(types), cluster.call_deadline());
  if (!listing) co_return fail(std::move(listing).error());
  if (!listing->failures.empty()) co_return fail(listing->failures.front());
  std::erase_if(listing->groups, [](const client::ListedGroup& group) {
    const bool consumers = group.protocol_type == "consumer" || group.protocol_type.empty();
    const bool other_kind = !group.type.empty() && group.type != "consumer" &&
                            group_type_text(group.type) != "Classic" &&
                            group_type_text(group.type) != "Consumer";
    return !consumers || other_kind;
  });
  co_return std::move(listing->groups);
}

env::Task<int> run_consumer_groups(Session session, Console& console, const GroupProgram& program) {
  GroupActions actions{session.cluster, console, program};
  const auto done = co_await actions.run();
  if (done) co_return 0;
  const Error& error = done.error();
  const bool resets = program.options.has("reset-offsets");
  if (resets && error.code == ErrorCode::invalid_request) {
    co_return usage_error(console, error.message, program.specs);
  }
  const bool whole = resets || error.code == ErrorCode::inconsistent_group_protocol;
  co_return group_command_failed(console, whole ? error.message : exception_text(error));
}

int group_command_failed(Console& console, std::string_view why) {
  console.print("\nError: Executing consumer group command failed due to {}\n", why);
  return 0;
}

}  // namespace arus::cli::kafka
