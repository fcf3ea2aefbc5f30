#include "controller/acls.h"

#include <set>

#include "raft/format.h"

namespace arus::controller {
namespace {

using security::AclBinding;
using security::AclFilter;

std::unexpected<Error> no_authorizer() {
  return fail(ErrorCode::security_disabled, "No Authorizer is configured.");
}

AclBinding read_binding(const protocol::CreateAclsRequest::AclCreation& creation) {
  return {.resource_type = security::resource_type_of(creation.resource_type),
          .resource_name = creation.resource_name,
          .pattern_type = security::pattern_type_of(creation.resource_pattern_type),
          .principal = creation.principal,
          .host = creation.host,
          .operation = security::operation_of(creation.operation),
          .permission = security::permission_of(creation.permission_type)};
}

AclFilter read_filter(const protocol::DeleteAclsRequest::DeleteAclsFilter& filter) {
  return {.resource_type = security::resource_type_of(filter.resource_type_filter),
          .resource_name = filter.resource_name_filter,
          .pattern_type = security::pattern_type_of(filter.pattern_type_filter),
          .principal = filter.principal_filter,
          .host = filter.host_filter,
          .operation = security::operation_of(filter.operation),
          .permission = security::permission_of(filter.permission_type)};
}

}  // namespace

Result<Decision<protocol::CreateAclsResponse>> create_acls(
    const DecisionContext& context, const protocol::CreateAclsRequest& request) {
  if (!context.settings.has_authorizer) return no_authorizer();
  Decision<protocol::CreateAclsResponse> decision;
  std::set<AclBinding> created;
  for (const auto& creation : request.creations) {
    auto& answer = decision.response.results.emplace_back();
    const AclBinding binding = read_binding(creation);
    if (const auto valid = security::validate_new_acl(binding); !valid) {
      answer.error_code = valid.error().code;
      answer.error_message = valid.error().message;
      continue;
    }
    // A rule that is there already is a success.
    if (context.image.acls->find_equal(binding) || !created.insert(binding).second) continue;
    protocol::AccessControlEntryRecord record;
    record.id = raft::random_uuid(context.random);
    record.resource_type = static_cast<std::int8_t>(binding.resource_type);
    record.resource_name = binding.resource_name;
    record.pattern_type = static_cast<std::int8_t>(binding.pattern_type);
    record.principal = binding.principal;
    record.host = binding.host;
    record.operation = static_cast<std::int8_t>(binding.operation);
    record.permission_type = static_cast<std::int8_t>(binding.permission);
    decision.records.emplace_back(record);
  }
  return decision;
}

Result<Decision<protocol::DeleteAclsResponse>> delete_acls(
    const DecisionContext& context, const protocol::DeleteAclsRequest& request) {
  if (!context.settings.has_authorizer) return no_authorizer();
  Decision<protocol::DeleteAclsResponse> decision;
  std::set<Uuid> removed;
  for (const auto& one : request.filters) {
    auto& answer = decision.response.filter_results.emplace_back();
    answer.error_message.reset();
    const AclFilter filter = read_filter(one);
    if (const auto valid = security::validate_filter(filter); !valid) {
      answer.error_code = valid.error().code;
      answer.error_message = valid.error().message;
      continue;
    }
    for (const auto& entry : context.image.acls->matching(filter)) {
      auto& match = answer.matching_acls.emplace_back();
      match.error_message.reset();
      match.resource_type = static_cast<std::int8_t>(entry->binding.resource_type);
      match.resource_name = entry->binding.resource_name;
      match.pattern_type = static_cast<std::int8_t>(entry->binding.pattern_type);
      match.principal = entry->binding.principal;
      match.host = entry->binding.host;
      match.operation = static_cast<std::int8_t>(entry->binding.operation);
      match.permission_type = static_cast<std::int8_t>(entry->binding.permission);
      if (!removed.insert(entry->id).second) continue;
      protocol::RemoveAccessControlEntryRecord record;
      record.id = entry->id;
      decision.records.emplace_back(record);
    }
  }
  return decision;
}

}  // namespace arus::controller
