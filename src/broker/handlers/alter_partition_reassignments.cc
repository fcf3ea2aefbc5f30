// AlterPartitionReassignments: which brokers shall hold which partitions.
#include "protocol/api/alter_partition_reassignments.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using Request = protocol::AlterPartitionReassignmentsRequest;
using Response = protocol::AlterPartitionReassignmentsResponse;

env::Task<Response> handle(Request request, Context& context) {
  const auto caller = context.caller(request.timeout_ms);
  auto answer =
      co_await context.controller().alter_partition_reassignments(caller, std::move(request));
  if (!answer) co_return failed_as_whole<Response>(answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> alter_partition_reassignments_handler() {
  return net::make_handler<Request, Context>(
      handle, net::needs_cluster<Request>(security::AclOperation::alter,
                                          refused_as_whole<Response, Request>));
}

}  // namespace arus::broker
