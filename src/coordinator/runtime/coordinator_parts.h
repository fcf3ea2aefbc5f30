// What a coordinator is made of.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "coordinator/runtime/machine.h"
#include "env/environment.h"
#include "metadata/image_publisher.h"
#include "record/batch_format.h"
#include "replication/partition_table.h"

namespace arus::coordinator {

// References outlive the coordinator.
struct CoordinatorParts {
  env::Environment& environment;
  replication::PartitionTable& partitions;
  metadata::ImagePublisher& images;
  std::string topic;  // __consumer_offsets or __transaction_state
  // Makes the empty state machine of a partition, on the loop where it will live. Called on every
  // loop.
  std::function<std::unique_ptr<Machine>(std::int32_t partition, env::TimePoint now)> make_machine;
  // Of the batches that are appended (offsets.topic.compression.codec).
  record::Compression compression = record::Compression::none;
};

}  // namespace arus::coordinator
