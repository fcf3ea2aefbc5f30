// What `format` writes into log directories before their first start.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "env/environment.h"
#include "raft/core/voters.h"
#include "raft/features.h"

namespace arus::raft {

// A SCRAM credential for the bootstrap records (`--add-scram`), already salted and iterated.
struct BootstrapScram {
  std::string user;
  std::int8_t mechanism = 0;  // 1 SCRAM-SHA-256, 2 SCRAM-SHA-512
  Bytes salt;
  Bytes stored_key;
  Bytes server_key;
  std::int32_t iterations = 4096;
};

// Parses `SCRAM-SHA-256=[name=alice,password=secret]` with Kafka's optional keys iterations, salt
// and saltedpassword, and derives the keys (RFC 5802). A missing salt is drawn from `random`.
Result<BootstrapScram> parse_bootstrap_scram(const std::string& argument, env::Random& random);

enum class QuorumKind : std::uint8_t {
  static_voters,   // controller.quorum.voters: kraft.version 0
  standalone,      // this node is the first and only voter: kraft.version 1
  initial_voters,  // --initial-controllers: kraft.version 1
  joining,         // --no-initial-controllers, and nodes that are only brokers
};

struct FormatOptions {
  std::string cluster_id;
  std::int32_t node_id = -1;
  std::vector<std::string> directories;  // log.dirs; the metadata directory is among them
  std::string metadata_directory;
  QuorumKind quorum = QuorumKind::standalone;
  // For `standalone`: the endpoints of this node's controller. For `initial_voters`: everyone.
  std::vector<VoterEndpoint> endpoints;
  std::vector<Voter> initial_voters;
  // metadata.version, by level; 0 is the newest that is supported.
  std::int16_t metadata_version = 0;
  std::map<std::string, std::int16_t> features;  // --feature; others follow metadata_version
  std::vector<BootstrapScram> scram;
  bool ignore_formatted = false;
};

struct Formatted {
  // Directories that were written; those that had been formatted before are left out.
  std::vector<std::string> written;
  Uuid metadata_directory_id;
  std::vector<std::string> already_formatted;
};

// Writes meta.properties and bootstrap.checkpoint into each directory and, for kraft.version 1,
// the 0-0 checkpoint of the metadata log. Blocking: for commands and for start-up. An error where a
// directory is formatted already (unless ignore_formatted), or holds another cluster or node.
Result<Formatted> format(env::Environment& environment, const FormatOptions& options);

// What bootstrap.checkpoint of these options holds: metadata.version first, other features by name,
// SCRAM credentials; framed records.
Result<std::vector<Bytes>> bootstrap_records(const FormatOptions& options);

// A cluster id for a node that nobody has formatted.
std::string random_cluster_id(env::Random& random);
Uuid random_uuid(env::Random& random);

}  // namespace arus::raft
