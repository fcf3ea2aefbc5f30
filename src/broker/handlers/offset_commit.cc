// OffsetCommit: keeps how far a group has come, by topic name and from version 10 on by topic id.
#include "protocol/api/offset_commit.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/offset_partitions.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/runtime/coordinator.h"

namespace arus::broker {
namespace {

using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using security::AclOperation;
using security::ResourceType;

constexpr std::int16_t committed_topic_ids_from_version = 10;

void name_topic(OffsetCommitResponse::OffsetCommitResponseTopic& answer,
                const OffsetCommitRequest::OffsetCommitRequestTopic& topic) {
  answer.name = topic.name;
  answer.topic_id = topic.topic_id;
}

void check_offset_commit(OffsetCommitRequest& request, const net::Context& context,
                         net::Refusals<OffsetCommitResponse>& refusals) {
  if (context.authorization().allows(AclOperation::read, ResourceType::group, request.group_id)) {
    return;
  }
  refusals.whole(refuse_partitions<OffsetCommitResponse>(
      request, ErrorCode::group_authorization_failed, name_topic));
}

env::Task<OffsetCommitResponse> handle(OffsetCommitRequest request, Context& context) {
  OffsetCommitResponse response;
  const bool by_id = context.version() >= committed_topic_ids_from_version;
  const auto places = keep_existing(
      response, request.topics,
      [&](const OffsetCommitRequest::OffsetCommitRequestTopic& topic) {
        return by_id ? find_topic(context, topic.topic_id, AclOperation::read)
                     : find_topic(context, topic.name, AclOperation::read);
      },
      name_topic,
      // The record of an offset names its topic both ways, however the client did.
      [](OffsetCommitRequest::OffsetCommitRequestTopic& topic, const metadata::TopicImage& image) {
        topic.name = image.name;
        topic.topic_id = image.id;
      });
  if (places.empty()) co_return response;
  const std::string group = request.group_id;
  const auto given = co_await context.groups().ask<OffsetCommitResponse>(
      group, [caller = group_caller(context), request = std::move(request)](
                 coordinator::GroupMachine& machine, coordinator::Turn& turn,
                 coordinator::Reply<OffsetCommitResponse> reply) mutable {
        machine.commit_offsets(turn, caller, std::move(request), std::move(reply));
      });
  if (given) {
    put_codes(response, places, *given);
  } else {
    put_codes(response, places, given.error().code);
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> offset_commit_handler() {
  return net::make_handler<OffsetCommitRequest, Context>(
      handle, net::Checks<OffsetCommitRequest>(check_offset_commit));
}

}  // namespace arus::broker
