// Writes markers to partitions that this node leads.
#pragma once

#include <memory>
#include <vector>

#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/marker_sender.h"
#include "coordinator/transaction/transaction_machine.h"
#include "env/environment.h"
#include "replication/partition_table.h"

namespace arus::coordinator {

// Markers of data partitions go to their logs, those of __consumer_offsets through the state
// machine of that partition. What cannot be written now is tried again with growing pauses; a topic
// that is gone needs no marker. Refusals that say that this order is an old one end it: whoever
// made them so has ordered anew.
//
// Callable from every loop; made and stopped on loop 0. Owner: the broker.
class LocalMarkerSender final : public MarkerSender {
 public:
  LocalMarkerSender(env::Environment& environment, replication::PartitionTable& partitions,
                    metadata::ImagePublisher& images);
  ~LocalMarkerSender() override;

  // Once, before the first order: the coordinators, which need a sender to be made themselves.
  void connect(CoordinatorBase& groups, Coordinator<TransactionMachine>& transactions);
  // No order begins any more; completes when none is under way. Before the partitions stop.
  env::Task<void> stop();

  void send(MarkerOrder order) override;

 private:
  struct LoopPart;
  struct Written;

  env::Task<void> carry_out(MarkerOrder order);
  // Tries all partitions of the order once.
  env::Task<Written> try_once(const MarkerOrder& order);
  // `order` and `code` outlive it.
  env::Task<void> end_in_offsets(const MarkerOrder* order, std::int32_t partition, ErrorCode* code);
  // Whether somebody still waits for the rest of the order.
  env::Task<bool> report(const MarkerOrder& order, std::vector<TopicPartition> written);
  // False when the sender is being stopped.
  env::Task<bool> pause(env::Duration duration);
  [[nodiscard]] LoopPart& here() const;

  env::Environment& environment_;
  replication::PartitionTable& partitions_;
  metadata::ImagePublisher& images_;
  CoordinatorBase* groups_ = nullptr;
  Coordinator<TransactionMachine>* transactions_ = nullptr;
  std::vector<std::unique_ptr<LoopPart>> loops_;  // by loop index
};

}  // namespace arus::coordinator
