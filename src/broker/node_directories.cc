#include "broker/node_directories.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"

namespace arus::broker {
namespace {

using Opened = std::vector<std::unique_ptr<storage::LogDirectory>>;
using Failures = std::vector<replication::Directories::Failed>;

const LogComponent node_directories_log{"broker.directories"};

std::vector<std::string> all_paths(const config::BrokerConfig& config) {
  std::vector<std::string> paths = config.log_dirs;
  if (std::ranges::find(paths, config.metadata_log_dir) == paths.end()) {
    paths.push_back(config.metadata_log_dir);
  }
  return paths;
}

// Of all descriptors 30 % are for files (the rest: connections and a reserve).
constexpr double share_of_files = 0.3;
constexpr std::size_t threads_of_a_disk = 2;

storage::DirectoryOptions options_for(const config::BrokerConfig& config,
                                      const DirectorySettings& settings, std::size_t count) {
  const auto files = static_cast<double>(settings.descriptors) * share_of_files;
  storage::DirectoryOptions options = settings.options;
  options.open_files = static_cast<std::size_t>(files / static_cast<double>(count));
  options.producer_id_expiration_ms = config.producer_id_expiration_ms;
  options.file_delete_delay_ms = config.integer("log.segment.delete.delay.ms");
  options.outstanding_bytes = static_cast<std::size_t>(config.memory.writer_bytes);
  options.reserve_bytes = config.integer("arus.disk.reserve.bytes");
  options.pool_threads = count > 1 ? threads_of_a_disk : 0;
  return options;
}

// An error of the system says that the disk is at fault: another process that has the directory, or
// somebody else's files in it, are for the operator to see at once.
bool is_fault_of_disk(const Error& error) {
  return error.os_error != 0 && error.os_error != EAGAIN;
}

// Opens what can be opened; an error where nothing may be left out.
Result<Opened> open_all(env::Environment& environment, const config::BrokerConfig& config,
                        const std::vector<std::string>& paths, const DirectorySettings& settings,
                        Failures& failed) {
  const storage::DirectoryOptions options = options_for(config, settings, paths.size());
  Opened opened;
  failed.clear();
  for (const auto& path : paths) {
    auto directory = storage::LogDirectory::open(environment, path, options);
    if (directory) {
      opened.push_back(std::move(*directory));
      continue;
    }
    Error error = std::move(directory).error();
    if (path == config.metadata_log_dir || !is_fault_of_disk(error)) return fail(std::move(error));
    node_directories_log.error("{} is offline: {}", path, error.message);
    failed.push_back({path, std::move(error), environment.clock().wall_ms()});
  }
  if (std::ranges::none_of(opened, [&config](const auto& directory) {
        return std::ranges::find(config.log_dirs, directory->path()) != config.log_dirs.end();
      })) {
    return fail(failed.front().error);
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

// A stop may have come after a partition was given away and before its copy took its name. Where a
// directory is missing the partition may be in that one.
Result<> adopt_futures(const Opened& opened) {
  for (const auto& directory : opened) {
    for (const auto& future : directory->futures()) {
      const bool is_somewhere = std::ranges::any_of(opened, [&future](const auto& other) {
        const auto named =
            std::ranges::equal_range(other->found(), future.name, {}, &storage::FoundLog::name);
        return std::ranges::any_of(named, [&future](const storage::FoundLog& log) {
          return !log.topic_id || *log.topic_id == future.topic_id;
        });
      });
      if (!is_somewhere) ARUS_TRY(directory->adopt_future(future));
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
  std::vector<std::string> paths = all_paths(config);
  Failures failed;
  auto opened = open_all(environment, config, paths, settings, failed);
  if (!opened) return std::unexpected(std::move(opened).error());
  ARUS_TRY(check_identities(*opened, config, cluster_id));
  const auto has_identity = [](const auto& directory) { return directory->identity().has_value(); };
  if (std::ranges::none_of(*opened, has_identity)) {
    // Formatting writes the files that opening reads, so the directories are opened anew.
    opened->clear();
    std::erase_if(paths, [&failed](const std::string& path) {
      return std::ranges::find(failed, path, &replication::Directories::Failed::path) !=
             failed.end();
    });
    const Failures before = failed;
    ARUS_TRY(format_new_node(environment, config, paths, endpoints, cluster_id));
    opened = open_all(environment, config, paths, settings, failed);
    if (!opened) return std::unexpected(std::move(opened).error());
    failed.insert(failed.end(), before.begin(), before.end());
    ARUS_TRY(check_identities(*opened, config, cluster_id));
  }
  const auto stamped = std::ranges::find_if(*opened, has_identity);
  if (stamped == opened->end()) {
    return fail(ErrorCode::kafka_storage_error,
                fmt::format("{} has no meta.properties", paths.front()));
  }
  NodeDirectories node;
  node.cluster_id = (*stamped)->identity()->cluster_id;
  node.failed = std::move(failed);
  if (node.failed.empty()) ARUS_TRY(adopt_futures(*opened));
  for (auto& directory : *opened) {
    if (!directory->identity()) {
      if (directory->path() == config.metadata_log_dir) {
        return fail(ErrorCode::kafka_storage_error,
                    fmt::format("{} holds no metadata log, though other directories of this node "
                                "are formatted",
                                directory->path()));
      }
      const auto stamp =
          directory->stamp({.cluster_id = node.cluster_id,
                            .node_id = config.node_id.value(),
                            .directory_id = raft::random_uuid(environment.random())});
      if (!stamp && !is_fault_of_disk(stamp.error())) return fail(stamp.error());
      if (!stamp) {
        node_directories_log.error("{} is offline: {}", directory->path(), stamp.error().message);
        node.failed.push_back({directory->path(), stamp.error(), environment.clock().wall_ms()});
        continue;
      }
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
