// AlterPartitionReassignments: which brokers shall hold which partitions.
#include "protocol/api/alter_partition_reassignments.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::AlterPartitionReassignmentsRequest;
using protocol::AlterPartitionReassignmentsResponse;

env::Task<AlterPartitionReassignmentsResponse> handle(AlterPartitionReassignmentsRequest request,
                                                      Context& context) {
  const auto caller = context.caller(request.timeout_ms);
  auto answer =
      co_await context.controller().alter_partition_reassignments(caller, std::move(request));
  if (!answer) co_return failed_as_whole<AlterPartitionReassignmentsResponse>(answer.error());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> alter_partition_reassignments_handler() {
  return net::make_handler<AlterPartitionReassignmentsRequest, Context>(
      handle,
      net::needs_cluster<AlterPartitionReassignmentsRequest>(
          security::AclOperation::alter, refused_as_whole<AlterPartitionReassignmentsResponse,
                                                          AlterPartitionReassignmentsRequest>));
}

}  // namespace arus::broker
