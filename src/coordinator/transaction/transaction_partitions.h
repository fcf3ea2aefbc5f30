// Asking the transaction coordinator whether a partition is in a transaction, or adding it.
#pragma once

#include <vector>

#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/transaction_machine.h"

namespace arus::coordinator {

// For Produce and TxnOffsetCommit, before the first write of a transaction to a partition: one code
// for each partition of the request, in their order, as Kafka tells it to those two:
// INVALID_PRODUCER_EPOCH for a fenced producer, and INVALID_TXN_STATE in place of
// TRANSACTION_ABORTABLE where `abortable_is_known` is false. NOT_COORDINATOR and the like come as
// they are. What is added waits up to `patience` (add.partitions.to.txn.retry.backoff.max.ms) for
// the end of the transaction before; the coordinator itself lets it go on then.
env::Task<std::vector<ErrorCode>> join_transaction(Coordinator<TransactionMachine>& transactions,
                                                   TransactionPartitions request,
                                                   bool abortable_is_known, env::Duration patience);

}  // namespace arus::coordinator
