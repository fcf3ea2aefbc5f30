#include <fmt/core.h>

#include "client/producer_state.h"

namespace arus::client {

Result<> Producer::State::check_transactional() const {
  if (stopping_) return fail(ErrorCode::invalid_request, "The producer is closed");
  if (transaction_) return {};
  return fail(ErrorCode::invalid_txn_state,
              "Cannot use transactional methods without enabling transactions by setting the "
              "transactional.id configuration property");
}

// Batches are numbered anew for a new identity. None may be under way.
void Producer::State::adopt_identity() {
  const ProducerIdentity& identity = transaction_->identity();
  if (identity.id == producer_id_ && identity.epoch == producer_epoch_) return;
  producer_id_ = identity.id;
  producer_epoch_ = identity.epoch;
  for (auto& [name, partition] : partitions_) {
    partition.next_sequence = 0;
    partition.recovering = false;
  }
}

env::Task<Result<>> Producer::State::init_transactions(env::TimePoint deadline) {
  ARUS_CO_TRY(check_transactional());
  ARUS_CO_TRY(co_await transaction_->initialise(deadline));
  adopt_identity();
  co_return Result<>{};
}

Result<> Producer::State::begin_transaction() {
  ARUS_TRY(check_transactional());
  return transaction_->begin();
}

env::Task<Result<>> Producer::State::send_offsets(std::map<TopicPartition, CommittedOffset> offsets,
                                                  GroupMetadata group, env::TimePoint deadline) {
  ARUS_CO_TRY(check_transactional());
  co_return co_await transaction_->send_offsets(std::move(offsets), std::move(group), deadline);
}

env::Task<Result<>> Producer::State::end_transaction(bool commit, env::TimePoint deadline) {
  ARUS_CO_TRY(check_transactional());
  if (commit && transaction_->phase() == ProducerTransaction::Phase::open) {
    ARUS_CO_TRY(transaction_->check_open());
    co_await flush();
  }
  ARUS_CO_TRY(transaction_->begin_end(commit));
  // What did not leave yet is not worth sending; what is under way must have come back before the
  // markers, or it would open the next transaction.
  wake();
  while (!outstanding_.empty() || requests_ > 0 || adding_) {
    if (!co_await progress_.wait_until(deadline)) {
      co_return fail(ErrorCode::request_timed_out,
                     "Batches of the transaction are still under way");
    }
  }
  ARUS_CO_TRY(co_await transaction_->end(deadline));
  adopt_identity();
  co_return Result<>{};
}

// Batches of a transaction that cannot be committed any more.
void Producer::State::fail_doomed() {
  if (!transaction_) return;
  if (transaction_->phase() == ProducerTransaction::Phase::aborting) {
    fail_everything({ErrorCode::transaction_abortable, "The transaction was aborted"});
  } else if (transaction_->failure()) {
    fail_everything(Error(*transaction_->failure()));
  }
}

// Whether records may go to the partition now. In version 1 of the protocol the coordinator has to
// know of it first.
bool Producer::State::admitted(const TopicPartition& name) {
  if (!transaction_ || transaction_->admit(name)) return true;
  if (!adding_) {
    adding_ = true;
    env::spawn(gate_, add_partitions());
  }
  return false;
}

env::Task<void> Producer::State::add_partitions() {
  // Partitions that become ready in this turn of the loop go along.
  co_await env::yield();
  while (transaction_->has_partitions_to_add() && !transaction_->failure() && !stopping_ &&
         transaction_->phase() != ProducerTransaction::Phase::aborting) {
    co_await transaction_->add_partitions();
  }
  adding_ = false;
  progress_.notify_all();
  wake();
}

}  // namespace arus::client
