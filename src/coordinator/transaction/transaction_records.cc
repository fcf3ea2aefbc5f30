#include "coordinator/transaction/transaction_records.h"

#include <fmt/core.h>

#include <utility>

#include "protocol/record/transaction_log_key.h"
#include "protocol/record/transaction_log_value.h"

namespace arus::coordinator {
namespace {

using protocol::TransactionLogKey;
using protocol::TransactionLogValue;

TransactionLogKey key_of(std::string_view transactional_id) {
  TransactionLogKey key;
  key.transactional_id = transactional_id;
  return key;
}

std::vector<TransactionLogValue::PartitionsSchema> by_topic(
    const std::set<TopicPartition>& partitions) {
  std::vector<TransactionLogValue::PartitionsSchema> topics;
  for (const TopicPartition& partition : partitions) {
    if (topics.empty() || topics.back().topic != partition.topic) {
      topics.push_back({.topic = partition.topic});
    }
    topics.back().partition_ids.push_back(partition.partition);
  }
  return topics;
}

// The states that are stored.
bool is_stored(std::int8_t status) {
  return status >= static_cast<std::int8_t>(TransactionState::empty) &&
         status <= static_cast<std::int8_t>(TransactionState::complete_abort);
}

}  // namespace

Record transaction_record(std::string_view transactional_id, const Transaction& transaction,
                          std::int16_t transaction_version) {
  TransactionLogValue value;
  value.producer_id = transaction.producer_id.value();
  value.producer_epoch = transaction.producer_epoch;
  value.transaction_timeout_ms = transaction.timeout_ms;
  value.transaction_status = static_cast<std::int8_t>(transaction.state);
  value.transaction_last_update_timestamp_ms = transaction.updated_ms;
  value.transaction_start_timestamp_ms = transaction.started_ms;
  value.transaction_partitions.reset();
  if (transaction.state != TransactionState::empty) {
    value.transaction_partitions = by_topic(transaction.partitions);
  }
  const std::int16_t version = transaction_version >= 1 ? 1 : 0;
  if (version >= 1) {
    value.previous_producer_id = transaction.previous_producer_id.value();
    value.next_producer_id = transaction.next_producer_id.value();
    value.client_transaction_version = transaction.client_version;
  }
  return Record::of(key_of(transactional_id), value, version);
}

Record transaction_tombstone(std::string_view transactional_id) {
  return Record::tombstone(key_of(transactional_id));
}

Result<std::string> read_transaction_key(ByteView key) {
  auto read = protocol::decode_coordinator_key<TransactionLogKey>(key);
  if (!read) return std::unexpected(std::move(read).error());
  return std::move(read->transactional_id);
}

Result<Transaction> read_transaction_value(ByteView value) {
  auto read = protocol::decode_coordinator_value<TransactionLogValue>(value);
  if (!read) return std::unexpected(std::move(read).error());
  if (!is_stored(read->transaction_status)) {
    return fail(ErrorCode::corrupt_message,
                fmt::format("{} is no state of a transaction", read->transaction_status));
  }
  Transaction transaction{.producer_id = ProducerId{read->producer_id},
                          .previous_producer_id = ProducerId{read->previous_producer_id},
                          .next_producer_id = ProducerId{read->next_producer_id},
                          .producer_epoch = read->producer_epoch,
                          .timeout_ms = read->transaction_timeout_ms,
                          .state = static_cast<TransactionState>(read->transaction_status),
                          .updated_ms = read->transaction_last_update_timestamp_ms,
                          .started_ms = read->transaction_start_timestamp_ms,
                          .client_version = read->client_transaction_version};
  if (!read->transaction_partitions) return transaction;
  for (auto& topic : *read->transaction_partitions) {
    for (const std::int32_t partition : topic.partition_ids) {
      transaction.partitions.insert({topic.topic, partition});
    }
  }
  return transaction;
}

}  // namespace arus::coordinator
