// Where each partition lives, and all loops' partitions together.
#pragma once

#include <memory>
#include <vector>

#include "replication/loop_partitions.h"

namespace arus::replication {

// The table (partition → loop), filled by a hash of topic name and number; to reach a partition
// from elsewhere, call its loop. Made and destroyed on the node's loop.
class PartitionTable {
 public:
  PartitionTable(env::Environment& environment, PartitionSettings settings,
                 std::vector<std::unique_ptr<storage::LogDirectory>> directories,
                 metadata::ImagePublisher& images, std::vector<Directories::Failed> failed = {});

  // Follows the image on every loop, recovers what an unclean stop left behind and makes that
  // durable. What was stopped cleanly is opened when it is first asked for. The image still has the
  // registration of this node's last run, so that its commit log is known.
  env::Task<Result<>> start();
  // This run's own registration, before the first append.
  void set_registration(const storage::BrokerRegistration& registration);
  // Partitions that are on disk in another directory than the image says, with the id of that one.
  [[nodiscard]] std::vector<std::pair<TopicIdPartition, Uuid>> unassigned() const;
  // Closes every log. The directories stay open.
  env::Task<void> stop();

  [[nodiscard]] std::size_t loop_index(std::string_view topic, std::int32_t partition) const {
    return loop_index_of(topic, partition, loops_.size());
  }
  [[nodiscard]] std::size_t loop_count() const { return loops_.size(); }
  [[nodiscard]] LoopPartitions& on(std::size_t loop_index) { return *loops_[loop_index]; }
  [[nodiscard]] LoopPartitions& here() { return on(env::Loop::current()->index()); }
  [[nodiscard]] const Directories& directories() const { return directories_; }
  [[nodiscard]] const PartitionSettings& settings() const { return settings_; }

 private:
  Result<> unless_others_serve(storage::LogDirectory& directory, Result<> result);

  PartitionSettings settings_;
  Directories directories_;
  metadata::ImagePublisher& images_;
  std::vector<std::unique_ptr<LoopPartitions>> loops_;
};

}  // namespace arus::replication
