// ListTransactions: the transactional ids that this broker coordinates.
#include "protocol/api/list_transactions.h"

#include <utility>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/transaction_machine.h"

namespace arus::broker {
namespace {

using protocol::ListTransactionsRequest;
using protocol::ListTransactionsResponse;
using States = std::vector<ListTransactionsResponse::TransactionState>;
using coordinator::Reply;
using coordinator::TransactionFilter;
using coordinator::TransactionMachine;
using coordinator::Turn;

Result<TransactionFilter> filter_of(ListTransactionsRequest& request,
                                    ListTransactionsResponse& response) {
  TransactionFilter filter{.by_state = !request.state_filters.empty(),
                           .producer_ids = std::move(request.producer_id_filters),
                           .running_longer_than_ms = request.duration_filter};
  for (auto& name : request.state_filters) {
    if (const auto state = coordinator::parse_transaction_state(name)) {
      filter.states.push_back(*state);
    } else {
      response.unknown_state_filters.push_back(std::move(name));
    }
  }
  const auto& pattern = request.transactional_id_pattern;
  if (pattern && !pattern->empty()) {
    auto compiled = coordinator::make_transaction_pattern(*pattern);
    if (!compiled) return std::unexpected(std::move(compiled).error());
    filter.pattern = std::move(*compiled);
  }
  return filter;
}

env::Task<ListTransactionsResponse> handle(ListTransactionsRequest request, Context& context) {
  ListTransactionsResponse response;
  const auto filter = filter_of(request, response);
  if (!filter) co_return failed_as_whole<ListTransactionsResponse>(filter.error());
  auto answers = co_await context.transactions().ask_all<States>(
      [filter = *filter](TransactionMachine& machine, Turn& turn, Reply<States> reply) {
        machine.list(turn, filter, std::move(reply));
      });
  for (auto& states : answers) {
    // Partitions that other brokers lead are listed by those.
    if (!states && states.error().code == ErrorCode::not_coordinator) continue;
    if (!states) co_return failed_as_whole<ListTransactionsResponse>(states.error());
    for (auto& state : *states) {
      const bool allowed = context.authorization().allows(security::AclOperation::describe,
                                                          security::ResourceType::transactional_id,
                                                          state.transactional_id);
      if (allowed) response.transaction_states.push_back(std::move(state));
    }
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> list_transactions_handler() {
  return net::make_handler<ListTransactionsRequest, Context>(
      handle, net::checked_in_handler<ListTransactionsRequest>(
                  "transactional ids are left out where they are not to be "
                  "known"));
}

}  // namespace arus::broker
