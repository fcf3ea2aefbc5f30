#include "broker/node_directories.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace arus::broker {
namespace {

using Opened = std::vector<std::unique_ptr<storage::LogDirectory>>;

std::vector<std::string> all_paths(const config::BrokerConfig& config) {
  std::vector<std::string> paths = config.log_dirs;
  if (std::ranges::find(paths, config.metadata_log_dir) == paths.end()) {
    paths.push_back(config.metadata_log_dir);
  }
  return paths;
}

// Of all descriptors 30 % are for files (the rest: connections and a reserve).
constexpr double share_of_files = 0.3;

Result<Opened> open_all(env::Environment& environment, const config::BrokerConfig& config,
                        const std::vector<std::string>& paths, const DirectorySettings& settings) {
  const auto files = static_cast<double>(settings.descriptors) * share_of_files;
  storage::DirectoryOptions options = settings.options;
  options.open_files = static_cast<std::size_t>(files / static_cast<double>(paths.size()));
  options.producer_id_expiration_ms = config.producer_id_expiration_ms;
  options.file_delete_delay_ms = config.integer("log.segment.delete.delay.ms");
  Opened opened;
  for (const auto& path : paths) {
    auto directory = storage::LogDirectory::open(environment, path, options);
    if (!directory) return std::unexpected(std::move(directory).error());
    opened.push_back(std::move(*directory));
  }
  return opened;
}

// All directories that say who they belong to must say the same.
Result<> check_identities(const Opened& opened, const config::BrokerConfig& config,
                          const std::optional<std::string>& expected_cluster) {
  const storage::DirectoryIdentity* first = nullptr;
  std::string first_path;
  for (const auto& directory : opened) {
    if (!directory->identity()) continue;
    const auto& identity = *directory->identity();
    if (expected_cluster && identity.cluster_id != *expected_cluster) {
      return fail(ErrorCode::inconsistent_cluster_id,
                  fmt::format("{} belongs to cluster {}, not to {}", directory->path(),
                              identity.cluster_id, *expected_cluster));
    }
    if (identity.node_id != config.node_id.value()) {
      return fail(ErrorCode::invalid_config,
                  fmt::format("{} belongs to node {}, but node.id is {}", directory->path(),
                              identity.node_id, config.node_id.value()));
    }
    if (first == nullptr) {
      first = &identity;
      first_path = directory->path();
      continue;
    }
    if (identity.cluster_id != first->cluster_id) {
      return fail(
          ErrorCode::inconsistent_cluster_id,
          fmt::format("{} belongs to cluster {}, but {} belongs to cluster {}", directory->path(),
                      identity.cluster_id, first_path, first->cluster_id));
    }
    if (identity.directory_id == first->directory_id) {
      return fail(ErrorCode::invalid_config, fmt::format("{} and {} have the same directory id",
                                                         directory->path(), first_path));
    }
  }
  return {};
}

Result<> format_new_node(env::Environment& environment, const config::BrokerConfig& config,
                         const std::vector<std::string>& paths,
                         const std::vector<raft::VoterEndpoint>& endpoints,
                         const std::optional<std::string>& cluster_id) {
  raft::FormatOptions options;
  options.cluster_id = cluster_id ? *cluster_id : raft::random_cluster_id(environment.random());
  options.node_id = config.node_id.value();
  options.directories = paths;
  options.metadata_directory = config.metadata_log_dir;
  options.quorum =
      config.quorum_voters.empty() ? raft::QuorumKind::standalone : raft::QuorumKind::static_voters;
  options.endpoints = endpoints;
  const auto formatted = raft::format(environment, options);
  if (!formatted) return std::unexpected(formatted.error());
  return {};
}

}  // namespace

Result<NodeDirectories> open_node_directories(env::Environment& environment,
                                              const config::BrokerConfig& config,
                                              const std::vector<raft::VoterEndpoint>& endpoints,
                                              const std::optional<std::string>& cluster_id,
                                              const DirectorySettings& settings) {
  const std::vector<std::string> paths = all_paths(config);
  auto opened = open_all(environment, config, paths, settings);
  if (!opened) return std::unexpected(std::move(opened).error());
  ARUS_TRY(check_identities(*opened, config, cluster_id));
  const auto has_identity = [](const auto& directory) { return directory->identity().has_value(); };
  if (std::ranges::none_of(*opened, has_identity)) {
    // Formatting writes the files that opening reads, so the directories are opened anew.
    opened->clear();
    ARUS_TRY(format_new_node(environment, config, paths, endpoints, cluster_id));
    opened = open_all(environment, config, paths, settings);
    if (!opened) return std::unexpected(std::move(opened).error());
    ARUS_TRY(check_identities(*opened, config, cluster_id));
  }
  const auto stamped = std::ranges::find_if(*opened, has_identity);
  if (stamped == opened->end()) {
    return fail(ErrorCode::kafka_storage_error,
                fmt::format("{} has no meta.properties", paths.front()));
  }
  NodeDirectories node;
  node.cluster_id = (*stamped)->identity()->cluster_id;
  for (auto& directory : *opened) {
    if (!directory->identity()) {
      if (directory->path() == config.metadata_log_dir) {
        return fail(ErrorCode::kafka_storage_error,
                    fmt::format("{} holds no metadata log, though other directories of this node "
                                "are formatted",
                                directory->path()));
      }
      ARUS_TRY(directory->stamp({.cluster_id = node.cluster_id,
                                 .node_id = config.node_id.value(),
                                 .directory_id = raft::random_uuid(environment.random())}));
    }
    const bool is_metadata = directory->path() == config.metadata_log_dir;
    if (is_metadata) node.metadata_directory_id = directory->identity()->directory_id;
    const bool in_log_dirs =
        std::ranges::find(config.log_dirs, directory->path()) != config.log_dirs.end();
    if (in_log_dirs) {
      node.log_directories.push_back(std::move(directory));
    } else {
      node.metadata_only = std::move(directory);
    }
  }
  return node;
}

}  // namespace arus::broker
