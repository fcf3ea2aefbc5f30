// DescribeTransactions: the state of transactional ids, and what their transactions wait for.
#include "protocol/api/describe_transactions.h"

#include <utility>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/transaction_machine.h"

namespace arus::broker {
namespace {

using protocol::DescribeTransactionsRequest;
using protocol::DescribeTransactionsResponse;
using State = DescribeTransactionsResponse::TransactionState;
using coordinator::Reply;
using coordinator::TransactionMachine;
using coordinator::Turn;
using security::AclOperation;

State failed_state(std::string id, ErrorCode code) {
  State state;
  state.transactional_id = std::move(id);
  state.error_code = code;
  return state;
}

env::Task<State> describe(const Context& context, std::string id) {
  if (!context.authorization().allows(AclOperation::describe,
                                      security::ResourceType::transactional_id, id)) {
    co_return failed_state(std::move(id), ErrorCode::transactional_id_authorization_failed);
  }
  if (id.empty()) co_return failed_state(std::move(id), ErrorCode::invalid_request);
  auto state = co_await context.transactions().ask<State>(
      id, [id](TransactionMachine& machine, Turn& turn, Reply<State> reply) {
        machine.describe(turn, id, std::move(reply));
      });
  if (!state) co_return failed_state(std::move(id), state.error().code);
  // Of topics that the caller may not know of nothing is said.
  std::erase_if(state->topics, [&context](const auto& topic) {
    return !context.authorization().allows_topic(AclOperation::describe, topic.topic);
  });
  co_return std::move(*state);
}

env::Task<DescribeTransactionsResponse> handle(DescribeTransactionsRequest request,
                                               Context& context) {
  DescribeTransactionsResponse response;
  for (auto& id : request.transactional_ids) {
    response.transaction_states.push_back(co_await describe(context, std::move(id)));
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_transactions_handler() {
  return net::make_handler<DescribeTransactionsRequest, Context>(
      handle, net::checked_in_handler<DescribeTransactionsRequest>(
                  "topics of a transaction are left out one by one"));
}

}  // namespace arus::broker
