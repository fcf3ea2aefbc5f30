// Opening the log directories of a node at start: locks, identities, and the first stamp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/broker_config.h"
#include "env/environment.h"
#include "raft/format.h"
#include "replication/directories.h"
#include "storage/log_directory.h"

namespace arus::broker {

struct NodeDirectories {
  std::string cluster_id;
  Uuid metadata_directory_id;
  std::vector<std::unique_ptr<storage::LogDirectory>> log_directories;  // in the order of log.dirs
  // Where metadata.log.dir is not one of log.dirs.
  std::unique_ptr<storage::LogDirectory> metadata_only;
  // Of log.dirs, those that cannot be used.
  std::vector<replication::Directories::Failed> failed;
};

// What the configuration does not say.
struct DirectorySettings {
  storage::DirectoryOptions options;
  std::size_t descriptors = 1024;  // of the whole process
};

// Locks and reads every directory that the settings name. Directories that nobody has formatted are
// stamped: all of them as a new node of a new cluster, some of them as further ones of theirs. One
// whose disk fails is left out where others are there, but not the one of the metadata log.
// Errors are sentences for the operator. Blocking: for the pool.
Result<NodeDirectories> open_node_directories(env::Environment& environment,
                                              const config::BrokerConfig& config,
                                              const std::vector<raft::VoterEndpoint>& endpoints,
                                              const std::optional<std::string>& cluster_id,
                                              const DirectorySettings& settings);

}  // namespace arus::broker
