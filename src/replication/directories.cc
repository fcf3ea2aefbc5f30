#include "replication/directories.h"

#include <utility>

namespace arus::replication {

Directories::Directories(std::vector<std::unique_ptr<storage::LogDirectory>> directories)
    : directories_(std::move(directories)) {
  for (const auto& directory : directories_) {
    for (const auto& log : directory->found()) {
      by_name_.emplace(log.name, found_.size());
      found_.push_back({directory.get(), log});
    }
  }
}

storage::LogDirectory* Directories::place(const TopicPartition& name, const Uuid& topic_id,
                                          const Uuid& assigned) const {
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) {
    const Found& found = found_[known->second];
    if (!found.log.topic_id || *found.log.topic_id == topic_id) return found.directory;
  }
  if (!assigned.is_reserved()) {
    for (const auto& directory : directories_) {
      const auto& identity = directory->identity();
      if (identity && identity->directory_id == assigned) return directory.get();
    }
  }
  const std::size_t first = std::hash<TopicIdPartition>{}({topic_id, name.partition});
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const auto& directory = directories_[(first + i) % directories_.size()];
    if (!directory->offline()) return directory.get();
  }
  return nullptr;
}

}  // namespace arus::replication
