#include "storage/directory_core.h"

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "base/log.h"
#include "env/os_error.h"
#include "storage/clean_shutdown_file.h"
#include "storage/failed_flush.h"
#include "storage/file_names.h"
#include "storage/full_disk.h"
#include "storage/partition_folder.h"
#include "storage/partition_log.h"
#include "storage/presence.h"

namespace arus::storage {

namespace {

const LogComponent directory_core_log{"storage.directory"};

constexpr env::Duration producer_check_interval = std::chrono::minutes{10};
// Logs whose files wait for a first record, in all.
constexpr std::size_t most_prepared = 20'000;
constexpr std::size_t many_prepared = 64;
constexpr int most_rests = 20;
constexpr env::Duration preparation_rest = std::chrono::milliseconds{5};
constexpr std::size_t left_at_once = 4;  // tasks that write what closed logs left

}  // namespace

DirectoryCore::DirectoryCore(env::Environment& the_environment, std::string the_path,
                             DirectoryOptions the_options, std::unique_ptr<env::FileLock> lock,
                             HeldForWriter held, DirectoryContents the_contents,
                             FoundCommitLog commit_log)
    : environment(the_environment),
      path(std::move(the_path)),
      options(the_options),
      own_pool(options.pool_threads > 0 ? environment.make_pool("disk", options.pool_threads)
                                        : nullptr),
      pool(own_pool ? *own_pool : environment.pool()),
      contents(std::move(the_contents)),
      identity(contents.identity),
      commit_log_(std::move(commit_log)),
      writer_(std::make_shared<DirectoryWriter>(
          environment, pool, path, std::move(held),
          DirectoryWriterLimits{.open_files = options.open_files / 2,
                                .reserve_bytes = options.reserve_bytes,
                                .commit_log = options.commit_log})),
      lock_(std::move(lock)),
      checkpoints_(path),
      recovered_(environment.loop_count(), contents.clean_shutdown_epoch.has_value()) {
  for (const auto& [name, offsets] : contents.checkpoints) {
    if (!std::ranges::binary_search(contents.found, name, {}, &FoundLog::name)) {
      outdated_.insert(name);
    }
  }
  // From the first change on the directory is not as the last stop left it.
  writer_->set_before_first_change([this_path = path](DirectoryWriter* writer) -> Result<> {
    const std::string marker = join_path(this_path, clean_shutdown_name);
    if (is_gone(writer->files(), marker)) return {};
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
    hosts_.push_back(std::make_shared<LogHost>(environment, pool, writer_, std::move(port),
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
  for (const FoundFuture& future : contents.futures) {
    futures_[{future.topic_id, future.name.partition}] = future.path;
  }
  health_ = std::make_shared<DirectoryHealth>(
      environment, path, writer_,
      HealthOptions{.watches_space = options.reserve_bytes > 0,
                    .check_interval = env::milliseconds{options.space_check_interval_ms},
                    .stalled_after = env::milliseconds{options.stalled_after_ms}});
  writer_->observe(environment.loop(0), health_);
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
    clean = home->promoted.erase(name) > 0;
    if (auto drained = co_await home->port->drain(); !drained) {
      co_return fail(std::move(drained).error());
    }
  } else if (find(name, topic_id) != nullptr || is_metadata) {
    const auto checkpoint = contents.checkpoints.find(name);
    if (checkpoint != contents.checkpoints.end()) offsets = checkpoint->second;
  }
  if (find(name, topic_id) == nullptr && !is_metadata) {
    if (auto done = co_await forget_checkpoint(name); !done)
      co_return fail(std::move(done).error());
  }
  bool created = false;
  std::optional<LeaderEpoch> prepared_epoch;
  const FoundPartition* const logged = find_logged(*home, name, topic_id);
  if (is_new(*home, name)) {
    prepared_epoch = make_new_folder(*home, name, topic_id, folder);
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
    auto result = co_await load(folder, offsets, clean, *config, logged);
    if (!result && logged != nullptr) home->replay_failed = true;
    if (!result && logged == nullptr && result.error().os_error == ENOENT) {
      // It was moved away since the start and is wanted again.
      if (auto done = co_await forget_checkpoint(name); !done) {
        co_return fail(std::move(done).error());
      }
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
      auto synced =
          co_await writer_->run([](DirectoryWriter* writer) { return writer->sync_everything(); });
      if (!synced) co_return fail(std::move(synced).error());
      offsets.recovery_point = loaded.log_end;
    }
  }
  const Offset recovery_point = clean ? loaded.log_end : offsets.recovery_point;
  co_return std::make_unique<PartitionLog>(home,
                                           PartitionLog::Identity{.name = name,
                                                                  .topic_id = topic_id,
                                                                  .path = folder,
                                                                  .created = created,
                                                                  .saved_epoch = prepared_epoch},
                                           std::move(config), std::move(loaded), recovery_point,
                                           offsets);
}

// Nobody waits for a folder that nothing is in: it is made in order with what is written there.
// Gives the epoch that was saved in it, where it is there already.
std::optional<LeaderEpoch> DirectoryCore::make_new_folder(LogHost& home, const TopicPartition& name,
                                                          const Uuid& topic_id,
                                                          const std::string& folder) {
  const auto prepared = home.prepared.extract(name);
  const bool ours = prepared && prepared.mapped().topic_id == topic_id;
  if (ours && prepared.mapped().complete) return prepared.mapped().epoch;
  home.port->act([folder, topic_id, may_exist = ours](DirectoryWriter* writer) mutable -> Result<> {
    if (!std::exchange(may_exist, true) && writer->files().exists(folder)) {
      return fail(ErrorCode::kafka_storage_error, folder + " was not there before");
    }
    return make_folder(writer, folder, topic_id);
  });
  return std::nullopt;
}

env::Task<Result<bool>> DirectoryCore::prepare_log(TopicPartition name, Uuid topic_id,
                                                   LeaderEpoch epoch) {
  const auto self = shared_from_this();
  start_once();
  const std::shared_ptr<LogHost> home = host();
  ARUS_CO_TRY(home->port->check(false));
  const auto wanted = [&] {
    return is_new(*home, name) && !home->prepared.contains(name) &&
           home->prepared.size() < most_prepared / hosts_.size();
  };
  if (!wanted()) co_return false;
  // What somebody waits for goes first; but not for ever.
  for (int rests = 0; rests < most_rests && home->port->busy(); ++rests) {
    co_await env::sleep_for(preparation_rest);
  }
  ARUS_CO_TRY(co_await forget_checkpoint(name));
  if (!wanted()) co_return false;
  home->prepared.emplace(name, PreparedLog{.topic_id = topic_id, .epoch = epoch});
  const std::string folder = join_path(path, name.to_string());
  bool somebody_elses = false;
  auto made = co_await writer_->run([&](DirectoryWriter* writer) -> Result<> {
    somebody_elses = writer->files().exists(folder);
    if (somebody_elses) return {};
    writer->commit_log().prepare();
    return make_prepared_folder(writer, folder, topic_id, epoch);
  });
  const auto entry = home->prepared.find(name);
  if (entry != home->prepared.end() && entry->second.topic_id == topic_id) {
    if (somebody_elses) {
      home->prepared.erase(entry);
    } else {
      entry->second.complete = made.has_value();
    }
  }
  if (!made) co_return fail(std::move(made).error());
  if (!somebody_elses) ++home->prepared_unsynced;
  co_return !somebody_elses;
}

// Nothing depends on it yet: an error that this does not see, the descriptors of the writer do.
Result<> DirectoryCore::flush_ahead() {
  const auto held = environment.files().hold(path);
  return held ? (*held)->sync() : fail(held.error());
}

// Few files are written back soon enough by themselves.
env::Task<Result<>> DirectoryCore::sync_prepared() {
  const auto self = shared_from_this();
  const std::shared_ptr<LogHost> home = host();
  if (std::exchange(home->prepared_unsynced, 0) < many_prepared) co_return Result<>{};
  co_return co_await env::run_on(pool, [this] { return flush_ahead(); }, env::Priority::background);
}

env::Task<Result<LoadedLog>> DirectoryCore::load(const std::string& folder, LogOffsets offsets,
                                                 bool clean, const config::TopicConfig& config,
                                                 const FoundPartition* logged) {
  const LoadRequest request{.path = folder,
                            .log_start = offsets.log_start,
                            .recovery_point = offsets.recovery_point,
                            .clean = clean,
                            .contiguous_from = contiguous_from(offsets, config),
                            .index_interval_bytes = config.index_interval_bytes,
                            .now_ms = environment.clock().wall_ms(),
                            .producer_id_expiration_ms = options.producer_id_expiration_ms};
  env::FileSystem& files = environment.files();
  co_return co_await env::run_on(pool, [this, &files, &request, logged]() -> Result<LoadedLog> {
    bool restored = false;
    if (logged != nullptr) {
      const auto changed = restore_logged_writes(files, request.path, *logged, commit_log_.laps);
      if (!changed) return fail(changed.error());
      restored = *changed;
    }
    if (contents.flush_failed) {
      ARUS_TRY(write_again(files, request.path, request.recovery_point));
      restored = true;
    }
    auto loaded = load_log(files, request);
    if (loaded && restored) loaded->changed = true;
    return loaded;
  });
}

// Compaction takes offsets out, but ours stays below the recovery point that the checkpoint has,
// and names how far it came. Kafka's may have gone beyond, and a log that was moved here has no
// checkpoint yet: only where the commit log shows that the last run was ours does a gap in a
// compacted log with a checkpoint mean that something is lost.
std::optional<Offset> DirectoryCore::contiguous_from(const LogOffsets& offsets,
                                                     const config::TopicConfig& config) const {
  const bool ours = !commit_log_.laps.empty() && contents.has_recovery_points;
  const bool known = offsets.recovery_point > Offset{0};
  if (config.cleanup_compact && !(ours && known)) return std::nullopt;
  return std::max(offsets.recovery_point, offsets.cleaned_to.value_or(Offset{0}));
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
        const auto made = check_or_make_folder(writer, folder, topic_id);
        if (!made) return fail(made.error());
        created = *made;
        return {};
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
      ARUS_TRY(writer->sync_everything());
      if (!replayed) return {};
      ARUS_TRY(writer->commit_log().release_found());
      return contents.flush_failed ? unmark_failed_flush(writer->files(), path) : Result<>{};
    });
    if (!synced) {
      if (env::is_device_failure(synced.error())) fail_offline(synced.error());
      co_return fail(std::move(synced).error());
    }
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
  health_->start();
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
    const Error& error = core->last_checkpoint_.error();
    directory_core_log.warning("{}: checkpoints: {}", core->path, error.message);
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
    pool.submit(
        [&files = environment.files(), doomed = removal.path] {
          const auto removed = files.remove_tree(doomed);
          if (!removed) directory_core_log.warning("{}: {}", doomed, removed.error().message);
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

// Not on the writer's thread: while the disk writes back what has piled up, each flush takes as
// long as all of that, and nothing would be appended meanwhile. The writer only comes first (the
// directory is marked as in use), and helps where there is no space but its own.
env::Task<Result<>> DirectoryCore::write_checkpoints() {
  const std::set<TopicPartition> outdated = outdated_;
  bool all_opened = true;
  const auto logs = co_await collect(true, all_opened);
  if (!logs) co_return Result<>{};
  ARUS_CO_TRY(co_await writer_->run([](DirectoryWriter*) { return Result<>{}; }));
  const auto write = [this, &logs] {
    return checkpoints_.write(environment.files(), *logs, false);
  };
  auto written = co_await env::run_on(pool, write, env::Priority::background);
  if (!written) {
    written = co_await writer_->run([&write, &written](DirectoryWriter* writer) {
      return writer->heed(is_full_disk(written.error()) ? write() : written);
    });
  }
  if (written) {
    std::erase_if(outdated_, [&outdated](const auto& name) { return outdated.contains(name); });
  }
  co_return written;
}

// Checkpoints name topics, not their ids. Before a log of this name begins anew, they must not say
// any more what was true of the one before: after a crash that would count for the new one.
env::Task<Result<>> DirectoryCore::forget_checkpoint(const TopicPartition& name) {
  co_return co_await env::call(
      environment.loop(0), [this, &name] [[clang::coro_wrapper]] { return forget_at_home(name); });
}

env::Task<Result<>> DirectoryCore::forget_at_home(const TopicPartition& name) {
  if (!outdated_.contains(name)) co_return Result<>{};
  hosts_[0]->offsets_changed = true;
  co_return co_await checkpoint_at_home();
}

// Making many small files is work for every processor.
env::Task<Result<>> DirectoryCore::write_left() {
  std::vector<ClosingFiles> left;
  ARUS_CO_TRY(co_await writer_->run([&left](DirectoryWriter* writer) -> Result<> {
    left = writer->take_left();
    return {};
  }));
  std::span<const ClosingFiles> rest = left;
  Result<> outcome;
  env::Gate workers;
  for (std::size_t i = 0; i < left_at_once && !rest.empty(); ++i) {
    env::spawn(workers, write_some_left(&rest, &outcome));
  }
  co_await workers.close();
  if (outcome || !is_full_disk(outcome.error())) co_return outcome;
  // Only the writer may use up the space that is kept back.
  co_return co_await writer_->run([&left](DirectoryWriter* writer) -> Result<> {
    for (const ClosingFiles& each : left) ARUS_TRY(write_closing_files(writer->files(), each));
    return {};
  });
}

env::Task<void> DirectoryCore::write_some_left(std::span<const ClosingFiles>* left,
                                               Result<>* outcome) {
  constexpr std::size_t piece = 64;
  env::FileSystem& files = environment.files();
  while (!left->empty() && *outcome) {
    const auto some = left->first(std::min(piece, left->size()));
    *left = left->subspan(some.size());
    const auto written = co_await env::run_on(environment.pool(), [&files, some]() -> Result<> {
      for (const ClosingFiles& each : some) ARUS_TRY(write_closing_files(files, each));
      return {};
    });
    if (!written && *outcome) *outcome = written;
  }
}

// While the logs are closed, the disk already writes what their last records have left to write.
void DirectoryCore::begin_closing() {
  writer_->begin_closing();
  environment.loop(0).post(
      [self = shared_from_this()] { env::spawn(self->ahead_, flush_while_closing(self)); });
}

env::Task<void> DirectoryCore::flush_while_closing(std::shared_ptr<DirectoryCore> core) {
  const auto flushed = co_await env::run_on(core->pool, [&core] { return core->flush_ahead(); });
  if (!flushed) directory_core_log.warning("{}: {}", core->path, flushed.error().message);
}

env::Task<Result<>> DirectoryCore::close(std::int64_t broker_epoch) {
  closing_ = true;
  environment.loop(0).disarm(timer_);
  health_->stop();
  writer_->stop_waiting();
  while (checkpointing_) co_await checkpointed_.wait();
  const auto finish = [this](Result<> result) {
    lock_ = nullptr;
    return result;
  };
  if (auto drained = co_await drain_all(); !drained) co_return finish(std::move(drained));
  if (auto written = co_await write_left(); !written) co_return finish(std::move(written));
  bool all_opened = true;
  const LogMap logs = *co_await collect(false, all_opened);
  co_await writer_->stop_background();
  co_await ahead_.close();
  for (const auto& host : hosts_) ARUS_ASSERT(host->logs.empty());
  // A log that was never opened after an unclean stop is still as that stop left it.
  const bool clean = all_opened || contents.clean_shutdown_epoch.has_value();
  auto result = co_await writer_->run(
      [this, &logs, clean, broker_epoch](DirectoryWriter* writer) -> Result<> {
        env::FileSystem& files = writer->files();
        ARUS_TRY(writer->sync_everything());
        ARUS_TRY(checkpoints_.write(files, logs, true));
        if (!clean) return {};
        ARUS_TRY(writer->commit_log().remove_files());
        return files.replace_file(join_path(path, clean_shutdown_name),
                                  as_bytes(encode_clean_shutdown(broker_epoch)));
      });
  co_return finish(std::move(result));
}

}  // namespace arus::storage
