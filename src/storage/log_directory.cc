#include "storage/log_directory.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/assert.h"
#include "base/log.h"
#include "storage/clean_shutdown_file.h"
#include "storage/commit_log_reader.h"
#include "storage/directory_checkpoints.h"
#include "storage/directory_contents.h"
#include "storage/directory_writer.h"
#include "storage/file_names.h"
#include "storage/meta_properties.h"
#include "storage/partition_log.h"
#include "storage/partition_metadata.h"

namespace arus::storage {

namespace {

const LogComponent log{"storage.directory"};

constexpr env::Duration producer_check_interval = std::chrono::minutes{10};

Result<> make_folder(DirectoryWriter* writer, const std::string& folder, const Uuid& topic_id) {
  env::FileSystem& files = writer->files();
  ARUS_TRY(files.create_directories(folder));
  const auto metadata =
      files.open(join_path(folder, partition_metadata_name), env::OpenMode::create);
  if (!metadata) return fail(metadata.error());
  ARUS_TRY((*metadata)->truncate(0));
  return (*metadata)->write_at(as_bytes(encode_partition_metadata(topic_id)), 0);
}

// What all parts of an open directory share. Members without another note belong to loop 0.
class DirectoryCore final : public DirectoryFiles,
                            public std::enable_shared_from_this<DirectoryCore> {
 public:
  DirectoryCore(env::Environment& environment, std::string path, DirectoryOptions options,
                std::unique_ptr<env::FileLock> lock, DirectoryContents contents,
                FoundCommitLog commit_log);

  // From any loop.
  env::Task<Result<std::unique_ptr<Log>>> open_log(
      TopicPartition name, Uuid topic_id, std::shared_ptr<const config::TopicConfig> config);
  env::Task<Result<>> move_away(TopicPartition name, std::optional<Uuid> topic_id,
                                std::string_view ending);
  env::Task<Result<>> sync_recovered();
  env::Task<Result<>> check_commit_log(std::optional<BrokerRegistration> newest);
  void set_registration(const BrokerRegistration& registration);
  void identity_changed() { writer_->set_commit_log_owner(owner()); }
  env::Task<Result<>> checkpoint_now() override;
  void remove_later(std::vector<std::string> paths, env::Duration delay) override;
  [[nodiscard]] bool offline() const;

  // Before any log is opened.
  void connect();
  // Begins what is done from time to time. From any loop, by the first use: a directory that is
  // given up unused, on the thread that opened it, has no timer yet.
  void start_once();
  env::Task<Result<>> close(std::int64_t broker_epoch);

  env::Environment& environment;
  const std::string path;
  const DirectoryOptions options;
  const DirectoryContents contents;           // as found; never changes
  std::optional<DirectoryIdentity> identity;  // start-up's

 private:
  void start();
  class Tick : public env::Timer {
   public:
    explicit Tick(DirectoryCore& core) : core_(core) {}
    void fire() override { core_.tick(); }

   private:
    DirectoryCore& core_;
  };
  struct Removal {
    std::string path;
    env::TimePoint due;
  };
  using LogMap = std::map<TopicPartition, LogOffsets>;

  [[nodiscard]] std::shared_ptr<LogHost> host() const;
  [[nodiscard]] const FoundLog* find(const TopicPartition& name, const Uuid& topic_id) const;
  env::Task<Result<LoadedLog>> load(const TopicPartition& name, LogOffsets offsets, bool clean,
                                    const config::TopicConfig& config,
                                    const FoundPartition* logged);
  env::Task<Result<bool>> check_folder(const std::string& folder, const Uuid& topic_id);
  [[nodiscard]] bool is_new(const LogHost& home, const TopicPartition& name) const;
  env::Task<Result<>> drain_all();
  env::Task<std::optional<LogMap>> collect(bool only_if_changed, bool& all_opened);
  env::Task<Result<>> write_checkpoints();
  void tick();
  static env::Task<void> run_checkpoint(std::shared_ptr<DirectoryCore> core);
  env::Task<Result<>> checkpoint_at_home();
  void expire_producers();
  void remove_due();

  // What the commit log had of a log that was not opened yet since the start.
  [[nodiscard]] const FoundPartition* find_logged(const LogHost& home, const TopicPartition& name,
                                                  const Uuid& topic_id) const;
  [[nodiscard]] CommitLogOwner owner() const;
  Result<> finish_replay(DirectoryWriter& writer, const std::string& folder,
                         const TopicPartition& name);

  FoundCommitLog commit_log_;  // as found; does not change once a log is opened
  BrokerRegistration registration_;
  std::vector<std::shared_ptr<LogHost>> hosts_;  // by loop; each belongs to its loop
  std::shared_ptr<DirectoryWriter> writer_;
  std::unique_ptr<env::FileLock> lock_;
  DirectoryCheckpoints checkpoints_;  // the writer's
  std::vector<char> recovered_;       // by loop: sync_recovered() is done
  Tick timer_{*this};
  std::vector<Removal> removals_;
  std::set<TopicPartition> moved_;  // of `contents.found`, gone since
  env::TimePoint producers_checked_{};
  bool started_ = false;
  bool checkpointing_ = false;
  std::uint64_t checkpoints_begun_ = 0;
  std::uint64_t checkpoints_done_ = 0;
  Result<> last_checkpoint_;
  bool closing_ = false;
  env::Event checkpointed_;
};

DirectoryCore::DirectoryCore(env::Environment& the_environment, std::string the_path,
                             DirectoryOptions the_options, std::unique_ptr<env::FileLock> lock,
                             DirectoryContents the_contents, FoundCommitLog commit_log)
    : environment(the_environment),
      path(std::move(the_path)),
      options(the_options),
      contents(std::move(the_contents)),
      identity(contents.identity),
      commit_log_(std::move(commit_log)),
      writer_(std::make_shared<DirectoryWriter>(
          environment, path,
          DirectoryWriterLimits{.open_files = options.open_files / 2,
                                .commit_log = options.commit_log})),
      lock_(std::move(lock)),
      checkpoints_(path),
      recovered_(environment.loop_count(), contents.clean_shutdown_epoch.has_value()) {
  // From the first change on the directory is not as the last stop left it.
  writer_->set_before_first_change([this_path = path](DirectoryWriter* writer) -> Result<> {
    const std::string marker = join_path(this_path, clean_shutdown_name);
    if (!writer->files().exists(marker)) return {};
    ARUS_TRY(writer->files().remove(marker));
    return writer->files().sync_directory(this_path);
  });
  writer_->adopt(commit_log_);
  writer_->set_commit_log_owner(owner());
  const std::size_t loops = environment.loop_count();
  for (std::size_t i = 0; i < loops; ++i) {
    auto port = std::make_shared<WritePort>(
        writer_, environment.loop(i),
        WritePortLimits{.outstanding_bytes = options.outstanding_bytes / loops,
                        .stalled_after = env::milliseconds{options.stalled_after_ms}});
    writer_->add_port(port);
    hosts_.push_back(std::make_shared<LogHost>(environment, writer_, std::move(port),
                                               options.open_files / 2 / loops));
    hosts_.back()->producer_id_expiration_ms = options.producer_id_expiration_ms;
    environment.random().fill(hosts_.back()->key_secret);
  }
}

CommitLogOwner DirectoryCore::owner() const {
  CommitLogOwner owner{.incarnation_id = registration_.incarnation_id,
                       .broker_epoch = registration_.broker_epoch};
  if (identity) {
    owner.cluster_id = identity->cluster_id.substr(0, commit_log_format::most_cluster_id_bytes);
    owner.directory_id = identity->directory_id;
  }
  return owner;
}

void DirectoryCore::set_registration(const BrokerRegistration& registration) {
  registration_ = registration;
  writer_->set_commit_log_owner(owner());
}

env::Task<Result<>> DirectoryCore::check_commit_log(std::optional<BrokerRegistration> newest) {
  const auto self = shared_from_this();
  start_once();
  if (is_of_run(commit_log_, newest)) co_return Result<>{};
  auto done = co_await writer_->run([this](DirectoryWriter* writer) -> Result<> {
    ARUS_TRY(set_aside(writer->files(), path, commit_log_,
                       "the directory was used by somebody else after it was written"));
    writer->commit_log().adopt(commit_log_);
    return {};
  });
  co_return done;
}

const FoundPartition* DirectoryCore::find_logged(const LogHost& home, const TopicPartition& name,
                                                 const Uuid& topic_id) const {
  if (home.replay_over || home.opened.contains(name)) return nullptr;
  const auto found = commit_log_.partitions.find({topic_id, name.partition});
  return found == commit_log_.partitions.end() || found->second.name != name ? nullptr
                                                                             : &found->second;
}

void DirectoryCore::connect() {
  for (const auto& host : hosts_) host->directory = weak_from_this();
}

std::shared_ptr<LogHost> DirectoryCore::host() const {
  const env::Loop* const loop = env::Loop::current();
  ARUS_ASSERT(loop != nullptr);
  return hosts_[loop->index()];
}

bool DirectoryCore::offline() const {
  const env::Loop* const loop = env::Loop::current();
  return hosts_[loop != nullptr ? loop->index() : 0]->port->failure().has_value();
}

const FoundLog* DirectoryCore::find(const TopicPartition& name, const Uuid& topic_id) const {
  const auto named = std::ranges::equal_range(contents.found, name, {}, &FoundLog::name);
  const auto found = std::ranges::find(named, topic_id, &FoundLog::topic_id);
  return found == named.end() ? nullptr : &*found;
}

env::Task<Result<std::unique_ptr<Log>>> DirectoryCore::open_log(
    TopicPartition name, Uuid topic_id, std::shared_ptr<const config::TopicConfig> config) {
  const auto self = shared_from_this();
  start_once();
  const std::shared_ptr<LogHost> home = host();
  if (home->port->failure()) co_return fail(*home->port->failure());
  const std::string folder = join_path(path, name.to_string());
  const bool is_metadata = name.topic == metadata_topic_name;
  LogOffsets offsets{.name = name};
  bool clean = contents.clean_shutdown_epoch.has_value();
  if (const auto before = home->closed.find(name); before != home->closed.end()) {
    // Opened and closed since the start: what it left is behind the writer's queue.
    offsets = before->second;
    clean = false;
    if (auto drained = co_await home->port->drain(); !drained) {
      co_return fail(std::move(drained).error());
    }
  } else if (find(name, topic_id) != nullptr || is_metadata) {
    const auto checkpoint = contents.checkpoints.find(name);
    if (checkpoint != contents.checkpoints.end()) offsets = checkpoint->second;
  }
  bool created = false;
  const FoundPartition* const logged = find_logged(*home, name, topic_id);
  if (is_new(*home, name)) {
    // Nobody waits for a folder that nothing is in: it is made in order with what is written there.
    home->port->act([folder, topic_id](DirectoryWriter* writer) -> Result<> {
      if (writer->files().exists(folder)) {
        return fail(ErrorCode::kafka_storage_error, folder + " was not there before");
      }
      return make_folder(writer, folder, topic_id);
    });
    created = true;
  } else if (logged != nullptr || find(name, topic_id) == nullptr) {
    const auto made = co_await check_folder(folder, topic_id);
    if (!made) {
      home->replay_failed = home->replay_failed || logged != nullptr;
      co_return fail(made.error());
    }
    created = *made;
    if (created) offsets = {.name = name};
  }
  LoadedLog loaded;
  if (!created || logged != nullptr) {
    auto result = co_await load(name, offsets, clean, *config, logged);
    if (!result && logged != nullptr) home->replay_failed = true;
    if (!result && logged == nullptr && result.error().os_error == ENOENT) {
      // It was moved away since the start and is wanted again.
      const auto made = co_await check_folder(folder, topic_id);
      if (!made) co_return fail(made.error());
      created = *made;
      offsets = {.name = name};
    } else if (!result) {
      co_return fail(std::move(result).error());
    } else {
      loaded = std::move(*result);
    }
    const bool sync_now = recovered_[env::Loop::current()->index()] || is_metadata;
    if (sync_now && !clean && loaded.log_end > Offset{0}) {
      auto synced = co_await writer_->run(
          [this](DirectoryWriter* writer) { return writer->files().sync_file_system(path); });
      if (!synced) co_return fail(std::move(synced).error());
      offsets.recovery_point = loaded.log_end;
    }
  }
  const Offset recovery_point = clean ? loaded.log_end : offsets.recovery_point;
  co_return std::make_unique<PartitionLog>(
      home,
      PartitionLog::Identity{
          .name = name, .topic_id = topic_id, .path = folder, .created = created},
      std::move(config), std::move(loaded), recovery_point, offsets);
}

env::Task<Result<LoadedLog>> DirectoryCore::load(const TopicPartition& name, LogOffsets offsets,
                                                 bool clean, const config::TopicConfig& config,
                                                 const FoundPartition* logged) {
  const LoadRequest request{.path = join_path(path, name.to_string()),
                            .log_start = offsets.log_start,
                            .recovery_point = offsets.recovery_point,
                            .clean = clean,
                            .contiguous = !config.cleanup_compact,
                            .index_interval_bytes = config.index_interval_bytes,
                            .now_ms = environment.clock().wall_ms(),
                            .producer_id_expiration_ms = options.producer_id_expiration_ms};
  env::FileSystem& files = environment.files();
  co_return co_await env::run_on(
      environment.pool(), [this, &files, &request, logged]() -> Result<LoadedLog> {
        bool restored = false;
        if (logged != nullptr) {
          const auto changed =
              restore_logged_writes(files, request.path, *logged, commit_log_.laps);
          if (!changed) return fail(changed.error());
          restored = *changed;
        }
        auto loaded = load_log(files, request);
        if (loaded && restored) loaded->changed = true;
        return loaded;
      });
}

// Nothing of this name can be on disk: not as found, and not since.
bool DirectoryCore::is_new(const LogHost& home, const TopicPartition& name) const {
  if (name.topic == metadata_topic_name || home.opened.contains(name)) return false;
  const auto found = std::ranges::lower_bound(contents.found, name, {}, &FoundLog::name);
  return found == contents.found.end() || found->name != name;
}

// Makes a partition's folder, or checks whose it is; true when it was not there before.
env::Task<Result<bool>> DirectoryCore::check_folder(const std::string& folder,
                                                    const Uuid& topic_id) {
  bool created = false;
  const auto result =
      co_await writer_->run([&folder, &topic_id, &created](DirectoryWriter* writer) -> Result<> {
        env::FileSystem& files = writer->files();
        const std::string metadata = join_path(folder, partition_metadata_name);
        created = !files.exists(folder);
        if (!created && files.exists(metadata)) {
          const auto text = files.read_file(metadata);
          if (!text) return fail(text.error());
          const auto id = parse_partition_metadata(as_text(*text));
          if (id && *id == topic_id) return {};
          // A power cut may leave the file without its contents; it is written again then.
          if (id) {
            return fail(ErrorCode::inconsistent_topic_id,
                        folder + " does not belong to topic " + topic_id.to_string());
          }
        }
        return make_folder(writer, folder, topic_id);
      });
  if (!result) co_return fail(result.error());
  co_return created;
}

env::Task<Result<>> DirectoryCore::drain_all() {
  for (const auto& host : hosts_) {
    auto drained = co_await env::call(
        host->port->loop(), [&host] [[clang::coro_wrapper]] { return host->port->drain(); });
    if (!drained) co_return fail(std::move(drained).error());
  }
  co_return Result<>{};
}

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
    if (!restored) log.error("{}: {}", folder, restored.error().message);
    ARUS_TRY(files.sync_file_system(path));
  }
  return writer.settle(WriterFolder(folder, name, *id, nullptr), std::nullopt);
}

