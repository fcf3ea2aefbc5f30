// Logs that leave a directory, and copies that come to it.
#include <algorithm>

#include "base/log.h"
#include "storage/directory_core.h"
#include "storage/failed_flush.h"
#include "storage/file_names.h"
#include "storage/partition_folder.h"
#include "storage/partition_log.h"
#include "storage/partition_metadata.h"

namespace arus::storage {

namespace {
const LogComponent directory_moves_log{"storage.directory"};
}  // namespace

// On the writer. Brings what the commit log has of a partition to the folder for good, so that
// nothing is replayed into another one of that name.
Result<> DirectoryCore::finish_replay(DirectoryWriter& writer, const std::string& folder,
                                      const TopicPartition& name) {
  env::FileSystem& files = writer.files();
  const auto text = files.read_file(join_path(folder, partition_metadata_name));
  const auto id = text ? parse_partition_metadata(as_text(*text)) : fail(text.error());
  if (!id) return {};
  const auto logged = commit_log_.partitions.find({*id, name.partition});
  if (writer.commit_log().holds_found() && logged != commit_log_.partitions.end() &&
      logged->second.name == name) {
    const auto restored = restore_logged_writes(files, folder, logged->second, commit_log_.laps);
    if (!restored) directory_moves_log.error("{}: {}", folder, restored.error().message);
    if (contents.flush_failed) ARUS_TRY(write_again(files, folder, Offset{0}));
    ARUS_TRY(writer.sync_everything());
  }
  return writer.settle(WriterFolder(folder, name, *id, nullptr), std::nullopt);
}

env::Task<Result<>> DirectoryCore::move_away(TopicPartition name, std::optional<Uuid> topic_id,
                                             std::string_view ending, bool comes_back) {
  const auto self = shared_from_this();
  start_once();
  if (name.topic == metadata_topic_name) {
    co_return fail(ErrorCode::invalid_request, "The metadata log is never set aside");
  }
  if (auto drained = co_await drain_all(); !drained) co_return fail(std::move(drained).error());
  for (const auto& host : hosts_) {
    co_await env::call(host->port->loop(), [&host, &name] { host->prepared.erase(name); });
  }
  Uuid unique;
  environment.random().fill(unique.bytes);
  const std::string from = join_path(path, name.to_string());
  const std::string to = join_path(path, set_aside_directory_name(name, unique, ending));
  bool moved = false;
  bool absent = false;
  const auto result = co_await writer_->run([&](DirectoryWriter* writer) -> Result<> {
    env::FileSystem& files = writer->files();
    absent = !files.exists(from);
    if (absent) return {};
    if (topic_id) {
      const auto text = files.read_file(join_path(from, partition_metadata_name));
      const auto id =
          text ? parse_partition_metadata(as_text(*text)) : Result<Uuid>(fail(text.error()));
      if (id && *id != *topic_id) return {};
    }
    // A deleted topic's id never comes back, but what is set aside, or moved to another directory,
    // may be assigned here again.
    if (!topic_id || comes_back) ARUS_TRY(finish_replay(*writer, from, name));
    ARUS_TRY(files.rename(from, to));
    moved = true;
    // A deletion that a power cut takes back is noticed by its topic id; it becomes durable with
    // the next checkpoint, so that deleting a topic of many partitions costs no flush for each.
    return topic_id && !comes_back ? Result<>{} : files.sync_directory(path);
  });
  if (!result) co_return fail(result.error());
  if (absent) {
    // Only the commit log knew it.
    co_await env::call(environment.loop(0), [this, &name] { moved_.insert(name); });
  }
  if (!moved) co_return Result<>{};
  for (const auto& host : hosts_) {
    co_await env::call(host->port->loop(), [&host, &name] { host->closed.erase(name); });
  }
  const bool remove = ending != "-stray";
  co_await env::call(environment.loop(0), [this, &name, &to, remove] {
    moved_.insert(name);
    outdated_.insert(name);
    hosts_[0]->offsets_changed = true;
    if (!remove) return;
    removals_.push_back(
        {to, environment.loop(0).now() + env::milliseconds{options.file_delete_delay_ms}});
    remove_due();
  });
  co_return Result<>{};
}

env::Task<Result<std::unique_ptr<Log>>> DirectoryCore::open_future(
    TopicPartition name, Uuid topic_id, Offset begin,
    std::shared_ptr<const config::TopicConfig> config) {
  const auto self = shared_from_this();
  start_once();
  const std::shared_ptr<LogHost> home = host();
  if (home->port->failure()) co_return fail(*home->port->failure());
  const std::string folder = co_await future_folder(name, topic_id);
  const auto made = co_await check_folder(folder, topic_id);
  if (!made) co_return fail(made.error());
  const LogOffsets offsets{.name = name, .log_start = *made ? begin : Offset{0}};
  auto loaded = co_await load(folder, offsets, false, *config, nullptr);
  if (!loaded) co_return fail(std::move(loaded).error());
  if (loaded->log_end < begin) {
    co_return fail(ErrorCode::offset_out_of_range, folder + " ends before the log begins");
  }
  co_return std::make_unique<PartitionLog>(
      home,
      PartitionLog::Identity{
          .name = name, .topic_id = topic_id, .path = folder, .created = *made, .future = true},
      std::move(config), std::move(*loaded), Offset{0}, offsets);
}

env::Task<std::string> DirectoryCore::future_folder(const TopicPartition& name,
                                                    const Uuid& topic_id) {
  co_return co_await env::call(environment.loop(0), [this, &name, &topic_id] {
    auto& folder = futures_[{topic_id, name.partition}];
    if (folder.empty()) {
      Uuid unique;
      environment.random().fill(unique.bytes);
      folder = join_path(path, set_aside_directory_name(name, unique, "-future"));
    }
    return folder;
  });
}

env::Task<Result<>> DirectoryCore::promote_future(TopicPartition name, Uuid topic_id, Offset end,
                                                  std::vector<ProducerEntry> producers) {
  const auto self = shared_from_this();
  const std::shared_ptr<LogHost> home = host();
  ARUS_CO_TRY(co_await home->port->drain());
  const std::string from = co_await future_folder(name, topic_id);
  const std::string to = join_path(path, name.to_string());
  ARUS_CO_TRY(co_await writer_->run(
      [&](DirectoryWriter* writer) { return promote_folder(writer, from, to, end, producers); }));
  home->promoted.insert(name);
  co_await env::call(environment.loop(0), [this, &name, &topic_id] {
    futures_.erase({topic_id, name.partition});
    moved_.erase(name);
    hosts_[0]->offsets_changed = true;
  });
  co_return Result<>{};
}

env::Task<Result<>> DirectoryCore::drop_future(TopicPartition name, Uuid topic_id) {
  const auto self = shared_from_this();
  start_once();
  const std::string folder = co_await future_folder(name, topic_id);
  const std::shared_ptr<LogHost> home = host();
  ARUS_CO_TRY(co_await home->port->drain());
  home->closed.erase(name);
  const std::string to = folder.substr(0, folder.size() - std::string_view("future").size());
  ARUS_CO_TRY(co_await writer_->run([&](DirectoryWriter* writer) -> Result<> {
    env::FileSystem& files = writer->files();
    if (!files.exists(folder)) return {};
    return files.rename(folder, to + "delete");
  }));
  co_await env::call(environment.loop(0), [this, &name, &topic_id, &to] {
    futures_.erase({topic_id, name.partition});
    removals_.push_back({to + "delete", environment.loop(0).now()});
    remove_due();
  });
  co_return Result<>{};
}

Result<> DirectoryCore::adopt_future(const FoundFuture& future) {
  env::FileSystem& files = environment.files();
  const std::string to = join_path(path, future.name.to_string());
  directory_moves_log.info("{} becomes {}: a stop came while it was moved", future.path, to);
  ARUS_TRY(files.rename(future.path, to));
  ARUS_TRY(files.sync_directory(path));
  futures_.erase({future.topic_id, future.name.partition});
  contents.found.push_back({future.name, future.topic_id});
  std::ranges::sort(contents.found, {}, &FoundLog::name);
  return {};
}

}  // namespace arus::storage
