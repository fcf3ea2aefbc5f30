#include <fmt/core.h>

#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/kafka/subcommands.h"
#include "protocol/api/describe_cluster.h"
#include "protocol/api/unregister_broker.h"
#include "protocol/enums.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec globals[] = {
    {"bootstrap-server", Takes::value, "host:port", "Brokers to ask.", "b"},
    {"bootstrap-controller", Takes::value, "host:port", "Controllers to ask.", "C"},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"config", Takes::value, "file", "The same as --command-config.", "c"},
};
constexpr OptionSpec unregister_specs[] = {
    {"id", Takes::value, "id", "The broker to unregister.", "i"},
};
constexpr OptionSpec list_specs[] = {
    {"include-fenced-brokers", Takes::nothing, "", "Also brokers that are fenced."},
};
constexpr Subcommand cluster_commands[] = {
    {"cluster-id", "Prints the id of the cluster", {}},
    {"unregister", "Removes a broker's registration", unregister_specs, "id"},
    {"list-endpoints", "Lists the addresses of nodes", list_specs},
};
constexpr Program cluster_tool{"kafka-cluster", "Shows the cluster's id and nodes.", globals,
                               cluster_commands, 1};

int report(Console& console, const Error& error) {
  console.print_error("{}: {}\n", exception_name(error.code), error.message);
  return 1;
}

env::Task<Result<protocol::DescribeClusterResponse>> describe(client::Cluster& cluster,
                                                              const ParsedOptions& options) {
  protocol::DescribeClusterRequest request;
  const bool controllers = options.has("bootstrap-controller");
  request.endpoint_type = static_cast<std::int8_t>(controllers ? protocol::EndpointType::controller
                                                               : protocol::EndpointType::broker);
  request.include_fenced_brokers = options.has("include-fenced-brokers");
  auto answer =
      co_await cluster.ask(std::move(request), client::Route::any(), cluster.call_deadline());
  if (answer && answer->error_code != ErrorCode::none) {
    co_return fail(answer->error_code, message_of(answer->error_code, answer->error_message));
  }
  co_return answer;
}

env::Task<int> run_cluster_id(Session session, Console& console, const ParsedOptions& options) {
  const auto answer = co_await describe(session.cluster, options);
  if (!answer) co_return report(console, answer.error());
  console.print("Cluster ID: {}\n", answer->cluster_id);
  co_return 0;
}

env::Task<int> run_unregister(Session session, Console& console, const ParsedOptions& options) {
  const auto id = options.number("id", 0, INT32_MAX);
  if (!id) co_return report(console, id.error());
  protocol::UnregisterBrokerRequest request;
  request.broker_id = BrokerId{static_cast<std::int32_t>(**id)};
  auto answer = co_await session.cluster.ask(std::move(request), client::Route::any(),
                                             session.cluster.call_deadline());
  if (answer && answer->error_code != ErrorCode::none) {
    co_return report(console,
                     {answer->error_code, message_of(answer->error_code, answer->error_message)});
  }
  if (answer) {
    console.print("Broker {} is no longer registered.\n", **id);
    co_return 0;
  }
  if (answer.error().code == ErrorCode::unsupported_version) {
    console.err("The target cluster does not support the broker unregistration API.\n");
    co_return 1;
  }
  co_return report(console, answer.error());
}

env::Task<int> run_list(Session session, Console& console, const ParsedOptions& options) {
  const auto answer = co_await describe(session.cluster, options);
  if (!answer) co_return report(console, answer.error());
  // As wide as the widest value, whatever the titles need: that is how Kafka prints it.
  std::size_t host_width = 0;
  std::size_t rack_width = 0;
  for (const auto& node : answer->brokers) {
    host_width = std::max(host_width, node.host.size());
    rack_width = std::max(rack_width, node.rack.value_or("null").size());
  }
  const bool controllers = options.has("bootstrap-controller");
  const auto line = [&](auto id, const std::string& host, auto port, const std::string& rack,
                        std::string_view state, std::string_view type) {
    console.print("{:<10} {:<{}} {:<10} {:<{}} {:<10} {:<15}\n", id, host, host_width, port, rack,
                  rack_width, state, type);
  };
  line("ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE");
  for (const auto& node : answer->brokers) {
    line(node.broker_id.value(), node.host, node.port, node.rack.value_or("null"),
         controllers      ? ""
         : node.is_fenced ? "fenced"
                          : "unfenced",
         controllers ? "controller" : "broker");
  }
  co_return 0;
}

}  // namespace

int cluster(Console& console, const Arguments& arguments) {
  const Asked asked = parse_subcommand(console, cluster_tool, arguments);
  if (asked.command == nullptr) return asked.status;
  const auto& options = asked.options;
  if (options.has("bootstrap-server") == options.has("bootstrap-controller")) {
    return subcommand_error(
        console, cluster_tool, asked.command,
        options.has("bootstrap-server")
            ? "argument --bootstrap-controller/-C: not allowed with argument --bootstrap-server/-b"
            : "one of the arguments --bootstrap-server/-b --bootstrap-controller/-C is required");
  }
  const auto client = cluster_of(options, "adminclient-1", "config");
  if (!client) return report(console, client.error());
  if (asked.command->name == "cluster-id") {
    return run_session(*client, run_cluster_id, console, options);
  }
  if (asked.command->name == "unregister") {
    return run_session(*client, run_unregister, console, options);
  }
  return run_session(*client, run_list, console, options);
}

}  // namespace arus::cli::kafka
