// DescribeCluster: the brokers, the controller and the cluster's id.
#include "protocol/api/describe_cluster.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"

namespace arus::broker {
namespace {

using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;
using security::AclOperation;

constexpr std::int8_t broker_endpoints = 1;
constexpr std::int8_t controller_endpoints = 2;
constexpr std::int16_t endpoint_types_from_version = 1;
constexpr std::int16_t fenced_from_version = 2;

ErrorCode check_endpoint_type(std::int8_t asked, std::int8_t served,
                              std::optional<std::string>& message) {
  if (asked == served) return ErrorCode::none;
  if (asked == controller_endpoints || asked == broker_endpoints) {
    message = served == broker_endpoints
                  ? "The request was sent to an endpoint of the wrong type: this one is of a broker"
                  : "The request was sent to an endpoint of the wrong type: this one is of a "
                    "controller";
    return ErrorCode::mismatched_endpoint_type;
  }
  message = "There is no such type of endpoint";
  return ErrorCode::unsupported_endpoint_type;
}

// The controllers: this node alone, where the client found it.
void add_controller(const Context& context, DescribeClusterResponse& response) {
  auto& entry = response.brokers.emplace_back();
  entry.broker_id = context.node_id();
  entry.host = context.peer()->local.host;
  entry.port = context.peer()->local.port;
}

void add_brokers(const Context& context, const DescribeClusterRequest& request,
                 DescribeClusterResponse& response) {
  const auto image = context.image();
  for (const auto& [id, broker] : image->brokers) {
    if (broker->fenced && !request.include_fenced_brokers) continue;
    const auto address = context.address_of(*broker);
    if (!address) continue;
    auto& entry = response.brokers.emplace_back();
    entry.broker_id = id;
    entry.host = address->host;
    entry.port = address->port;
    entry.rack = broker->rack;
    if (context.version() >= fenced_from_version) entry.is_fenced = broker->fenced;
  }
}

env::Task<DescribeClusterResponse> handle(DescribeClusterRequest request, Context& context) {
  DescribeClusterResponse response;
  const bool controller = context.on_controller_listener();
  if (controller && !context.authorization().allows_cluster(AclOperation::alter)) {
    response.error_code = ErrorCode::cluster_authorization_failed;
    co_return response;
  }
  const std::int8_t served = controller ? controller_endpoints : broker_endpoints;
  if (context.version() >= endpoint_types_from_version) response.endpoint_type = served;
  response.error_code = check_endpoint_type(request.endpoint_type, served, response.error_message);
  if (response.error_code != ErrorCode::none) co_return response;
  response.cluster_id = context.services().cluster_id();
  response.controller_id = context.node_id();
  if (controller) {
    add_controller(context, response);
  } else {
    add_brokers(context, request, response);
  }
  if (request.include_cluster_authorized_operations) {
    const bool allowed = context.authorization().allows_cluster(AclOperation::describe);
    response.cluster_authorized_operations =
        allowed ? context.authorization().operations(security::ResourceType::cluster,
                                                     security::cluster_name)
                : 0;
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_cluster_handler() {
  return net::make_handler<DescribeClusterRequest, Context>(
      handle, net::checked_in_handler<DescribeClusterRequest>(
                  "anybody may ask a broker; the operations, and controllers, need more"));
}

}  // namespace arus::broker