env::Task<Result<>> DirectoryCore::move_away(TopicPartition name, std::optional<Uuid> topic_id,
                                             std::string_view ending) {
  const auto self = shared_from_this();
  start_once();
  if (name.topic == metadata_topic_name) {
    co_return fail(ErrorCode::invalid_request, "The metadata log is never set aside");
  }
  if (auto drained = co_await drain_all(); !drained) co_return fail(std::move(drained).error());
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
    // A deleted topic's id never comes back, but what is set aside may be assigned here again.
    if (!topic_id) ARUS_TRY(finish_replay(*writer, from, name));
    ARUS_TRY(files.rename(from, to));
    moved = true;
    // A deletion that a power cut takes back is noticed by its topic id; it becomes durable with
    // the next checkpoint, so that deleting a topic of many partitions costs no flush for each.
    return topic_id ? Result<>{} : files.sync_directory(path);
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
  const bool remove = ending == "-delete";
  co_await env::call(environment.loop(0), [this, &name, &to, remove] {
    moved_.insert(name);
    hosts_[0]->offsets_changed = true;
    if (!remove) return;
    removals_.push_back(
        {to, environment.loop(0).now() + env::milliseconds{options.file_delete_delay_ms}});
    remove_due();
  });
  co_return Result<>{};
}

