// What the cluster's metadata holds beside topics, brokers, configs and ACLs. Most of it nothing
// here uses yet; it is kept, so that a directory goes to Kafka and back without loss.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"

namespace arus::metadata {

// Entity type ("user", "client-id", "ip") to entity name; no name is the type's default.
using QuotaEntity = std::map<std::string, std::optional<std::string>>;
using QuotaValues = std::map<std::string, double>;

struct ScramKey {
  std::string user;
  std::int8_t mechanism = 0;  // 1 SCRAM-SHA-256, 2 SCRAM-SHA-512
  friend auto operator<=>(const ScramKey&, const ScramKey&) = default;
};

struct ScramCredential {
  Bytes salt;
  Bytes stored_key;
  Bytes server_key;
  std::int32_t iterations = 0;
  friend bool operator==(const ScramCredential&, const ScramCredential&) = default;
};

struct DelegationToken {
  std::string owner;
  std::string requester;
  std::vector<std::string> renewers;
  std::int64_t issue_timestamp_ms = 0;
  std::int64_t max_timestamp_ms = 0;
  std::int64_t expiration_timestamp_ms = 0;
  friend bool operator==(const DelegationToken&, const DelegationToken&) = default;
};

// Parts that change apart are apart, so that a change copies only its own part.
struct RetainedRecords {
  RetainedRecords();

  std::shared_ptr<const std::map<QuotaEntity, QuotaValues>> quotas;
  std::shared_ptr<const std::map<ScramKey, ScramCredential>> scram;
  std::shared_ptr<const std::map<std::string, DelegationToken>> tokens;  // by token id
  std::int64_t next_producer_id = -1;                                    // −1: none was handed out
  std::optional<std::int8_t> zk_migration_state;
};

}  // namespace arus::metadata
