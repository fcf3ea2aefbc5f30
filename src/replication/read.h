// Reading from the partitions of one loop, and waiting there for more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/task.h"
#include "replication/loop_partitions.h"

namespace arus::replication {

struct ReadItem {
  TopicIdPartition id;
  Offset offset;
  std::int32_t leader_epoch = -1;        // what the client knows; −1: not said
  std::int32_t last_fetched_epoch = -1;  // of the record before `offset`; −1: not said
  std::int32_t max_bytes = 0;
};

struct ReadRequest {
  std::int32_t max_bytes = 0;  // over all items, in their order
  bool committed = false;      // read_committed: nothing of open or aborted transactions' tail
  // The first batch is returned even where it is larger than every limit (KIP-74).
  bool at_least_one_batch = true;
};

struct ReadResult {
  ErrorCode error = ErrorCode::none;
  Offset high_watermark = no_offset;
  Offset last_stable_offset = no_offset;
  Offset log_start = no_offset;
  Leadership leadership;
  std::optional<storage::EpochEnd> diverging;  // the client's history ends here in this log
  Chain records;
  std::size_t size_bytes = 0;
  std::vector<storage::AbortedTransaction> aborted;
};

// On the loop of `partitions`: one result for each item, in order.
env::Task<std::vector<ReadResult>> read(LoopPartitions& partitions, std::vector<ReadItem> items,
                                        ReadRequest request);

// Waits at partitions of one loop for what a fetch lacks. Owner: that loop.
//
// Holds: `wake` is called at most once, on that loop: when the watched partitions together have
// grown by `missing_bytes`, or when one of them has changed its leader, failed or closed.
class ReadWatch {
 public:
  // What a partition showed when it was last read.
  struct Seen {
    TopicIdPartition id;
    Offset high_watermark;
  };
  ReadWatch(LoopPartitions& partitions, const std::vector<Seen>& seen, std::int64_t missing_bytes,
            env::Work wake);
  ~ReadWatch();
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;

 private:
  class Watch;
  void grown(std::int64_t bytes);
  void wake_now();

  std::unique_ptr<Watch[]> watches_;
  std::int64_t missing_bytes_;
  env::Work wake_;
};

}  // namespace arus::replication
