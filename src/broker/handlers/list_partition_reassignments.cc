// ListPartitionReassignments: reassignments that are under way.
#include "protocol/api/list_partition_reassignments.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::ListPartitionReassignmentsRequest;
using protocol::ListPartitionReassignmentsResponse;

env::Task<ListPartitionReassignmentsResponse> handle(ListPartitionReassignmentsRequest request,
                                                     Context& context) {
  const auto caller = context.caller(request.timeout_ms);
  auto answer =
      co_await context.controller().list_partition_reassignments(caller, std::move(request));
  if (!answer) co_return failed_as_whole<ListPartitionReassignmentsResponse>(answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> list_partition_reassignments_handler() {
  return net::make_handler<ListPartitionReassignmentsRequest, Context>(
      handle,
      net::needs_cluster<ListPartitionReassignmentsRequest>(
          security::AclOperation::describe,
          refused_as_whole<ListPartitionReassignmentsResponse, ListPartitionReassignmentsRequest>));
}

}  // namespace arus::broker
