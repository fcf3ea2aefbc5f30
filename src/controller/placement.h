// Which brokers hold the replicas of new partitions.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "controller/decision.h"

namespace arus::controller {

// Chooses replicas for partitions one after the other: round-robin over racks, then over the
// brokers of each, from random starts; brokers that are fenced come last and never first.
class Placement {
 public:
  explicit Placement(const DecisionContext& context);

  // INVALID_REPLICATION_FACTOR where there are not so many brokers, or none is alive.
  Result<std::vector<BrokerId>> place(std::int16_t replication_factor);

  // The directory of a replica: the broker's only one, this node's emptiest, or unassigned.
  Uuid directory_of(BrokerId broker);

 private:
  struct Rack {
    std::vector<BrokerId> alive;
    std::vector<BrokerId> fenced;
  };
  const DecisionContext& context_;
  std::vector<Rack> racks_;
  std::size_t broker_count_ = 0;
  std::size_t alive_count_ = 0;
  std::uint64_t round_ = 0;
  // Partitions in each of this node's directories; counted when first asked for.
  std::map<Uuid, std::int64_t> directory_load_;
};

// The replicas somebody wrote down. INVALID_REPLICA_ASSIGNMENT where they cannot be.
Result<> validate_assignment(const metadata::MetadataImage& image,
                             const std::vector<BrokerId>& replicas, std::size_t replication_factor);

// A new partition with these replicas; those that are alive are in sync, the first of them leads.
// INVALID_REPLICA_ASSIGNMENT where none is.
Result<metadata::PartitionImage> new_partition(const DecisionContext& context, Placement& placement,
                                               std::int32_t index, std::vector<BrokerId> replicas);

}  // namespace arus::controller
