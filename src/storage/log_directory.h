// One entry of log.dirs: its lock, its identity, its one ordered writer, and the logs in it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "env/environment.h"
#include "storage/commit_log.h"
#include "storage/directory_identity.h"
#include "storage/directory_status.h"
#include "storage/log.h"

namespace arus::storage {

// A partition directory found on disk.
struct FoundLog {
  TopicPartition name;
  std::optional<Uuid> topic_id;  // from partition.metadata
  // Its topic id never came to stable storage: what else is in the folder may be of any topic that
  // had the name. Whatever was promised of such a partition is in the commit log.
  bool unfinished = false;
};

// The copy of a partition that was being moved here; what had been moved is whole up to its end.
struct FoundFuture {
  TopicPartition name;
  Uuid topic_id;
  std::string path;
};

struct DirectoryOptions {
  // Descriptors for segments and indexes, shared by the writer and the readers of all loops.
  std::size_t open_files = 2048;
  std::int64_t producer_id_expiration_ms = 86'400'000;
  std::int64_t file_delete_delay_ms = 60'000;
  std::int64_t checkpoint_interval_ms = 5'000;  // of offsets that moved
  // What a loop may have under way to the writer, and how long the writer may stand still, before
  // appends are refused with REQUEST_TIMED_OUT.
  std::size_t outstanding_bytes = std::size_t{256} << 20;
  std::int64_t stalled_after_ms = 1'000;
  CommitLogOptions commit_log;
  // Bytes of the disk that clients' records do not get (SpaceWatch); 0: all of it is theirs.
  std::int64_t reserve_bytes = 0;
  // How often the disk is looked at; at its end and while a write waits for space more often.
  std::int64_t space_check_interval_ms = 1'000;
  // Threads of its own for reads, flushes and compaction, so that a disk that stalls does not hold
  // up other directories; 0: those of the environment.
  std::size_t pool_threads = 0;
};

struct DirectorySize {
  std::int64_t total_bytes = 0;
  std::int64_t usable_bytes = 0;
};

// Holds: `.lock` is held while this lives; the clean-shutdown marker is removed before the first
// write and written last by close(); after a failed write or flush the directory is offline for
// good: nothing after it is acknowledged. Its writer thread is the only one that changes files.
// Members may be called on any loop; logs that it opens belong to the loop that they were opened
// on.
class LogDirectory {
 public:
  // Makes the directory where it is absent, locks it, reads meta.properties and checkpoints. An
  // error when another process has it, when it holds something that is neither empty nor Kafka's,
  // or when a file in it cannot be read. Blocking: for start-up, on a worker or before the loops
  // run.
  static Result<std::unique_ptr<LogDirectory>> open(env::Environment& environment,
                                                    const std::string& path,
                                                    const DirectoryOptions& options = {});
  // On loop 0, or when no loop runs any more; no Log of it may be left.
  virtual ~LogDirectory() = default;

  [[nodiscard]] virtual const std::string& path() const = 0;
  [[nodiscard]] virtual const std::optional<DirectoryIdentity>& identity() const = 0;
  // Writes meta.properties durably. Blocking: for start-up.
  virtual Result<> stamp(const DirectoryIdentity& identity) = 0;
  // brokerEpoch of .kafka_cleanshutdown as found at open(), or nothing after an unclean stop.
  [[nodiscard]] virtual std::optional<std::int64_t> clean_shutdown_epoch() const = 0;
  // Partitions of topics, ascending, with those that only the commit log knows; not
  // __cluster_metadata, which its owner opens by name. A name may be there twice, with the id of a
  // topic that was deleted and that of its successor.
  [[nodiscard]] virtual const std::vector<FoundLog>& found() const = 0;

  // Before any log is opened: the newest registration of this node. Where another run wrote the
  // commit log that a crash left, somebody has used the directory since: it is set aside.
  virtual env::Task<Result<>> check_commit_log(std::optional<BrokerRegistration> newest) = 0;
  // What the commit log names as its writer from its next lap on.
  virtual void set_registration(const BrokerRegistration& registration) = 0;

