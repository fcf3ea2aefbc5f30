// DescribeQuorum: who votes on the metadata, who leads, how far each is.
#include "protocol/api/describe_quorum.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::DescribeQuorumRequest;
using protocol::DescribeQuorumResponse;

constexpr std::int16_t directories_from_version = 2;

// Older versions cannot name directories and nodes.
void fit(DescribeQuorumResponse& response, std::int16_t version) {
  if (version >= directories_from_version) return;
  response.nodes.clear();
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      for (auto* replicas : {&partition.current_voters, &partition.observers}) {
        for (auto& replica : *replicas) replica.replica_directory_id = Uuid{};
      }
    }
  }
}

env::Task<DescribeQuorumResponse> handle(DescribeQuorumRequest request, Context& context) {
  const auto caller = context.caller(default_timeout_ms);
  auto answer = co_await context.controller().describe_quorum(caller, std::move(request));
  if (!answer) co_return failed_as_whole<DescribeQuorumResponse>(answer.error());
  fit(*answer, context.version());
  co_return std::move(*answer);
}

}  // namespace

std::unique_ptr<net::Handler> describe_quorum_handler() {
  return net::make_handler<DescribeQuorumRequest, Context>(
      handle, net::needs_cluster<DescribeQuorumRequest>(
                  security::AclOperation::describe,
                  refused_as_whole<DescribeQuorumResponse, DescribeQuorumRequest>));
}

}  // namespace arus::broker
