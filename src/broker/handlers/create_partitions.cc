// CreatePartitions: more partitions for existing topics.
#include "protocol/api/create_partitions.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using Topic = CreatePartitionsRequest::CreatePartitionsTopic;

void add_failure(CreatePartitionsResponse& response, std::string name, const Error& error) {
  auto& result = response.results.emplace_back();
  result.name = std::move(name);
  result.error_code = error.code;
  result.error_message = message_of(error);
}

void refuse(CreatePartitionsResponse& response, Topic&& topic, ErrorCode code) {
  add_failure(response, std::move(topic.name), {code, {}, 0});
}

env::Task<CreatePartitionsResponse> handle(CreatePartitionsRequest request, Context& context) {
  if (request.topics.empty()) co_return CreatePartitionsResponse{};
  std::vector<std::string> names;
  for (const auto& topic : request.topics) names.push_back(topic.name);
  const auto caller = context.caller(request.timeout_ms);
  auto answer = co_await context.controller().create_partitions(caller, std::move(request));
  if (answer) co_return std::move(*answer);
  CreatePartitionsResponse response;
  for (auto& name : names) add_failure(response, std::move(name), answer.error());
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> create_partitions_handler() {
  return net::make_handler<CreatePartitionsRequest, Context>(
      handle, net::needs_each<CreatePartitionsRequest, Topic>(
                  security::AclOperation::alter, security::ResourceType::topic,
                  &CreatePartitionsRequest::topics, &Topic::name, refuse));
}

}  // namespace arus::broker
