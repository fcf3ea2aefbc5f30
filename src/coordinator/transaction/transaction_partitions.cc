#include "coordinator/transaction/transaction_partitions.h"

#include <algorithm>
#include <utility>

namespace arus::coordinator {
namespace {

ErrorCode as_producers_know_it(ErrorCode code, bool abortable_is_known) {
  if (code == ErrorCode::producer_fenced) return ErrorCode::invalid_producer_epoch;
  if (code == ErrorCode::transaction_abortable && !abortable_is_known) {
    return ErrorCode::invalid_txn_state;
  }
  return code;
}

}  // namespace

env::Task<std::vector<ErrorCode>> join_transaction(Coordinator<TransactionMachine>& transactions,
                                                   TransactionPartitions request,
                                                   bool abortable_is_known,
                                                   env::Duration patience) {
  // Those who only verify are old clients, which ask again themselves.
  if (!request.verify_only) request.patience = patience;
  std::vector<ErrorCode> codes(request.partitions.size(), ErrorCode::none);
  const std::string id = request.transactional_id;
  auto answer = co_await transactions.ask<std::vector<ErrorCode>>(
      id, [request = std::move(request)](TransactionMachine& machine, Turn& turn,
                                         Reply<std::vector<ErrorCode>> reply) mutable {
        machine.add_partitions(turn, std::move(request), std::move(reply));
      });
  if (answer) {
    codes = std::move(*answer);
  } else {
    std::ranges::fill(codes, answer.error().code);
  }
  for (ErrorCode& code : codes) code = as_producers_know_it(code, abortable_is_known);
  co_return codes;
}

}  // namespace arus::coordinator
