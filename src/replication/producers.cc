#include "replication/producers.h"

#include "replication/patience.h"

namespace arus::replication {

env::Task<std::vector<PartitionProducers>> describe_producers(LoopPartitions& partitions,
                                                              std::vector<TopicIdPartition> ids,
                                                              ProducersRequest request) {
  static_cast<void>(request);
  std::vector<PartitionProducers> results(ids.size());
  const env::TimePoint deadline = env::Loop::current()->now() + disk_patience;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = partitions.find(ids[i]);
    Result<> usable = found ? (*found)->check_leader() : std::unexpected(found.error());
    if (usable && !(*found)->is_open()) usable = co_await (*found)->opened(deadline);
    if (usable) {
      results[i].entries = (*found)->log().producers();
    } else {
      results[i].error = usable.error();
    }
  }
  co_return results;
}

}  // namespace arus::replication
