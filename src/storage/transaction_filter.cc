#include "storage/transaction_filter.h"

#include <algorithm>

namespace arus::storage {

TransactionFilter::TransactionFilter(std::vector<TransactionIndexEntry> aborted)
    : waiting_(std::move(aborted)) {
  std::ranges::sort(waiting_, std::ranges::greater{}, &TransactionIndexEntry::first_offset);
}

void TransactionFilter::begin_below(Offset offset) {
  while (!waiting_.empty() && waiting_.back().first_offset <= offset) {
    const TransactionIndexEntry& entry = waiting_.back();
    const auto [known, added] = aborted_.try_emplace(entry.producer_id, Aborted{.entry = entry});
    if (!added && known->second.entry.last_offset < entry.first_offset) known->second = {entry};
    waiting_.pop_back();
  }
}

bool TransactionFilter::note_batch(const BatchHeader& batch) {
  begin_below(batch.last_offset);
  if (!batch.is_transactional()) return false;
  const auto aborted = aborted_.find(batch.producer_id);
  if (aborted == aborted_.end() || aborted->second.entry.last_offset < batch.base_offset) {
    committed_.insert(batch.producer_id);
    return false;
  }
  aborted->second.seen = true;
  return true;
}

bool TransactionFilter::note_marker(const BatchHeader& batch,
                                    const std::optional<TransactionEnd>& end) {
  begin_below(batch.last_offset);
  if (!end) return false;
  if (end->committed) return committed_.erase(batch.producer_id) == 0;
  const auto aborted = aborted_.find(batch.producer_id);
  if (aborted == aborted_.end()) return true;
  const bool seen = aborted->second.seen;
  if (seen) entries_.push_back(aborted->second.entry);
  aborted_.erase(aborted);
  return !seen;
}

}  // namespace arus::storage
