// Which batches of a log belong to aborted transactions, and when a marker has nothing left to
// mark.
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "storage/batch_scanner.h"
#include "storage/producer_state.h"
#include "storage/transaction_index.h"

namespace arus::storage {

// Is told of every batch of a pass over a log, in order. Not thread-safe.
class TransactionFilter {
 public:
  // Every aborted transaction that has records in the part of the log that is passed over.
  explicit TransactionFilter(std::vector<TransactionIndexEntry> aborted);

  // A batch of records: true when its transaction was aborted.
  bool note_batch(const BatchHeader& batch);
  // A control batch; `end` is nothing where it ends no transaction. True when no batch of the
  // transaction was passed, so that the marker is not needed for it.
  bool note_marker(const BatchHeader& batch, const std::optional<TransactionEnd>& end);
  // Of markers since the last call: the aborted transactions that still have batches.
  std::vector<TransactionIndexEntry> take_entries() { return std::exchange(entries_, {}); }

 private:
  struct Aborted {
    TransactionIndexEntry entry;
    bool seen = false;
  };
  void begin_below(Offset offset);

  std::vector<TransactionIndexEntry> waiting_;  // by first offset, the smallest last
  std::unordered_map<ProducerId, Aborted> aborted_;
  std::unordered_set<ProducerId> committed_;
  std::vector<TransactionIndexEntry> entries_;
};

}  // namespace arus::storage
