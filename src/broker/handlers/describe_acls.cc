// DescribeAcls: the access rules that match a filter.
#include "protocol/api/describe_acls.h"

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"

namespace arus::broker {
namespace {

using protocol::DescribeAclsRequest;
using protocol::DescribeAclsResponse;

security::AclFilter filter_of(DescribeAclsRequest&& request) {
  return {.resource_type = security::resource_type_of(request.resource_type_filter),
          .resource_name = std::move(request.resource_name_filter),
          .pattern_type = security::pattern_type_of(request.pattern_type_filter),
          .principal = std::move(request.principal_filter),
          .host = std::move(request.host_filter),
          .operation = security::operation_of(request.operation),
          .permission = security::permission_of(request.permission_type)};
}

// Rules of one pattern stand together.
void add(DescribeAclsResponse& response, const security::AclBinding& binding) {
  const auto type = static_cast<std::int8_t>(binding.resource_type);
  const auto pattern = static_cast<std::int8_t>(binding.pattern_type);
  if (response.resources.empty() || response.resources.back().resource_type != type ||
      response.resources.back().resource_name != binding.resource_name ||
      response.resources.back().pattern_type != pattern) {
    response.resources.push_back(
        {.resource_type = type, .resource_name = binding.resource_name, .pattern_type = pattern});
  }
  response.resources.back().acls.push_back(
      {.principal = binding.principal,
       .host = binding.host,
       .operation = static_cast<std::int8_t>(binding.operation),
       .permission_type = static_cast<std::int8_t>(binding.permission)});
}

env::Task<DescribeAclsResponse> handle(DescribeAclsRequest request, Context& context) {
  if (!context.authorization().enabled()) {
    co_return failed_as_whole<DescribeAclsResponse>(
        {ErrorCode::security_disabled, "No authorizer is configured on this broker", 0});
  }
  const security::AclFilter filter = filter_of(std::move(request));
  if (const auto valid = security::validate_filter(filter); !valid) {
    co_return failed_as_whole<DescribeAclsResponse>(valid.error());
  }
  DescribeAclsResponse response;
  response.error_message.reset();
  if (const auto acls = context.image()->acls) {
    for (const auto& entry : acls->matching(filter)) add(response, entry->binding);
  }
  co_return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_acls_handler() {
  return net::make_handler<DescribeAclsRequest, Context>(
      handle, net::needs_cluster<DescribeAclsRequest>(
                  security::AclOperation::describe,
                  refused_as_whole<DescribeAclsResponse, DescribeAclsRequest>));
}

}  // namespace arus::broker
