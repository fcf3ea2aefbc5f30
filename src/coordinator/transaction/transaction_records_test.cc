#include "coordinator/transaction/transaction_records.h"

#include <gtest/gtest.h>

#include "record/batch.h"
#include "record/record.h"
#include "storage/golden_testing.h"

namespace arus::coordinator {
namespace {

// The transactions of the directory that Kafka wrote: one committed, one aborted, one open.
TEST(TransactionRecords, KafkasOwnAreReadAndWrittenBackToTheByte) {
  int seen = 0;
  for (const int partition : {1, 2, 3}) {
    const Bytes log = storage::join_hex(storage::golden_path(
        "__transaction_state-" + std::to_string(partition) + "/00000000000000000000.log.jsonl"));
    record::BatchReader batches{ByteView(log)};
    while (const auto batch = batches.next()) {
      record::RecordReader records(*batch);
      while (const auto record = records.next()) {
        const auto id = read_transaction_key(*record->key);
        const auto transaction = read_transaction_value(*record->value);
        ASSERT_TRUE(id && transaction);
        const Record again = transaction_record(*id, *transaction, 2);
        EXPECT_TRUE(equal(again.key, *record->key));
        EXPECT_TRUE(equal(*again.value, *record->value)) << *id << " record " << seen;
        ++seen;
      }
    }
    EXPECT_TRUE(batches.status());
  }
  EXPECT_EQ(seen, 11);
}

TEST(TransactionRecords, LevelZeroWritesTheOldVersion) {
  const Transaction transaction{.producer_id = ProducerId{5},
                                .previous_producer_id = ProducerId{4},
                                .producer_epoch = 1,
                                .timeout_ms = 10,
                                .state = TransactionState::ongoing,
                                .partitions = {{"events", 0}},
                                .updated_ms = 7,
                                .started_ms = 6};
  const Record record = transaction_record("t", transaction, 0);
  EXPECT_EQ((*record.value)[1], 0);
  const auto read = read_transaction_value(*record.value);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->previous_producer_id, no_producer);
  EXPECT_EQ(read->partitions, transaction.partitions);
}

TEST(TransactionRecords, DamageIsAnErrorAndNotAState) {
  EXPECT_FALSE(read_transaction_value(Bytes{0, 0, 1}));
  EXPECT_FALSE(read_transaction_key(Bytes{0, 1, 0, 1, 't'}));
  Transaction dead{.state = TransactionState::dead};
  EXPECT_FALSE(read_transaction_value(*transaction_record("t", dead, 2).value));
}

}  // namespace
}  // namespace arus::coordinator