env::Task<Result<>> DirectoryCore::sync_recovered() {
  const auto self = shared_from_this();
  bool replayed = true;
  for (const auto& host : hosts_) {
    co_await env::call(host->port->loop(),
                       [&host, &replayed] { replayed = replayed && !host->replay_failed; });
  }
  for (const auto& host : hosts_) {
    co_await env::call(host->port->loop(), [&host, replayed] { host->replay_over = replayed; });
  }
  if (!contents.clean_shutdown_epoch) {
    auto synced = co_await writer_->run([this, replayed](DirectoryWriter* writer) -> Result<> {
      ARUS_TRY(writer->files().sync_file_system(path));
      return replayed ? writer->commit_log().release_found() : Result<>{};
    });
    if (!synced) co_return fail(std::move(synced).error());
  }
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    co_await env::call(environment.loop(i), [this, i] {
      if (recovered_[i]) return;
      recovered_[i] = true;
      for (PartitionLog* const each : hosts_[i]->logs) each->note_recovery_synced();
    });
  }
  co_return Result<>{};
}

// From any loop.
void DirectoryCore::remove_later(std::vector<std::string> paths, env::Duration delay) {
  environment.loop(0).post(
      [weak = weak_from_this(), paths = std::move(paths), delay]() mutable {
        // Without the directory they go when the log is opened the next time.
        const auto self = weak.lock();
        if (self == nullptr) return;
        const env::TimePoint due = self->environment.loop(0).now() + delay;
        for (std::string& each : paths) self->removals_.push_back({std::move(each), due});
        if (delay <= env::Duration{0}) self->remove_due();
      },
      env::Priority::background);
}

