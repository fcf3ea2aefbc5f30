// One partition as its leader keeps it: who leads, what readers may see, who waits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "base/topic_partition.h"
#include "config/topic_config.h"
#include "env/event.h"
#include "env/loop.h"
#include "replication/transaction_guards.h"
#include "replication/wait_list.h"
#include "storage/log.h"

namespace arus::replication {

// Who leads, as the metadata says.
struct Leadership {
  BrokerId leader = no_broker;
  LeaderEpoch epoch = no_leader_epoch;
  bool here = false;  // this node is the leader
  std::size_t in_sync = 0;
  std::size_t replicas = 0;
};

// Wraps a log and decides what is visible of it (durability.md, rules 1 to 5).
//
// Holds: the high watermark never moves back while the log is open; it is at most the durable end
// in `synced` and at most the written end in `page-cache`. Whoever waits is told exactly once.
// While the log is being opened, appends and reads wait for their turn. Offsets are absolute,
// sizes in bytes. Owner: the loop it was made on.
class Partition final : private storage::LogObserver {
 public:
  Partition(const TopicIdPartition& id, TopicPartition name);
  ~Partition() override;

  [[nodiscard]] const TopicIdPartition& id() const { return id_; }
  [[nodiscard]] const TopicPartition& name() const { return name_; }

  // Opening. One of the first two is called once; both let those in who wait.
  void open(std::unique_ptr<storage::Log> log, std::shared_ptr<const config::TopicConfig> config);
  void fail_to_open(Error error);
  [[nodiscard]] bool is_open() const { return log_ != nullptr; }
  // Completes when the log is open, or with the reason why it never will be.
  env::Task<Result<>> opened(env::TimePoint deadline = env::never);

  // No operation begins any more and everyone who waits gets `why`.
  void refuse(Error why);
  // The same; completes when the log is closed.
  env::Task<void> close(Error why);
  [[nodiscard]] bool closed() const { return refusal_.has_value(); }

  void set_leadership(const Leadership& leadership);
  [[nodiscard]] const Leadership& leadership() const { return leadership_; }
  // NOT_LEADER_OR_FOLLOWER, or, where the client says which epoch it knows (at least 0),
  // FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH; also why the partition cannot serve at all.
  [[nodiscard]] Result<> check_leader(std::int32_t claimed_epoch = -1) const;

  // NOT_ENOUGH_REPLICAS where fewer are in sync than min.insync.replicas asks for acks=all; a
  // partition with fewer replicas than that asks for all of them. Only while it is open.
  [[nodiscard]] Result<> check_in_sync() const;

  void configure(std::shared_ptr<const config::TopicConfig> config);
  [[nodiscard]] const config::TopicConfig& config() const { return *config_; }
  [[nodiscard]] const std::shared_ptr<const config::TopicConfig>& shared_config() const {
    return config_;
  }

  // Only while it is open.
  [[nodiscard]] storage::Log& log() { return *log_; }
  [[nodiscard]] const storage::Log& log() const { return *log_; }
  [[nodiscard]] Offset high_watermark() const { return high_watermark_; }
  [[nodiscard]] Offset last_stable_offset() const;
  [[nodiscard]] TransactionGuards& transaction_guards() { return transaction_guards_; }

  // Appends keep the order in which they took their tickets, also where one of them has to wait
  // for the log to open or for its batch to be compressed anew.
  [[nodiscard]] bool append_is_free() const { return serving_ == next_ticket_; }
  [[nodiscard]] std::uint64_t take_append_ticket() { return next_ticket_++; }
  env::Task<void> wait_for_append_turn(std::uint64_t ticket);
  void end_append_turn();

  // Tells `wait` when everything below `end` is what readers may see; perhaps at once.
  void when_visible(AppendWait& wait, Offset end);
  void watch(ProgressWatch& watch) { watches_.add(watch); }

  // For operations that suspend: the log stays until they have left.
  class Use {
   public:
    explicit Use(Partition& partition) : partition_(&partition) { partition_->gate_.enter(); }
    Use(Use&& other) noexcept : partition_(std::exchange(other.partition_, nullptr)) {}
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (partition_ != nullptr) partition_->gate_.leave();
    }

   private:
    Partition* partition_;
  };

 private:
  void on_progress() override;
  void on_failure(const Error& error) override;
  [[nodiscard]] Offset visible_end() const;

  TopicIdPartition id_;
  TopicPartition name_;
  std::unique_ptr<storage::Log> log_;
  std::shared_ptr<const config::TopicConfig> config_;
  Leadership leadership_;
  Offset high_watermark_;
  std::optional<Error> refusal_;  // why nothing goes any more
  TransactionGuards transaction_guards_;
  AppendWaitList append_waits_;
  ProgressWatchList watches_;
  env::Event turn_;  // the append turn moved, or the log was opened
  env::Gate gate_;
  std::uint64_t next_ticket_ = 1;  // ticket 0 is the opening's
  std::uint64_t serving_ = 0;
};

}  // namespace arus::replication
