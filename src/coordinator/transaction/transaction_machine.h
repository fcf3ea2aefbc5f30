// The state machine of one partition of __transaction_state.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/runtime/machine.h"
#include "coordinator/transaction/marker_sender.h"
#include "coordinator/transaction/transaction_settings.h"
#include "coordinator/transaction/transaction_state.h"
#include "coordinator/transaction/transaction_transitions.h"
#include "protocol/api/describe_transactions.h"
#include "protocol/api/end_txn.h"
#include "protocol/api/init_producer_id.h"
#include "protocol/api/list_transactions.h"

namespace re2 {
class RE2;
}

namespace arus::coordinator {

inline constexpr std::string_view transaction_topic = "__transaction_state";

// Partitions that a transaction is about to write to, or has to contain already (`verify_only`).
struct TransactionPartitions {
  std::string transactional_id;
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = -1;
  bool verify_only = false;
  // 2 where the request says that the client knows of growing epochs (AddPartitionsToTxn from
  // version 4 on, Produce from 12, TxnOffsetCommit from 5), else 0.
  std::int16_t client_version = 0;
  std::vector<TopicPartition> partitions;
  // How long to wait for the markers of the transaction before, instead of being told
  // CONCURRENT_TRANSACTIONS at once.
  env::Duration patience = env::Duration::zero();
};

// What ListTransactions asks for; empty lists ask for all.
struct TransactionFilter {
  std::vector<TransactionState> states;
  bool by_state = false;  // states were named, perhaps only unknown ones
  std::vector<ProducerId> producer_ids;
  std::int64_t running_longer_than_ms = -1;
  std::shared_ptr<const re2::RE2> pattern;  // matches the whole transactional id
};

// INVALID_REGULAR_EXPRESSION for a text that is none.
[[nodiscard]] Result<std::shared_ptr<const re2::RE2>> make_transaction_pattern(
    std::string_view text);

// Behaves as Kafka's transaction coordinator. Everything is stored but the last epoch and what
// markers are still missing: one record for each transactional id, written anew whenever it
// changes.
//
// Holds: a transaction that was prepared gets exactly that outcome; markers are ordered when
// PREPARE is durable, COMPLETE is added when all were written. Epochs of a producer id never go
// back. Requests are authorized and checked for form by the handlers. Owner: the loop of the
// partition.
class TransactionMachine final : public Machine {
 public:
  // `markers` outlives the machine.
  TransactionMachine(const TransactionSettings& settings, std::int32_t partition,
                     MarkerSender& markers, NextProducerId next_producer_id, env::TimePoint now);
  ~TransactionMachine() override;

  // With a transactional id that is not empty. INVALID_TRANSACTION_TIMEOUT,
  // CONCURRENT_TRANSACTIONS, PRODUCER_FENCED, COORDINATOR_LOAD_IN_PROGRESS.
  void init_producer_id(Turn& turn, protocol::InitProducerIdRequest request,
                        Reply<protocol::InitProducerIdResponse> reply);
  // One code for each partition, in their order. INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED,
  // CONCURRENT_TRANSACTIONS; TRANSACTION_ABORTABLE for those that `verify_only` does not find.
  void add_partitions(Turn& turn, TransactionPartitions request,
                      Reply<std::vector<ErrorCode>> reply);
  // Answered when the outcome is durable; the markers follow. `client_version` is 2 from version 5
  // of EndTxn on, else 0.
  void end_transaction(Turn& turn, protocol::EndTxnRequest request, std::int16_t client_version,
                       Reply<protocol::EndTxnResponse> reply);
  void markers_written(Turn& turn, const MarkerReport& report);

  // TRANSACTIONAL_ID_NOT_FOUND where there is none. Of a transaction that is being ended the
  // partitions that still wait for their marker are named.
  void describe(Turn& turn, std::string transactional_id,
                Reply<protocol::DescribeTransactionsResponse::TransactionState> reply);
  void list(Turn& turn, TransactionFilter filter,
            Reply<std::vector<protocol::ListTransactionsResponse::TransactionState>> reply);

  // Settings that were changed while running.
  void configure(const TransactionSettings& settings) { settings_ = settings; }

  // Null where there is none.
  [[nodiscard]] const Transaction* find(std::string_view transactional_id) const;
  [[nodiscard]] std::size_t size() const { return transactions_.size(); }

  Result<> replay(const ReplayedRecord& record) override;
  void loaded(Turn& turn, metadata::ImagePointer image) override;
  void on_image(Turn& turn, const metadata::ImagePointer& image,
                const metadata::MetadataDelta& delta) override;
  Timers& timers() override { return timers_; }

 private:
  class Check;
  class Parked;

  // Appends the record; what is not stored is taken over from `next`.
  void store(Turn& turn, const std::string& id, const Transaction& next);
  void order_markers(Turn& turn, const std::string& id);
  void complete(Turn& turn, const std::string& id);
  void park(Turn& turn, TransactionPartitions request, Reply<std::vector<ErrorCode>> reply);
  // The transaction before is complete: those who have waited go on.
  void resume_parked(Turn& turn, const std::string& id);
  void give_up(Turn& turn, Parked& parked);
  void abort_timed_out(Turn& turn);
  void expire_unused(Turn& turn);
  [[nodiscard]] Transitions transitions(const Turn& turn) const;
  [[nodiscard]] std::int16_t transaction_version() const;
  [[nodiscard]] std::int32_t coordinator_epoch() const;

  Timers timers_;  // outlives the timers that are armed in it
  TransactionSettings settings_;
  std::int32_t partition_;
  MarkerSender& markers_;
  NextProducerId next_producer_id_;
  metadata::ImagePointer image_;  // never null once loaded
  std::map<std::string, Transaction, std::less<>> transactions_;
  std::set<std::string, std::less<>> ongoing_;  // ids whose transaction may time out
  std::string expiry_cursor_;                   // where a look for unused ids goes on
  std::map<std::string, std::vector<std::unique_ptr<Parked>>, std::less<>> parked_;
  std::unique_ptr<Check> abort_check_;
  std::unique_ptr<Check> expiry_check_;
};

}  // namespace arus::coordinator
