// The one place where it is decided what a request may do.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error_code.h"
#include "security/authorizer.h"

namespace arus::net {

// Where decisions come from: settings and the ACLs of the image of the current loop. Made by the
// broker; outlives all connections.
class AccessRules {
 public:
  virtual ~AccessRules() = default;
  [[nodiscard]] virtual const security::Authorizer& authorizer() const = 0;
  [[nodiscard]] virtual std::shared_ptr<const security::AclSet> acls() const = 0;
};

// Probing checks, whose refusal is not the end of it, leave no line in the audit log.
enum class Audit : std::uint8_t { logged, quiet };

// TOPIC_AUTHORIZATION_FAILED and its siblings.
[[nodiscard]] ErrorCode refusal_code(security::ResourceType type);

// Decides for the caller of one request. The ACLs are those of the moment of asking, so that a
// request that waits sees what was changed meanwhile. Owner: the request.
class Authorization {
 public:
  Authorization(const AccessRules& rules, const security::Caller& caller, std::int16_t api_key)
      : rules_(&rules), caller_(&caller), api_key_(api_key) {}

  [[nodiscard]] bool allows(security::AclOperation operation, security::ResourceType type,
                            std::string_view name, Audit audit = Audit::logged) const;
  [[nodiscard]] bool allows_cluster(security::AclOperation operation,
                                    Audit audit = Audit::logged) const {
    return allows(operation, security::ResourceType::cluster, security::cluster_name, audit);
  }
  [[nodiscard]] bool allows_topic(security::AclOperation operation, std::string_view topic,
                                  Audit audit = Audit::logged) const {
    return allows(operation, security::ResourceType::topic, topic, audit);
  }
  // On any resource of the type at all.
  [[nodiscard]] bool allows_any(security::AclOperation operation, security::ResourceType type,
                                Audit audit = Audit::logged) const;
  // The bit mask of what the caller may do with it. Not audited.
  [[nodiscard]] std::int32_t operations(security::ResourceType type, std::string_view name) const;
  // False while no authorizer is configured: everything is allowed then.
  [[nodiscard]] bool enabled() const { return rules_->authorizer().enabled(); }

 private:
  void note(const security::Decision& decision, security::AclOperation operation,
            security::ResourceType type, std::string_view name, Audit audit) const;

  const AccessRules* rules_;
  const security::Caller* caller_;
  std::int16_t api_key_;
};

}  // namespace arus::net
