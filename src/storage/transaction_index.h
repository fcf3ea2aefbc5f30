// Transactions that were aborted, in the order of their markers: the entries of `.txnindex`.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "storage/transaction_index_format.h"

namespace arus::storage {

// Records of the producer in [first_offset, last_offset] were aborted by the marker at last_offset.
// Everything below last_stable_offset was decided when the marker was appended, so that no later
// entry concerns it.
struct TransactionIndexEntry {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;
  Offset last_stable_offset;
  friend bool operator==(const TransactionIndexEntry&, const TransactionIndexEntry&) = default;
};

void encode(const TransactionIndexEntry& entry, Bytes& to);
// CORRUPT_MESSAGE where an entry is cut, has another version, or contradicts itself.
[[nodiscard]] Result<std::vector<TransactionIndexEntry>> parse_transaction_index(ByteView file);

}  // namespace arus::storage
