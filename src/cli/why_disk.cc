// arus why disk: what is the matter with the log directories.
#include "cli/why_disk.h"

#include <fmt/core.h>

#include <charconv>

#include "cli/config_view.h"
#include "cli/own.h"
#include "client/admin.h"
#include "storage/file_names.h"

namespace arus::cli {
namespace {

constexpr std::size_t explained_topics = 5;
constexpr std::int64_t a_day_ms = 86'400'000;

std::int64_t number_of(const std::optional<std::string>& text) {
  std::int64_t number = -1;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

// The share of a topic that is older, a day from now, than it is kept.
env::Task<double> share_that_goes(Session& session, const std::vector<TopicPartition>& partitions,
                                  std::int64_t retention_ms) {
  client::Admin admin{session.cluster};
  const std::int64_t limit = session.environment.clock().wall_ms() - retention_ms + a_day_ms;
  std::vector<std::map<TopicPartition, Result<client::ListedOffset>>> found;
  for (const std::int64_t at : {client::earliest_timestamp, client::latest_timestamp, limit}) {
    std::map<TopicPartition, std::int64_t> wanted;
    for (const auto& partition : partitions) wanted[partition] = at;
    auto listed =
        co_await admin.list_offsets(std::move(wanted), client::IsolationLevel::read_uncommitted,
                                    session.cluster.call_deadline());
    if (!listed) co_return 0;
    found.push_back(std::move(*listed));
  }
  std::int64_t goes = 0;
  std::int64_t all = 0;
  for (const auto& partition : partitions) {
    const auto& first = found[0].at(partition);
    const auto& end = found[1].at(partition);
    const auto& young = found[2].at(partition);
    if (!first || !end || !young) continue;
    const Offset until = young->offset == no_offset ? end->offset : young->offset;
    goes += until - first->offset;
    all += end->offset - first->offset;
  }
  co_return all > 0 ? static_cast<double>(goes) / static_cast<double>(all) : 0;
}

env::Task<std::map<std::string, TopicRetention>> find_retention(
    Session& session, const LogDirView& view, const std::vector<TopicSize>& topics) {
  std::map<std::string, TopicRetention> retention;
  for (std::size_t i = 0; i < std::min(topics.size(), explained_topics); ++i) {
    const TopicSize& topic = topics[i];
    const auto configs = co_await describe_configs(
        session.cluster, protocol::ConfigResourceKind::topic, topic.topic);
    if (!configs) continue;
    TopicRetention& of = retention[topic.topic];
    for (const auto& config : *configs) {
      if (config.name == "cleanup.policy") of.deletes = config.value->contains("delete");
      if (config.name == "retention.ms") of.retention_ms = number_of(config.value);
      if (config.name == "retention.bytes") of.retention_bytes = number_of(config.value);
    }
    if (!of.deletes || of.retention_ms < 0) continue;
    std::vector<TopicPartition> partitions;
    for (const auto& log : view.logs) {
      if (log.name.topic == topic.topic && !log.future) partitions.push_back(log.name);
    }
    const double share = co_await share_that_goes(session, partitions, of.retention_ms);
    of.soon_bytes = static_cast<std::int64_t>(share * static_cast<double>(topic.size_bytes));
  }
  co_return retention;
}

env::Task<int> run_why_disk(Session session, Console& console) {
  client::Cluster& cluster = session.cluster;
  if (auto refreshed = co_await cluster.refresh(cluster.call_deadline()); !refreshed) {
    co_return report(console, refreshed.error());
  }
  std::vector<BrokerId> brokers;
  for (const auto& [id, broker] : cluster.brokers()) brokers.push_back(id);
  const auto views = co_await describe_log_dirs(cluster, std::move(brokers), true);
  if (!views) co_return report(console, views.error());
  for (const LogDirView& view : *views) {
    console.print("broker {} {}: {}\n", view.broker.value(), view.path,
                  explain_state(view, session.environment.clock().wall_ms()));
    const auto topics = largest_topics(view.logs);
    // How old its records are is a question to the disk.
    const bool answers = view.error == ErrorCode::none && view.health.stalled_since_ms == 0;
    std::map<std::string, TopicRetention> retention;
    if (answers) retention = co_await find_retention(session, view, topics);
    console.out(explain_contents(topics, retention));
  }
  co_return 0;
}

// A directory that no server has to be asked about.
env::Task<int> run_why_directory(env::RealEnvironment& environment, Console& console,
                                 const std::string& path) {
  env::FileSystem& files = environment.files();
  const auto entries = files.list(path);
  if (!entries) co_return report(console, entries.error());
  LogDirView view;
  view.path = path;
  std::string notes;
  for (const auto& entry : *entries) {
    const auto name = storage::parse_partition_directory(entry.name);
    if (entry.name == storage::clean_shutdown_name) notes += " It was stopped cleanly.";
    if (!entry.is_directory || !name) continue;
    LogView& log = view.logs.emplace_back();
    log.name = name->partition;
    const std::string folder = storage::join_path(path, entry.name);
    const auto inside = files.list(folder);
    if (!inside) co_return report(console, inside.error());
    for (const auto& file : *inside) {
      const auto size = files.file_size(storage::join_path(folder, file.name));
      if (size) log.size_bytes += *size;
    }
    if (name->kind != storage::PartitionDirectoryKind::live) log.name.topic = entry.name;
  }
  if (const auto space = files.space(path)) {
    view.total_bytes = space->total_bytes;
    view.usable_bytes = space->usable_bytes;
  }
  console.print("{}: {}{}\n", path, explain_state(view, environment.clock().wall_ms()), notes);
  console.out(explain_contents(largest_topics(view.logs), {}));
  co_return 0;
}

}  // namespace

int why_disk(Console& console, const ClusterOptions& cluster, const std::string& directory) {
  if (!directory.empty()) {
    return run_alone<Console&, const std::string&>(run_why_directory, console, directory);
  }
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  return run_session<Console&>(*client, run_why_disk, console);
}

}  // namespace arus::cli
