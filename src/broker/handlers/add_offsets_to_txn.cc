// AddOffsetsToTxn: a group's offsets become part of a transaction, before they are committed.
#include "protocol/api/add_offsets_to_txn.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "broker/handlers/transaction_answers.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/transaction_machine.h"

namespace arus::broker {
namespace {

using coordinator::Reply;
using coordinator::TransactionMachine;
using coordinator::Turn;
using protocol::AddOffsetsToTxnRequest;
using protocol::AddOffsetsToTxnResponse;
using security::AclOperation;
using security::ResourceType;
using Codes = std::vector<ErrorCode>;

constexpr std::int16_t offsets_fenced_from_version = 2;

void check_add_offsets_to_txn(AddOffsetsToTxnRequest& request, const net::Context& context,
                              net::Refusals<AddOffsetsToTxnResponse>& refusals) {
  const net::Authorization& may = context.authorization();
  if (!may.allows(AclOperation::write, ResourceType::transactional_id, request.transactional_id)) {
    refusals.whole(refused_as_whole<AddOffsetsToTxnResponse>(
        request, ErrorCode::transactional_id_authorization_failed));
  } else if (!may.allows(AclOperation::read, ResourceType::group, request.group_id)) {
    refusals.whole(
        refused_as_whole<AddOffsetsToTxnResponse>(request, ErrorCode::group_authorization_failed));
  }
}

env::Task<AddOffsetsToTxnResponse> handle(AddOffsetsToTxnRequest request, Context& context) {
  const auto partition = context.groups().partition_of(request.group_id);
  if (!partition) co_return failed_as_whole<AddOffsetsToTxnResponse>(partition.error());
  coordinator::TransactionPartitions added{.transactional_id = request.transactional_id,
                                           .producer_id = request.producer_id,
                                           .producer_epoch = request.producer_epoch,
                                           .partitions = {{context.groups().topic(), *partition}}};
  const auto answer = co_await context.transactions().ask<Codes>(
      request.transactional_id, [added = std::move(added)](TransactionMachine& machine, Turn& turn,
                                                           Reply<Codes> reply) mutable {
        machine.add_partitions(turn, std::move(added), std::move(reply));
      });
  AddOffsetsToTxnResponse response;
  response.error_code = fenced_code(answer ? answer->front() : answer.error().code,
                                    context.version(), offsets_fenced_from_version);
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> add_offsets_to_txn_handler() {
  return net::make_handler<AddOffsetsToTxnRequest, Context>(
      handle, net::Checks<AddOffsetsToTxnRequest>(check_add_offsets_to_txn));
}

}  // namespace arus::broker
