// Questions about a cluster and changes to it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/topic_partition.h"
#include "client/cluster.h"
#include "client/consumer.h"

namespace arus::client {

// What ListOffsets found for one partition; offset −1 where nothing matches.
struct ListedOffset {
  Offset offset = no_offset;
  std::int64_t timestamp_ms = -1;
  LeaderEpoch leader_epoch = no_leader_epoch;
};

// Calls that have to find the right broker first, or to ask several. Everything else is
// Cluster::ask with the request itself: requests and answers are the protocol's own structs.
// Owner: the cluster's loop.
class Admin {
 public:
  explicit Admin(Cluster& cluster) : cluster_(cluster) {}

  // Sends a request that changes the cluster to the controller, and again while the answer's own
  // error says that it went to the wrong one.
  template <class Request>
  env::Task<Result<typename Request::Response>> change(Request request, env::TimePoint deadline);

  // The offset for a timestamp (special ones included) of each partition, asked of its leader.
  // UNSUPPORTED_VERSION where a broker does not know a special timestamp.
  env::Task<Result<std::map<TopicPartition, Result<ListedOffset>>>> list_offsets(
      std::map<TopicPartition, std::int64_t> timestamps, IsolationLevel isolation,
      env::TimePoint deadline);
  // Moves the log start of each partition up to the offset (−1: the high watermark) and gives the
  // new one, asked of its leader.
  env::Task<Result<std::map<TopicPartition, Result<Offset>>>> delete_records(
      std::map<TopicPartition, Offset> before, env::TimePoint deadline);

 private:
  Cluster& cluster_;
};

}  // namespace arus::client
