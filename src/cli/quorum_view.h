// What is shown of the metadata quorum: gathered once, printed by Kafka's program and by ours.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "client/cluster.h"

namespace arus::cli {

struct QuorumReplicaView {
  std::int32_t id = -1;
  Uuid directory_id;
  std::int64_t log_end_offset = 0;
  std::int64_t last_fetch_ms = -1;  // wall clock; −1 unknown
  std::int64_t last_caught_up_ms = -1;
  std::vector<std::string> endpoints;  // "CONTROLLER://host:port"
};

struct QuorumView {
  std::string cluster_id;
  std::int32_t leader_id = -1;
  std::int32_t leader_epoch = -1;
  std::int64_t high_watermark = -1;
  std::vector<QuorumReplicaView> voters;
  std::vector<QuorumReplicaView> observers;
};

env::Task<Result<QuorumView>> describe_quorum(client::Cluster& cluster);

// As kafka-metadata-quorum describe --status and --replication print them.
std::string format_quorum_status(const QuorumView& quorum);
std::string format_quorum_replication(const QuorumView& quorum, bool human_readable,
                                      std::int64_t now_ms);

// Columns as wide as their widest cell, each cell followed by a tab.
std::string format_table(const std::vector<std::string>& head,
                         const std::vector<std::vector<std::string>>& rows);

}  // namespace arus::cli
