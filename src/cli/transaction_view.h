// What is shown of transactions: gathered once, printed by Kafka's program and by ours.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "client/group_admin.h"

namespace arus::cli {

// An open transaction as the leader of one partition remembers it.
struct OpenTransaction {
  TopicPartition partition;
  client::ActiveProducer producer;
};

// All partitions, of this topic or of all; `broker`: only those that have a replica there.
env::Task<Result<std::set<TopicPartition>>> partitions_to_search(client::Cluster& cluster,
                                                                 std::optional<std::string> topic,
                                                                 std::optional<BrokerId> broker,
                                                                 env::TimePoint deadline);

// Open transactions of these partitions; asked in portions. Partitions that cannot be asked are an
// error.
env::Task<Result<std::vector<OpenTransaction>>> find_open_transactions(
    client::Cluster& cluster, std::set<TopicPartition> partitions, std::optional<BrokerId> broker);

// By producer, what the coordinators know of those that have the open transactions.
using TransactionsByProducer = std::map<ProducerId, client::TransactionDescription>;
env::Task<Result<TransactionsByProducer>> describe_owners(client::Cluster& cluster,
                                                          const std::vector<OpenTransaction>& open);

// Ongoing, or decided and not yet complete. Coordinators remember the start of the last one after
// it.
bool is_open(const client::TransactionDescription& transaction);

// No coordinator will end it: nobody has this producer, or its transaction does not name the
// partition.
bool is_hanging(const OpenTransaction& open, const TransactionsByProducer& owners);

// What is behind a transaction, and what can be done about it.
struct TransactionVerdict {
  enum class Ending : std::uint8_t {
    nothing_open,  // there is nothing to end
    by_itself,     // its producer or its timeout ends it
    decided,       // committed or aborted already, markers are on their way
    by_fencing,    // overdue: raising the epoch of the transactional id aborts it
    by_marker,     // hanging in partitions: an abort marker in each
  };
  Ending ending = Ending::nothing_open;
  std::vector<std::string> sentences;
};

// A producer that has written or begun something so recently counts as alive, and its open
// transaction never as hanging.
inline constexpr std::int64_t quiet_producer_ms = 60'000;
// The coordinator looks for transactions past their timeout every ten seconds; this late it has
// had its chance.
inline constexpr std::int64_t overdue_after_ms = 60'000;

// `open`: what partitions remember of this producer, in them or elsewhere.
TransactionVerdict explain_transaction(const client::TransactionDescription& transaction,
                                       const std::vector<OpenTransaction>& open,
                                       std::int64_t now_ms);

}  // namespace arus::cli
