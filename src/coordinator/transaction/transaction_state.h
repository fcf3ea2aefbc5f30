// What is known of one transactional id.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/topic_partition.h"

namespace arus::coordinator {

// The numbers are those of the records. Dead and PrepareEpochFence are names that Kafka keeps for
// moments between two records; neither is ever stored.
enum class TransactionState : std::int8_t {
  empty = 0,
  ongoing = 1,
  prepare_commit = 2,
  prepare_abort = 3,
  complete_commit = 4,
  complete_abort = 5,
  dead = 6,
  prepare_epoch_fence = 7,
};

// "PrepareCommit", as DescribeTransactions says it.
[[nodiscard]] std::string_view transaction_state_name(TransactionState state);
// Exactly as written above; nothing for an unknown name.
[[nodiscard]] std::optional<TransactionState> parse_transaction_state(std::string_view name);

inline constexpr std::int16_t no_producer_epoch = -1;
// Clients never get the highest epoch, so that there is always one more to fence them with.
inline constexpr std::int16_t last_client_epoch = 32'766;

// From this level of transaction.version on each transaction has an epoch of its own (KIP-890).
inline constexpr std::int16_t epoch_bump_version = 2;

// The state that the newest record of a transactional id says, and two things that are not
// stored. Times in milliseconds since 1970.
struct Transaction {
  ProducerId producer_id = no_producer;
  ProducerId previous_producer_id = no_producer;
  // Takes over once the markers are written, because the epochs of producer_id are used up.
  ProducerId next_producer_id = no_producer;
  std::int16_t producer_epoch = no_producer_epoch;
  std::int32_t timeout_ms = 0;
  TransactionState state = TransactionState::empty;
  std::set<TopicPartition> partitions;
  std::int64_t updated_ms = -1;
  std::int64_t started_ms = -1;
  // The protocol that the client spoke: 2 where it knows that epochs grow, else 0.
  std::int16_t client_version = 0;

  // Not stored: the epoch before the last bump that its client asked for; such a request is
  // answered again with the current one. Unknown after loading.
  std::int16_t last_epoch = no_producer_epoch;
  // Not stored: whose markers are still to be written, while the state is a Prepare.
  std::set<TopicPartition> unmarked;

  [[nodiscard]] bool bumps_epochs() const { return client_version >= epoch_bump_version; }
  [[nodiscard]] bool is_preparing() const {
    return state == TransactionState::prepare_commit || state == TransactionState::prepare_abort;
  }
  [[nodiscard]] bool is_epoch_exhausted() const { return producer_epoch >= last_client_epoch; }
};

}  // namespace arus::coordinator
