// Reads again from batches which transactions were aborted: what a transaction index says.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "env/file.h"
#include "storage/transaction_index.h"

namespace arus::storage {

// Whose marker stands in the segment `target`, one of `segments`, which ascend. A transaction may
// have begun in an earlier segment: reading begins at the newest producer snapshot that is whole
// and not beyond the target, or with the log. Damage ends what is read of a segment. Blocking.
[[nodiscard]] Result<std::vector<TransactionIndexEntry>> find_aborted_transactions(
    env::FileSystem& files, const std::string& folder, std::span<const Offset> segments,
    const std::set<Offset>& snapshots, Offset target);

[[nodiscard]] Bytes encode_transaction_index(std::span<const TransactionIndexEntry> entries);

}  // namespace arus::storage
