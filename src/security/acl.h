// Access control lists as values: bindings, filters, and the numbers that the protocol gives them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"

namespace arus::security {

// The numbers of these four are those of the wire and of the metadata log.
enum class AclOperation : std::int8_t {
  unknown = 0,
  any = 1,
  all = 2,
  read = 3,
  write = 4,
  create = 5,
  remove = 6,  // DELETE
  alter = 7,
  describe = 8,
  cluster_action = 9,
  describe_configs = 10,
  alter_configs = 11,
  idempotent_write = 12,
  create_tokens = 13,
  describe_tokens = 14,
  two_phase_commit = 15,
};
enum class AclPermission : std::int8_t { unknown = 0, any = 1, deny = 2, allow = 3 };
enum class ResourceType : std::int8_t {
  unknown = 0,
  any = 1,
  topic = 2,
  group = 3,
  cluster = 4,
  transactional_id = 5,
  delegation_token = 6,
  user = 7,
};
enum class PatternType : std::int8_t { unknown = 0, any = 1, match = 2, literal = 3, prefixed = 4 };

// Numbers that are not in the enumeration become `unknown`.
[[nodiscard]] AclOperation operation_of(std::int8_t number);
[[nodiscard]] AclPermission permission_of(std::int8_t number);
[[nodiscard]] ResourceType resource_type_of(std::int8_t number);
[[nodiscard]] PatternType pattern_type_of(std::int8_t number);

// Kafka's names: "DESCRIBE_CONFIGS", "TRANSACTIONAL_ID", "PREFIXED", "ALLOW".
[[nodiscard]] std::string_view name_of(AclOperation operation);
[[nodiscard]] std::string_view name_of(AclPermission permission);
[[nodiscard]] std::string_view name_of(ResourceType type);
[[nodiscard]] std::string_view name_of(PatternType type);

inline constexpr std::string_view cluster_name = "kafka-cluster";  // the one resource of its type
inline constexpr std::string_view wildcard_name = "*";             // any name; any host
inline constexpr std::string_view wildcard_principal = "User:*";   // anyone, whatever the type

// One rule. Two bindings with equal members are the same rule; a set holds it once.
struct AclBinding {
  ResourceType resource_type = ResourceType::unknown;
  std::string resource_name;
  PatternType pattern_type = PatternType::unknown;
  std::string principal;  // "User:alice"
  std::string host;       // as it was given: "*" or an address
  AclOperation operation = AclOperation::unknown;
  AclPermission permission = AclPermission::unknown;
  friend auto operator<=>(const AclBinding&, const AclBinding&) = default;
};

// Whether CreateAcls may store it: INVALID_REQUEST with the reason otherwise.
Result<> validate_new_acl(const AclBinding& binding);

// What DescribeAcls and DeleteAcls look for. A member that is absent, or `any`, matches everything.
struct AclFilter {
  ResourceType resource_type = ResourceType::any;
  std::optional<std::string> resource_name;
  PatternType pattern_type = PatternType::any;
  std::optional<std::string> principal;
  std::optional<std::string> host;
  AclOperation operation = AclOperation::any;
  AclPermission permission = AclPermission::any;
  [[nodiscard]] bool matches(const AclBinding& binding) const;
};

// INVALID_REQUEST where a member is `unknown`.
Result<> validate_filter(const AclFilter& filter);

}  // namespace arus::security