void DirectoryCore::start_once() {
  if (std::exchange(host()->in_use, true)) return;
  environment.loop(0).post([weak = weak_from_this()] {
    if (const auto alive = weak.lock()) alive->start();
  });
}

void DirectoryCore::start() {
  if (std::exchange(started_, true)) return;
  const env::TimePoint now = environment.loop(0).now();
  for (const std::string& deleted : contents.deleted) {
    removals_.push_back({deleted, now + env::milliseconds{options.file_delete_delay_ms}});
  }
  producers_checked_ = now;
  environment.loop(0).arm(timer_, now + env::milliseconds{options.checkpoint_interval_ms});
}

void DirectoryCore::tick() {
  if (closing_) return;
  const env::TimePoint now = environment.loop(0).now();
  environment.loop(0).arm(timer_, now + env::milliseconds{options.checkpoint_interval_ms});
  remove_due();
  if (now - producers_checked_ >= producer_check_interval) {
    producers_checked_ = now;
    expire_producers();
  }
  if (checkpointing_ || offline()) return;
  checkpointing_ = true;
  env::spawn_detached(run_checkpoint(shared_from_this()));
}

env::Task<void> DirectoryCore::run_checkpoint(std::shared_ptr<DirectoryCore> core) {
  ++core->checkpoints_begun_;
  core->last_checkpoint_ = co_await core->write_checkpoints();
  if (!core->last_checkpoint_) {
    log.warning("{}: checkpoints: {}", core->path, core->last_checkpoint_.error().message);
    core->hosts_[0]->offsets_changed = true;
  }
  ++core->checkpoints_done_;
  core->checkpointing_ = false;
  core->checkpointed_.notify_all();
}

