#include "controller/quotas.h"

#include <cmath>
#include <map>
#include <set>

#include "security/host_address.h"
#include "security/scram_keys.h"

namespace arus::controller {
namespace {

using metadata::QuotaEntity;

std::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::invalid_request, std::move(message));
}

Result<> check_entity(const QuotaEntity& entity) {
  if (entity.empty()) return bad("Invalid empty client quota entity");
  for (const auto& [type, name] : entity) {
    if (type != "user" && type != "client-id" && type != "ip") {
      return bad("Unhandled client quota entity type: " + type);
    }
    if (name && name->empty()) return bad("Empty " + type + " not supported");
  }
  if (entity.contains("ip")) {
    if (entity.size() > 1) {
      return bad(
          "Invalid quota entity combination, IP entity shouldnot be combined with User or "
          "ClientId");
    }
    // Names are not resolved: that would wait for the network.
    const auto& name = entity.at("ip");
    if (name && *name != "localhost" && !security::HostAddress::parse(*name)) {
      return bad(*name + " is not a valid IP or resolvable host.");
    }
  }
  return {};
}

enum class QuotaType : std::uint8_t { whole, fraction };

Result<> check_value(const QuotaEntity& entity, const std::string& key, double value, bool remove) {
  static const std::map<std::string, QuotaType> of_clients{
      {"producer_byte_rate", QuotaType::whole},
      {"consumer_byte_rate", QuotaType::whole},
      {"request_percentage", QuotaType::fraction},
      {"controller_mutation_rate", QuotaType::fraction}};
  static const std::map<std::string, QuotaType> of_addresses{
      {"connection_creation_rate", QuotaType::whole}};
  const auto& keys = entity.contains("ip") ? of_addresses : of_clients;
  const auto found = keys.find(key);
  if (found == keys.end()) return bad("Invalid configuration key " + key);
  if (remove) return {};
  if (!(value > 0)) return bad("Quota " + key + " must be greater than 0");
  if (found->second == QuotaType::fraction) return {};
  const bool is_int = key == "connection_creation_rate";
  if (value > (is_int ? 2147483647.0 : 9223372036854774784.0)) {
    return bad("Proposed value for " + key + " is too large for " +
               (is_int ? "an INT." : "a LONG."));
  }
  if (std::fabs(value - std::round(value)) > 1e-6) {
    return bad(key + " cannot be a fractional value.");
  }
  return {};
}

Result<Records> alter_quota(const DecisionContext& context, const QuotaEntity& entity,
                            const protocol::AlterClientQuotasRequest::EntryData& entry) {
  ARUS_TRY(check_entity(entity));
  const auto& all = *context.image.retained->quotas;
  const auto known = all.find(entity);
  Records records;
  for (const auto& change : entry.ops) {
    ARUS_TRY(check_value(entity, change.key, change.value, change.remove));
    const bool is_set = known != all.end() && known->second.contains(change.key);
    if (change.remove && !is_set) continue;
    if (!change.remove && is_set && known->second.at(change.key) == change.value) continue;
    protocol::ClientQuotaRecord record;
    for (const auto& [type, name] : entity) {
      auto& part = record.entity.emplace_back();
      part.entity_type = type;
      part.entity_name = name;
    }
    record.key = change.key;
    record.value = change.remove ? 0 : change.value;
    record.remove = change.remove;
    records.emplace_back(std::move(record));
  }
  return records;
}

Result<> check_scram_user(const std::string& user, std::int8_t mechanism) {
  if (user.empty()) {
    return fail(ErrorCode::unacceptable_credential, "Username must not be empty");
  }
  if (security::scram_mechanism_of(mechanism) == security::ScramMechanism::unknown) {
    return fail(ErrorCode::unsupported_sasl_mechanism, "Unknown SCRAM mechanism");
  }
  return {};
}

