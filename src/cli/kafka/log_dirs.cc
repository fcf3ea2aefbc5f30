#include <fmt/core.h>

#include <charconv>

#include "base/joined.h"
#include "cli/json.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/log_dir_view.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec log_dirs_specs[] = {
    {"bootstrap-server", Takes::value, "host:port", "REQUIRED: brokers to ask first."},
    {"broker-list", Takes::value, "0,1,2", "The brokers that are asked. All without it."},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"describe", Takes::nothing, "", "REQUIRED: show the directories."},
    {"help", Takes::nothing, "", "Print this."},
    {"topic-list", Takes::value, "a,b", "The topics that are shown. All without it."},
    {"version", Takes::nothing, "", "Print the version."},
};

env::Task<int> run_log_dirs(Session session, Console& console, const ParsedOptions& options) {
  client::Cluster& cluster = session.cluster;
  if (auto refreshed = co_await cluster.refresh(cluster.call_deadline()); !refreshed) {
    console.print_error("{}\n", refreshed.error().message);
    co_return 1;
  }
  std::vector<BrokerId> present;
  for (const auto& [id, broker] : cluster.brokers()) present.push_back(id);
  std::vector<BrokerId> brokers;
  std::vector<std::string> missing;
  for (const auto& text : split_list(options.value_or("broker-list", ""))) {
    std::int32_t id = -1;
    std::from_chars(text.data(), text.data() + text.size(), id);
    if (std::ranges::find(present, BrokerId{id}) == present.end()) {
      missing.push_back(text);
    } else {
      brokers.push_back(BrokerId{id});
    }
  }
  std::string present_text;
  for (const BrokerId id : present) {
    present_text += fmt::format("{}{}", present_text.empty() ? "" : ",", id.value());
  }
  if (!missing.empty()) {
    console.print_error(
        "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: "
        "{}\n",
        joined(missing, ","), present_text);
    co_return 1;
  }
  if (brokers.empty()) brokers = present;
  std::string asked;
  for (const BrokerId id : brokers) {
    asked += fmt::format("{}{}", asked.empty() ? "" : ",", id.value());
  }
  console.out("Querying brokers for log directories information\n");
  auto views = co_await describe_log_dirs(cluster, brokers);
  if (!views) {
    console.print_error("{}: {}\n", exception_name(views.error().code), views.error().message);
    co_return 1;
  }
  console.print("Received log directory information from brokers {}\n", asked);
  console.print("{}\n", log_dirs_as_json(*views, split_list(options.value_or("topic-list", ""))));
  co_return 0;
}

}  // namespace

int log_dirs(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  if (const auto status =
          begin(console, arguments, log_dirs_specs,
                "This tool shows what the log directories of brokers hold.", options)) {
    return *status;
  }
  if (const auto status =
          check_required(console, log_dirs_specs, options, {"bootstrap-server", "describe"})) {
    return *status;
  }
  const auto client = cluster_of(options);
  if (!client) return usage_error(console, client.error().message, log_dirs_specs);
  return run_session(*client, run_log_dirs, console, options);
}

}  // namespace arus::cli::kafka
