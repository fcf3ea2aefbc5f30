// AlterConfigs: replaces all settings of a resource.
#include "protocol/api/alter_configs.h"

#include "broker/context.h"
#include "broker/handlers/config_resources.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::AlterConfigsRequest;
using protocol::AlterConfigsResponse;
using Resource = AlterConfigsRequest::AlterConfigsResource;

void add(AlterConfigsResponse& response, const Resource& resource, const Error& error) {
  auto& result = response.responses.emplace_back();
  result.resource_type = resource.resource_type;
  result.resource_name = resource.resource_name;
  result.error_code = error.code;
  result.error_message = message_of(error);
}

env::Task<AlterConfigsResponse> handle(AlterConfigsRequest request, Context& context) {
  AlterConfigsResponse response;
  std::vector<Resource> allowed;
  for (auto& resource : request.resources) {
    const auto type = config_resource_type(resource.resource_type);
    const ErrorCode refused = config_refusal(context, security::AclOperation::alter_configs, type,
                                             resource.resource_name);
    if (refused != ErrorCode::none) {
      add(response, resource, {refused, {}, 0});
    } else if (type == metadata::ConfigResourceType::broker_logger) {
      add(response, resource,
          {ErrorCode::invalid_request,
           "Log levels are changed one by one, with IncrementalAlterConfigs.", 0});
    } else {
      allowed.push_back(std::move(resource));
    }
  }
  if (allowed.empty()) co_return response;
  request.resources = allowed;
  const auto caller = context.caller(default_timeout_ms);
  auto answer = co_await context.controller().alter_configs(caller, std::move(request));
  if (!answer) {
    for (const auto& resource : allowed) add(response, resource, answer.error());
    co_return response;
  }
  for (auto& result : answer->responses) response.responses.push_back(std::move(result));
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> alter_configs_handler() {
  return net::make_handler<AlterConfigsRequest, Context>(
      handle, net::checked_in_handler<AlterConfigsRequest>(
                  "each resource asks for the operation on the kind of thing that it is"));
}

}  // namespace arus::broker
