// InitProducerId: a number for an idempotent producer.
#include "protocol/api/init_producer_id.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"

namespace arus::broker {
namespace {

using Request = protocol::InitProducerIdRequest;
using Response = protocol::InitProducerIdResponse;
using security::AclOperation;
using security::ResourceType;

constexpr std::int16_t no_epoch = -1;

Response refused(ErrorCode code) {
  Response response;
  response.error_code = code;
  response.producer_id = no_producer;
  response.producer_epoch = no_epoch;
  return response;
}

void check(Request& request, const net::Context& context, net::Refusals<Response>& refusals) {
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

env::Task<Response> handle(Request request, Context& context) {
  if (request.transactional_id) {
    // The coordinator of transactions does not exist yet.
    co_return refused(request.transactional_id->empty() ? ErrorCode::invalid_request
                                                        : ErrorCode::coordinator_not_available);
  }
  const bool has_id = request.producer_id != no_producer;
  const bool has_epoch = request.producer_epoch != no_epoch;
  if (has_id != has_epoch) co_return refused(ErrorCode::invalid_request);
  const auto id = co_await context.loop().producer_ids().next(
      context.controller(), context.node_id(), context.services().broker_epoch());
  if (!id) co_return refused(id.error().code);
  Response response;
  response.producer_id = *id;
  response.producer_epoch = 0;
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> init_producer_id_handler() {
  return net::make_handler<Request, Context>(handle, net::Checks<Request>(check));
}

}  // namespace arus::broker
