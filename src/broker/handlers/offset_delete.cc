// OffsetDelete: forgets committed offsets of topics that a group does not read any more.
#include "protocol/api/offset_delete.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/offset_partitions.h"
#include "broker/handlers/outcome.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using security::AclOperation;
using security::ResourceType;

void check_offset_delete(OffsetDeleteRequest& request, const net::Context& context,
                         net::Refusals<OffsetDeleteResponse>& refusals) {
  if (context.authorization().allows(AclOperation::remove, ResourceType::group, request.group_id)) {
    return;
  }
  refusals.whole(
      failed_as_whole<OffsetDeleteResponse>(Error{ErrorCode::group_authorization_failed, {}, 0}));
}

env::Task<OffsetDeleteResponse> handle(OffsetDeleteRequest request, Context& context) {
  OffsetDeleteResponse response;
  const auto places = keep_existing(
      response, request.topics,
      [&](const OffsetDeleteRequest::OffsetDeleteRequestTopic& topic) {
        return find_topic(context, topic.name, AclOperation::read);
      },
      [](auto& answer, const OffsetDeleteRequest::OffsetDeleteRequestTopic& topic) {
        answer.name = topic.name;
      },
      [](auto&, const metadata::TopicImage&) {});
  const auto refuse = [](ErrorCode code) {
    return failed_as_whole<OffsetDeleteResponse>(Error{code, {}, 0});
  };
  if (request.group_id.empty()) co_return refuse(ErrorCode::invalid_group_id);
  const std::string group = request.group_id;
  const auto given = co_await context.groups().ask<OffsetDeleteResponse>(
      group,
      [request = std::move(request)](coordinator::GroupMachine& machine, coordinator::Turn& turn,
                                     coordinator::Reply<OffsetDeleteResponse> reply) mutable {
        machine.delete_offsets(turn, std::move(request), std::move(reply));
      });
  // What was wrong with single partitions is not told beside an error of the whole.
  if (!given) co_return refuse(given.error().code);
  if (given->error_code != ErrorCode::none) co_return refuse(given->error_code);
  put_codes(response, places, *given);
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> offset_delete_handler() {
  return net::make_handler<OffsetDeleteRequest, Context>(
      handle, net::Checks<OffsetDeleteRequest>(check_offset_delete));
}

}  // namespace arus::broker
