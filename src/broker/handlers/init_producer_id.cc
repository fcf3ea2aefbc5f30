// InitProducerId: a number for an idempotent producer, or a transactional id's number and epoch.
#include "protocol/api/init_producer_id.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/transaction_answers.h"
#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/transaction_machine.h"

namespace arus::broker {
namespace {

using coordinator::Reply;
using coordinator::TransactionMachine;
using coordinator::Turn;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;
using security::AclOperation;
using security::ResourceType;

constexpr std::int16_t no_epoch = -1;
constexpr std::int16_t fenced_from_version = 4;

InitProducerIdResponse refused(ErrorCode code) {
  InitProducerIdResponse response;
  response.error_code = code;
  response.producer_id = no_producer;
  response.producer_epoch = no_epoch;
  return response;
}

void check_init_producer_id(InitProducerIdRequest& request, const net::Context& context,
                            net::Refusals<InitProducerIdResponse>& refusals) {
  const net::Authorization& authorization = context.authorization();
  if (request.transactional_id) {
    const bool allowed = authorization.allows(AclOperation::write, ResourceType::transactional_id,
                                              *request.transactional_id);
    if (!allowed) refusals.whole(refused(ErrorCode::transactional_id_authorization_failed));
    return;
  }
  if (authorization.allows_cluster(AclOperation::idempotent_write, net::Audit::quiet)) return;
  if (authorization.allows_any(AclOperation::write, ResourceType::topic)) return;
  refusals.whole(refused(ErrorCode::cluster_authorization_failed));
}

env::Task<InitProducerIdResponse> begin_transactional(InitProducerIdRequest request,
                                                      const Context& context) {
  const std::int16_t version = context.version();
  const std::string id = *request.transactional_id;
  auto answer = co_await context.transactions().ask<InitProducerIdResponse>(
      id, [request = std::move(request)](TransactionMachine& machine, Turn& turn,
                                         Reply<InitProducerIdResponse> reply) mutable {
        machine.init_producer_id(turn, std::move(request), std::move(reply));
      });
  if (!answer) co_return refused(answer.error().code);
  answer->error_code = fenced_code(answer->error_code, version, fenced_from_version);
  co_return std::move(*answer);
}

env::Task<InitProducerIdResponse> handle(InitProducerIdRequest request, Context& context) {
  const bool has_id = request.producer_id != no_producer;
  const bool has_epoch = request.producer_epoch != no_epoch;
  if (has_id != has_epoch) co_return refused(ErrorCode::invalid_request);
  if (request.transactional_id) {
    if (request.transactional_id->empty()) co_return refused(ErrorCode::invalid_request);
    co_return co_await begin_transactional(std::move(request), context);
  }
  const auto id = co_await context.loop().producer_ids().next(
      context.controller(), context.node_id(), context.services().broker_epoch());
  if (!id) co_return refused(id.error().code);
  InitProducerIdResponse response;
  response.producer_id = *id;
  response.producer_epoch = 0;
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> init_producer_id_handler() {
  return net::make_handler<InitProducerIdRequest, Context>(
      handle, net::Checks<InitProducerIdRequest>(check_init_producer_id));
}

}  // namespace arus::broker
