#include "storage/log_directory.h"

#include "storage/ballast.h"
#include "storage/directory_core.h"
#include "storage/durable_directory.h"
#include "storage/file_names.h"
#include "storage/meta_properties.h"

namespace arus::storage {

namespace {

// What starts on a full disk finds the space that was kept for it.
void give_ballast_back(env::FileSystem& files, const std::string& path) {
  Ballast ballast(files, path);
  if (ballast.size_bytes() == 0) return;
  const auto space = files.space(path);
  if (space && space->usable_bytes < ballast.size_bytes()) ballast.release();
}

Result<HeldForWriter> hold(env::FileSystem& files, const std::string& path) {
  auto itself = files.hold(path);
  if (!itself) return fail(std::move(itself).error());
  auto jobs = files.hold(path);
  if (!jobs) return fail(std::move(jobs).error());
  return HeldForWriter{std::move(*itself), std::move(*jobs)};
}

class FileLogDirectory final : public LogDirectory {
 public:
  explicit FileLogDirectory(std::shared_ptr<DirectoryCore> core) : core_(std::move(core)) {}

  const std::string& path() const override { return core_->path; }
  const std::optional<DirectoryIdentity>& identity() const override { return core_->identity; }
  Result<> stamp(const DirectoryIdentity& identity) override {
    const std::string text = encode_meta_properties(identity, core_->environment.clock().wall_ms());
    env::FileSystem& files = core_->environment.files();
    ARUS_TRY(files.replace_file(join_path(core_->path, meta_properties_name), as_bytes(text)));
    // A start that made the directory may have ended before its name was durable.
    ARUS_TRY(files.sync_directory(parent_directory(core_->path)));
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
  [[clang::coro_wrapper]] env::Task<Result<bool>> prepare_log(TopicPartition name, Uuid topic_id,
                                                              LeaderEpoch epoch) override {
    return core_->prepare_log(std::move(name), topic_id, epoch);
  }
  [[clang::coro_wrapper]] env::Task<Result<>> sync_prepared() override {
    return core_->sync_prepared();
  }
  [[clang::coro_wrapper]] env::Task<Result<>> remove_log(TopicPartition name,
                                                         Uuid topic_id) override {
    return core_->move_away(std::move(name), topic_id, "-delete");
  }
  [[clang::coro_wrapper]] env::Task<Result<>> give_away(TopicPartition name,
                                                        Uuid topic_id) override {
    return core_->move_away(std::move(name), topic_id, "-delete", true);
  }
  [[clang::coro_wrapper]] env::Task<Result<std::unique_ptr<Log>>> open_future(
      TopicPartition name, Uuid topic_id, Offset begin,
      std::shared_ptr<const config::TopicConfig> config) override {
    return core_->open_future(std::move(name), topic_id, begin, std::move(config));
  }
  [[clang::coro_wrapper]] env::Task<Result<>> promote_future(
      TopicPartition name, Uuid topic_id, Offset end,
      std::vector<ProducerEntry> producers) override {
    return core_->promote_future(std::move(name), topic_id, end, std::move(producers));
  }
  [[clang::coro_wrapper]] env::Task<Result<>> drop_future(TopicPartition name,
                                                          Uuid topic_id) override {
    return core_->drop_future(std::move(name), topic_id);
  }
  const std::vector<FoundFuture>& futures() const override { return core_->contents.futures; }
  Result<> adopt_future(const FoundFuture& future) override { return core_->adopt_future(future); }
  [[clang::coro_wrapper]] env::Task<Result<>> set_aside(TopicPartition name) override {
    return core_->move_away(std::move(name), std::nullopt, "-stray");
  }
  env::Task<Result<DirectorySize>> space() override {
    const auto core = core_;
    auto space = co_await env::run_on(
        core->pool, [&core] { return core->environment.files().space(core->path); });
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
  void begin_closing() override { core_->begin_closing(); }
  env::Task<Result<>> close(std::int64_t broker_epoch) override {
    const auto core = core_;
    co_return co_await env::call(
        core->environment.loop(0),
        [&core, broker_epoch] [[clang::coro_wrapper]] { return core->close(broker_epoch); });
  }
  bool offline() const override { return core_->offline(); }
  env::Task<DirectoryStatus> status() override {
    const auto core = core_;
    co_return co_await env::call(core->environment.loop(0),
                                 [&core] { return core->health().status(); });
  }
  void watch(StatusWatcher watcher) override { core_->health().watch(std::move(watcher)); }
  void fail_offline(Error error) override { core_->fail_offline(std::move(error)); }
  void stop_waiting() override { core_->stop_waiting(); }
  env::Pool& pool() override { return core_->pool; }

 private:
  const std::shared_ptr<DirectoryCore> core_;
};

}  // namespace

Result<std::unique_ptr<LogDirectory>> LogDirectory::open(env::Environment& environment,
                                                         const std::string& path,
                                                         const DirectoryOptions& options) {
  env::FileSystem& files = environment.files();
  ARUS_TRY(create_directories_durably(files, path));
  // Nothing is written, not even the lock's file, into a directory of somebody else.
  ARUS_TRY(identify_directory(files, path));
  auto lock = files.lock(join_path(path, lock_name));
  if (!lock) return fail(std::move(lock).error());
  auto held = hold(files, path);
  if (!held) return fail(std::move(held).error());
  give_ballast_back(files, path);
  auto contents = read_directory(files, path);
  if (!contents) return fail(std::move(contents).error());
  auto commit_log = find_commit_log(files, path, *contents);
  if (!commit_log) return fail(std::move(commit_log).error());
  auto core = std::make_shared<DirectoryCore>(environment, path, options, std::move(*lock),
                                              std::move(*held), std::move(*contents),
                                              std::move(*commit_log));
  core->connect();
  return std::make_unique<FileLogDirectory>(std::move(core));
}

}  // namespace arus::storage
