#include "net/authorization.h"

#include "base/log.h"

namespace arus::net {
namespace {

const LogComponent authorization_log{"security.audit"};

}  // namespace

ErrorCode refusal_code(security::ResourceType type) {
  switch (type) {
    case security::ResourceType::topic:
      return ErrorCode::topic_authorization_failed;
    case security::ResourceType::group:
      return ErrorCode::group_authorization_failed;
    case security::ResourceType::transactional_id:
      return ErrorCode::transactional_id_authorization_failed;
    case security::ResourceType::delegation_token:
      return ErrorCode::delegation_token_authorization_failed;
    default:
      return ErrorCode::cluster_authorization_failed;
  }
}

bool Authorization::allows(security::AclOperation operation, security::ResourceType type,
                           std::string_view name, Audit audit) const {
  const security::Authorizer& authorizer = rules_->authorizer();
  if (!authorizer.enabled()) return true;
  const auto acls = rules_->acls();
  const auto decision = authorizer.decide(acls.get(), *caller_, operation, type, name);
  note(decision, operation, type, name, audit);
  return decision.allowed;
}

bool Authorization::allows_any(security::AclOperation operation, security::ResourceType type,
                               Audit audit) const {
  const security::Authorizer& authorizer = rules_->authorizer();
  if (!authorizer.enabled()) return true;
  const auto acls = rules_->acls();
  const auto decision = authorizer.decide_any(acls.get(), *caller_, operation, type);
  note(decision, operation, type, "any", audit);
  return decision.allowed;
}

std::int32_t Authorization::operations(security::ResourceType type, std::string_view name) const {
  const security::Authorizer& authorizer = rules_->authorizer();
  const auto acls = authorizer.enabled() ? rules_->acls() : nullptr;
  return authorizer.authorized_operations(acls.get(), *caller_, type, name);
}

void Authorization::note(const security::Decision& decision, security::AclOperation operation,
                         security::ResourceType type, std::string_view name, Audit audit) const {
  if (decision.allowed) {
    authorization_log.debug("principal={} host={} allowed {} on {}:{} api={} rule={}",
                            caller_->principal_text(), caller_->host(),
                            security::name_of(operation), security::name_of(type), name, api_key_,
                            security::name_of(decision.rule));
  } else if (audit == Audit::logged) {
    authorization_log.info("principal={} host={} denied {} on {}:{} api={} rule={}",
                           caller_->principal_text(), caller_->host(), security::name_of(operation),
                           security::name_of(type), name, api_key_,
                           security::name_of(decision.rule));
  }
}

}  // namespace arus::net
