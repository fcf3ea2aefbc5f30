// ImageBuilder: ACLs, quotas, SCRAM credentials, tokens, producer ids.
#include <fmt/core.h>

#include "metadata/image_builder.h"

namespace arus::metadata {
namespace {

template <class Map, class Change>
void change_part(std::shared_ptr<const Map>& part, Change change) {
  auto copy = std::make_shared<Map>(*part);
  change(*copy);
  part = std::move(copy);
}

Bytes to_bytes(const Slice& slice) { return {slice.view().begin(), slice.view().end()}; }

}  // namespace

Result<> ImageBuilder::on(const protocol::AccessControlEntryRecord& record) {
  acls_ = acls_->with(record.id, {.resource_type = security::resource_type_of(record.resource_type),
                                  .resource_name = record.resource_name,
                                  .pattern_type = security::pattern_type_of(record.pattern_type),
                                  .principal = record.principal,
                                  .host = record.host,
                                  .operation = security::operation_of(record.operation),
                                  .permission = security::permission_of(record.permission_type)});
  return {};
}

Result<> ImageBuilder::on(const protocol::RemoveAccessControlEntryRecord& record) {
  acls_ = acls_->without(record.id);
  return {};
}

Result<> ImageBuilder::on(const protocol::ClientQuotaRecord& record) {
  QuotaEntity entity;
  for (const auto& part : record.entity) entity[part.entity_type] = part.entity_name;
  change_part(retained_.quotas, [&](auto& quotas) {
    if (!record.remove) {
      quotas[entity][record.key] = record.value;
      return;
    }
    const auto found = quotas.find(entity);
    if (found == quotas.end()) return;
    found->second.erase(record.key);
    if (found->second.empty()) quotas.erase(found);
  });
  return {};
}

Result<> ImageBuilder::on(const protocol::UserScramCredentialRecord& record) {
  change_part(retained_.scram, [&](auto& scram) {
    scram[ScramKey{record.name, record.mechanism}] = {
        to_bytes(record.salt), to_bytes(record.stored_key), to_bytes(record.server_key),
        record.iterations};
  });
  return {};
}

Result<> ImageBuilder::on(const protocol::RemoveUserScramCredentialRecord& record) {
  change_part(retained_.scram,
              [&](auto& scram) { scram.erase(ScramKey{record.name, record.mechanism}); });
  return {};
}

Result<> ImageBuilder::on(const protocol::DelegationTokenRecord& record) {
  change_part(retained_.tokens, [&](auto& tokens) {
    tokens[record.token_id] = {record.owner,         record.requester,
                               record.renewers,      record.issue_timestamp,
                               record.max_timestamp, record.expiration_timestamp};
  });
  return {};
}

Result<> ImageBuilder::on(const protocol::RemoveDelegationTokenRecord& record) {
  change_part(retained_.tokens, [&](auto& tokens) { tokens.erase(record.token_id); });
  return {};
}

Result<> ImageBuilder::on(const protocol::ProducerIdsRecord& record) {
  retained_.next_producer_id = record.next_producer_id;
  return {};
}

Result<> ImageBuilder::on(const protocol::ZkMigrationStateRecord& record) {
  retained_.zk_migration_state = record.zk_migration_state;
  return {};
}

}  // namespace arus::metadata