env::Task<Result<>> DirectoryCore::checkpoint_now() {
  const auto self = shared_from_this();
  co_return co_await env::call(
      environment.loop(0), [&self] [[clang::coro_wrapper]] { return self->checkpoint_at_home(); });
}

// The next write that begins collects what the logs say now; whoever waits for it shares it.
env::Task<Result<>> DirectoryCore::checkpoint_at_home() {
  const std::uint64_t wanted = checkpoints_begun_ + 1;
  while (checkpoints_done_ < wanted) {
    if (checkpointing_) {
      co_await checkpointed_.wait();
      continue;
    }
    if (closing_) co_return fail(ErrorCode::kafka_storage_error, path + " is being closed");
    if (hosts_[0]->port->failure()) co_return fail(*hosts_[0]->port->failure());
    checkpointing_ = true;
    env::spawn_detached(run_checkpoint(shared_from_this()));
  }
  co_return last_checkpoint_;
}

void DirectoryCore::expire_producers() {
  const std::int64_t now_ms = environment.clock().wall_ms();
  for (const auto& host : hosts_) {
    host->port->loop().post(
        [host, now_ms] {
          for (PartitionLog* const each : host->logs) each->expire_producers(now_ms);
        },
        env::Priority::background);
  }
}

void DirectoryCore::remove_due() {
  const env::TimePoint now = environment.loop(0).now();
  std::erase_if(removals_, [this, now](const Removal& removal) {
    if (removal.due > now) return false;
    environment.pool().submit(
        [&files = environment.files(), doomed = removal.path] {
          const auto removed = files.remove_tree(doomed);
          if (!removed) log.warning("{}: {}", doomed, removed.error().message);
        },
        env::Priority::background);
    return true;
  });
}

