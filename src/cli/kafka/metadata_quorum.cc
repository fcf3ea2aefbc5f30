#include <fmt/core.h>

#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/kafka/subcommands.h"
#include "cli/quorum_view.h"
#include "protocol/api/remove_raft_voter.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec describe_quorum_specs[] = {
    {"status", Takes::nothing, "", "A summary of the quorum."},
    {"replication", Takes::nothing, "", "How far each replica of the metadata log is.", "re"},
    {"human-readable", Takes::nothing, "", "Times as durations.", "hr"},
};
constexpr OptionSpec add_specs[] = {
    {"dry-run", Takes::nothing, "", "Say what would be done."},
};
constexpr OptionSpec remove_specs[] = {
    {"controller-id", Takes::value, "id", "The node to remove.", "i"},
    {"controller-directory-id", Takes::value, "id", "Its metadata directory's id.", "d"},
    {"dry-run", Takes::nothing, "", "Say what would be done."},
};
constexpr Subcommand quorum_commands[] = {
    {"describe", "Shows the metadata quorum", describe_quorum_specs},
    {"add-controller", "Adds a controller to the quorum", add_specs},
    {"remove-controller", "Removes a controller from the quorum", remove_specs,
     "controller-id controller-directory-id"},
};
constexpr Program metadata_quorum_tool{"kafka-metadata-quorum",
                                       "Shows and changes the metadata quorum.", cluster_options,
                                       quorum_commands};

env::Task<int> run_describe_quorum(Session session, Console& console,
                                   const ParsedOptions& options) {
  auto quorum = co_await describe_quorum(session.cluster);
  if (!quorum) {
    console.print_error("{}: {}\n", exception_name(quorum.error().code), quorum.error().message);
    co_return 1;
  }
  if (options.has("status")) {
    console.out(format_quorum_status(*quorum));
  } else {
    console.out(format_quorum_replication(*quorum, options.has("human-readable"),
                                          session.environment.clock().wall_ms()));
  }
  co_return 0;
}

env::Task<int> run_remove(Session session, Console& console, const ParsedOptions& options) {
  const auto id = options.number("controller-id", 0, INT32_MAX);
  const auto directory = Uuid::parse(*options.value("controller-directory-id"));
  if (!id || !directory) {
    console.print_error("{}\n", id ? fmt::format("Failed to parse {}: it is no directory id",
                                                 *options.value("controller-directory-id"))
                                   : id.error().message);
    co_return 1;
  }
  if (!options.has("dry-run")) {
    protocol::RemoveRaftVoterRequest request;
    request.cluster_id.reset();
    request.voter_id = BrokerId{static_cast<std::int32_t>(**id)};
    request.voter_directory_id = *directory;
    auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                               session.cluster.call_deadline());
    const ErrorCode code = answer ? answer->error_code : answer.error().code;
    if (code != ErrorCode::none) {
      console.print_error(
          "{}: {}\n", exception_name(code),
          answer ? message_of(code, answer->error_message) : answer.error().message);
      co_return 1;
    }
  }
  console.print("{} KRaft controller {} with directory id {}\n",
                options.has("dry-run") ? "DRY RUN of removing" : "Removed", **id,
                directory->to_string());
  co_return 0;
}

}  // namespace

int metadata_quorum(Console& console, const Arguments& arguments) {
  const Asked asked = parse_subcommand(console, metadata_quorum_tool, arguments);
  if (asked.command == nullptr) return asked.status;
  const auto& options = asked.options;
  if (options.has("bootstrap-server") == options.has("bootstrap-controller")) {
    return subcommand_error(
        console, metadata_quorum_tool, nullptr,
        options.has("bootstrap-server")
            ? "argument --bootstrap-controller: not allowed with argument --bootstrap-server"
            : "one of the arguments --bootstrap-server --bootstrap-controller is required");
  }
  const auto client = cluster_of(options);
  if (!client) {
    console.print_error("{}\n", client.error().message);
    return 1;
  }
  if (asked.command->name == "add-controller") {
    console.err(
        "Adding a controller needs a cluster of several nodes, which this version of Arus "
        "does not form yet.\n");
    return 1;
  }
  if (asked.command->name == "remove-controller") {
    return run_session(*client, run_remove, console, options);
  }
  if (options.has("status") == options.has("replication")) {
    console.err(options.has("status")
                    ? "Only one of --status or --replication should be specified with describe "
                      "sub-command\n"
                    : "One of --status or --replication must be specified with describe "
                      "sub-command\n");
    return 1;
  }
  if (options.has("status") && options.has("human-readable")) {
    console.err("The option --human-readable is only supported along with --replication\n");
    return 1;
  }
  return run_session(*client, run_describe_quorum, console, options);
}

}  // namespace arus::cli::kafka
