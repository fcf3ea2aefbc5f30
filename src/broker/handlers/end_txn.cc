// EndTxn: commits or aborts a transaction.
#include "protocol/api/end_txn.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "broker/handlers/transaction_answers.h"
#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/transaction_machine.h"

namespace arus::broker {
namespace {

using coordinator::Reply;
using coordinator::TransactionMachine;
using coordinator::Turn;
using protocol::EndTxnRequest;
using protocol::EndTxnResponse;

constexpr std::int16_t fenced_from_version = 2;
// From here on clients take a new epoch, or a new producer id, from the answer.
constexpr std::int16_t epochs_from_version = 5;

void check_end_txn(EndTxnRequest& request, const net::Context& context,
                   net::Refusals<EndTxnResponse>& refusals) {
  const bool allowed = context.authorization().allows(security::AclOperation::write,
                                                      security::ResourceType::transactional_id,
                                                      request.transactional_id);
  if (allowed) return;
  refusals.whole(
      refused_as_whole<EndTxnResponse>(request, ErrorCode::transactional_id_authorization_failed));
}

env::Task<EndTxnResponse> handle(EndTxnRequest request, Context& context) {
  const std::int16_t version = context.version();
  if (request.transactional_id.empty()) {
    co_return refused_as_whole<EndTxnResponse>(request, ErrorCode::invalid_request);
  }
  const std::int16_t client_version =
      version >= epochs_from_version ? coordinator::epoch_bump_version : std::int16_t{0};
  const std::string id = request.transactional_id;
  auto answer = co_await context.transactions().ask<EndTxnResponse>(
      id, [request = std::move(request), client_version](TransactionMachine& machine, Turn& turn,
                                                         Reply<EndTxnResponse> reply) mutable {
        machine.end_transaction(turn, std::move(request), client_version, std::move(reply));
      });
  if (!answer) co_return failed_as_whole<EndTxnResponse>(answer.error());
  answer->error_code = fenced_code(answer->error_code, version, fenced_from_version);
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> end_txn_handler() {
  return net::make_handler<EndTxnRequest, Context>(handle,
                                                   net::Checks<EndTxnRequest>(check_end_txn));
}

}  // namespace arus::broker
