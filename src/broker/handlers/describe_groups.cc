// DescribeGroups: classic groups with their members.
#include "protocol/api/describe_groups.h"

#include <utility>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;
using Described = DescribeGroupsResponse::DescribedGroup;
using security::AclOperation;
using security::ResourceType;

Described failed(std::string id, ErrorCode code) {
  Described group;
  group.group_id = std::move(id);
  group.error_code = code;
  return group;
}

void check_describe_groups(DescribeGroupsRequest& request, const net::Context& context,
                           net::Refusals<DescribeGroupsResponse>& refusals) {
  const net::Authorization& may = context.authorization();
  if (!may.enabled()) return;
  std::vector<std::string> allowed;
  for (auto& id : request.groups) {
    if (may.allows(AclOperation::describe, ResourceType::group, id)) {
      allowed.push_back(std::move(id));
      continue;
    }
    refusals.later([id = std::move(id)](DescribeGroupsResponse& response) mutable {
      response.groups.push_back(failed(std::move(id), ErrorCode::group_authorization_failed));
    });
  }
  request.groups = std::move(allowed);
}

env::Task<DescribeGroupsResponse> handle(DescribeGroupsRequest request, Context& context) {
  DescribeGroupsResponse response;
  for (auto& id : request.groups) {
    auto described = co_await context.groups().ask<Described>(
        id, [id, version = context.version()](coordinator::GroupMachine& machine,
                                              coordinator::Turn& turn,
                                              coordinator::Reply<Described> reply) {
          machine.describe_group(turn, id, version, std::move(reply));
        });
    if (!described) {
      response.groups.push_back(failed(std::move(id), described.error().code));
      continue;
    }
    if (request.include_authorized_operations && described->error_code == ErrorCode::none) {
      described->authorized_operations =
          context.authorization().operations(ResourceType::group, id);
    }
    response.groups.push_back(std::move(*described));
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_groups_handler() {
  return net::make_handler<DescribeGroupsRequest, Context>(
      handle, net::Checks<DescribeGroupsRequest>(check_describe_groups));
}

}  // namespace arus::broker
