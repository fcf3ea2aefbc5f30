// ListPartitionReassignments: reassignments that are under way.
#include "protocol/api/list_partition_reassignments.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using Request = protocol::ListPartitionReassignmentsRequest;
using Response = protocol::ListPartitionReassignmentsResponse;

env::Task<Response> handle(Request request, Context& context) {
  const auto caller = context.caller(request.timeout_ms);
  auto answer =
      co_await context.controller().list_partition_reassignments(caller, std::move(request));
  if (!answer) co_return failed_as_whole<Response>(answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> list_partition_reassignments_handler() {
  return net::make_handler<Request, Context>(
      handle, net::needs_cluster<Request>(security::AclOperation::describe,
                                          refused_as_whole<Response, Request>));
}

}  // namespace arus::broker
