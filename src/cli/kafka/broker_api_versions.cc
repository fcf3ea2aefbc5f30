#include <fmt/core.h>

#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "protocol/api_key.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec broker_api_versions_specs[] = {
    {"bootstrap-server", Takes::value, "host:port", "REQUIRED: brokers to ask first."},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"help", Takes::nothing, "", "Print this."},
    {"version", Takes::nothing, "", "Print the version."},
};

std::string range_text(std::int16_t min, std::int16_t max) {
  return min == max ? std::to_string(min) : fmt::format("{} to {}", min, max);
}

// One line per API in the order of numbers: those that this client knows first, each with the
// version that it would use, then those that only the broker knows.
std::vector<std::string> api_lines(const client::BrokerVersions& versions) {
  std::vector<std::string> lines;
  for (const auto& info : protocol::all_apis()) {
    if (!info.on_broker) continue;
    const auto key = static_cast<std::int16_t>(info.key);
    const auto found = versions.apis.find(key);
    if (found == versions.apis.end()) {
      lines.push_back(fmt::format("\t{}({}): UNSUPPORTED", info.name, key));
      continue;
    }
    const auto& served = found->second;
    const std::int16_t best = std::min(served.max, info.versions.max);
    lines.push_back(fmt::format(
        "\t{}({}): {} [usable: {}]", info.name, key, range_text(served.min, served.max),
        best < std::max(served.min, info.versions.min) ? "INCOMPATIBLE" : std::to_string(best)));
  }
  for (const auto& [key, served] : versions.apis) {
    if (protocol::api_info(key) != nullptr) continue;
    lines.push_back(fmt::format("\tUNKNOWN({}): {}", key, range_text(served.min, served.max)));
  }
  return lines;
}

env::Task<int> run_versions(Session session, Console& console) {
  client::Cluster& cluster = session.cluster;
  if (auto refreshed = co_await cluster.refresh(cluster.call_deadline()); !refreshed) {
    console.print_error("{}\n", refreshed.error().message);
    co_return 1;
  }
  const auto brokers = cluster.brokers();
  for (const auto& [id, broker] : brokers) {
    const std::string name =
        fmt::format("{}:{} (id: {} rack: {} isFenced: false)", broker.address.host,
                    broker.address.port, id.value(), broker.rack.value_or("null"));
    auto connection = co_await cluster.connect(client::Route::one(id), cluster.call_deadline());
    if (!connection) {
      console.print("{} -> ERROR: {}: {}\n", name, exception_name(connection.error().code),
                    connection.error().message);
      continue;
    }
    const auto lines = api_lines((*connection)->versions());
    console.print("{} -> (\n", name);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      console.print("{}{}\n", lines[i], i + 1 < lines.size() ? "," : "");
    }
    console.out(")\n");
  }
  co_return 0;
}

}  // namespace

int broker_api_versions(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  constexpr std::string_view summary = "This tool shows which requests brokers understand.";
  if (arguments.empty()) return usage_error(console, summary, broker_api_versions_specs);
  if (const auto status = begin(console, arguments, broker_api_versions_specs, summary, options))
    return *status;
  if (const auto status =
          check_required(console, broker_api_versions_specs, options, {"bootstrap-server"})) {
    return *status;
  }
  const auto client = cluster_of(options);
  if (!client) return usage_error(console, client.error().message, broker_api_versions_specs);
  return run_session(*client, run_versions, console);
}

}  // namespace arus::cli::kafka