// The offsets of all logs that were opened (nothing when none moved and that was asked), and those
// that checkpoints knew before of the others.
env::Task<std::optional<DirectoryCore::LogMap>> DirectoryCore::collect(bool only_if_changed,
                                                                       bool& all_opened) {
  LogMap all;
  bool changed = false;
  for (const auto& host : hosts_) {
    co_await env::call(host->port->loop(), [&host, &all, &changed] {
      changed = changed || std::exchange(host->offsets_changed, false);
      all.insert(host->closed.begin(), host->closed.end());
      for (const PartitionLog* const each : host->logs) {
        all.insert_or_assign(each->name(), each->offsets());
      }
    });
  }
  all_opened = true;
  if (only_if_changed && !changed) co_return std::nullopt;
  for (const FoundLog& found : contents.found) {
    if (all.contains(found.name) || moved_.contains(found.name)) continue;
    all_opened = false;
    const auto before = contents.checkpoints.find(found.name);
    if (before == contents.checkpoints.end()) continue;
    LogOffsets offsets = before->second;
    offsets.log_end = offsets.recovery_point;
    all.emplace(found.name, std::move(offsets));
  }
  // As Kafka: the metadata log is not in these files.
  std::erase_if(all, [](const auto& each) { return each.first.topic == metadata_topic_name; });
  co_return all;
}

env::Task<Result<>> DirectoryCore::write_checkpoints() {
  bool all_opened = true;
  const auto logs = co_await collect(true, all_opened);
  if (!logs) co_return Result<>{};
  co_return co_await writer_->run([this, &logs](DirectoryWriter* writer) {
    return checkpoints_.write(writer->files(), *logs, false);
  });
}

env::Task<Result<>> DirectoryCore::close(std::int64_t broker_epoch) {
  closing_ = true;
  environment.loop(0).disarm(timer_);
  while (checkpointing_) co_await checkpointed_.wait();
  const auto finish = [this](Result<> result) {
    lock_ = nullptr;
    return result;
  };
  if (auto drained = co_await drain_all(); !drained) co_return finish(std::move(drained));
  bool all_opened = true;
  const LogMap logs = *co_await collect(false, all_opened);
  co_await writer_->stop_background();
  for (const auto& host : hosts_) ARUS_ASSERT(host->logs.empty());
  // A log that was never opened after an unclean stop is still as that stop left it.
  const bool clean = all_opened || contents.clean_shutdown_epoch.has_value();
  auto result = co_await writer_->run(
      [this, &logs, clean, broker_epoch](DirectoryWriter* writer) -> Result<> {
        env::FileSystem& files = writer->files();
        ARUS_TRY(files.sync_file_system(path));
        ARUS_TRY(checkpoints_.write(files, logs, true));
        if (!clean) return {};
        ARUS_TRY(writer->commit_log().remove_files());
        return files.replace_file(join_path(path, clean_shutdown_name),
                                  as_bytes(encode_clean_shutdown(broker_epoch)));
      });
  co_return finish(std::move(result));
}

