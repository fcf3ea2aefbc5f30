#include <fmt/core.h>

#include "base/json.h"
#include "cli/dump.h"
#include "cli/log_dir_view.h"
#include "cli/own.h"
#include "cli/partition_filter.h"
#include "cli/progress.h"
#include "cli/quorum_view.h"
#include "cli/storage_format.h"
#include "client/admin.h"
#include "config/properties.h"
#include "raft/format.h"

namespace arus::cli {
namespace {

env::Task<int> run_log_dirs(Session session, Console& console, const bool& json) {
  client::Cluster& cluster = session.cluster;
  if (auto refreshed = co_await cluster.refresh(cluster.call_deadline()); !refreshed) {
    co_return report(console, refreshed.error());
  }
  std::vector<BrokerId> brokers;
  for (const auto& [id, broker] : cluster.brokers()) brokers.push_back(id);
  auto views = co_await describe_log_dirs(cluster, std::move(brokers));
  if (!views) co_return report(console, views.error());
  if (json) {
    console.print("{}\n", log_dirs_as_json(*views, {}));
    co_return 0;
  }
  for (auto& view : *views) {
    std::int64_t used = 0;
    for (const auto& log : view.logs) used += log.size_bytes;
    console.print("broker {} {}: {} in {} partitions", view.broker.value(), view.path,
                  size_text(static_cast<std::uint64_t>(used)), view.logs.size());
    if (view.usable_bytes >= 0) {
      console.print(", {} of {} free", size_text(static_cast<std::uint64_t>(view.usable_bytes)),
                    size_text(static_cast<std::uint64_t>(view.total_bytes)));
    }
    console.print("{}\n", view.error == ErrorCode::none
                              ? std::string()
                              : fmt::format(", {}", error_name(view.error)));
    std::ranges::sort(view.logs, {}, &LogView::name);
    for (const auto& log : view.logs) {
      console.print("  {:<40} {:>12}\n", log.name.to_string(),
                    size_text(static_cast<std::uint64_t>(log.size_bytes)));
    }
  }
  co_return 0;
}

using Listed = std::map<TopicPartition, Result<client::ListedOffset>>;

env::Task<Result<Listed>> list_all(client::Cluster& cluster,
                                   const std::vector<TopicPartition>& names, std::int64_t time) {
  std::map<TopicPartition, std::int64_t> wanted;
  for (const auto& name : names) wanted[name] = time;
  client::Admin admin{cluster};
  co_return co_await admin.list_offsets(std::move(wanted), client::IsolationLevel::read_uncommitted,
                                        cluster.call_deadline());
}

std::string offset_text(const Listed& listed, const TopicPartition& name) {
  const auto& offset = listed.at(name);
  if (!offset) return std::string(error_name(offset.error().code));
  return offset->offset == no_offset ? "-" : std::to_string(offset->offset.value());
}

struct OffsetsProgram {
  const OffsetsOptions& options;
  std::optional<std::int64_t> time;
};

env::Task<int> run_offsets(Session session, Console& console, const OffsetsProgram& program) {
  client::Cluster& cluster = session.cluster;
  auto topics = co_await cluster.all_topics(cluster.call_deadline());
  if (!topics) co_return report(console, topics.error());
  std::vector<TopicPartition> names;
  for (const auto& topic : *topics) {
    const auto& wanted = program.options.topics;
    if (wanted.empty() ? topic->internal : std::ranges::find(wanted, topic->name) == wanted.end()) {
      continue;
    }
    for (const auto& partition : topic->partitions) names.push_back({topic->name, partition.index});
  }
  std::ranges::sort(names);
  if (names.empty()) {
    co_return report(console, {ErrorCode::unknown_topic_or_partition, "There is no such topic"});
  }
  const auto first = co_await list_all(cluster, names, client::earliest_timestamp);
  const auto last = co_await list_all(cluster, names, client::latest_timestamp);
  const auto at =
      co_await list_all(cluster, names, program.time.value_or(client::latest_timestamp));
  if (!first || !last || !at) {
    co_return report(console, !first ? first.error() : !last ? last.error() : at.error());
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& name : names) {
    std::vector<std::string> row{name.topic, std::to_string(name.partition),
                                 offset_text(*first, name), offset_text(*last, name)};
    if (program.time) row.push_back(offset_text(*at, name));
    if (program.options.json) {
      JsonWriter json;
      json.begin_object();
      json.key("topic").text(name.topic).key("partition").number(name.partition);
      json.key("start").text(row[2]).key("end").text(row[3]);
      if (program.time) json.key("at").text(row[4]);
      json.end_object();
      console.print("{}\n", json.take());
    }
    rows.push_back(std::move(row));
  }
  if (!program.options.json) {
    std::vector<std::string> head{"topic", "partition", "start", "end"};
    if (program.time) head.emplace_back("at");
    console.out(format_table(head, rows));
  }
  co_return 0;
}

env::Task<int> run_quorum(Session session, Console& console) {
  auto quorum = co_await describe_quorum(session.cluster);
  if (!quorum) co_return report(console, quorum.error());
  console.out(format_quorum_status(*quorum));
  console.out("\n");
  console.out(format_quorum_replication(*quorum, true, session.environment.clock().wall_ms()));
  co_return 0;
}

Result<config::ConfigMap> storage_properties(const StorageOptions& options) {
  config::ConfigMap properties;
  if (!options.config_file.empty()) {
    auto read = read_properties_file(options.config_file);
    if (!read) return read;
    properties = std::move(*read);
  } else if (!options.data.empty()) {
    properties = config::standalone_properties(options.data, "127.0.0.1:9092");
  } else {
    return fail(ErrorCode::invalid_request, "Name a directory (--data) or a properties file");
  }
  for (const auto& pair : options.overrides) ARUS_TRY(config::apply_override(properties, pair));
  return properties;
}

env::Task<int> run_format(env::RealEnvironment& environment, Console& console,
                          const StorageOptions& options) {
  auto properties = storage_properties(options);
  if (!properties) co_return report(console, properties.error());
  FormatRequest request;
  const auto voters = properties->find("controller.quorum.voters");
  request.standalone = voters == properties->end() || voters->second.empty();
  request.properties = std::move(*properties);
  request.cluster_id = options.cluster_id.empty() ? raft::random_cluster_id(environment.random())
                                                  : options.cluster_id;
  request.release_version = options.release_version;
  request.features = options.features;
  request.scram = options.scram;
  request.ignore_formatted = options.ignore_formatted;
  const auto formatted = format_directories(environment, console, request);
  co_return formatted ? 0 : report(console, formatted.error());
}

env::Task<int> run_storage_info(env::RealEnvironment& environment, Console& console,
                                const StorageOptions& options) {
  auto properties = storage_properties(options);
  if (!properties) co_return report(console, properties.error());
  const auto config = config::BrokerConfig::make(std::move(*properties));
  if (!config) co_return report(console, config.error());
  co_return print_directory_info(environment, console, *config);
}

env::Task<int> run_uuid(env::RealEnvironment& environment, Console& console) {
  console.print("{}\n", raft::random_uuid(environment.random()).to_string());
  co_return 0;
}

// What a file's directory tells about its records.
DumpOptions dump_options(const DumpCommandOptions& options, const std::string& path) {
  DumpOptions dump;
  const auto in = [&](std::string_view directory) {
    return path.find(directory) != std::string::npos;
  };
  dump.metadata =
      options.metadata || in("__cluster_metadata-") || path.ends_with("bootstrap.checkpoint");
  if (in("__consumer_offsets-")) dump.coordinator = CoordinatorKind::group;
  if (in("__transaction_state-")) dump.coordinator = CoordinatorKind::transaction;
  if (in("__share_group_state-")) dump.coordinator = CoordinatorKind::share;
  dump.print_data = options.data || dump.metadata || dump.coordinator;
  dump.deep = options.deep || dump.print_data;
  dump.verify_index_only = options.verify;
  return dump;
}

env::Task<int> run_dump(env::RealEnvironment& environment, Console& console,
                        const DumpCommandOptions& options) {
  int status = 0;
  for (const auto& path : options.files) {
    const auto dumped = dump_file(environment.files(), console, path, dump_options(options, path));
    if (!dumped) {
      status = report(console,
                      {dumped.error().code, fmt::format("{}: {}", path, dumped.error().message)});
    }
  }
  co_return status;
}

}  // namespace

int show_log_dirs(Console& console, const ClusterOptions& cluster, bool json) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  return run_session(*client, run_log_dirs, console, json);
}

int show_offsets(Console& console, const ClusterOptions& cluster, const OffsetsOptions& options) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  OffsetsProgram program{options, {}};
  if (!options.time.empty()) {
    const auto time = parse_offset_time(options.time);
    if (!time) return report(console, time.error());
    program.time = *time;
  }
  return run_session(*client, run_offsets, console, program);
}

int show_quorum(Console& console, const ClusterOptions& cluster) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  return run_session(*client, run_quorum, console);
}

int format_storage(Console& console, const StorageOptions& options) {
  return run_alone(run_format, console, options);
}
int show_storage(Console& console, const StorageOptions& options) {
  return run_alone(run_storage_info, console, options);
}
int print_random_uuid(Console& console) { return run_alone(run_uuid, console); }
int dump_files(Console& console, const DumpCommandOptions& options) {
  return run_alone(run_dump, console, options);
}

}  // namespace arus::cli
