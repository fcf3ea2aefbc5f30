#include "cli/acl_view.h"

#include <fmt/core.h>

#include <array>

#include "protocol/api/create_acls.h"
#include "protocol/api/delete_acls.h"
#include "protocol/api/describe_acls.h"

namespace arus::cli {
namespace {

// Each in the order of its numbers.
constexpr std::array<std::string_view, 16> operation_names{"UNKNOWN",
                                                           "ANY",
                                                           "ALL",
                                                           "READ",
                                                           "WRITE",
                                                           "CREATE",
                                                           "DELETE",
                                                           "ALTER",
                                                           "DESCRIBE",
                                                           "CLUSTER_ACTION",
                                                           "DESCRIBE_CONFIGS",
                                                           "ALTER_CONFIGS",
                                                           "IDEMPOTENT_WRITE",
                                                           "CREATE_TOKENS",
                                                           "DESCRIBE_TOKENS",
                                                           "TWO_PHASE_COMMIT"};
constexpr std::array<std::string_view, 8> type_names{
    "UNKNOWN", "ANY", "TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"};
constexpr std::array<std::string_view, 5> pattern_names{"UNKNOWN", "ANY", "MATCH", "LITERAL",
                                                        "PREFIXED"};

// Letters alone, upper case: "describe-configs" and "DescribeConfigs" become the same.
std::string letters(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c >= 'a' && c <= 'z') result += static_cast<char>(c - 'a' + 'A');
    if (c >= 'A' && c <= 'Z') result += c;
  }
  return result;
}

std::optional<int> find_name(std::span<const std::string_view> names, std::string_view text) {
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (letters(names[i]) == letters(text)) return static_cast<int>(i);
  }
  return std::nullopt;
}

}  // namespace

std::optional<AclOperation> parse_operation(std::string_view text) {
  const auto found = find_name(operation_names, text);
  return found ? std::optional(static_cast<AclOperation>(*found)) : std::nullopt;
}
std::optional<ResourceType> parse_resource_type(std::string_view text) {
  const auto found = find_name(type_names, text);
  return found ? std::optional(static_cast<ResourceType>(*found)) : std::nullopt;
}
std::optional<PatternType> parse_pattern_type(std::string_view text) {
  const auto found = find_name(pattern_names, text);
  return found ? std::optional(static_cast<PatternType>(*found)) : std::nullopt;
}

const std::vector<AclOperation>& operations_of(ResourceType type) {
  using enum AclOperation;
  static const std::vector<AclOperation> topic{
      all, read, write, create, remove, alter, describe, describe_configs, alter_configs};
  static const std::vector<AclOperation> group{
      all, read, remove, describe, describe_configs, alter_configs};
  static const std::vector<AclOperation> cluster{all,           create,          alter,
                                                 describe,      cluster_action,  describe_configs,
                                                 alter_configs, idempotent_write};
  static const std::vector<AclOperation> transactional_id{all, write, describe, two_phase_commit};
  static const std::vector<AclOperation> delegation_token{all, describe};
  static const std::vector<AclOperation> user{all, create_tokens, describe_tokens};
  static const std::vector<AclOperation> none;
  switch (type) {
    case ResourceType::topic:
      return topic;
    case ResourceType::group:
      return group;
    case ResourceType::cluster:
      return cluster;
    case ResourceType::transactional_id:
      return transactional_id;
    case ResourceType::delegation_token:
      return delegation_token;
    case ResourceType::user:
      return user;
    case ResourceType::unknown:
    case ResourceType::any:
      break;
  }
  return none;
}

std::string resource_text(const AclResource& resource) {
  return fmt::format("ResourcePattern(resourceType={}, name={}, patternType={})",
                     name_of(resource.type), resource.name, name_of(resource.pattern));
}

std::string entry_text(const AclEntry& entry) {
  return fmt::format("(principal={}, host={}, operation={}, permissionType={})", entry.principal,
                     entry.host, name_of(entry.operation), name_of(entry.permission));
}

