// Proof that a producer's transaction knows of this partition.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/ids.h"
#include "base/result.h"

namespace arus::replication {

// While the coordinator is asked whether a transaction contains the partition, the transaction may
// end: a batch that is appended after its marker would belong to nothing and bound readers for
// ever. So an append that follows such a question carries the guard that was given out before it,
// and an end marker makes all guards of its producer void.
//
// Holds: at most most_producers producers; beyond that all are forgotten, and who comes back with
// a guard is refused and asks again. Owner: the partition.
class TransactionGuards {
 public:
  static constexpr std::size_t most_producers = 10'000;
  static constexpr std::uint64_t no_guard = 0;

  // Of the producer's first batch here. Several batches of one producer share a guard.
  std::uint64_t begin(ProducerId producer_id, std::int16_t epoch, std::int32_t base_sequence);
  // INVALID_TXN_STATE for a guard that is void. Where `from_first`, the batches must come in the
  // order in which they were seen: OUT_OF_ORDER_SEQUENCE_NUMBER for one that is ahead of another
  // that still waits, because nothing else is known of the producer yet.
  [[nodiscard]] Result<> check(ProducerId producer_id, std::uint64_t guard,
                               std::int32_t base_sequence, bool from_first) const;
  // Whether a batch has to take a guard although its transaction is open here: one that came before
  // it asks still, and must not be overtaken.
  [[nodiscard]] bool holds_back(ProducerId producer_id, std::int16_t epoch) const;
  // A batch of the producer is in the log; with the last of those that asked, the asking is over.
  void appended(ProducerId producer_id, std::int16_t epoch, std::int32_t base_sequence);
  // The transaction has ended here.
  void clear(ProducerId producer_id) { entries_.erase(producer_id); }

 private:
  struct Entry {
    std::uint64_t guard = no_guard;
    std::int16_t epoch = -1;
    std::int32_t lowest_sequence = 0;
    std::int32_t highest_sequence = 0;  // in the order of sequences, which wrap
  };
  std::unordered_map<ProducerId, Entry> entries_;
  std::uint64_t last_guard_ = no_guard;
};

}  // namespace arus::replication