// The commit log that a crash left, with what it knows of partitions added to what was found; empty
// where it must not be replayed.
Result<FoundCommitLog> find_commit_log(env::FileSystem& files, const std::string& path,
                                       DirectoryContents& contents) {
  auto found = read_commit_log(files, path);
  if (!found) return found;
  std::string_view why = find_foreign(*found, contents.identity);
  if (contents.clean_shutdown_epoch) why = "the directory was stopped cleanly after it was written";
  if (!why.empty()) ARUS_TRY(set_aside(files, path, *found, why));
  std::vector<FoundLog> added;
  for (const auto& [id, partition] : found->partitions) {
    const auto named =
        std::ranges::equal_range(contents.found, partition.name, {}, &FoundLog::name);
    const bool known = std::ranges::any_of(named, [&](const FoundLog& each) {
      return !each.topic_id || *each.topic_id == id.topic_id;
    });
    if (!known) added.push_back({partition.name, id.topic_id});
  }
  std::ranges::move(added, std::back_inserter(contents.found));
  std::ranges::sort(contents.found, {}, &FoundLog::name);
  return found;
}

class FileLogDirectory final : public LogDirectory {
 public:
  explicit FileLogDirectory(std::shared_ptr<DirectoryCore> core) : core_(std::move(core)) {}

  const std::string& path() const override { return core_->path; }
  const std::optional<DirectoryIdentity>& identity() const override { return core_->identity; }
  Result<> stamp(const DirectoryIdentity& identity) override {
    const std::string text = encode_meta_properties(identity, core_->environment.clock().wall_ms());
    ARUS_TRY(core_->environment.files().replace_file(join_path(core_->path, meta_properties_name),
                                                     as_bytes(text)));
    core_->identity = identity;
    core_->identity_changed();
    return {};
  }
  std::optional<std::int64_t> clean_shutdown_epoch() const override {
    return core_->contents.clean_shutdown_epoch;
  }
  const std::vector<FoundLog>& found() const override { return core_->contents.found; }

  [[clang::coro_wrapper]] env::Task<Result<std::unique_ptr<Log>>> open_log(
      TopicPartition name, Uuid topic_id,
      std::shared_ptr<const config::TopicConfig> config) override {
    return core_->open_log(std::move(name), topic_id, std::move(config));
  }
  [[clang::coro_wrapper]] env::Task<Result<>> remove_log(TopicPartition name,
                                                         Uuid topic_id) override {
    return core_->move_away(std::move(name), topic_id, "-delete");
  }
  [[clang::coro_wrapper]] env::Task<Result<>> set_aside(TopicPartition name) override {
    return core_->move_away(std::move(name), std::nullopt, "-stray");
  }
  env::Task<Result<DirectorySize>> space() override {
    const auto core = core_;
    auto space = co_await env::run_on(
        core->environment.pool(), [&core] { return core->environment.files().space(core->path); });
    if (!space) co_return fail(std::move(space).error());
    co_return DirectorySize{space->total_bytes, space->usable_bytes};
  }
  [[clang::coro_wrapper]] env::Task<Result<>> check_commit_log(
      std::optional<BrokerRegistration> newest) override {
    return core_->check_commit_log(newest);
  }
  void set_registration(const BrokerRegistration& registration) override {
    core_->set_registration(registration);
  }
  [[clang::coro_wrapper]] env::Task<Result<>> sync_recovered() override {
    return core_->sync_recovered();
  }
  env::Task<Result<>> close(std::int64_t broker_epoch) override {
    const auto core = core_;
    co_return co_await env::call(
        core->environment.loop(0),
        [&core, broker_epoch] [[clang::coro_wrapper]] { return core->close(broker_epoch); });
  }
  bool offline() const override { return core_->offline(); }

 private:
  const std::shared_ptr<DirectoryCore> core_;
};

}  // namespace

Result<std::unique_ptr<LogDirectory>> LogDirectory::open(env::Environment& environment,
                                                         const std::string& path,
                                                         const DirectoryOptions& options) {
  env::FileSystem& files = environment.files();
  ARUS_TRY(files.create_directories(path));
  // Nothing is written, not even the lock's file, into a directory of somebody else.
  ARUS_TRY(identify_directory(files, path));
  auto lock = files.lock(join_path(path, lock_name));
  if (!lock) return fail(std::move(lock).error());
  auto contents = read_directory(files, path);
  if (!contents) return fail(std::move(contents).error());
  auto commit_log = find_commit_log(files, path, *contents);
  if (!commit_log) return fail(std::move(commit_log).error());
  auto core = std::make_shared<DirectoryCore>(environment, path, options, std::move(*lock),
                                              std::move(*contents), std::move(*commit_log));
  core->connect();
  return std::make_unique<FileLogDirectory>(std::move(core));
}

}  // namespace arus::storage
