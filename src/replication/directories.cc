#include "replication/directories.h"

#include <algorithm>
#include <utility>

namespace arus::replication {

Directories::Directories(std::vector<std::unique_ptr<storage::LogDirectory>> directories,
                         std::vector<Failed> failed)
    : directories_(std::move(directories)), failed_(std::move(failed)) {
  for (const auto& directory : directories_) {
    for (const auto& log : directory->found()) {
      by_name_.emplace(log.name, found_.size());
      found_.push_back({directory.get(), log});
    }
  }
}

storage::LogDirectory* Directories::with_id(const Uuid& id) const {
  for (const auto& directory : directories_) {
    if (directory->identity() && directory->identity()->directory_id == id) return directory.get();
  }
  return nullptr;
}

storage::LogDirectory* Directories::holder(const TopicPartition& name, const Uuid& topic_id,
                                           const Uuid& assigned) const {
  storage::LogDirectory* first = nullptr;
  for (const auto& directory : directories_) {
    const bool has = std::ranges::any_of(
        std::ranges::equal_range(directory->found(), name, {}, &storage::FoundLog::name),
        [&topic_id](const auto& log) { return log.topic_id == topic_id; });
    if (!has) continue;
    if (directory->identity() && directory->identity()->directory_id == assigned) {
      return directory.get();
    }
    if (first == nullptr) first = directory.get();
  }
  return first;
}

storage::LogDirectory* Directories::place(const TopicPartition& name, const Uuid& topic_id,
                                          const Uuid& assigned) const {
  if (storage::LogDirectory* const known = with_id(assigned)) return known;
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) {
    const Found& found = found_[known->second];
    if (!found.log.topic_id || *found.log.topic_id == topic_id) return found.directory;
  }
  if (!failed_.empty()) return nullptr;
  const std::size_t first = std::hash<TopicIdPartition>{}({topic_id, name.partition});
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const auto& directory = directories_[(first + i) % directories_.size()];
    if (!directory->offline()) return directory.get();
  }
  return nullptr;
}

}  // namespace arus::replication
