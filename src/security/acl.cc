#include "security/acl.h"

#include <array>
#include <span>

#include "security/principal.h"

namespace arus::security {
namespace {

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
constexpr std::array<std::string_view, 4> permission_names{"UNKNOWN", "ANY", "DENY", "ALLOW"};
constexpr std::array<std::string_view, 8> resource_type_names{
    "UNKNOWN", "ANY", "TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"};
constexpr std::array<std::string_view, 5> pattern_type_names{"UNKNOWN", "ANY", "MATCH", "LITERAL",
                                                             "PREFIXED"};

template <class Enum, std::size_t count>
Enum enum_of(std::int8_t number, const std::array<std::string_view, count>&) {
  const bool known = number >= 0 && static_cast<std::size_t>(number) < count;
  return known ? static_cast<Enum>(number) : Enum::unknown;
}

template <class Enum>
std::string_view name_in(std::span<const std::string_view> names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < names.size() ? names[index] : names[0];
}

template <class Enum>
bool is_open(Enum value) {
  return value == Enum::unknown || value == Enum::any;
}

// Whether the filter's pattern finds the binding's.
bool pattern_matches(const AclFilter& filter, const AclBinding& binding) {
  if (filter.pattern_type != PatternType::any && filter.pattern_type != PatternType::match &&
      filter.pattern_type != binding.pattern_type) {
    return false;
  }
  if (!filter.resource_name) return true;
  const std::string& name = *filter.resource_name;
  if (filter.pattern_type != PatternType::match) return name == binding.resource_name;
  if (binding.pattern_type == PatternType::prefixed) return name.starts_with(binding.resource_name);
  return binding.resource_name == name || binding.resource_name == wildcard_name;
}

}  // namespace

AclOperation operation_of(std::int8_t number) {
  return enum_of<AclOperation>(number, operation_names);
}
AclPermission permission_of(std::int8_t number) {
  return enum_of<AclPermission>(number, permission_names);
}
ResourceType resource_type_of(std::int8_t number) {
  return enum_of<ResourceType>(number, resource_type_names);
}
PatternType pattern_type_of(std::int8_t number) {
  return enum_of<PatternType>(number, pattern_type_names);
}

std::string_view name_of(AclOperation operation) { return name_in(operation_names, operation); }
std::string_view name_of(AclPermission permission) { return name_in(permission_names, permission); }
std::string_view name_of(ResourceType type) { return name_in(resource_type_names, type); }
std::string_view name_of(PatternType type) { return name_in(pattern_type_names, type); }

Result<> validate_new_acl(const AclBinding& binding) {
  const auto refuse = [](std::string message) {
    return fail(ErrorCode::invalid_request, std::move(message));
  };
  if (binding.resource_type == ResourceType::cluster && binding.resource_name != cluster_name) {
    return refuse("The only valid name for the CLUSTER resource is kafka-cluster");
  }
  if (binding.resource_name.empty()) return refuse("Invalid empty resource name");
  if (is_open(binding.resource_type)) {
    return refuse("Invalid resourceType " + std::string(name_of(binding.resource_type)));
  }
  if (binding.pattern_type != PatternType::literal &&
      binding.pattern_type != PatternType::prefixed) {
    return refuse("Invalid patternType " + std::string(name_of(binding.pattern_type)));
  }
  if (is_open(binding.operation)) {
    return refuse("Invalid operation " + std::string(name_of(binding.operation)));
  }
  if (is_open(binding.permission)) {
    return refuse("Invalid permissionType " + std::string(name_of(binding.permission)));
  }
  ARUS_TRY(Principal::parse(binding.principal));
  return {};
}

bool AclFilter::matches(const AclBinding& binding) const {
  if (resource_type != ResourceType::any && resource_type != binding.resource_type) return false;
  if (!pattern_matches(*this, binding)) return false;
  if (principal && *principal != binding.principal) return false;
  if (host && *host != binding.host) return false;
  if (operation != AclOperation::any && operation != binding.operation) return false;
  return permission == AclPermission::any || permission == binding.permission;
}

Result<> validate_filter(const AclFilter& filter) {
  if (filter.resource_type == ResourceType::unknown ||
      filter.pattern_type == PatternType::unknown) {
    return fail(ErrorCode::invalid_request, "Unknown patternFilter.");
  }
  if (filter.operation == AclOperation::unknown || filter.permission == AclPermission::unknown) {
    return fail(ErrorCode::invalid_request, "Unknown entryFilter.");
  }
  return {};
}

}  // namespace arus::security
