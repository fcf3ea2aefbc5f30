#include "replication/transaction_guards.h"

#include <fmt/core.h>

#include <algorithm>

namespace arus::replication {

std::uint64_t TransactionGuards::begin(ProducerId producer_id, std::int16_t epoch,
                                       std::int32_t base_sequence) {
  if (entries_.size() >= most_producers && !entries_.contains(producer_id)) entries_.clear();
  Entry& entry = entries_[producer_id];
  if (entry.guard == no_guard) entry = {++last_guard_, epoch, base_sequence};
  if (epoch > entry.epoch) {
    entry.epoch = epoch;
    entry.lowest_sequence = base_sequence;
  } else if (epoch == entry.epoch) {
    entry.lowest_sequence = std::min(entry.lowest_sequence, base_sequence);
  }
  return entry.guard;
}

Result<> TransactionGuards::check(ProducerId producer_id, std::uint64_t guard,
                                  std::int32_t base_sequence, bool from_first) const {
  const auto found = entries_.find(producer_id);
  if (found == entries_.end() || found->second.guard != guard) {
    return fail(ErrorCode::invalid_txn_state, "Record was not part of an ongoing transaction");
  }
  if (from_first && base_sequence > found->second.lowest_sequence) {
    return fail(ErrorCode::out_of_order_sequence_number,
                fmt::format("Producer {} sent sequence {}, and {} was seen before it is stored",
                            producer_id.value(), base_sequence, found->second.lowest_sequence));
  }
  return {};
}

}  // namespace arus::replication
