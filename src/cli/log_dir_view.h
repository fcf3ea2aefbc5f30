// What is shown of log directories: gathered once, printed by Kafka's program and by ours.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "client/cluster.h"
#include "protocol/api/describe_log_dirs.h"

namespace arus::cli {

struct LogView {
  TopicPartition name;
  std::int64_t size_bytes = 0;
  std::int64_t offset_lag = 0;
  bool future = false;
};

struct LogDirView {
  BrokerId broker;
  std::string path;
  ErrorCode error = ErrorCode::none;
  std::int64_t total_bytes = -1;  // of the file system; −1 where the broker does not say
  std::int64_t usable_bytes = -1;
  std::vector<LogView> logs;
  protocol::DescribeLogDirsResponse::ArusHealth health;  // where Arus is asked for it
};

// Those of each of these brokers, in this order.
env::Task<Result<std::vector<LogDirView>>> describe_log_dirs(client::Cluster& cluster,
                                                             std::vector<BrokerId> brokers,
                                                             bool with_health = false);

// The document that kafka-log-dirs prints. Without topics: all.
std::string log_dirs_as_json(const std::vector<LogDirView>& directories,
                             const std::vector<std::string>& topics);

}  // namespace arus::cli
