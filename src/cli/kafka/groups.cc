#include <fmt/core.h>

#include "cli/kafka/command.h"
#include "cli/kafka/group_tables.h"
#include "cli/kafka/programs.h"
#include "client/group_admin.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec groups_specs[] = {
    {"bootstrap-server", Takes::value, "host:port", "REQUIRED: brokers to ask first."},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"consumer", Takes::nothing, "",
     "Groups of consumers only: of type consumer, or classic ones of protocol consumer or none."},
    {"group-type", Takes::value, "type",
     "Groups of this type only: classic, consumer, share or streams."},
    {"help", Takes::nothing, "", "Print this."},
    {"list", Takes::nothing, "", "List groups."},
    {"protocol", Takes::value, "protocol", "Groups of this protocol type only."},
    {"share", Takes::nothing, "", "Share groups only."},
    {"streams", Takes::nothing, "", "Streams groups only."},
    {"version", Takes::nothing, "", "Print the version."},
};

bool is_shown(const client::ListedGroup& group, const ParsedOptions& options) {
  const std::string type = group_type_text(group.type);
  const auto protocol = options.value("protocol");
  const bool protocol_fits = !protocol || group.protocol_type == *protocol;
  if (const auto wanted = options.value("group-type")) {
    return type == group_type_text(*wanted) && protocol_fits;
  }
  if (protocol) return protocol_fits;
  if (options.has("consumer")) {
    return group.protocol_type == "consumer" || group.protocol_type.empty() || type == "Consumer";
  }
  if (options.has("share")) return type == "Share";
  if (options.has("streams")) return type == "Streams";
  return true;
}

env::Task<int> run_groups(Session session, Console& console, const ParsedOptions& options) {
  client::GroupAdmin admin{session.cluster};
  auto listing = co_await admin.list_groups({}, {}, session.cluster.call_deadline());
  if (listing && !listing->failures.empty()) listing = fail(listing->failures.front());
  if (!listing) {
    console.print("Error while executing groups command : {}\n", listing.error().message);
    co_return 1;
  }
  std::erase_if(listing->groups,
                [&](const client::ListedGroup& group) { return !is_shown(group, options); });
  console.out(all_groups_table(listing->groups));
  co_return 0;
}

// One of these goes with none of the others.
std::optional<std::string> misplaced_in_groups(const ParsedOptions& options) {
  constexpr std::string_view lonely[] = {"consumer", "share", "streams"};
  constexpr std::string_view filters[] = {"consumer", "group-type", "protocol", "share", "streams"};
  for (const std::string_view option : lonely) {
    if (!options.has(option)) continue;
    for (const std::string_view other : filters) {
      if (other == option || !options.has(other)) continue;
      return fmt::format("Option \"[{}]\" can't be used with option \"[{}]\"", option, other);
    }
  }
  return std::nullopt;
}

}  // namespace

int groups(Console& console, const Arguments& arguments) {
  constexpr std::string_view summary = "This tool helps to list groups of all types.";
  if (arguments.empty()) return usage_error(console, summary, groups_specs);
  ParsedOptions options;
  if (const auto status = begin(console, arguments, groups_specs, summary, options)) return *status;
  if (const auto status = check_required(console, groups_specs, options, {"bootstrap-server"})) {
    return *status;
  }
  if (!options.has("list")) {
    return usage_error(console, "Command must include exactly one action: --list.", groups_specs);
  }
  if (const auto type = options.value("group-type"); type && group_type_text(*type) == "Unknown") {
    console.err("--group-type must be a valid group type.\n");
    return 1;
  }
  if (const auto message = misplaced_in_groups(options))
    return usage_error(console, *message, groups_specs);
  const auto client = cluster_of(options);
  if (!client) {
    console.print_error("{}\n", client.error().message);
    return 1;
  }
  return run_session(*client, run_groups, console, options);
}

}  // namespace arus::cli::kafka
