#include "cli/transaction_view.h"

#include <gtest/gtest.h>

namespace arus::cli {
namespace {

using Ending = TransactionVerdict::Ending;

constexpr std::int64_t now_ms = 1'750'000'000'000;
const TopicPartition orders{"orders", 0};

client::TransactionDescription transaction(std::string state, std::int64_t age_ms,
                                           std::vector<TopicPartition> partitions) {
  client::TransactionDescription description;
  description.transactional_id = "pay";
  description.state = std::move(state);
  description.producer_id = ProducerId{7};
  description.producer_epoch = 3;
  description.timeout_ms = 60'000;
  if (age_ms >= 0) description.start_time_ms = now_ms - age_ms;
  description.partitions = std::move(partitions);
  return description;
}

OpenTransaction open_in(TopicPartition name, std::int64_t silent_ms) {
  OpenTransaction open;
  open.partition = std::move(name);
  open.producer.producer_id = ProducerId{7};
  open.producer.epoch = 3;
  open.producer.last_timestamp_ms = now_ms - silent_ms;
  open.producer.transaction_start = Offset{42};
  return open;
}

bool says(const TransactionVerdict& verdict, std::string_view what) {
  return std::ranges::any_of(verdict.sentences, [&](const std::string& sentence) {
    return sentence.find(what) != std::string::npos;
  });
}

TEST(TransactionVerdict, AYoungTransactionEndsByItself) {
  const auto verdict = explain_transaction(transaction("Ongoing", 10'000, {orders}),
                                           {open_in(orders, 2'000)}, now_ms);
  EXPECT_EQ(verdict.ending, Ending::by_itself);
  EXPECT_TRUE(says(verdict, "is alive: it was seen 2 s ago"));
  EXPECT_TRUE(says(verdict, "open from offset 42"));
  EXPECT_TRUE(says(verdict, "its coordinator aborts it in 50 s"));
}

TEST(TransactionVerdict, AnOverdueTransactionIsFenced) {
  const auto verdict = explain_transaction(transaction("Ongoing", 600'000, {orders}),
                                           {open_in(orders, 500'000)}, now_ms);
  EXPECT_EQ(verdict.ending, Ending::by_fencing);
  EXPECT_TRUE(says(verdict, "it is probably gone"));
}

TEST(TransactionVerdict, JustPastItsTimeoutTheCoordinatorGetsItsChance) {
  const auto verdict = explain_transaction(transaction("Ongoing", 70'000, {orders}), {}, now_ms);
  EXPECT_EQ(verdict.ending, Ending::by_itself);
}

TEST(TransactionVerdict, ADecidedOutcomeIsNeverAborted) {
  for (const char* state : {"PrepareCommit", "PrepareAbort"}) {
    const auto verdict = explain_transaction(transaction(state, 3'600'000, {orders}),
                                             {open_in(orders, 3'600'000)}, now_ms);
    EXPECT_EQ(verdict.ending, Ending::decided);
    EXPECT_TRUE(says(verdict, "Never abort it by hand"));
  }
}

TEST(TransactionVerdict, WhatTheCoordinatorDoesNotKnowOfHangs) {
  const auto verdict = explain_transaction(transaction("CompleteCommit", -1, {}),
                                           {open_in(orders, 120'000)}, now_ms);
  EXPECT_EQ(verdict.ending, Ending::by_marker);
  EXPECT_TRUE(says(verdict, "its coordinator does not know of it: it hangs"));
}

TEST(TransactionVerdict, WhatWasWrittenJustNowDoesNotHangYet) {
  const auto verdict =
      explain_transaction(transaction("Empty", -1, {}), {open_in(orders, 1'000)}, now_ms);
  EXPECT_EQ(verdict.ending, Ending::nothing_open);
}

TEST(TransactionVerdict, NothingOpenIsSaid) {
  const auto verdict = explain_transaction(transaction("CompleteAbort", -1, {}), {}, now_ms);
  EXPECT_EQ(verdict.ending, Ending::nothing_open);
  EXPECT_TRUE(says(verdict, "Nothing is open"));
}

TEST(HangingTransactions, AreThoseThatNoCoordinatorNames) {
  const auto open = open_in(orders, 120'000);
  EXPECT_TRUE(is_hanging(open, {}));
  EXPECT_TRUE(is_hanging(open, {{ProducerId{7}, transaction("Ongoing", 1, {{"other", 0}})}}));
  EXPECT_FALSE(is_hanging(open, {{ProducerId{7}, transaction("Ongoing", 1, {orders})}}));
  EXPECT_TRUE(is_hanging(open, {{ProducerId{8}, transaction("Ongoing", 1, {orders})}}));
}

}  // namespace
}  // namespace arus::cli
