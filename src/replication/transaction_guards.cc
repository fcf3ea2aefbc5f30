#include "replication/transaction_guards.h"

#include <fmt/core.h>

#include <algorithm>

namespace arus::replication {
namespace {

bool is_behind(std::int32_t sequence, std::int32_t other) {
  constexpr std::int64_t sequences = std::int64_t{1} << 31;
  const std::int64_t distance = (std::int64_t{other} - sequence + sequences) % sequences;
  return distance > 0 && distance < sequences / 2;
}

}  // namespace

std::uint64_t TransactionGuards::begin(ProducerId producer_id, std::int16_t epoch,
                                       std::int32_t base_sequence) {
  if (entries_.size() >= most_producers && !entries_.contains(producer_id)) entries_.clear();
  Entry& entry = entries_[producer_id];
  if (entry.guard == no_guard) entry.guard = ++last_guard_;
  if (epoch > entry.epoch) {
    entry.epoch = epoch;
    entry.lowest_sequence = entry.highest_sequence = base_sequence;
  } else if (epoch == entry.epoch) {
    entry.lowest_sequence = std::min(entry.lowest_sequence, base_sequence);
    if (is_behind(entry.highest_sequence, base_sequence)) entry.highest_sequence = base_sequence;
  }
  return entry.guard;
}

bool TransactionGuards::holds_back(ProducerId producer_id, std::int16_t epoch) const {
  const auto found = entries_.find(producer_id);
  return found != entries_.end() && found->second.epoch == epoch;
}

void TransactionGuards::appended(ProducerId producer_id, std::int16_t epoch,
                                 std::int32_t base_sequence) {
  const auto found = entries_.find(producer_id);
  if (found == entries_.end()) return;
  const Entry& entry = found->second;
  const bool last = epoch == entry.epoch ? !is_behind(base_sequence, entry.highest_sequence)
                                         : epoch > entry.epoch;
  if (last) entries_.erase(found);
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
