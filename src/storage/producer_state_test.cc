#include "storage/producer_state.h"

#include <gtest/gtest.h>

#include "storage/producer_snapshot.h"

namespace arus::storage {
namespace {

constexpr std::int32_t last_number = std::numeric_limits<std::int32_t>::max();

// Batches of one producer, one behind the other in the log.
class ProducerStateTest : public testing::Test {
 protected:
  ProducerAppend batch(std::int16_t epoch, std::int32_t base, std::int32_t last,
                       bool transactional = false) {
    const std::int64_t count =
        base <= last ? last - base + 1LL : 1LL + last_number - base + last + 1;
    return {.producer_id = ProducerId{1},
            .epoch = epoch,
            .base_sequence = base,
            .last_sequence = last,
            .base_offset = end_,
            .last_offset = end_ + (count - 1),
            .timestamp_ms = 1'000,
            .transactional = transactional,
            .end = std::nullopt};
  }
  ProducerAppend marker(std::int16_t epoch, bool committed, std::int32_t coordinator_epoch = 0) {
    return {.producer_id = ProducerId{1},
            .epoch = epoch,
            .base_offset = end_,
            .last_offset = end_,
            .timestamp_ms = 2'000,
            .transactional = true,
            .end = TransactionEnd{committed, coordinator_epoch}};
  }
  std::optional<CompletedTransaction> apply(const ProducerAppend& append) {
    end_ = append.last_offset + 1;
    return state_.apply(append);
  }
  ErrorCode check(const ProducerAppend& append, std::int16_t version = 0,
                  ProducerState::Origin origin = ProducerState::Origin::client) {
    const auto checked = state_.check(append, origin, version);
    return checked ? ErrorCode::none : checked.error().code;
  }
  bool is_duplicate(const ProducerAppend& append) {
    const auto checked = state_.check(append, ProducerState::Origin::client, 0);
    return checked && checked->has_value();
  }

