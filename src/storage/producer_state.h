// What a log remembers of the producers that wrote to it: sequences, epochs, open transactions.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "record/control.h"

namespace arus::storage {

// One batch that a producer wrote. Sequences wrap from 2^31−1 to 0.
struct ProducerBatch {
  std::int32_t last_sequence = -1;
  std::int32_t offset_delta = 0;  // last offset − base offset, as the sequences count
  Offset last_offset = no_offset;
  [[nodiscard]] std::int32_t first_sequence() const;
  [[nodiscard]] Offset base_offset() const { return last_offset - offset_delta; }
};

// State of one producer id in one partition. The newest batches of the current epoch are kept to
// recognise what is sent again; a new epoch forgets them.
struct ProducerEntry {
  static constexpr std::size_t batches_kept = 5;  // requests that an idempotent producer overlaps

  ProducerId producer_id = no_producer;
  std::int16_t epoch = -1;
  std::uint8_t batch_count = 0;
  std::int32_t coordinator_epoch = -1;
  std::int64_t last_timestamp_ms = -1;
  Offset transaction_start = no_offset;               // first offset of the open transaction, or −1
  std::array<ProducerBatch, batches_kept> batches{};  // oldest first

  [[nodiscard]] const ProducerBatch* last_batch() const {
    return batch_count == 0 ? nullptr : &batches[batch_count - 1U];
  }
  [[nodiscard]] bool in_transaction() const { return transaction_start != no_offset; }
  void remember(const ProducerBatch& batch);
};

// The end of a transaction, as an abort or commit marker carries it.
struct TransactionEnd {
  bool committed = false;
  std::int32_t coordinator_epoch = -1;
};

// What producer state needs of one batch.
struct ProducerAppend {
  ProducerId producer_id = no_producer;
  std::int16_t epoch = -1;
  std::int32_t base_sequence = -1;
  std::int32_t last_sequence = -1;
  Offset base_offset;
  Offset last_offset;
  std::int64_t timestamp_ms = -1;  // the batch's largest, or the marker's
  bool transactional = false;
  std::optional<TransactionEnd> end;  // set for markers
};

struct CompletedTransaction {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;  // of the marker
  Offset last_stable_offset;
  bool aborted = false;
};

// Holds: transactions that are open, and those whose marker readers may not see yet, bound
// first_unstable_offset(). Everything in it was appended to the log before: a check changes
// nothing, apply() cannot fail. Owner: the loop of the partition, or its recovery.
class ProducerState {
 public:
  enum class Origin : std::uint8_t { client, coordinator };

  // Whether a leader may append this batch. A batch that is one of the last five gives that one
  // (clients only). OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE,
  // TRANSACTION_COORDINATOR_FENCED. `transaction_version` is the feature level the batch was sent
  // under, 0 where it is unknown (KIP-890).
  [[nodiscard]] Result<std::optional<ProducerBatch>> check(const ProducerAppend& append,
                                                           Origin origin,
                                                           std::int16_t transaction_version) const;
  // Takes note of an appended batch; gives the transaction that a marker ended.
  std::optional<CompletedTransaction> apply(const ProducerAppend& append);

  // Readers may see everything below `offset`: markers there decide their transactions.
  void release_below(Offset offset);
  [[nodiscard]] std::optional<Offset> first_unstable_offset() const;

  // Forgets producers without an open transaction that wrote nothing for `expiration_ms`.
  void expire(std::int64_t now_ms, std::int64_t expiration_ms);
  [[nodiscard]] bool empty() const { return producers_.empty(); }
  [[nodiscard]] std::size_t size() const { return producers_.size(); }
  [[nodiscard]] const ProducerEntry* find(ProducerId producer_id) const;
  // Ascending by producer id.
  [[nodiscard]] std::vector<ProducerEntry> entries() const;
  // Replaces everything by what a snapshot held.
  void load(std::span<const ProducerEntry> entries);

 private:
  [[nodiscard]] Result<> check_marker(const ProducerAppend& append, const ProducerEntry* entry,
                                      std::int16_t transaction_version) const;
  [[nodiscard]] Result<> check_sequence(const ProducerAppend& append, const ProducerEntry* entry,
                                        std::int16_t transaction_version) const;
  CompletedTransaction complete(ProducerEntry& entry, const ProducerAppend& append);

  std::unordered_map<ProducerId, ProducerEntry> producers_;
  std::map<Offset, ProducerId> open_;  // by first offset
  std::map<Offset, Offset> decided_;   // first offset → marker, until release_below() passes it
};

}  // namespace arus::storage
