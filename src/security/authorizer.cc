#include "security/authorizer.h"

#include <array>
#include <span>

namespace arus::security {
namespace {

constexpr std::int32_t bit(AclOperation operation) {
  return std::int32_t{1} << static_cast<int>(operation);
}

using enum AclOperation;
constexpr std::array topic_operations{read,  write,    create,           remove,
                                      alter, describe, describe_configs, alter_configs};
constexpr std::array group_operations{read, remove, describe, describe_configs, alter_configs};
constexpr std::array cluster_operations{
    create, alter, describe, cluster_action, describe_configs, alter_configs, idempotent_write};
constexpr std::array transactional_id_operations{write, describe, two_phase_commit};
constexpr std::array token_operations{describe};
constexpr std::array user_operations{create_tokens, describe_tokens};

std::span<const AclOperation> operations_on(ResourceType type) {
  switch (type) {
    case ResourceType::topic:
      return topic_operations;
    case ResourceType::group:
      return group_operations;
    case ResourceType::cluster:
      return cluster_operations;
    case ResourceType::transactional_id:
      return transactional_id_operations;
    case ResourceType::delegation_token:
      return token_operations;
    case ResourceType::user:
      return user_operations;
    case ResourceType::unknown:
    case ResourceType::any:
      break;
  }
  return {};
}

// Being allowed to use a thing implies being allowed to look at it; being forbidden implies
// nothing.
bool grants(AclOperation given, AclOperation asked) {
  if (given == all || given == asked) return true;
  if (asked == describe) {
    return given == read || given == write || given == remove || given == alter;
  }
  return asked == describe_configs && given == alter_configs;
}

bool names_caller(const AclEntry& entry, const Caller& caller) {
  return entry.binding.principal == caller.principal_text() ||
         entry.binding.principal == wildcard_principal;
}

bool names_host(const AclEntry& entry, const Caller& caller) {
  if (entry.binding.host == wildcard_name || entry.binding.host == caller.host()) return true;
  return entry.address && caller.address() && *entry.address == *caller.address();
}

bool applies(const AclEntry& entry, const Caller& caller, AclOperation operation) {
  if (!names_caller(entry, caller) || !names_host(entry, caller)) return false;
  if (entry.binding.permission == AclPermission::allow) {
    return grants(entry.binding.operation, operation);
  }
  return entry.binding.operation == all || entry.binding.operation == operation;
}

// The patterns that an operation is allowed and denied on, out of one caller's ACLs.
struct Patterns {
  std::set<std::string_view> literal;
  std::set<std::string_view> prefixed;

  void add(const AclBinding& binding) {
    auto& names = binding.pattern_type == PatternType::prefixed ? prefixed : literal;
    names.insert(binding.resource_name);
  }
  [[nodiscard]] bool has_prefix_of(std::string_view name) const {
    for (std::size_t length = 0; length <= name.size(); ++length) {
      if (prefixed.contains(name.substr(0, length))) return true;
    }
    return false;
  }
};

// Whether something is left of what is allowed once what is denied is taken away.
bool leaves_something(const Patterns& allowed, const Patterns& denied) {
  if (denied.literal.contains(wildcard_name)) return false;
  if (allowed.literal.contains(wildcard_name)) return true;
  for (const std::string_view name : allowed.literal) {
    if (!denied.literal.contains(name) && !denied.has_prefix_of(name)) return true;
  }
  for (const std::string_view name : allowed.prefixed) {
    if (!denied.has_prefix_of(name)) return true;
  }
  return false;
}

}  // namespace

Caller::Caller(Principal principal, std::string_view host)
    : principal_(std::move(principal)),
      principal_text_(principal_.to_string()),
      address_(HostAddress::parse(host)) {
  host_ = address_ ? address_->to_string() : std::string(host);
}

std::string_view name_of(Rule rule) {
  switch (rule) {
    case Rule::no_authorizer:
      return "NoAuthorizer";
    case Rule::super_user:
      return "SuperUser";
    case Rule::matching_acl:
      return "MatchingAcl";
    case Rule::default_allow:
      return "DefaultAllow";
    case Rule::default_deny:
      break;
  }
  return "DefaultDeny";
}

Authorizer::Authorizer(std::set<std::string> super_users, bool allow_everyone_if_no_acl_found)
    : enabled_(true),
      allow_everyone_if_no_acl_found_(allow_everyone_if_no_acl_found),
      super_users_(std::move(super_users)) {}

bool Authorizer::is_super_user(const Caller& caller) const {
  return super_users_.contains(caller.principal_text());
}

Decision Authorizer::decide(const AclSet* acls, const Caller& caller, AclOperation operation,
                            ResourceType type, std::string_view name) const {
  if (!enabled_) return {true, Rule::no_authorizer};
  if (is_super_user(caller)) return {true, Rule::super_user};
  bool has_acls = false;
  bool allowed = false;
  bool denied = false;
  if (acls != nullptr) {
    acls->visit_covering(type, name, [&](const AclEntry& entry) {
      has_acls = true;
      if (!applies(entry, caller, operation)) return;
      (entry.binding.permission == AclPermission::allow ? allowed : denied) = true;
    });
  }
  if (denied) return {false, Rule::matching_acl};
  if (allowed) return {true, Rule::matching_acl};
  if (!has_acls && allow_everyone_if_no_acl_found_) return {true, Rule::default_allow};
  return {false, Rule::default_deny};
}

Decision Authorizer::decide_any(const AclSet* acls, const Caller& caller, AclOperation operation,
                                ResourceType type) const {
  // What holds for a name that nobody has given rules for holds for some resource. The name is the
  // one that Kafka tries, so that an ACL on it decides the same way here.
  const Decision plain = decide(acls, caller, operation, type, "hardcode");
  if (plain.allowed || acls == nullptr) return plain;
  Patterns allowed;
  Patterns denied;
  acls->visit_type(type, [&](const AclEntry& entry) {
    const AclOperation given = entry.binding.operation;
    if (given != operation && given != all) return;
    if (!names_caller(entry, caller) || !names_host(entry, caller)) return;
    (entry.binding.permission == AclPermission::allow ? allowed : denied).add(entry.binding);
  });
  if (leaves_something(allowed, denied)) return {true, Rule::matching_acl};
  return {false, Rule::default_deny};
}

std::int32_t Authorizer::authorized_operations(const AclSet* acls, const Caller& caller,
                                               ResourceType type, std::string_view name) const {
  std::int32_t mask = 0;
  for (const AclOperation operation : operations_on(type)) {
    if (decide(acls, caller, operation, type, name)) mask |= bit(operation);
  }
  return mask;
}

std::int32_t supported_operations(ResourceType type) {
  std::int32_t mask = 0;
  for (const AclOperation operation : operations_on(type)) mask |= bit(operation);
  return mask;
}

}  // namespace arus::security
