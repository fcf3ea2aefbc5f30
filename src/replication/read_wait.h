// A fetch that finds too little waits here.
#pragma once

#include <cstdint>
#include <vector>

#include "net/close_watch.h"
#include "replication/partition_table.h"
#include "replication/read.h"

namespace arus::replication {

// A partition as the fetch saw it, and the loop it lives on.
struct Awaited {
  std::size_t loop = 0;
  ReadWatch::Seen seen;
};

// Completes when the partitions have grown by about `missing_bytes`, when one of them changes in
// another way, at the deadline, or when the client is gone. Runs on the connection's loop.
env::Task<void> wait_for_more(PartitionTable& table, std::vector<Awaited> awaited,
                              std::int64_t missing_bytes, env::TimePoint deadline,
                              net::CloseWatchList& client);

}  // namespace arus::replication
