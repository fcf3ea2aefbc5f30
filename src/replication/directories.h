// The log directories of this node, and which of them holds which partition.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/topic_partition.h"
#include "storage/log_directory.h"

namespace arus::replication {

// Made at start and then only read, so that every loop may use it; the directories themselves are
// thread-safe.
class Directories {
 public:
  // One that could not be opened.
  struct Failed {
    std::string path;
    Error error;
    std::int64_t since_ms = 0;  // wall clock
  };

  Directories(std::vector<std::unique_ptr<storage::LogDirectory>> directories,
              std::vector<Failed> failed);

  struct Found {
    storage::LogDirectory* directory = nullptr;
    storage::FoundLog log;
  };

  [[nodiscard]] const std::vector<std::unique_ptr<storage::LogDirectory>>& all() const {
    return directories_;
  }
  // Every partition directory that was there at start.
  [[nodiscard]] const std::vector<Found>& found() const { return found_; }
  [[nodiscard]] const std::vector<Failed>& failed() const { return failed_; }
  // Null where no open directory has this id.
  [[nodiscard]] storage::LogDirectory* with_id(const Uuid& id) const;
  // The directory that has the partition's folder; of several the assigned one. Null for none.
  [[nodiscard]] storage::LogDirectory* holder(const TopicPartition& name, const Uuid& topic_id,
                                              const Uuid& assigned) const;
  // Where the partition was assigned to, is, or shall be made: the directory with the assigned id,
  // else the one that holds it, else one chosen by hash among those that are online. Null where it
  // may be in a directory that could not be opened, or when every directory is offline.
  [[nodiscard]] storage::LogDirectory* place(const TopicPartition& name, const Uuid& topic_id,
                                             const Uuid& assigned) const;

 private:
  std::vector<std::unique_ptr<storage::LogDirectory>> directories_;
  std::vector<Failed> failed_;
  std::vector<Found> found_;
  std::unordered_map<TopicPartition, std::size_t> by_name_;
};

}  // namespace arus::replication
