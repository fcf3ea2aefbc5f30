#include "client/producer_transaction.h"

#include <gtest/gtest.h>

#include "client/scripted_broker_testing.h"
#include "protocol/api/add_partitions_to_txn.h"
#include "protocol/api/end_txn.h"
#include "protocol/api/init_producer_id.h"

namespace arus::client {
namespace {

// A coordinator that knows only version 1 of the protocol: it has finalized no feature.
class ProducerTransactionTest : public testing::Test {
 protected:
  ProducerTransactionTest() {
    options_.bootstrap = {{"10.0.0.1", ScriptedBroker::port}};
    broker_.on<protocol::InitProducerIdRequest>(
        [this](const protocol::InitProducerIdRequest& request) {
          protocol::InitProducerIdResponse answer;
          answer.producer_id = ProducerId{9};
          answer.producer_epoch = static_cast<std::int16_t>(request.producer_epoch + 1);
          ++inits_;
          return answer;
        });
    broker_.on<protocol::EndTxnRequest>([this](const protocol::EndTxnRequest& request) {
      protocol::EndTxnResponse answer;
      answer.error_code = end_codes_.empty() ? ErrorCode::none : end_codes_.front();
      if (!end_codes_.empty()) end_codes_.erase(end_codes_.begin());
      ends_.push_back(request.committed);
      return answer;
    });
    broker_.on<protocol::AddPartitionsToTxnRequest>(
        [this](const protocol::AddPartitionsToTxnRequest& request) {
          protocol::AddPartitionsToTxnResponse answer;
          for (const auto& wanted : request.v3_and_below_topics) {
            auto& topic = answer.results_by_topic_v3_and_below.emplace_back();
            topic.name = wanted.name;
            for (const std::int32_t index : wanted.partitions) {
              auto& partition = topic.results_by_partition.emplace_back();
              partition.partition_index = index;
              partition.partition_error_code = add_code_;
            }
          }
          return answer;
        });
  }

  template <class Body>
  void run(Body body) {
    env::run_until_done(*environment_, with_transaction(body));
  }

  template <class Body>
  env::Task<void> with_transaction(Body& body) {
    broker_.start();
    Cluster cluster{*environment_, options_};
    ProducerTransaction transaction{cluster, "x", env::seconds(60)};
    const auto begun = co_await transaction.initialise(cluster.call_deadline());
    EXPECT_TRUE(begun);
    co_await body(transaction, cluster.call_deadline());
    transaction.abandon();
    co_await cluster.close();
    co_await broker_.stop();
  }

  env::Simulation simulation_{{}};
  std::unique_ptr<env::SimulatedEnvironment> environment_ = simulation_.make_environment({});
  ScriptedBroker broker_{*environment_, "10.0.0.1"};
  ClientOptions options_;
  int inits_ = 0;
  std::vector<bool> ends_;
  std::vector<ErrorCode> end_codes_;
  ErrorCode add_code_ = ErrorCode::none;
};

TEST_F(ProducerTransactionTest, ACommitIsTriedAgainWhileTheOneBeforeIsBeingFinished) {
  end_codes_ = {ErrorCode::concurrent_transactions, ErrorCode::not_coordinator};
  run([&](ProducerTransaction& transaction, env::TimePoint deadline) -> env::Task<void> {
    EXPECT_TRUE(transaction.begin());
    EXPECT_FALSE(transaction.admit({"t", 0}));  // the coordinator does not know it yet
    co_await transaction.add_partitions();
    EXPECT_TRUE(transaction.admit({"t", 0}));
    EXPECT_TRUE(transaction.begin_end(true));
    EXPECT_TRUE(co_await transaction.end(deadline));
    EXPECT_EQ(transaction.phase(), ProducerTransaction::Phase::ready);
  });
  EXPECT_EQ(ends_, (std::vector{true, true, true}));
}

TEST_F(ProducerTransactionTest, NothingIsEndedWhereNothingHasBegun) {
  run([&](ProducerTransaction& transaction, env::TimePoint deadline) -> env::Task<void> {
    EXPECT_TRUE(transaction.begin());
    EXPECT_FALSE(transaction.begin());
    EXPECT_TRUE(transaction.begin_end(true));
    EXPECT_TRUE(co_await transaction.end(deadline));
  });
  EXPECT_TRUE(ends_.empty());
}

TEST_F(ProducerTransactionTest, AFailedBatchLeavesOnlyAbortingAndThenANewEpoch) {
  run([&](ProducerTransaction& transaction, env::TimePoint deadline) -> env::Task<void> {
    EXPECT_TRUE(transaction.begin());
    static_cast<void>(transaction.admit({"t", 0}));
    co_await transaction.add_partitions();
    const std::int16_t epoch = transaction.identity().epoch;
    transaction.note_failure({ErrorCode::request_timed_out, "not delivered"}, true);
    EXPECT_FALSE(transaction.check_open());
    EXPECT_FALSE(transaction.begin_end(true));
    EXPECT_TRUE(transaction.begin_end(false));
    EXPECT_TRUE(co_await transaction.end(deadline));
    EXPECT_GT(transaction.identity().epoch, epoch);
    EXPECT_TRUE(transaction.begin());
  });
  EXPECT_EQ(ends_, (std::vector{false}));
  EXPECT_EQ(inits_, 2);
}

TEST_F(ProducerTransactionTest, AFencedProducerCanDoNothingAnyMore) {
  add_code_ = ErrorCode::invalid_producer_epoch;
  run([&](ProducerTransaction& transaction, env::TimePoint deadline) -> env::Task<void> {
    EXPECT_TRUE(transaction.begin());
    static_cast<void>(transaction.admit({"t", 0}));
    co_await transaction.add_partitions();
    EXPECT_EQ(transaction.check_open().error().code, ErrorCode::producer_fenced);
    EXPECT_EQ(transaction.begin_end(false).error().code, ErrorCode::producer_fenced);
    EXPECT_EQ(transaction.begin().error().code, ErrorCode::producer_fenced);
    EXPECT_FALSE(co_await transaction.initialise(deadline));
  });
  EXPECT_TRUE(ends_.empty());
}

}  // namespace
}  // namespace arus::client