  // Opens the log of a partition that exists on disk, recovering it where needed, or makes it
  // (directory and partition.metadata before the first append). The log belongs to the current
  // loop. INCONSISTENT_TOPIC_ID where the directory on disk is another topic's. What an unclean
  // stop left and recovery kept is durable only after sync_recovered(); logs opened later, and
  // __cluster_metadata, are durable when this completes.
  virtual env::Task<Result<std::unique_ptr<Log>>> open_log(
      TopicPartition name, Uuid topic_id, std::shared_ptr<const config::TopicConfig> config) = 0;
  // Makes the files of a new log, on the loop that will open it, before its first record asks for
  // them: in the background, of a bounded number of logs. False where there is nothing to make.
  virtual env::Task<Result<bool>> prepare_log(TopicPartition name, Uuid topic_id,
                                              LeaderEpoch epoch) = 0;
  // Brings what was prepared to stable storage, so that neither a first flush nor a stop has to.
  virtual env::Task<Result<>> sync_prepared() = 0;
  // Renames to `topic-N.<hex>-delete` at once and removes the files later; the Log must be gone.
  virtual env::Task<Result<>> remove_log(TopicPartition name, Uuid topic_id) = 0;
  // A log that is not assigned to this node becomes `topic-N.<hex>-stray`.
  virtual env::Task<Result<>> set_aside(TopicPartition name) = 0;
  // Moving a partition here. The copy, `topic-N.<hex>-future`: the one that a stop left, or a new
  // one that begins at `begin`. It is written through the page cache.
  virtual env::Task<Result<std::unique_ptr<Log>>> open_future(
      TopicPartition name, Uuid topic_id, Offset begin,
      std::shared_ptr<const config::TopicConfig> config) = 0;
  // The copy, which is closed, becomes the partition: open_log() opens it.
  virtual env::Task<Result<>> promote_future(TopicPartition name, Uuid topic_id, Offset end,
                                             std::vector<ProducerEntry> producers) = 0;
  virtual env::Task<Result<>> drop_future(TopicPartition name, Uuid topic_id) = 0;
  // Moving it away: as remove_log(), durably, though the Log is still there; nobody uses it.
  virtual env::Task<Result<>> give_away(TopicPartition name, Uuid topic_id) = 0;
  // As found. Before any log is opened one of them may become the partition, where a crash has
  // come between giving it away and promoting it.
  [[nodiscard]] virtual const std::vector<FoundFuture>& futures() const = 0;
  virtual Result<> adopt_future(const FoundFuture& future) = 0;
  virtual env::Task<Result<DirectorySize>> space() = 0;
  // From any loop.
  virtual env::Task<DirectoryStatus> status() = 0;
  // On loop 0 or before it runs; tells at once, and then whenever something has changed.
  virtual void watch(StatusWatcher watcher) = 0;
  // Something else that lives in this directory has failed: it goes offline.
  virtual void fail_offline(Error error) = 0;
  // A stop is near: what waits for space on a full disk fails now.
  virtual void stop_waiting() = 0;
  // The threads that read its files.
  [[nodiscard]] virtual env::Pool& pool() = 0;
  // After recovery: makes what it kept durable (durability.md, rule 9) and lets the commit log that
  // was found go.
  virtual env::Task<Result<>> sync_recovered() = 0;
  // Every Log is closed from here on; close() follows.
  virtual void begin_closing() = 0;
  // Orderly stop: every Log is closed by its owner first; then syncfs, checkpoints, the end of the
  // commit log, clean-shutdown marker with this broker epoch, unlock.
  virtual env::Task<Result<>> close(std::int64_t broker_epoch) = 0;
  [[nodiscard]] virtual bool offline() const = 0;
};

}  // namespace arus::storage
