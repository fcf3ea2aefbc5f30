// Access control lists as people see them: names of types, bindings, calls.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"
#include "security/acl.h"

namespace arus::cli {

using security::AclOperation;
using security::AclPermission;
using security::name_of;
using security::PatternType;
using security::ResourceType;

struct AclResource {
  ResourceType type = ResourceType::any;
  std::string name;
  PatternType pattern = PatternType::literal;
  friend auto operator<=>(const AclResource&, const AclResource&) = default;
};

struct AclEntry {
  std::string principal;
  std::string host = "*";
  AclOperation operation = AclOperation::all;
  AclPermission permission = AclPermission::allow;
  friend auto operator<=>(const AclEntry&, const AclEntry&) = default;
};

struct AclBinding {
  AclResource resource;
  AclEntry entry;
  friend auto operator<=>(const AclBinding&, const AclBinding&) = default;
};

// What ACLs to find; nothing means any.
struct AclFilter {
  ResourceType type = ResourceType::any;
  std::optional<std::string> name;
  PatternType pattern = PatternType::any;
  std::optional<std::string> principal;
  std::optional<std::string> host;
  AclOperation operation = AclOperation::any;
  AclPermission permission = AclPermission::any;
};

inline constexpr std::string_view cluster_resource_name = "kafka-cluster";

// "DESCRIBE_CONFIGS", "TRANSACTIONAL_ID", "PREFIXED", "ALLOW"; "UNKNOWN" for what has no name.
// "DescribeConfigs", "describe-configs" and "DESCRIBE_CONFIGS" are the same.
std::optional<AclOperation> parse_operation(std::string_view text);
std::optional<ResourceType> parse_resource_type(std::string_view text);
std::optional<PatternType> parse_pattern_type(std::string_view text);

// Which operations make sense for a resource, ALL among them.
const std::vector<AclOperation>& operations_of(ResourceType type);

// "ResourcePattern(resourceType=TOPIC, name=tes, patternType=LITERAL)"
std::string resource_text(const AclResource& resource);
// "(principal=User:Bob, host=*, operation=READ, permissionType=ALLOW)"
std::string entry_text(const AclEntry& entry);

// Sorted.
env::Task<Result<std::vector<AclBinding>>> find_acls(client::Cluster& cluster, AclFilter filter);
env::Task<Result<>> create_acls(client::Cluster& cluster, std::vector<AclBinding> bindings);
// Gives what was deleted.
env::Task<Result<std::vector<AclBinding>>> delete_acls(client::Cluster& cluster,
                                                       std::vector<AclFilter> filters);
// Exactly this binding.
AclFilter filter_of(const AclBinding& binding);

}  // namespace arus::cli
