// The checkpoint files at the top of a log directory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/file.h"
#include "storage/log_host.h"

namespace arus::storage {

// Writes replication-offset-, recovery-point-offset-, log-start-offset- and
// cleaner-offset-checkpoint: each whole, flushed and renamed, and only when it says something new.
// Owner: the directory, which has one written at a time.
class DirectoryCheckpoints {
 public:
  explicit DirectoryCheckpoints(std::string root) : root_(std::move(root)) {}

  // `clean`: everything is on stable storage, so that recovery points are the logs' ends.
  Result<> write(env::FileSystem& files, const std::map<TopicPartition, LogOffsets>& logs,
                 bool clean);

 private:
  Result<> write_one(env::FileSystem& files, std::string_view name, const std::string& text);

  const std::string root_;
  std::map<std::string, std::size_t, std::less<>> written_;  // hash of what each file says
};

}  // namespace arus::storage