  ProducerState state_;
  Offset end_{100};
};

TEST_F(ProducerStateTest, SequencesFollowEachOther) {
  apply(batch(0, 0, 4));
  EXPECT_EQ(check(batch(0, 5, 5)), ErrorCode::none);
  EXPECT_EQ(check(batch(0, 6, 6)), ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(check(batch(0, 4, 6)), ErrorCode::out_of_order_sequence_number);
}

TEST_F(ProducerStateTest, AnUnknownProducerMayBeginAnywhere) {
  EXPECT_EQ(check(batch(3, 77, 80)), ErrorCode::none);
  EXPECT_EQ(check(batch(3, 77, 80, true)), ErrorCode::none);
  EXPECT_EQ(check(batch(3, 77, 80, true), 2), ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(check(batch(3, 0, 2, true), 2), ErrorCode::none);
}

TEST_F(ProducerStateTest, ANewEpochBeginsAtZeroAndAnOldOneIsRefused) {
  apply(batch(2, 0, 4));
  EXPECT_EQ(check(batch(3, 5, 5)), ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(check(batch(3, 0, 5)), ErrorCode::none);
  EXPECT_EQ(check(batch(1, 5, 5)), ErrorCode::invalid_producer_epoch);
  apply(batch(3, 0, 0));
  EXPECT_FALSE(is_duplicate(batch(2, 0, 4)));
  EXPECT_EQ(check(batch(2, 0, 4)), ErrorCode::invalid_producer_epoch);
}

TEST_F(ProducerStateTest, SequencesWrapToZero) {
  apply(batch(0, last_number - 1, last_number));
  EXPECT_EQ(check(batch(0, 0, 1)), ErrorCode::none);
  apply(batch(0, 0, 1));
  apply(batch(0, 2, last_number - 2));
  const auto across = batch(0, last_number - 1, 1);
  EXPECT_EQ(check(across), ErrorCode::none);
  apply(across);
  EXPECT_TRUE(is_duplicate(across));
  EXPECT_EQ(check(batch(0, 2, 2)), ErrorCode::none);
}

TEST_F(ProducerStateTest, TheLastFiveBatchesAreRecognised) {
  for (std::int32_t i = 0; i < 7; ++i) apply(batch(0, 2 * i, 2 * i + 1));
  for (std::int32_t i = 0; i < 7; ++i) {
    const auto again = state_.check(batch(0, 2 * i, 2 * i + 1), ProducerState::Origin::client, 0);
    if (i < 2) {
      EXPECT_EQ(again.error().code, ErrorCode::out_of_order_sequence_number);
    } else {
      ASSERT_TRUE(again && *again) << i;
      EXPECT_EQ((*again)->base_offset(), Offset{100 + 2 * i});
      EXPECT_EQ((*again)->last_offset, Offset{101 + 2 * i});
    }
  }
  EXPECT_EQ(check(batch(0, 12, 12)), ErrorCode::out_of_order_sequence_number);
}

TEST_F(ProducerStateTest, CoordinatorsNeedNoSequences) {
  apply(batch(1, 0, 0));
  EXPECT_EQ(check(batch(1, -1, -1, true), 0, ProducerState::Origin::coordinator), ErrorCode::none);
  EXPECT_EQ(check(batch(0, -1, -1, true), 0, ProducerState::Origin::coordinator),
            ErrorCode::invalid_producer_epoch);
}

TEST_F(ProducerStateTest, AnOpenTransactionHoldsTheStableOffsetUntilItsMarkerIsReleased) {
  apply(batch(0, 0, 4, true));
  EXPECT_EQ(state_.first_unstable_offset(), Offset{100});
  apply(batch(0, 5, 5, true));
  EXPECT_EQ(state_.first_unstable_offset(), Offset{100});
  EXPECT_EQ(check(batch(0, 6, 6, false)), ErrorCode::invalid_txn_state);
  const auto completed = apply(marker(0, false));
  ASSERT_TRUE(completed);
  EXPECT_EQ(completed->first_offset, Offset{100});
  EXPECT_EQ(completed->last_offset, Offset{106});
  EXPECT_EQ(completed->last_stable_offset, Offset{107});
  EXPECT_TRUE(completed->aborted);
  EXPECT_EQ(state_.first_unstable_offset(), Offset{100});
  state_.release_below(Offset{106});
  EXPECT_EQ(state_.first_unstable_offset(), Offset{100});
  state_.release_below(Offset{107});
  EXPECT_EQ(state_.first_unstable_offset(), std::nullopt);
  EXPECT_FALSE(apply(marker(0, false)));
}

TEST_F(ProducerStateTest, LastStableOffsetStopsAtOtherOpenTransactions) {
  auto other = batch(0, 0, 0, true);
  other.producer_id = ProducerId{2};
  apply(other);
  apply(batch(0, 0, 0, true));
  EXPECT_EQ(apply(marker(0, true))->last_stable_offset, Offset{100});
}

TEST_F(ProducerStateTest, MarkersFollowTheEpochRulesOfTheirVersion) {
  apply(batch(5, 0, 0, true));
  EXPECT_EQ(check(marker(4, true)), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(check(marker(5, true)), ErrorCode::none);
  EXPECT_EQ(check(marker(5, true), 2), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(check(marker(6, true), 2), ErrorCode::none);
  apply(marker(6, true, 3));
  EXPECT_EQ(check(marker(6, true, 3), 2), ErrorCode::none);  // the coordinator's retry
  EXPECT_EQ(check(marker(5, true, 3), 2), ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(check(marker(7, true, 2), 2), ErrorCode::transaction_coordinator_fenced);
}

TEST_F(ProducerStateTest, IdleProducersExpireButNotTheirOpenTransactions) {
  apply(batch(0, 0, 0));
  state_.expire(1'000 + 499, 500);
  EXPECT_FALSE(state_.empty());
  state_.expire(1'000 + 500, 500);
  EXPECT_TRUE(state_.empty());
  apply(batch(0, 0, 0, true));
  state_.expire(1'000'000, 500);
  EXPECT_FALSE(state_.empty());
}

TEST_F(ProducerStateTest, ASnapshotKeepsTheNewestBatchAndTheOpenTransaction) {
  for (std::int32_t i = 0; i < 3; ++i) apply(batch(4, i, i, true));
  const Bytes file = encode_producer_snapshot(state_.entries());
  const auto entries = parse_producer_snapshot(file);
  ASSERT_TRUE(entries);
  ProducerState restored;
  restored.load(*entries);
  EXPECT_EQ(restored.first_unstable_offset(), Offset{100});
  EXPECT_EQ(encode_producer_snapshot(restored.entries()), file);
  const auto next = restored.check(batch(4, 3, 3, true), ProducerState::Origin::client, 0);
  EXPECT_TRUE(next && !*next);
}

TEST_F(ProducerStateTest, ADamagedSnapshotIsRefused) {
  apply(batch(4, 0, 2));
  const Bytes file = encode_producer_snapshot(state_.entries());
  for (std::size_t i = 0; i < file.size(); ++i) {
    Bytes damaged = file;
    damaged[i] ^= 4;
    EXPECT_FALSE(parse_producer_snapshot(damaged)) << i;
    EXPECT_FALSE(parse_producer_snapshot(ByteView(file).first(i))) << i;
  }
}

}  // namespace
}  // namespace arus::storage
