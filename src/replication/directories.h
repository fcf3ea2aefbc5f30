// The log directories of this node, and which of them holds which partition.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "base/topic_partition.h"
#include "storage/log_directory.h"

namespace arus::replication {

// Made at start and then only read, so that every loop may use it; the directories themselves are
// thread-safe.
class Directories {
 public:
  explicit Directories(std::vector<std::unique_ptr<storage::LogDirectory>> directories);

  struct Found {
    storage::LogDirectory* directory = nullptr;
    storage::FoundLog log;
  };

  [[nodiscard]] const std::vector<std::unique_ptr<storage::LogDirectory>>& all() const {
    return directories_;
  }
  // Every partition directory that was there at start.
  [[nodiscard]] const std::vector<Found>& found() const { return found_; }
  // Where the partition is, was assigned to, or shall be made: the directory that holds it, else
  // the one with the assigned id, else one chosen by hash among those that are online. Null when
  // every directory is offline.
  [[nodiscard]] storage::LogDirectory* place(const TopicPartition& name, const Uuid& topic_id,
                                             const Uuid& assigned) const;

 private:
  std::vector<std::unique_ptr<storage::LogDirectory>> directories_;
  std::vector<Found> found_;
  std::unordered_map<TopicPartition, std::size_t> by_name_;
};

}  // namespace arus::replication
