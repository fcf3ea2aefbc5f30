// What the node's own configuration tells the controller.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace arus::controller {

// Static broker configuration (server.properties) that decisions need. Dynamic broker configs in
// the image come before `broker_configs`.
struct ControllerSettings {
  std::int32_t default_partitions = 1;            // num.partitions
  std::int16_t default_replication_factor = 1;    // default.replication.factor
  bool delete_topics = true;                      // delete.topic.enable
  std::int32_t min_insync_replicas = 1;           // min.insync.replicas
  bool unclean_leader_election = false;           // unclean.leader.election.enable
  bool has_authorizer = false;                    // authorizer.class.name is set
  std::int64_t snapshot_bytes = 20LL << 20;       // metadata.log.max.record.bytes.between.snapshots
  std::int64_t snapshot_interval_ms = 3'600'000;  // metadata.log.max.snapshot.interval.ms
  std::int64_t log_retention_bytes = 100LL << 20;  // metadata.max.retention.bytes
  std::int64_t log_retention_ms = 604'800'000;     // metadata.max.retention.ms
  std::int64_t segment_bytes = 1LL << 30;          // metadata.log.segment.bytes
  // The keys that server.properties itself sets, for effective topic configs.
  std::map<std::string, std::string> broker_configs;
};

}  // namespace arus::controller
