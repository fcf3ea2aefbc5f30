// The transactions of one producer, as its coordinator sees them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "base/topic_partition.h"
#include "client/coordinator.h"
#include "client/group_admin.h"
#include "client/offset_calls.h"

namespace arus::client {

// Who writes. The epoch grows when another producer takes the transactional id over, and in version
// 2 of the protocol (KIP-890) with every transaction.
struct ProducerIdentity {
  ProducerId id = no_producer;
  std::int16_t epoch = -1;
  friend bool operator==(const ProducerIdentity&, const ProducerIdentity&) = default;
};

// One transaction after the other under one transactional id. In version 1 of the protocol the
// coordinator is told of a partition before the first record goes there; in version 2 the leader of
// the partition tells it. A failure inside a transaction leaves only aborting; being fenced leaves
// nothing.
// Owner: a Producer.
class ProducerTransaction {
 public:
  enum class Phase : std::uint8_t { uninitialised, ready, open, committing, aborting };

  ProducerTransaction(Cluster& cluster, std::string transactional_id, env::Duration timeout);

  [[nodiscard]] const std::string& transactional_id() const { return transactional_id_; }
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] const ProducerIdentity& identity() const { return identity_; }
  [[nodiscard]] bool version2() const { return version2_; }
  // What has gone wrong in this transaction, or for good.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] bool fatal() const { return fatal_; }

  // Takes the transactional id over: fences who had it, and ends what that one left open.
  env::Task<Result<>> initialise(env::TimePoint deadline);
  Result<> begin();
  // Whether records may be handed over now.
  [[nodiscard]] Result<> check_open() const;

  // Whether records may go to the partition; where not, it is told to the coordinator by the next
  // add_partitions().
  bool admit(const TopicPartition& name);
  [[nodiscard]] bool has_partitions_to_add() const { return !to_add_.empty(); }
  // Until the coordinator knows them, the transaction has failed, or somebody gives up.
  env::Task<void> add_partitions();
  // A batch was refused, or was not delivered; `numbered`: it had its place in the sequence.
  void note_failure(const Error& error, bool numbered);

  env::Task<Result<>> send_offsets(std::map<TopicPartition, CommittedOffset> offsets,
                                   GroupMetadata group, env::TimePoint deadline);
  // From here on the transaction can only be ended this way.
  Result<> begin_end(bool commit);
  // May be called again after a failure that passes.
  env::Task<Result<>> end(env::TimePoint deadline);
  void abandon();

 private:
  enum class Verdict : std::uint8_t { good, again, failed };

  [[nodiscard]] std::int16_t highest(std::int16_t in_version_2, std::int16_t in_version_1) const {
    return version2_ ? in_version_2 : in_version_1;
  }
  Verdict judge(ErrorCode code, const std::string& what);
  env::Task<Result<>> acquire(ProducerIdentity previous, env::TimePoint deadline);
  env::Task<void> learn_version(env::TimePoint deadline);
  env::Task<Result<>> add_offsets(const std::string& group, env::TimePoint deadline);
  env::Task<Result<>> commit_offsets(std::map<TopicPartition, CommittedOffset> offsets,
                                     GroupMetadata group, env::TimePoint deadline);
  [[nodiscard]] Result<> outcome() const;

  Cluster& cluster_;
  std::string transactional_id_;
  env::Duration timeout_;
  Coordinator coordinator_;
  std::optional<Coordinator> group_coordinator_;
  std::string group_;  // whose coordinator that is
  Phase phase_ = Phase::uninitialised;
  ProducerIdentity identity_;
  bool version2_ = false;
  std::optional<Error> failure_;
  bool fatal_ = false;
  bool raise_wanted_ = false;  // a gap in the numbers of some partition: a new epoch heals it
  bool started_ = false;       // the coordinator may know of the transaction
  std::set<TopicPartition> added_;
  std::set<TopicPartition> to_add_;
};

}  // namespace arus::client
