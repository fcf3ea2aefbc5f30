// Who may do what: decides by the rules of Kafka's StandardAuthorizer over an immutable set of
// ACLs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "security/acl.h"
#include "security/acl_set.h"
#include "security/host_address.h"
#include "security/principal.h"

namespace arus::security {

// Who asks, from where. Made once per connection: the host is parsed here.
class Caller {
 public:
  Caller() = default;
  Caller(Principal principal, std::string_view host);

  [[nodiscard]] const Principal& principal() const { return principal_; }
  // "Type:name", as ACLs write it.
  [[nodiscard]] const std::string& principal_text() const { return principal_text_; }
  // Java's form of the address.
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] const std::optional<HostAddress>& address() const { return address_; }

 private:
  Principal principal_;
  std::string principal_text_ = "User:ANONYMOUS";
  std::string host_;
  std::optional<HostAddress> address_;
};

// What decided; for the audit log.
enum class Rule : std::uint8_t {
  no_authorizer,
  super_user,
  matching_acl,
  default_allow,  // allow.everyone.if.no.acl.found
  default_deny,
};
[[nodiscard]] std::string_view name_of(Rule rule);

struct Decision {
  bool allowed = false;
  Rule rule = Rule::default_deny;
  explicit operator bool() const { return allowed; }
};

// Settings of the decision; ACLs come with each question, from the image of the loop. Immutable,
// pure: copies and concurrent calls are fine.
class Authorizer {
 public:
  // No authorizer configured: everything is allowed.
  Authorizer() = default;
  // `super_users`: "Type:name" each, compared as text.
  Authorizer(std::set<std::string> super_users, bool allow_everyone_if_no_acl_found);

  [[nodiscard]] bool enabled() const { return enabled_; }

  // `acls` null is an empty set. `name` is always taken literally.
  [[nodiscard]] Decision decide(const AclSet* acls, const Caller& caller, AclOperation operation,
                                ResourceType type, std::string_view name) const;
  // Whether the operation is allowed on any resource of that type (InitProducerId without a
  // transactional id).
  [[nodiscard]] Decision decide_any(const AclSet* acls, const Caller& caller,
                                    AclOperation operation, ResourceType type) const;
  // The bit mask of what the caller may do with a resource: bit 1 << operation. Not audited.
  [[nodiscard]] std::int32_t authorized_operations(const AclSet* acls, const Caller& caller,
                                                   ResourceType type, std::string_view name) const;

 private:
  [[nodiscard]] bool is_super_user(const Caller& caller) const;

  bool enabled_ = false;
  bool allow_everyone_if_no_acl_found_ = false;
  std::set<std::string> super_users_;
};

// What authorized operations are when they were not asked for.
inline constexpr std::int32_t operations_not_asked_for = INT32_MIN;
// All operations that a kind of resource knows, as that bit mask; 0 for kinds without any.
[[nodiscard]] std::int32_t supported_operations(ResourceType type);

}  // namespace arus::security
