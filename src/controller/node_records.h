// Records of a node's life: its first start, its registrations, its coming and going.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/topic_partition.h"
#include "controller/decision.h"
#include "metadata/image.h"

namespace arus::controller {

// What a cluster begins with: the features of bootstrap.checkpoint inside a transaction, and with
// ELR the cluster-wide min.insync.replicas that it needs.
Records bootstrap_transaction(const Records& bootstrap, std::int32_t min_insync_replicas);

Records register_controller(const DecisionContext& context, const Uuid& incarnation_id,
                            const std::vector<metadata::Endpoint>& endpoints);

struct Registration {
  std::int64_t broker_epoch = -1;  // the base offset of the batch that these records become
  Uuid incarnation_id;
  std::vector<metadata::Endpoint> endpoints;
  std::optional<std::string> rack;
  std::vector<Uuid> directories;
  std::vector<Uuid> cordoned_directories;
};

// This node's broker, fenced. UNSUPPORTED_VERSION where a finalized feature lies beyond its ranges.
Result<Records> register_broker(const DecisionContext& context, const Registration& registration);

// Other brokers of which nothing can be heard: fenced, and out of every ISR.
Records fence_others(const DecisionContext& context);

// This node's broker serves from now on. Every partition that it can lead it leads, in a new epoch;
// with `unclean` it may have lost what it had not flushed (durability.md, rule 10).
Records unfence(const DecisionContext& context, bool unclean);

// The clean stop: shutting down and out of every ISR first, fenced at the very end.
Records begin_shutdown(const DecisionContext& context);
Records fence(const DecisionContext& context);

// The log directories of this node that can be used, when one of them has failed.
Records keep_directories(const DecisionContext& context, std::vector<Uuid> online);

// Which of this node's log directories holds a partition.
struct DirectoryAssignment {
  TopicIdPartition partition;
  Uuid directory;
};
// What AssignReplicasToDirs writes (KIP-858); nothing for what the image says already, or for
// partitions that this node has no replica of.
Records assign_directories(const DecisionContext& context,
                           const std::vector<DirectoryAssignment>& assignments);

// A broker leaves every ISR and loses its leaderships.
void remove_from_isrs(const DecisionContext& context, BrokerId broker, Records& records);

}  // namespace arus::controller
