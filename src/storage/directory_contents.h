// What a log directory holds when it is opened.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/file.h"
#include "storage/commit_log_reader.h"
#include "storage/log_directory.h"
#include "storage/log_host.h"

namespace arus::storage {

struct DirectoryContents {
  std::optional<DirectoryIdentity> identity;
  std::optional<std::int64_t> clean_shutdown_epoch;
  std::vector<FoundLog> found;       // ascending by name
  std::vector<std::string> deleted;  // paths of directories that wait for their removal
  std::vector<FoundFuture> futures;
  std::map<TopicPartition, LogOffsets> checkpoints;
  bool has_recovery_points = false;  // their checkpoint is there and whole
  bool flush_failed = false;         // in a run before, which did not end in order
};

// An error, in one sentence, for a directory that is neither empty nor of a Kafka in KRaft mode.
// Changes nothing. Blocking.
[[nodiscard]] Result<std::optional<DirectoryIdentity>> identify_directory(env::FileSystem& files,
                                                                          const std::string& path);
// Reads the rest. A checkpoint that is damaged counts as empty: recovery then looks at everything.
[[nodiscard]] Result<DirectoryContents> read_directory(env::FileSystem& files,
                                                       const std::string& path);

// The commit log that a crash left, with what it knows of partitions added to what was found; empty
// where it must not be replayed. Blocking.
[[nodiscard]] Result<FoundCommitLog> find_commit_log(env::FileSystem& files,
                                                     const std::string& path,
                                                     DirectoryContents& contents);

inline constexpr std::string_view metadata_topic_name = "__cluster_metadata";

}  // namespace arus::storage
