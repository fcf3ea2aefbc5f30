#include "coordinator/transaction/transaction_transitions.h"

#include <utility>

namespace arus::coordinator {

using protocol::EndTxnRequest;
using protocol::InitProducerIdRequest;

Successor successor_of(const Transaction& prepared) {
  if (prepared.bumps_epochs() && prepared.next_producer_id != no_producer) {
    return {prepared.next_producer_id, 0};
  }
  return {prepared.producer_id, prepared.producer_epoch};
}

auto Transitions::init(const InitProducerIdRequest& request, const Transaction* current) const
    -> Next {
  const bool continues = request.producer_id != no_producer;
  Transaction next;
  if (current == nullptr) {
    const auto id = take_producer_id();
    if (!id) return std::unexpected(id.error());
    next.producer_id = *id;
  } else {
    next = *current;
    // An exhausted epoch of the id before may be a retry whose answer, the new id, was lost.
    const bool known = request.producer_id == next.producer_id ||
                       (request.producer_id == next.previous_producer_id &&
                        request.producer_epoch >= last_client_epoch);
    if (continues && !known) return fail(ErrorCode::producer_fenced);
    if (next.is_preparing()) return fail(ErrorCode::concurrent_transactions);
    if (next.state == TransactionState::ongoing) return fence(*current);
  }
  next.previous_producer_id = next.producer_id;
  const bool is_latest = request.producer_epoch == next.producer_epoch;
  if (next.is_epoch_exhausted() && (!continues || is_latest)) {
    const auto id = take_producer_id();
    if (!id) return std::unexpected(id.error());
    next.last_epoch = continues ? next.producer_epoch : no_producer_epoch;
    next.producer_id = *id;
    next.producer_epoch = 0;
  } else if (!continues) {
    next.last_epoch = no_producer_epoch;
    ++next.producer_epoch;
  } else if (next.producer_epoch == no_producer_epoch || is_latest) {
    next.last_epoch = next.producer_epoch++;
  } else if (request.producer_epoch != next.last_epoch || next.is_epoch_exhausted()) {
    return fail(ErrorCode::producer_fenced);
  }  // else it is asked again because the answer was lost: the current epoch
  next.timeout_ms = request.transaction_timeout_ms;
  next.state = TransactionState::empty;
  next.partitions.clear();
  next.started_ms = -1;
  next.updated_ms = now_ms_;
  return next;
}

auto Transitions::fence(const Transaction& current) const -> Next {
  if (transaction_version_ >= epoch_bump_version) {
    return prepare(current, false, transaction_version_, false);
  }
  Transaction fenced = current;
  ++fenced.producer_epoch;
  fenced.last_epoch = no_producer_epoch;
  return prepare(fenced, false, 0, false);
}

auto Transitions::end(const EndTxnRequest& request, const Transaction& current,
                      std::int16_t client_version) const -> Next {
  return client_version >= epoch_bump_version ? end_v2(request, current, client_version)
                                              : end_v1(request, current);
}

auto Transitions::end_v2(const EndTxnRequest& request, const Transaction& current,
                         std::int16_t client_version) const -> Next {
  const bool of_id_before = current.previous_producer_id == request.producer_id &&
                            request.producer_epoch == last_client_epoch &&
                            current.producer_epoch == 0;
  const bool of_epoch_before = current.producer_epoch == request.producer_epoch + 1;
  const bool retry = of_id_before || of_epoch_before;
  const bool is_latest = current.producer_epoch == request.producer_epoch;
  if (current.producer_id != request.producer_id && !of_id_before) {
    return fail(ErrorCode::invalid_producer_id_mapping);
  }
  const bool commit = request.committed;
  switch (current.state) {
    case TransactionState::ongoing:
      if (!is_latest) return fail(ErrorCode::producer_fenced);
      return prepare(current, commit, client_version, false);
    case TransactionState::empty:
      if (!is_latest) return fail(ErrorCode::producer_fenced);
      if (commit) return fail(ErrorCode::invalid_txn_state);
      return prepare(current, false, client_version, true);
    case TransactionState::prepare_commit:
    case TransactionState::prepare_abort:
      if (!of_epoch_before) return fail(ErrorCode::producer_fenced);
      if (commit != (current.state == TransactionState::prepare_commit)) {
        return fail(ErrorCode::invalid_txn_state);
      }
      return fail(ErrorCode::concurrent_transactions);
    case TransactionState::complete_commit:
    case TransactionState::complete_abort:
      if (!retry && !is_latest) return fail(ErrorCode::producer_fenced);
      if (retry) {
        const bool same = commit == (current.state == TransactionState::complete_commit);
        return fail(same ? ErrorCode::none : ErrorCode::invalid_txn_state);
      }
      // A client that gave up before it wrote anything may abort, and moves on an epoch.
      if (commit) return fail(ErrorCode::invalid_txn_state);
      return prepare(current, false, client_version, true);
    case TransactionState::dead:
    case TransactionState::prepare_epoch_fence:
      break;
  }
  return fail(ErrorCode::unknown_server_error);
}

auto Transitions::end_v1(const EndTxnRequest& request, const Transaction& current) const -> Next {
  if (current.producer_id != request.producer_id) {
    return fail(ErrorCode::invalid_producer_id_mapping);
  }
  if (current.producer_epoch != request.producer_epoch) return fail(ErrorCode::producer_fenced);
  const bool commit = request.committed;
  switch (current.state) {
    case TransactionState::ongoing:
      return prepare(current, commit, 0, false);
    case TransactionState::complete_commit:
    case TransactionState::complete_abort: {
      const bool same = commit == (current.state == TransactionState::complete_commit);
      return fail(same ? ErrorCode::none : ErrorCode::invalid_txn_state);
    }
    case TransactionState::prepare_commit:
    case TransactionState::prepare_abort: {
      const bool same = commit == (current.state == TransactionState::prepare_commit);
      return fail(same ? ErrorCode::concurrent_transactions : ErrorCode::invalid_txn_state);
    }
    case TransactionState::empty:
    case TransactionState::dead:
    case TransactionState::prepare_epoch_fence:
      break;
  }
  return fail(ErrorCode::invalid_txn_state);
}

auto Transitions::prepare(const Transaction& current, bool commit, std::int16_t client_version,
                          bool without_partitions) const -> Next {
  Transaction next = current;
  next.previous_producer_id = current.producer_id;
  next.state = commit ? TransactionState::prepare_commit : TransactionState::prepare_abort;
  next.client_version = client_version;
  next.updated_ms = now_ms_;
  if (without_partitions) next.started_ms = now_ms_;
  if (next.bumps_epochs()) {
    if (current.is_epoch_exhausted()) {
      const auto id = take_producer_id();
      if (!id) return std::unexpected(id.error());
      next.next_producer_id = *id;
    }
    next.last_epoch = current.producer_epoch;
    ++next.producer_epoch;
  }
  return next;
}

Transaction Transitions::complete(const Transaction& prepared) const {
  const Successor successor = successor_of(prepared);
  Transaction next = prepared;
  next.previous_producer_id = prepared.producer_id;
  next.state = prepared.state == TransactionState::prepare_commit
                   ? TransactionState::complete_commit
                   : TransactionState::complete_abort;
  next.producer_id = successor.id;
  next.producer_epoch = successor.epoch;
  next.next_producer_id = no_producer;
  next.partitions.clear();
  next.updated_ms = now_ms_;
  return next;
}

Result<ProducerId> Transitions::take_producer_id() const {
  const auto id = next_producer_id_();
  if (!id) {
    return fail(ErrorCode::coordinator_load_in_progress, "Producer ids are being fetched");
  }
  return *id;
}

}  // namespace arus::coordinator