env::Task<Result<std::vector<AclBinding>>> find_acls(client::Cluster& cluster, AclFilter filter) {
  protocol::DescribeAclsRequest request;
  request.resource_type_filter = static_cast<std::int8_t>(filter.type);
  request.resource_name_filter = filter.name;
  request.pattern_type_filter = static_cast<std::int8_t>(filter.pattern);
  request.principal_filter = filter.principal;
  request.host_filter = filter.host;
  request.operation = static_cast<std::int8_t>(filter.operation);
  request.permission_type = static_cast<std::int8_t>(filter.permission);
  auto answer =
      co_await cluster.ask(std::move(request), client::Route::any(), cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  if (answer->error_code != ErrorCode::none) {
    co_return fail(answer->error_code,
                   answer->error_message.value_or(std::string(error_name(answer->error_code))));
  }
  std::vector<AclBinding> bindings;
  for (const auto& resource : answer->resources) {
    for (const auto& acl : resource.acls) {
      bindings.push_back({{static_cast<ResourceType>(resource.resource_type),
                           resource.resource_name, static_cast<PatternType>(resource.pattern_type)},
                          {acl.principal, acl.host, static_cast<AclOperation>(acl.operation),
                           static_cast<AclPermission>(acl.permission_type)}});
    }
  }
  std::ranges::sort(bindings);
  co_return bindings;
}

env::Task<Result<>> create_acls(client::Cluster& cluster, std::vector<AclBinding> bindings) {
  protocol::CreateAclsRequest request;
  for (const auto& binding : bindings) {
    auto& creation = request.creations.emplace_back();
    creation.resource_type = static_cast<std::int8_t>(binding.resource.type);
    creation.resource_name = binding.resource.name;
    creation.resource_pattern_type = static_cast<std::int8_t>(binding.resource.pattern);
    creation.principal = binding.entry.principal;
    creation.host = binding.entry.host;
    creation.operation = static_cast<std::int8_t>(binding.entry.operation);
    creation.permission_type = static_cast<std::int8_t>(binding.entry.permission);
  }
  auto answer =
      co_await cluster.ask(std::move(request), client::Route::any(), cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  for (const auto& result : answer->results) {
    if (result.error_code == ErrorCode::none) continue;
    co_return fail(result.error_code,
                   result.error_message.value_or(std::string(error_name(result.error_code))));
  }
  co_return Result<>{};
}

env::Task<Result<std::vector<AclBinding>>> delete_acls(client::Cluster& cluster,
                                                       std::vector<AclFilter> filters) {
  protocol::DeleteAclsRequest request;
  for (const auto& filter : filters) {
    auto& to = request.filters.emplace_back();
    to.resource_type_filter = static_cast<std::int8_t>(filter.type);
    to.resource_name_filter = filter.name;
    to.pattern_type_filter = static_cast<std::int8_t>(filter.pattern);
    to.principal_filter = filter.principal;
    to.host_filter = filter.host;
    to.operation = static_cast<std::int8_t>(filter.operation);
    to.permission_type = static_cast<std::int8_t>(filter.permission);
  }
  auto answer =
      co_await cluster.ask(std::move(request), client::Route::any(), cluster.call_deadline());
  if (!answer) co_return fail(std::move(answer).error());
  std::vector<AclBinding> deleted;
  for (const auto& result : answer->filter_results) {
    if (result.error_code != ErrorCode::none) {
      co_return fail(result.error_code,
                     result.error_message.value_or(std::string(error_name(result.error_code))));
    }
    for (const auto& acl : result.matching_acls) {
      if (acl.error_code != ErrorCode::none) {
        co_return fail(acl.error_code,
                       acl.error_message.value_or(std::string(error_name(acl.error_code))));
      }
      deleted.push_back({{static_cast<ResourceType>(acl.resource_type), acl.resource_name,
                          static_cast<PatternType>(acl.pattern_type)},
                         {acl.principal, acl.host, static_cast<AclOperation>(acl.operation),
                          static_cast<AclPermission>(acl.permission_type)}});
    }
  }
  std::ranges::sort(deleted);
  co_return deleted;
}

AclFilter filter_of(const AclBinding& binding) {
  return {binding.resource.type,   binding.resource.name, binding.resource.pattern,
          binding.entry.principal, binding.entry.host,    binding.entry.operation,
          binding.entry.permission};
}

}  // namespace arus::cli
