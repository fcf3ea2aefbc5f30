// IncrementalAlterConfigs: sets, removes, appends to and subtracts from single settings.
#include "protocol/api/incremental_alter_configs.h"

#include "base/log.h"
#include "broker/context.h"
#include "broker/handlers/config_resources.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "config/validate.h"

namespace arus::broker {
namespace {

using protocol::IncrementalAlterConfigsRequest;
using protocol::IncrementalAlterConfigsResponse;
using Resource = IncrementalAlterConfigsRequest::AlterConfigsResource;

void add(IncrementalAlterConfigsResponse& response, const Resource& resource, const Error& error) {
  auto& result = response.responses.emplace_back();
  result.resource_type = resource.resource_type;
  result.resource_name = resource.resource_name;
  result.error_code = error.code;
  result.error_message = message_of(error);
}

LogLevel level_of(std::string_view name) {
  if (name == "TRACE") return LogLevel::trace;
  if (name == "DEBUG") return LogLevel::debug;
  if (name == "WARN") return LogLevel::warning;
  if (name == "ERROR" || name == "FATAL") return LogLevel::error;
  return LogLevel::info;
}

// The loggers of this process; nothing of this is kept over a restart.
Result<> alter_loggers(const Context& context, const Resource& resource, bool validate_only) {
  if (broker_of_resource(resource.resource_name) != context.node_id()) {
    return fail(ErrorCode::invalid_request,
                "Loggers are those of broker " + std::to_string(context.node_id().value()));
  }
  for (const auto& change : resource.configs) {
    const auto alteration = static_cast<config::Alteration>(change.config_operation);
    if (alteration == config::Alteration::set) {
      ARUS_TRY(config::validate_logger_level(change.name, change.value.value_or("")));
    } else if (alteration != config::Alteration::remove) {
      return fail(ErrorCode::invalid_request, "A log level can be set and removed, nothing else.");
    }
  }
  if (validate_only) return {};
  for (const auto& change : resource.configs) {
    const std::string component = change.name == "root" ? std::string() : change.name;
    set_log_level(component, level_of(change.value.value_or("INFO")));
  }
  return {};
}

env::Task<IncrementalAlterConfigsResponse> handle(IncrementalAlterConfigsRequest request,
                                                  Context& context) {
  IncrementalAlterConfigsResponse response;
  std::vector<Resource> allowed;
  for (auto& resource : request.resources) {
    const auto type = config_resource_type(resource.resource_type);
    const ErrorCode refused = config_refusal(context, security::AclOperation::alter_configs, type,
                                             resource.resource_name);
    if (refused != ErrorCode::none) {
      add(response, resource, {refused, {}, 0});
    } else if (type == metadata::ConfigResourceType::broker_logger) {
      const auto altered = alter_loggers(context, resource, request.validate_only);
      add(response, resource, altered ? Error{ErrorCode::none, {}, 0} : altered.error());
    } else {
      allowed.push_back(std::move(resource));
    }
  }
  if (allowed.empty()) co_return response;
  request.resources = allowed;
  const auto caller = context.caller(default_timeout_ms);
  auto answer = co_await context.controller().incremental_alter_configs(caller, std::move(request));
  if (!answer) {
    for (const auto& resource : allowed) add(response, resource, answer.error());
    co_return response;
  }
  for (auto& result : answer->responses) response.responses.push_back(std::move(result));
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> incremental_alter_configs_handler() {
  return net::make_handler<IncrementalAlterConfigsRequest, Context>(
      handle, net::checked_in_handler<IncrementalAlterConfigsRequest>(
                  "each resource asks for the operation on the kind of thing that it is"));
}

}  // namespace arus::broker
