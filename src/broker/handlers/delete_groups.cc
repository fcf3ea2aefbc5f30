// DeleteGroups: groups without members, and their committed offsets.
#include "protocol/api/delete_groups.h"

#include <set>
#include <utility>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;
using security::AclOperation;
using security::ResourceType;

void add(DeleteGroupsResponse& response, std::string id, ErrorCode code) {
  auto& result = response.results.emplace_back();
  result.group_id = std::move(id);
  result.error_code = code;
}

// Each group once, however often it is named.
void check_delete_groups(DeleteGroupsRequest& request, const net::Context& context,
                         net::Refusals<DeleteGroupsResponse>& refusals) {
  const net::Authorization& may = context.authorization();
  std::set<std::string> seen;
  std::vector<std::string> allowed;
  for (auto& id : request.groups_names) {
    if (!seen.insert(id).second) continue;
    if (may.allows(AclOperation::remove, ResourceType::group, id)) {
      allowed.push_back(std::move(id));
      continue;
    }
    refusals.later([id = std::move(id)](DeleteGroupsResponse& response) mutable {
      add(response, std::move(id), ErrorCode::group_authorization_failed);
    });
  }
  request.groups_names = std::move(allowed);
}

env::Task<DeleteGroupsResponse> handle(DeleteGroupsRequest request, Context& context) {
  DeleteGroupsResponse response;
  for (auto& id : request.groups_names) {
    const auto deleted = co_await context.groups().ask<ErrorCode>(
        id, [id](coordinator::GroupMachine& machine, coordinator::Turn& turn,
                 coordinator::Reply<ErrorCode> reply) {
          machine.delete_group(turn, id, std::move(reply));
        });
    add(response, std::move(id), deleted ? *deleted : deleted.error().code);
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> delete_groups_handler() {
  return net::make_handler<DeleteGroupsRequest, Context>(
      handle, net::Checks<DeleteGroupsRequest>(check_delete_groups));
}

}  // namespace arus::broker
