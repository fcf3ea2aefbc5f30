// ListGroups: the groups of this broker, by state and type.
#include "protocol/api/list_groups.h"

#include <utility>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;
using Groups = std::vector<ListGroupsResponse::ListedGroup>;
using security::AclOperation;
using security::ResourceType;

env::Task<ListGroupsResponse> handle(ListGroupsRequest request, Context& context) {
  const net::Authorization& may = context.authorization();
  const bool may_see_all = may.allows_cluster(AclOperation::describe, net::Audit::quiet);
  auto answers = co_await context.groups().ask_all<Groups>(
      [states = std::move(request.states_filter), types = std::move(request.types_filter)](
          coordinator::GroupMachine& machine, coordinator::Turn& turn,
          coordinator::Reply<Groups> reply) {
        machine.list_groups(turn, states, types, std::move(reply));
      });
  ListGroupsResponse response;
  for (auto& answer : answers) {
    if (!answer) {
      // Groups of other brokers are theirs to list; what cannot be listed now makes the whole
      // answer an error, so that nobody takes a part for all.
      if (answer.error().code == ErrorCode::not_coordinator) continue;
      response.error_code = answer.error().code;
      response.groups.clear();
      co_return response;
    }
    for (auto& group : *answer) {
      const bool visible = may_see_all || may.allows(AclOperation::describe, ResourceType::group,
                                                     group.group_id, net::Audit::quiet);
      if (visible) response.groups.push_back(std::move(group));
    }
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> list_groups_handler() {
  return net::make_handler<ListGroupsRequest, Context>(
      handle,
      net::checked_in_handler<ListGroupsRequest>("groups that may not be described are left out"));
}

}  // namespace arus::broker
