#include <fmt/core.h>

#include <charconv>

#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/partition_filter.h"
#include "client/admin.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec get_offsets_specs[] = {
    {"bootstrap-server", Takes::value, "host:port", "REQUIRED: brokers to ask first."},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"exclude-internal-topics", Takes::nothing, "", "Leave out topics kept for Kafka itself."},
    {"help", Takes::nothing, "", "Print this."},
    {"partitions", Takes::value, "0,1-3", "Only these partitions. All without it."},
    {"time", Takes::value, "timestamp",
     "Which offset: -1 or latest, -2 or earliest, -3 or max-timestamp, -4 or earliest-local, -5 or "
     "latest-tiered, -6 or earliest-pending-upload, or the first at or after this timestamp."},
    {"topic", Takes::value, "regex", "Only topics that match."},
    {"topic-partitions", Takes::value, "topic:0,other:1-3",
     "Topics (regular expressions) each with its partitions or range of them."},
    {"version", Takes::nothing, "", "Print the version."},
};

env::Task<Result<>> print_offsets(client::Cluster& cluster, Console& console,
                                  const PartitionFilter& filter, std::int64_t time,
                                  bool exclude_internal) {
  auto topics = co_await cluster.all_topics(cluster.call_deadline());
  if (!topics) co_return fail(std::move(topics).error());
  std::map<TopicPartition, std::int64_t> wanted;
  for (const auto& topic : *topics) {
    if (exclude_internal && topic->internal) continue;
    for (const auto& partition : topic->partitions) {
      TopicPartition name{topic->name, partition.index};
      if (!filter.matches(name)) continue;
      if (partition.leader == no_broker) {
        console.print_error(
            "Error: topic-partition {}:{} does not have a leader. Skip getting offsets\n",
            name.topic, name.partition);
        continue;
      }
      wanted.emplace(std::move(name), time);
    }
  }
  if (wanted.empty()) {
    co_return fail(ErrorCode::invalid_request,
                   "Could not match any topic-partitions with the specified filters");
  }
  client::Admin admin{cluster};
  auto listed = co_await admin.list_offsets(
      std::move(wanted), client::IsolationLevel::read_uncommitted, cluster.call_deadline());
  if (!listed) co_return fail(std::move(listed).error());
  for (const auto& [name, offset] : *listed) {
    if (!offset) {
      console.print_error("Skip getting offsets for topic-partition {}:{} due to error: {}\n",
                          name.topic, name.partition, offset.error().message);
    } else if (offset->offset != no_offset) {
      console.print("{}:{}:{}\n", name.topic, name.partition, offset->offset.value());
    }
  }
  co_return Result<>{};
}

env::Task<int> run_offsets(Session session, Console& console, const ParsedOptions& options,
                           const PartitionFilter& filter, const std::int64_t& time) {
  const auto done = co_await print_offsets(session.cluster, console, filter, time,
                                           options.has("exclude-internal-topics"));
  if (done) co_return 0;
  console.print_error("Error occurred: {}\n", done.error().message);
  co_return 1;
}

Result<PartitionFilter> filter_of(const ParsedOptions& options) {
  if (options.has("topic-partitions") && (options.has("topic") || options.has("partitions"))) {
    return fail(ErrorCode::invalid_request,
                "--topic-partitions cannot be used with --topic or --partitions");
  }
  if (const auto rules = options.value("topic-partitions"))
    return PartitionFilter::of_rules(*rules);
  return PartitionFilter::of(options.value("topic"), options.value_or("partitions", ""));
}

}  // namespace

int get_offsets(Console& console, const Arguments& arguments) {
  auto parsed = parse_options(get_offsets_specs, arguments);
  if (!parsed) {
    console.print_error("Error occurred: {}\n", parsed.error().message);
    return 1;
  }
  constexpr std::string_view summary = "This tool prints offsets of topic-partitions.";
  if (arguments.empty() || parsed->has("help"))
    return usage_error(console, summary, get_offsets_specs);
  if (parsed->has("version")) {
    console.print("{}\n", kafka_version);
    return 0;
  }
  if (const auto status =
          check_required(console, get_offsets_specs, *parsed, {"bootstrap-server"})) {
    return *status;
  }
  const auto time = parse_offset_time(parsed->value_or("time", "latest"));
  const auto filter = filter_of(*parsed);
  const auto client = cluster_of(*parsed, "GetOffsetShell");
  for (const Error* error : {time ? nullptr : &time.error(), filter ? nullptr : &filter.error(),
                             client ? nullptr : &client.error()}) {
    if (error == nullptr) continue;
    console.print_error("Error occurred: {}\n", error->message);
    return 1;
  }
  return run_session(*client, run_offsets, console, *parsed, *filter, *time);
}

}  // namespace arus::cli::kafka
