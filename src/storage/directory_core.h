// An open log directory: what its parts share.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/commit_log_reader.h"
#include "storage/directory_checkpoints.h"
#include "storage/directory_contents.h"
#include "storage/directory_health.h"
#include "storage/directory_writer.h"
#include "storage/log_directory.h"
#include "storage/log_recovery.h"

namespace arus::storage {

// What all parts of an open directory share. Members without another note belong to loop 0.
class DirectoryCore final : public DirectoryFiles,
                            public std::enable_shared_from_this<DirectoryCore> {
 public:
  DirectoryCore(env::Environment& environment, std::string path, DirectoryOptions options,
                std::unique_ptr<env::FileLock> lock, HeldForWriter held, DirectoryContents contents,
                FoundCommitLog commit_log);

  // From any loop.
  env::Task<Result<std::unique_ptr<Log>>> open_log(
      TopicPartition name, Uuid topic_id, std::shared_ptr<const config::TopicConfig> config);
  env::Task<Result<bool>> prepare_log(TopicPartition name, Uuid topic_id, LeaderEpoch epoch);
  env::Task<Result<>> sync_prepared();
  env::Task<Result<>> move_away(TopicPartition name, std::optional<Uuid> topic_id,
                                std::string_view ending, bool comes_back = false);
  env::Task<Result<std::unique_ptr<Log>>> open_future(
      TopicPartition name, Uuid topic_id, Offset begin,
      std::shared_ptr<const config::TopicConfig> config);
  env::Task<Result<>> promote_future(TopicPartition name, Uuid topic_id, Offset end,
                                     std::vector<ProducerEntry> producers);
  env::Task<Result<>> drop_future(TopicPartition name, Uuid topic_id);
  Result<> adopt_future(const FoundFuture& future);
  env::Task<Result<>> sync_recovered();
  env::Task<Result<>> check_commit_log(std::optional<BrokerRegistration> newest);
  void set_registration(const BrokerRegistration& registration);
  void identity_changed() { writer_->set_commit_log_owner(owner()); }
  env::Task<Result<>> checkpoint_now() override;
  void remove_later(std::vector<std::string> paths, env::Duration delay) override;
  [[nodiscard]] bool offline() const;
  [[nodiscard]] DirectoryHealth& health() { return *health_; }
  void fail_offline(Error error) { writer_->fail_offline(std::move(error)); }
  void stop_waiting() { writer_->stop_waiting(); }

  // Before any log is opened.
  void connect();
  // Begins what is done from time to time. From any loop, by the first use: a directory that is
  // given up unused, on the thread that opened it, has no timer yet.
  void start_once();
  void begin_closing();
  env::Task<Result<>> close(std::int64_t broker_epoch);

  env::Environment& environment;
  const std::string path;
  const DirectoryOptions options;
  const std::unique_ptr<env::Pool> own_pool;  // ends after the writer, which uses it
  env::Pool& pool;
  DirectoryContents contents;                 // as found; does not change once a log is opened
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
  env::Task<Result<LoadedLog>> load(const std::string& folder, LogOffsets offsets, bool clean,
                                    const config::TopicConfig& config,
                                    const FoundPartition* logged);
  [[nodiscard]] std::optional<Offset> contiguous_from(const LogOffsets& offsets,
                                                      const config::TopicConfig& config) const;
  // That of the copy that is being moved here, in use or new.
  env::Task<std::string> future_folder(const TopicPartition& name, const Uuid& topic_id);
  env::Task<Result<bool>> check_folder(const std::string& folder, const Uuid& topic_id);
  // What open_log() does about the folder of a new log.
  static std::optional<LeaderEpoch> make_new_folder(LogHost& home, const TopicPartition& name,
                                                    const Uuid& topic_id,
                                                    const std::string& folder);
  [[nodiscard]] bool is_new(const LogHost& home, const TopicPartition& name) const;
  Result<> flush_ahead();
  static env::Task<void> flush_while_closing(std::shared_ptr<DirectoryCore> core);
  env::Task<Result<>> drain_all();
  env::Task<std::optional<LogMap>> collect(bool only_if_changed, bool& all_opened);
  env::Task<Result<>> write_checkpoints();
  env::Task<Result<>> write_left();
  env::Task<void> write_some_left(std::span<const ClosingFiles>* left, Result<>* outcome);
  env::Task<Result<>> forget_checkpoint(const TopicPartition& name);
  env::Task<Result<>> forget_at_home(const TopicPartition& name);
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
  DirectoryCheckpoints checkpoints_;
  std::vector<char> recovered_;  // by loop: sync_recovered() is done
  Tick timer_{*this};
  std::shared_ptr<DirectoryHealth> health_;
  std::vector<Removal> removals_;
  std::set<TopicPartition> moved_;  // of `contents.found`, gone since
  // Of these the checkpoint files may still say what was true of a log that is gone.
  std::set<TopicPartition> outdated_;
  std::map<TopicIdPartition, std::string> futures_;  // names of their folders
  env::TimePoint producers_checked_{};
  bool started_ = false;
  bool checkpointing_ = false;
  std::uint64_t checkpoints_begun_ = 0;
  std::uint64_t checkpoints_done_ = 0;
  Result<> last_checkpoint_;
  bool closing_ = false;
  env::Gate ahead_;  // what a stop does beside the closing of logs
  env::Event checkpointed_;
};

}  // namespace arus::storage
