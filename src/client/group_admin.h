// Questions about groups and transactions, and changes to them: what operators ask.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/topic_partition.h"
#include "client/cluster.h"

namespace arus::client {

// A position that a group has committed, or is to have.
struct CommittedOffset {
  Offset offset = no_offset;
  LeaderEpoch leader_epoch = no_leader_epoch;
  std::string metadata;
  friend bool operator==(const CommittedOffset&, const CommittedOffset&) = default;
};

struct ListedGroup {
  std::string id;
  std::string protocol_type;  // "consumer", "connect", …; empty for a place for offsets
  std::string state;          // "Stable", …; empty from brokers that do not say
  std::string type;           // "classic", "consumer", "share", "streams"; empty likewise
  BrokerId coordinator = no_broker;
};

// What the brokers hold between them. A broker that failed leaves out its groups and is named.
struct GroupListing {
  std::vector<ListedGroup> groups;  // sorted by id, each once
  std::vector<Error> failures;      // one per broker that did not answer
};

struct GroupMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::optional<std::string> rack;
  std::string client_id;
  std::string client_host;
  std::vector<TopicPartition> assignment;  // sorted
  std::vector<std::string> subscribed_topics;
  std::optional<std::string> subscribed_regex;
  // Consumer groups only.
  std::int32_t epoch = -1;
  std::vector<TopicPartition> target_assignment;  // sorted
  // In a consumer group: whether the member speaks the classic protocol; nothing where the broker
  // does not say.
  std::optional<bool> classic;
  // As a classic member sent and got them; only protocol type "consumer" is decoded above.
  Bytes metadata;
  Bytes assignment_data;
};

struct GroupDescription {
  std::string id;
  bool classic = true;        // false: a consumer group (KIP-848)
  std::string protocol_type;  // "consumer" for consumer groups
  std::string state;
  std::string assignor;                // a classic group's protocol, or the assignor of the server
  std::int32_t group_epoch = -1;       // consumer groups only
  std::int32_t assignment_epoch = -1;  // consumer groups only
  BrokerInfo coordinator;
  std::optional<std::int32_t> authorized_operations;  // bit 1 << operation, where asked for
  std::vector<GroupMember> members;                   // sorted by id
};

// Whom to take out of a classic group: by instance id, or by member id.
struct MemberToRemove {
  std::string member_id;
  std::optional<std::string> instance_id;
};

struct TransactionFilter {
  std::vector<std::string> states;  // "Ongoing", …; none: all
  std::vector<ProducerId> producer_ids;
  std::int64_t duration_ms = -1;                        // older than this; −1: all
  std::optional<std::string> transactional_id_pattern;  // a regular expression
};

struct ListedTransaction {
  std::string transactional_id;
  ProducerId producer_id = no_producer;
  std::string state;
  BrokerId coordinator = no_broker;
};

struct TransactionDescription {
  std::string transactional_id;
  BrokerId coordinator = no_broker;
  std::string state;
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = -1;
  std::int32_t timeout_ms = 0;
  std::optional<std::int64_t> start_time_ms;
  std::vector<TopicPartition> partitions;  // sorted
};

// What a partition remembers of one producer.
struct ActiveProducer {
  ProducerId producer_id = no_producer;
  std::int32_t epoch = -1;
  std::int32_t last_sequence = -1;
  std::int64_t last_timestamp_ms = -1;
  std::int32_t coordinator_epoch = -1;
  std::optional<Offset> transaction_start;  // of the open transaction, where there is one
};

// A transaction of one partition that no coordinator will end.
struct HangingTransaction {
  TopicPartition partition;
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = -1;
  std::int32_t coordinator_epoch = -1;
};

// Each call asks the right coordinator or leader, and again while the answer says that it moved or
// is loading, until the deadline. The outer result fails only where nothing at all could be asked.
// Owner: the cluster's loop.
class GroupAdmin {
 public:
  template <class Key, class Value = void>
  using Outcomes = std::map<Key, Result<Value>>;
  using Offsets = std::map<TopicPartition, Result<std::optional<CommittedOffset>>>;

  explicit GroupAdmin(Cluster& cluster) : cluster_(cluster) {}

  // Asks every broker. UNSUPPORTED_VERSION where states or types are asked for and a broker is too
  // old to filter.
  env::Task<Result<GroupListing>> list_groups(std::vector<std::string> states,
                                              std::vector<std::string> types,
                                              env::TimePoint deadline);
  // As a consumer group first, as a classic one where the coordinator has no such consumer group.
  // GROUP_ID_NOT_FOUND where there is neither.
  env::Task<Result<Outcomes<std::string, GroupDescription>>> describe_groups(
      std::set<std::string> ids, bool authorized_operations, env::TimePoint deadline);
  // Only as a classic group: for groups of any protocol type. A group that is not there is "Dead"
  // with brokers before DescribeGroups 6, GROUP_ID_NOT_FOUND afterwards.
  env::Task<Result<Outcomes<std::string, GroupDescription>>> describe_classic_groups(
      std::set<std::string> ids, bool authorized_operations, env::TimePoint deadline);

  // All partitions with an offset, or those named (nothing where none is committed).
  // `require_stable`: wait for transactions that have offsets pending.
  env::Task<Result<Offsets>> committed_offsets(std::string group,
                                               std::optional<std::set<TopicPartition>> partitions,
                                               bool require_stable, env::TimePoint deadline);
  // UNKNOWN_MEMBER_ID for each partition while the group has members.
  env::Task<Result<Outcomes<TopicPartition>>> alter_offsets(
      std::string group, std::map<TopicPartition, CommittedOffset> offsets,
      env::TimePoint deadline);
  // GROUP_SUBSCRIBED_TO_TOPIC where members use the topic.
  env::Task<Result<Outcomes<TopicPartition>>> delete_offsets(std::string group,
                                                             std::set<TopicPartition> partitions,
                                                             env::TimePoint deadline);
  env::Task<Result<Outcomes<std::string>>> delete_groups(std::set<std::string> ids,
                                                         env::TimePoint deadline);
  // Keys: the instance id, or the member id where there is none.
  env::Task<Result<Outcomes<std::string>>> remove_members(std::string group,
                                                          std::vector<MemberToRemove> members,
                                                          std::string reason,
                                                          env::TimePoint deadline);

  // Asks every broker; sorted by transactional id. INVALID_REGULAR_EXPRESSION for a bad pattern.
  env::Task<Result<std::vector<ListedTransaction>>> list_transactions(TransactionFilter filter,
                                                                      env::TimePoint deadline);
  // TRANSACTIONAL_ID_NOT_FOUND where there is none.
  env::Task<Result<Outcomes<std::string, TransactionDescription>>> describe_transactions(
      std::set<std::string> ids, env::TimePoint deadline);
  // Asks the leaders, or the given broker.
  env::Task<Result<Outcomes<TopicPartition, std::vector<ActiveProducer>>>> describe_producers(
      std::set<TopicPartition> partitions, std::optional<BrokerId> broker, env::TimePoint deadline);
  // Writes an abort marker into the partition, on its leader.
  env::Task<Result<>> abort_transaction(HangingTransaction transaction, env::TimePoint deadline);
  // Raises the epoch of the transactional id: its producer is fenced and its transaction aborted.
  env::Task<Result<>> fence_producer(std::string transactional_id, env::TimePoint deadline);

 private:
  Cluster& cluster_;
};

}  // namespace arus::client
