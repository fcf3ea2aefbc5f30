// Who writes the markers that end a transaction in its partitions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/topic_partition.h"

namespace arus::coordinator {

// Markers that a transaction needs. The record that says so is durable.
struct MarkerOrder {
  std::int32_t coordinator_partition = -1;  // of __transaction_state
  std::string transactional_id;
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = -1;
  std::int32_t coordinator_epoch = -1;
  bool committed = false;
  std::int16_t transaction_version = 0;
  std::vector<TopicPartition> partitions;
};

// Some of the markers of an order are durable, or need none because their topic is gone.
struct MarkerReport {
  std::string transactional_id;
  ProducerId producer_id = no_producer;
  std::int16_t producer_epoch = -1;
  std::vector<TopicPartition> partitions;
};

// Called on the loop of the state machine that orders. Every order is carried out to its end: a
// partition that cannot take its marker now is tried again. Each report goes to
// TransactionMachine::markers_written() in a turn of its own; a machine that was loaded again in
// the meantime orders anew, so a marker may be written twice, with the same epoch and outcome.
class MarkerSender {
 public:
  virtual ~MarkerSender() = default;
  virtual void send(MarkerOrder order) = 0;
};

}  // namespace arus::coordinator
