// DescribeClientQuotas: the quotas of users, client ids and addresses that match a filter.
#include "protocol/api/describe_client_quotas.h"

#include <set>

#include "broker/context.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/outcome.h"
#include "metadata/retained.h"
#include "protocol/enums.h"

namespace arus::broker {
namespace {

using protocol::DescribeClientQuotasRequest;
using protocol::DescribeClientQuotasResponse;
using Component = DescribeClientQuotasRequest::ComponentData;
using protocol::QuotaMatch;

Result<> validate(const DescribeClientQuotasRequest& request) {
  std::set<std::string> seen;
  for (const auto& component : request.components) {
    const std::string& type = component.entity_type;
    if (type != "user" && type != "client-id" && type != "ip") {
      return fail(ErrorCode::unsupported_version,
                  "There are no quotas for entities of type " + type);
    }
    if (!seen.insert(type).second) {
      return fail(ErrorCode::invalid_request,
                  "The filter names the entity type " + type + " twice");
    }
    const bool exact = component.match_type == static_cast<std::int8_t>(QuotaMatch::exact);
    if (component.match_type < 0 ||
        component.match_type > static_cast<std::int8_t>(QuotaMatch::specified) ||
        exact != component.match.has_value()) {
      return fail(ErrorCode::invalid_request,
                  "The filter for " + type + " must give a name exactly if it asks for one");
    }
  }
  if (seen.contains("ip") && seen.size() > 1) {
    return fail(ErrorCode::invalid_request, "An address cannot be combined with another entity");
  }
  return {};
}

bool matches(const DescribeClientQuotasRequest& request, const metadata::QuotaEntity& entity) {
  for (const auto& component : request.components) {
    const auto found = entity.find(component.entity_type);
    if (found == entity.end()) return false;
    const auto kind = static_cast<QuotaMatch>(component.match_type);
    if (kind == QuotaMatch::exact && found->second != component.match) return false;
    if (kind == QuotaMatch::default_ && found->second) return false;
  }
  return !request.strict || entity.size() == request.components.size();
}

env::Task<DescribeClientQuotasResponse> handle(DescribeClientQuotasRequest request,
                                               Context& context) {
  DescribeClientQuotasResponse response;
  if (const auto valid = validate(request); !valid) {
    response = failed_as_whole<DescribeClientQuotasResponse>(valid.error());
    response.entries.reset();
    co_return response;
  }
  response.error_message.reset();
  response.entries.emplace();
  const auto image = context.image();
  if (!image->retained) co_return response;
  for (const auto& [entity, values] : *image->retained->quotas) {
    if (!matches(request, entity)) continue;
    auto& entry = response.entries->emplace_back();
    for (const auto& [type, name] : entity) {
      entry.entity.push_back({.entity_type = type, .entity_name = name});
    }
    for (const auto& [key, value] : values) entry.values.push_back({.key = key, .value = value});
  }
  co_return response;
}

DescribeClientQuotasResponse refuse(const DescribeClientQuotasRequest&, ErrorCode code) {
  auto response = failed_as_whole<DescribeClientQuotasResponse>({code, {}, 0});
  response.entries.reset();
  return response;
}

}  // namespace

std::unique_ptr<net::Handler> describe_client_quotas_handler() {
  return net::make_handler<DescribeClientQuotasRequest, Context>(
      handle, net::needs_cluster<DescribeClientQuotasRequest>(
                  security::AclOperation::describe_configs, refuse));
}

}  // namespace arus::broker
