// From batches in a log to what producer state needs of them.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "record/batch.h"
#include "storage/batch_scanner.h"
#include "storage/producer_state.h"

namespace arus::storage {

// The end of a transaction that a whole control batch holds; nothing for control batches of other
// kinds. CORRUPT_MESSAGE when its record does not decode.
[[nodiscard]] Result<std::optional<TransactionEnd>> read_transaction_end(ByteView batch);

// What to apply for a batch that stands in a log; nothing for batches without a producer.
// `load` gives the batch's bytes, and is asked only for control batches.
template <class Load>
Result<std::optional<ProducerAppend>> to_producer_append(const BatchHeader& batch, Load&& load) {
  if (batch.producer_id == no_producer) return std::nullopt;
  ProducerAppend append{.producer_id = batch.producer_id,
                        .epoch = batch.producer_epoch,
                        .base_sequence = batch.base_sequence,
                        .last_sequence = -1,
                        .base_offset = batch.base_offset,
                        .last_offset = batch.last_offset,
                        .timestamp_ms = batch.max_timestamp_ms,
                        .transactional = batch.is_transactional(),
                        .end = std::nullopt};
  if (batch.is_control()) {
    const Result<ByteView> bytes = load();
    if (!bytes) return std::unexpected(bytes.error());
    auto end = read_transaction_end(*bytes);
    if (!end) return std::unexpected(std::move(end).error());
    if (!*end) return std::nullopt;
    append.end = **end;
  } else if (batch.base_sequence >= 0) {
    append.last_sequence = record::add_to_sequence(
        batch.base_sequence, static_cast<std::int32_t>(batch.last_offset - batch.base_offset));
  }
  return append;
}

}  // namespace arus::storage
