#include "coordinator/transaction/transaction_machine.h"

#include <gtest/gtest.h>

#include <array>

#include "coordinator/transaction/transaction_testing.h"

namespace arus::coordinator {
namespace {

using State = TransactionState;
using Codes = std::vector<ErrorCode>;
constexpr ProducerId first_id{1000};
const TopicPartition events0{"events", 0};
const TopicPartition events1{"events", 1};
constexpr std::int16_t highest_epoch = 32'767;
constexpr std::array<std::int16_t, 2> protocols = {0, 2};

// Brings "t" to `epoch` by asking for it again and again.
void raise_epoch(TransactionBench& bench, std::int16_t epoch) {
  while (bench.machine().find("t") == nullptr || bench.at("t").producer_epoch < epoch) {
    bench.init("t");
  }
}

TEST(TransactionMachine, NewTransactionalIdGetsIdAndEpochZero) {
  TransactionBench bench;
  const auto answer = bench.init("t");
  EXPECT_EQ(answer.value().error_code, ErrorCode::none);
  EXPECT_EQ(answer.value().producer_id, first_id);
  EXPECT_EQ(answer.value().producer_epoch, 0);
  EXPECT_EQ(bench.at("t").state, State::empty);
}

TEST(TransactionMachine, AnswersWaitUntilTheRecordIsDurable) {
  TransactionBench bench;
  bench.bench().durable = false;
  const auto answer = bench.init("t");
  EXPECT_FALSE(answer.given());
  bench.bench().release();
  EXPECT_TRUE(answer.given());
}

TEST(TransactionMachine, EverySecondProducerFencesTheFirst) {
  TransactionBench bench;
  bench.init("t");
  EXPECT_EQ(bench.init("t").value().producer_epoch, 1);
  EXPECT_EQ(bench.add("t", first_id, 0, {events0}).value(), Codes{ErrorCode::producer_fenced});
  EXPECT_EQ(bench.end("t", first_id, 0, true).value().error_code, ErrorCode::producer_fenced);
  EXPECT_EQ(bench.init("t", first_id, 0).value().error_code, ErrorCode::producer_fenced);
}

TEST(TransactionMachine, ProducerThatContinuesBumpsItsEpochAndMayAskAgain) {
  TransactionBench bench;
  bench.init("t");
  EXPECT_EQ(bench.init("t", first_id, 0).value().producer_epoch, 1);
  EXPECT_EQ(bench.init("t", first_id, 0).value().producer_epoch, 1);
  EXPECT_EQ(bench.init("t", first_id, 1).value().producer_epoch, 2);
  EXPECT_EQ(bench.init("t", first_id, 0).value().error_code, ErrorCode::producer_fenced);
  EXPECT_EQ(bench.init("t", ProducerId{7}, 0).value().error_code, ErrorCode::producer_fenced);
}

TEST(TransactionMachine, TimeoutBeyondTheLimitIsRefused) {
  TransactionBench bench;
  EXPECT_EQ(bench.init("t", no_producer, -1, 900'001).value().error_code,
            ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(bench.init("t", no_producer, -1, 0).value().error_code,
            ErrorCode::invalid_transaction_timeout);
  EXPECT_EQ(bench.machine().size(), 0U);
}

TEST(TransactionMachine, WithoutProducerIdsTheClientIsToldToAskAgain) {
  TransactionBench bench;
  bench.ids_left = false;
  EXPECT_EQ(bench.init("t").value().error_code, ErrorCode::coordinator_load_in_progress);
  bench.ids_left = true;
  EXPECT_EQ(bench.init("t").value().error_code, ErrorCode::none);
}

TEST(TransactionMachine, PrepareIsDurableBeforeAnswerAndMarkersAndTheyBeforeComplete) {
  TransactionBench bench;
  bench.init("t");
  bench.add("t", first_id, 0, {events0, events1});
  bench.bench().durable = false;
  const auto ended = bench.end("t", first_id, 0, true);
  EXPECT_EQ(bench.at("t").state, State::prepare_commit);
  EXPECT_FALSE(ended.given());
  EXPECT_TRUE(bench.book().orders.empty());
  bench.bench().durable = true;
  bench.bench().release();
  EXPECT_EQ(ended.value().error_code, ErrorCode::none);
  EXPECT_EQ(ended.value().producer_epoch, 1);
  ASSERT_EQ(bench.book().orders.size(), 1U);
  MarkerOrder order = bench.book().orders.front();
  EXPECT_TRUE(order.committed);
  EXPECT_EQ(order.producer_epoch, 1);
  EXPECT_EQ(order.transaction_version, 2);
  order.partitions = {events0};
  bench.report(order);
  EXPECT_EQ(bench.at("t").state, State::prepare_commit);
  ASSERT_EQ(bench.describe("t").topics.size(), 1U);
  EXPECT_EQ(bench.describe("t").topics[0].partitions, std::vector<std::int32_t>{1});
  order.partitions = {events1};
  bench.report(order);
  EXPECT_EQ(bench.at("t").state, State::complete_commit);
  EXPECT_TRUE(bench.at("t").partitions.empty());
}

TEST(TransactionMachine, ReportOfAnEarlierOrderChangesNothing) {
  TransactionBench bench;
  bench.init("t");
  bench.add("t", first_id, 0, {events0});
  bench.end("t", first_id, 0, true);
  const MarkerOrder first = bench.book().orders.front();
  bench.write_markers();
  bench.add("t", first_id, 1, {events0});
  bench.end("t", first_id, 1, false);
  bench.report(first);
  EXPECT_EQ(bench.at("t").state, State::prepare_abort);
}

TEST(TransactionMachine, EndTxnAskedForAgainGetsTheSameOutcome) {
  TransactionBench bench;
  bench.init("t");
  bench.add("t", first_id, 0, {events0});
  bench.end("t", first_id, 0, true);
  EXPECT_EQ(bench.end("t", first_id, 0, true).value().error_code,
            ErrorCode::concurrent_transactions);
  EXPECT_EQ(bench.end("t", first_id, 0, false).value().error_code, ErrorCode::invalid_txn_state);
  EXPECT_EQ(bench.end("t", first_id, 1, true).value().error_code, ErrorCode::producer_fenced);
  bench.write_markers();
  const auto again = bench.end("t", first_id, 0, true);
  EXPECT_EQ(again.value().error_code, ErrorCode::none);
  EXPECT_EQ(again.value().producer_id, first_id);
  EXPECT_EQ(again.value().producer_epoch, 1);
  EXPECT_EQ(bench.end("t", first_id, 0, false).value().error_code, ErrorCode::invalid_txn_state);
}

// Kafka's table of what protocol 2 does with EndTxn where no transaction is open.
TEST(TransactionMachine, EndTxnWithoutAnOpenTransactionInProtocol2) {
  const auto code = [](State state, bool commit, bool retry) {
    TransactionBench bench;
    bench.init("t");
    if (state != State::empty) {
      bench.add("t", first_id, 0, {events0});
      bench.end("t", first_id, 0, state == State::complete_commit);
      bench.write_markers();
    } else {
      bench.init("t");
    }
    const auto epoch = static_cast<std::int16_t>(bench.at("t").producer_epoch - (retry ? 1 : 0));
    return bench.end("t", first_id, epoch, commit).value().error_code;
  };
  EXPECT_EQ(code(State::empty, false, true), ErrorCode::producer_fenced);
  EXPECT_EQ(code(State::empty, false, false), ErrorCode::none);
  EXPECT_EQ(code(State::empty, true, true), ErrorCode::producer_fenced);
  EXPECT_EQ(code(State::empty, true, false), ErrorCode::invalid_txn_state);
  EXPECT_EQ(code(State::complete_abort, false, true), ErrorCode::none);
  EXPECT_EQ(code(State::complete_abort, false, false), ErrorCode::none);
  EXPECT_EQ(code(State::complete_abort, true, true), ErrorCode::invalid_txn_state);
  EXPECT_EQ(code(State::complete_abort, true, false), ErrorCode::invalid_txn_state);
  EXPECT_EQ(code(State::complete_commit, false, true), ErrorCode::invalid_txn_state);
  EXPECT_EQ(code(State::complete_commit, false, false), ErrorCode::none);
  EXPECT_EQ(code(State::complete_commit, true, true), ErrorCode::none);
  EXPECT_EQ(code(State::complete_commit, true, false), ErrorCode::invalid_txn_state);
}

TEST(TransactionMachine, AbortOfNothingBumpsTheEpochAndIsCompleteAtOnce) {
  TransactionBench bench;
  bench.init("t");
  const auto ended = bench.end("t", first_id, 0, false);
  EXPECT_EQ(ended.value().producer_epoch, 1);
  EXPECT_EQ(bench.at("t").state, State::complete_abort);
  EXPECT_TRUE(bench.book().orders.empty());
  EXPECT_EQ(bench.bench().log().size(), 3U);  // Empty, PrepareAbort, CompleteAbort
}

TEST(TransactionMachine, Protocol1KeepsTheEpochAndTakesTheSameEndTwice) {
  TransactionBench bench(0);
  bench.init("t");
  bench.add("t", first_id, 0, {events0}, false, 0);
  EXPECT_EQ(bench.end("t", first_id, 0, true, 0).value().error_code, ErrorCode::none);
  EXPECT_EQ(bench.end("t", first_id, 0, true, 0).value().error_code,
            ErrorCode::concurrent_transactions);
  EXPECT_EQ(bench.book().orders.front().transaction_version, 0);
  bench.write_markers();
  EXPECT_EQ(bench.at("t").producer_epoch, 0);
  EXPECT_EQ(bench.end("t", first_id, 0, true, 0).value().error_code, ErrorCode::none);
  EXPECT_EQ(bench.end("t", first_id, 0, false, 0).value().error_code, ErrorCode::invalid_txn_state);
  bench.init("t");
  EXPECT_EQ(bench.end("t", first_id, 1, false, 0).value().error_code, ErrorCode::invalid_txn_state);
}

TEST(TransactionMachine, InitOverAnOpenTransactionAbortsItFirst) {
  for (const auto version : protocols) {
    TransactionBench bench(version);
    bench.init("t");
    bench.add("t", first_id, 0, {events0}, false, version);
    EXPECT_EQ(bench.init("t").value().error_code, ErrorCode::concurrent_transactions);
    EXPECT_EQ(bench.at("t").state, State::prepare_abort);
    EXPECT_EQ(bench.init("t").value().error_code, ErrorCode::concurrent_transactions);
    ASSERT_EQ(bench.book().orders.size(), 1U);
    EXPECT_EQ(bench.book().orders.front().producer_epoch, 1);
    bench.write_markers();
    EXPECT_EQ(bench.init("t").value().producer_epoch, 2);
    EXPECT_EQ(bench.end("t", first_id, 0, true, version).value().error_code,
              ErrorCode::producer_fenced);
  }
}

TEST(TransactionMachine, AddingPartitionsIsRefusedWhileTheLastTransactionEnds) {
  TransactionBench bench;
  bench.init("t");
  EXPECT_EQ(bench.add("other", first_id, 0, {events0}).value(),
            Codes{ErrorCode::invalid_producer_id_mapping});
  EXPECT_EQ(bench.add("t", ProducerId{7}, 0, {events0}).value(),
            Codes{ErrorCode::invalid_producer_id_mapping});
  EXPECT_EQ(bench.add("", first_id, 0, {events0}).value(), Codes{ErrorCode::invalid_request});
  bench.add("t", first_id, 0, {events0});
  const std::size_t records = bench.bench().log().size();
  EXPECT_EQ(bench.add("t", first_id, 0, {events0}).value(), Codes{ErrorCode::none});
  EXPECT_EQ(bench.bench().log().size(), records) << "it is there already";
  bench.end("t", first_id, 0, false);
  EXPECT_EQ(bench.add("t", first_id, 1, {events0}).value(),
            Codes{ErrorCode::concurrent_transactions});
}

TEST(TransactionMachine, PatientRequestGoesOnWhenTheTransactionBeforeIsComplete) {
  TransactionBench bench;
  bench.init("t");
  bench.add("t", first_id, 0, {events0});
  bench.end("t", first_id, 0, true);
  const auto wait = [&] {
    Answer<Codes> answer;
    bench.bench().turn([&](Turn& turn) {
      bench.machine().add_partitions(turn,
                                     {.transactional_id = "t",
                                      .producer_id = first_id,
                                      .producer_epoch = 1,
                                      .client_version = 2,
                                      .partitions = {events1},
                                      .patience = env::milliseconds(100)},
                                     answer.reply());
    });
    return answer;
  };
  const auto late = wait();
  bench.bench().pass(env::milliseconds(101));
  EXPECT_EQ(late.value(), Codes{ErrorCode::concurrent_transactions});
  std::vector<Answer<Codes>> crowd;
  for (int i = 0; i < 17; ++i) crowd.push_back(wait());
  EXPECT_EQ(crowd.front().value(), Codes{ErrorCode::concurrent_transactions});
  EXPECT_FALSE(crowd[1].given());
  bench.write_markers();
  for (std::size_t i = 1; i < crowd.size(); ++i) {
    EXPECT_EQ(crowd[i].value(), Codes{ErrorCode::none});
  }
  EXPECT_EQ(bench.at("t").state, State::ongoing);
  EXPECT_TRUE(bench.at("t").partitions.contains(events1));
}

TEST(TransactionMachine, VerificationNamesWhatIsMissing) {
  TransactionBench bench;
  bench.init("t");
  bench.add("t", first_id, 0, {events0});
  EXPECT_EQ(bench.add("t", first_id, 0, {events0, events1}, true).value(),
            (Codes{ErrorCode::none, ErrorCode::transaction_abortable}));
  EXPECT_FALSE(bench.at("t").partitions.contains(events1));
}

TEST(TransactionMachine, TransactionThatTookTooLongIsAbortedWithAnotherEpoch) {
  for (const auto version : protocols) {
    TransactionBench bench(version);
    bench.init("t", no_producer, -1, 15'000);
    bench.add("t", first_id, 0, {events0}, false, version);
    bench.bench().pass(env::seconds(14));
    EXPECT_EQ(bench.at("t").state, State::ongoing);
    bench.bench().pass(env::seconds(12));
    EXPECT_EQ(bench.at("t").state, State::prepare_abort);
    EXPECT_FALSE(bench.book().orders.front().committed);
    EXPECT_EQ(bench.at("t").producer_epoch, 1);
    bench.write_markers();
    EXPECT_EQ(bench.at("t").state, State::complete_abort);
    EXPECT_NE(bench.end("t", first_id, 0, true, version).value().error_code, ErrorCode::none);
  }
}

TEST(TransactionMachine, ExhaustedEpochGetsANewProducerIdFromInit) {
  TransactionBench bench;
  raise_epoch(bench, last_client_epoch);
  EXPECT_EQ(bench.at("t").producer_id, first_id);
  const auto answer = bench.init("t", first_id, last_client_epoch);
  EXPECT_EQ(answer.value().producer_id, ProducerId{1001});
  EXPECT_EQ(answer.value().producer_epoch, 0);
  // The answer was lost: the client asks with what it has.
  const auto again = bench.init("t", first_id, last_client_epoch);
  EXPECT_EQ(again.value().producer_id, ProducerId{1001});
  EXPECT_EQ(again.value().error_code, ErrorCode::none);
}

TEST(TransactionMachine, EpochOverflowInProtocol2GoesOnWithTheNextProducerId) {
  TransactionBench bench;
  raise_epoch(bench, last_client_epoch);
  bench.add("t", first_id, last_client_epoch, {events0});
  const auto ended = bench.end("t", first_id, last_client_epoch, true);
  EXPECT_EQ(ended.value().producer_id, ProducerId{1001});
  EXPECT_EQ(ended.value().producer_epoch, 0);
  EXPECT_EQ(bench.book().orders.front().producer_id, first_id);
  EXPECT_EQ(bench.book().orders.front().producer_epoch, highest_epoch);
  EXPECT_EQ(bench.at("t").next_producer_id, ProducerId{1001});
  bench.write_markers();
  EXPECT_EQ(bench.at("t").producer_id, ProducerId{1001});
  EXPECT_EQ(bench.at("t").producer_epoch, 0);
  EXPECT_EQ(bench.at("t").next_producer_id, no_producer);
  const auto again = bench.end("t", first_id, last_client_epoch, true);
  EXPECT_EQ(again.value().error_code, ErrorCode::none);
  EXPECT_EQ(again.value().producer_id, ProducerId{1001});
  EXPECT_EQ(bench.end("t", first_id, last_client_epoch, false).value().error_code,
            ErrorCode::invalid_txn_state);
}

TEST(TransactionMachine, TimeoutAtTheLastEpochWaitsForAProducerId) {
  TransactionBench bench;
  raise_epoch(bench, last_client_epoch);
  bench.add("t", first_id, last_client_epoch, {events0});
  bench.ids_left = false;
  bench.bench().pass(env::seconds(80));
  EXPECT_EQ(bench.at("t").state, State::ongoing);
  bench.ids_left = true;
  bench.bench().pass(env::seconds(11));
  EXPECT_EQ(bench.at("t").state, State::prepare_abort);
  bench.write_markers();
  EXPECT_EQ(bench.at("t").producer_epoch, 0);
}

TEST(TransactionMachine, PreparedTransactionIsFinishedAfterLoading) {
  TransactionBench bench;
  bench.init("t");
  bench.add("t", first_id, 0, {events0});
  bench.end("t", first_id, 0, true);
  bench.restart(bench.bench().log().size());
  ASSERT_EQ(bench.book().orders.size(), 1U);
  EXPECT_TRUE(bench.book().orders.front().committed);
  bench.write_markers();
  EXPECT_EQ(bench.at("t").state, State::complete_commit);
}

TEST(TransactionMachine, UnusedTransactionalIdExpiresButNotAnOpenOne) {
  TransactionBench bench;
  bench.init("unused");
  bench.init("t", no_producer, -1, 900'000);
  constexpr auto week = env::seconds(7 * 24 * 3'600);
  bench.bench().pass(week - env::seconds(3'000));
  bench.add("t", ProducerId{1001}, 0, {events0});
  bench.bench().pass(env::seconds(3'600 + 3'000));
  EXPECT_EQ(bench.machine().find("unused"), nullptr);
  EXPECT_NE(bench.machine().find("t"), nullptr);
  EXPECT_EQ(bench.describe("unused").error_code, ErrorCode::transactional_id_not_found);
  bench.write_markers();
  bench.restart(bench.bench().log().size());
  EXPECT_EQ(bench.machine().find("unused"), nullptr);
}

TEST(TransactionMachine, MoreUnusedIdsThanATurnTakesExpireInSeveral) {
  TransactionBench bench;
  for (int i = 0; i < 1'200; ++i) bench.init("t" + std::to_string(i));
  bench.bench().pass(env::seconds(8 * 24 * 3'600));
  EXPECT_EQ(bench.machine().size(), 0U);
}

TEST(TransactionMachine, RecordThatWouldNotFitIsRefused) {
  TransactionBench bench;
  bench.init("t");
  std::vector<TopicPartition> many;
  for (int i = 0; i < 300'000; ++i) many.push_back({"events", i});
  EXPECT_EQ(bench.add("t", first_id, 0, many).value()[0], ErrorCode::unknown_server_error);
  EXPECT_EQ(bench.at("t").state, State::empty);
}

TEST(TransactionMachine, ListFiltersByStateProducerDurationAndPattern) {
  TransactionBench bench;
  bench.init("a");
  bench.init("b1");
  bench.add("b1", ProducerId{1001}, 0, {events0});
  bench.bench().pass(env::seconds(5));
  const auto names = [&](TransactionFilter filter) {
    Answer<std::vector<protocol::ListTransactionsResponse::TransactionState>> answer;
    bench.bench().turn(
        [&](Turn& turn) { bench.machine().list(turn, std::move(filter), answer.reply()); });
    std::string all;
    for (const auto& entry : answer.value()) {
      all += entry.transactional_id + ":" + entry.transaction_state + " ";
    }
    return all;
  };
  EXPECT_EQ(names({}), "a:Empty b1:Ongoing ");
  EXPECT_EQ(names({.states = {State::ongoing}, .by_state = true}), "b1:Ongoing ");
  EXPECT_EQ(names({.by_state = true}), "");
  EXPECT_EQ(names({.producer_ids = {first_id}}), "a:Empty ");
  EXPECT_EQ(names({.running_longer_than_ms = 6'000}), "a:Empty ");
  EXPECT_EQ(names({.running_longer_than_ms = 4'000}), "a:Empty b1:Ongoing ");
  EXPECT_EQ(names({.pattern = make_transaction_pattern("b.*").value()}), "b1:Ongoing ");
  EXPECT_FALSE(make_transaction_pattern("(").has_value());
}

}  // namespace
}  // namespace arus::coordinator