Result<protocol::MetadataRecord> delete_credential(
    const DecisionContext& context,
    const protocol::AlterUserScramCredentialsRequest::ScramCredentialDeletion& deletion) {
  ARUS_TRY(check_scram_user(deletion.name, deletion.mechanism));
  if (!context.image.retained->scram->contains({deletion.name, deletion.mechanism})) {
    return fail(ErrorCode::resource_not_found,
                "Attempt to delete a user credential that does not exist");
  }
  protocol::RemoveUserScramCredentialRecord record;
  record.name = deletion.name;
  record.mechanism = deletion.mechanism;
  return record;
}

Result<protocol::MetadataRecord> set_credential(
    const protocol::AlterUserScramCredentialsRequest::ScramCredentialUpsertion& upsertion) {
  ARUS_TRY(check_scram_user(upsertion.name, upsertion.mechanism));
  if (upsertion.iterations < security::min_scram_iterations) {
    return fail(ErrorCode::unacceptable_credential, "Too few iterations");
  }
  if (upsertion.iterations > security::max_scram_iterations) {
    return fail(ErrorCode::unacceptable_credential, "Too many iterations");
  }
  const auto keys = security::derive_scram_keys(security::scram_mechanism_of(upsertion.mechanism),
                                                upsertion.salted_password.view());
  protocol::UserScramCredentialRecord record;
  record.name = upsertion.name;
  record.mechanism = upsertion.mechanism;
  record.salt = Slice::copy_of(upsertion.salt.view());
  record.stored_key = Slice::copy_of(keys.stored_key);
  record.server_key = Slice::copy_of(keys.server_key);
  record.iterations = upsertion.iterations;
  return record;
}

}  // namespace

Result<Decision<protocol::AlterClientQuotasResponse>> alter_client_quotas(
    const DecisionContext& context, const protocol::AlterClientQuotasRequest& request) {
  Decision<protocol::AlterClientQuotasResponse> decision;
  for (const auto& entry : request.entries) {
    QuotaEntity entity;
    for (const auto& part : entry.entity) entity[part.entity_type] = part.entity_name;
    auto& answer = decision.response.entries.emplace_back();
    answer.error_message.reset();
    for (const auto& [type, name] : entity) {
      auto& part = answer.entity.emplace_back();
      part.entity_type = type;
      part.entity_name = name;
    }
    auto records = alter_quota(context, entity, entry);
    if (!records) {
      answer.error_code = records.error().code;
      answer.error_message = records.error().message;
      continue;
    }
    if (request.validate_only) continue;
    for (auto& record : *records) decision.records.push_back(std::move(record));
  }
  return decision;
}

Result<Decision<protocol::AlterUserScramCredentialsResponse>> alter_user_scram_credentials(
    const DecisionContext& context, const protocol::AlterUserScramCredentialsRequest& request) {
  constexpr std::int16_t with_scram = 11;
  if (context.image.metadata_version() < with_scram) {
    return fail(ErrorCode::unsupported_version,
                "The current metadata version does not support SCRAM");
  }
  // A user is answered once, by the first thing that is wrong with what is asked for them.
  std::vector<std::string> users;
  std::map<std::string, Result<protocol::MetadataRecord>> outcomes;
  const auto note = [&](const std::string& user, Result<protocol::MetadataRecord> outcome) {
    const auto found = outcomes.find(user);
    if (found == outcomes.end()) {
      users.push_back(user);
      outcomes.emplace(user, std::move(outcome));
    } else if (found->second) {
      found->second = fail(ErrorCode::duplicate_resource,
                           "A user credential cannot be altered twice in the same request");
    }
  };
  for (const auto& deletion : request.deletions) {
    note(deletion.name, delete_credential(context, deletion));
  }
  for (const auto& upsertion : request.upsertions) note(upsertion.name, set_credential(upsertion));
  Decision<protocol::AlterUserScramCredentialsResponse> decision;
  for (const std::string& user : users) {
    auto& answer = decision.response.results.emplace_back();
    answer.user = user;
    answer.error_message.reset();
    auto& outcome = outcomes.at(user);
    if (outcome) {
      decision.records.push_back(std::move(*outcome));
    } else {
      answer.error_code = outcome.error().code;
      answer.error_message = outcome.error().message;
    }
  }
  return decision;
}

}  // namespace arus::controller
