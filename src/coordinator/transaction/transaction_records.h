// Records of __transaction_state: one for each transactional id.
#pragma once

#include <cstdint>
#include <string_view>

#include "coordinator/runtime/record.h"
#include "coordinator/transaction/transaction_state.h"

namespace arus::coordinator {

// `transaction_version` is the feature level transaction.version: values of version 1, which know
// of epochs that grow, are written from level 1 on.
[[nodiscard]] Record transaction_record(std::string_view transactional_id,
                                        const Transaction& transaction,
                                        std::int16_t transaction_version);
[[nodiscard]] Record transaction_tombstone(std::string_view transactional_id);

[[nodiscard]] Result<std::string> read_transaction_key(ByteView key);
[[nodiscard]] Result<Transaction> read_transaction_value(ByteView value);

}  // namespace arus::coordinator
