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

using Request = protocol::EndTxnRequest;
using Response = protocol::EndTxnResponse;
using coordinator::Reply;
using coordinator::TransactionMachine;
using coordinator::Turn;

constexpr std::int16_t fenced_from_version = 2;
// From here on clients take a new epoch, or a new producer id, from the answer.
constexpr std::int16_t epochs_from_version = 5;

void check(Request& request, const net::Context& context, net::Refusals<Response>& refusals) {
  const bool allowed = context.authorization().allows(security::AclOperation::write,
                                                      security::ResourceType::transactional_id,
                                                      request.transactional_id);
  if (allowed) return;
  refusals.whole(
      refused_as_whole<Response>(request, ErrorCode::transactional_id_authorization_failed));
}

env::Task<Response> handle(Request request, Context& context) {
  const std::int16_t version = context.version();
  if (request.transactional_id.empty()) {
    co_return refused_as_whole<Response>(request, ErrorCode::invalid_request);
  }
  const std::int16_t client_version =
      version >= epochs_from_version ? coordinator::epoch_bump_version : std::int16_t{0};
  const std::string id = request.transactional_id;
  auto answer = co_await context.transactions().ask<Response>(
      id, [request = std::move(request), client_version](TransactionMachine& machine, Turn& turn,
                                                         Reply<Response> reply) mutable {
        machine.end_transaction(turn, std::move(request), client_version, std::move(reply));
      });
  if (!answer) co_return failed_as_whole<Response>(answer.error());
  answer->error_code = fenced_code(answer->error_code, version, fenced_from_version);
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> end_txn_handler() {
  return net::make_handler<Request, Context>(handle, net::Checks<Request>(check));
}

}  // namespace arus::broker
