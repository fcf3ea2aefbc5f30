// Transactions on a whole broker, asked over a socket.
#include <gtest/gtest.h>

#include "broker/broker_testing.h"
#include "protocol/api/add_offsets_to_txn.h"
#include "protocol/api/add_partitions_to_txn.h"
#include "protocol/api/describe_producers.h"
#include "protocol/api/describe_transactions.h"
#include "protocol/api/end_txn.h"
#include "protocol/api/fetch.h"
#include "protocol/api/find_coordinator.h"
#include "protocol/api/init_producer_id.h"
#include "protocol/api/list_offsets.h"
#include "protocol/api/list_transactions.h"
#include "protocol/api/produce.h"
#include "protocol/api/write_txn_markers.h"
#include "record/batch.h"
#include "record/record.h"

namespace arus::broker {
namespace {

using env::Task;
using testing::Client;
using testing::on_machine;
using testing::ScratchDirectory;

constexpr std::int16_t produce_v2 = 12;
constexpr std::int16_t produce_v1 = 11;
constexpr std::int8_t read_uncommitted = 0;
constexpr std::int8_t read_committed = 1;

struct Producer {
  std::string id;
  ProducerId producer_id = no_producer;
  std::int16_t epoch = -1;
};

// A broker with a topic "events" of two partitions, and what a transactional client does.
class World {
 public:
  explicit World(env::Environment& environment) : environment_(environment) {}

  Task<void> start(bool fresh = true) {
    auto broker =
        co_await Broker::start(environment_, {.config = testing::config_for(directory_.path())});
    if (!broker) ADD_FAILURE() << broker.error().message;
    ARUS_ASSERT(broker);
    broker_ = std::move(*broker);
    client = co_await Client::connect(environment_, broker_->addresses().front());
    if (!fresh) co_return;
    co_await testing::create_topic(*client, "events", 2);
  }
  Task<void> stop() {
    client.reset();
    EXPECT_TRUE(co_await broker_->stop());
    broker_.reset();
  }

  Task<void> find_coordinator(const std::string& id, std::int8_t type = 1) {
    while (true) {
      protocol::FindCoordinatorRequest request;
      request.key_type = type;
      request.coordinator_keys.push_back(id);
      const auto found = co_await client->ask(std::move(request), 4);
      if (found->coordinators.front().error_code == ErrorCode::none) co_return;
      co_await env::sleep_for(env::milliseconds(5));
    }
  }
  // Asks again for as long as the coordinator says that it will pass.
  Task<Producer> init(const std::string& id) {
    co_await find_coordinator(id);
    while (true) {
      protocol::InitProducerIdRequest request;
      request.transactional_id = id;
      request.transaction_timeout_ms = 60'000;
      const auto answer = co_await client->ask(std::move(request), 5);
      if (answer->error_code == ErrorCode::none) {
        co_return Producer{id, answer->producer_id, answer->producer_epoch};
      }
      EXPECT_TRUE(answer->error_code == ErrorCode::concurrent_transactions ||
                  answer->error_code == ErrorCode::coordinator_load_in_progress)
          << error_name(answer->error_code);
      co_await env::sleep_for(env::milliseconds(5));
    }
  }
  Task<ErrorCode> produce(Producer producer, std::int32_t sequence, std::string value,
                          std::int16_t version, std::int32_t partition = 0) {
    record::BatchBuilder builder({.producer_id = producer.producer_id,
                                  .producer_epoch = producer.epoch,
                                  .base_sequence = sequence,
                                  .transactional = true});
    builder.append(1'700'000'000'000, {}, as_bytes(value));
    protocol::ProduceRequest request;
    request.transactional_id = producer.id;
    request.acks = -1;
    request.timeout_ms = 10'000;
    auto& data = request.topic_data.emplace_back();
    data.name = "events";
    auto& part = data.partition_data.emplace_back();
    part.index = partition;
    part.records = Slice(builder.build());
    const auto answer = co_await client->ask(std::move(request), version);
    co_return answer->responses.front().partition_responses.front().error_code;
  }
  Task<protocol::EndTxnResponse> end(Producer producer, bool commit, std::int16_t version) {
    protocol::EndTxnRequest request;
    request.transactional_id = producer.id;
    request.producer_id = producer.producer_id;
    request.producer_epoch = producer.epoch;
    request.committed = commit;
    co_return *co_await client->ask(std::move(request), version);
  }
  Task<ErrorCode> add_partition(Producer producer) {
    protocol::AddPartitionsToTxnRequest request;
    request.v3_and_below_transactional_id = producer.id;
    request.v3_and_below_producer_id = producer.producer_id;
    request.v3_and_below_producer_epoch = producer.epoch;
    auto& topic = request.v3_and_below_topics.emplace_back();
    topic.name = "events";
    topic.partitions.push_back(0);
    const auto answer = co_await client->ask(std::move(request), 3);
    co_return answer->results_by_topic_v3_and_below.front()
        .results_by_partition.front()
        .partition_error_code;
  }
  Task<protocol::FetchResponse::PartitionData> fetch(std::int8_t isolation,
                                                     std::int64_t offset = 0) {
    protocol::FetchRequest request;
    request.isolation_level = isolation;
    request.min_bytes = 0;
    request.max_bytes = 1 << 20;
    auto& asked = request.topics.emplace_back();
    asked.topic = "events";
    auto& partition = asked.partitions.emplace_back();
    partition.fetch_offset = offset;
    partition.partition_max_bytes = 1 << 20;
    auto answer = co_await client->ask(std::move(request), 11);
    co_return std::move(answer->responses.front().partitions.front());
  }
  // The values that a consumer gives its application, joined. Like one, it goes on where the answer
  // before has ended.
  Task<std::string> read(std::int8_t isolation) {
    std::string values;
    std::int64_t next = 0;
    while (true) {
      const auto data = co_await fetch(isolation, next);
      if (data.records->empty()) co_return values;
      auto aborted = data.aborted_transactions.value_or(
          std::vector<protocol::FetchResponse::AbortedTransaction>{});
      record::BatchReader batches(data.records->view());
      while (const auto batch = batches.next()) {
        next = batch->last_offset().value() + 1;
        const auto belongs = [&batch](const auto& transaction) {
          return transaction.producer_id == batch->producer_id() &&
                 transaction.first_offset <= batch->base_offset().value();
        };
        if (batch->is_control()) {
          std::erase_if(aborted, belongs);
        } else if (std::ranges::none_of(aborted, belongs)) {
          record::RecordReader records(*batch);
          while (const auto record = records.next()) values += as_text(*record->value);
        }
      }
    }
  }
  // The same once the marker of the last transaction is there.
  Task<std::string> read_until_stable(std::int8_t isolation) {
    while (true) {
      const auto data = co_await fetch(isolation);
      if (data.last_stable_offset == data.high_watermark) co_return co_await read(isolation);
      co_await env::sleep_for(env::milliseconds(2));
    }
  }
  Task<protocol::DescribeTransactionsResponse::TransactionState> describe(const std::string& id) {
    protocol::DescribeTransactionsRequest request;
    request.transactional_ids.push_back(id);
    const auto answer = co_await client->ask(std::move(request), 0);
    co_return answer->transaction_states.front();
  }
  Task<void> wait_for_state(const std::string& id, std::string_view state) {
    while ((co_await describe(id)).transaction_state != state) {
      co_await env::sleep_for(env::milliseconds(2));
    }
  }
  Task<std::vector<protocol::DescribeProducersResponse::ProducerState>> producers() {
    protocol::DescribeProducersRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "events";
    topic.partition_indexes.push_back(0);
    const auto answer = co_await client->ask(std::move(request), 0);
    co_return answer->topics.front().partitions.front().active_producers;
  }

  std::unique_ptr<Client> client;

 private:
  env::Environment& environment_;
  ScratchDirectory directory_;
  std::unique_ptr<Broker> broker_;
};

Task<void> protocol_2(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  Producer producer = co_await world.init("t");
  EXPECT_EQ(co_await world.produce(producer, 0, "a", produce_v2), ErrorCode::none);
  EXPECT_EQ(co_await world.produce(producer, 1, "b", produce_v2), ErrorCode::none);
  EXPECT_EQ(co_await world.read(read_uncommitted), "ab");
  const auto open = co_await world.fetch(read_committed);
  EXPECT_EQ(open.last_stable_offset, 0);
  EXPECT_EQ(open.high_watermark, 2);
  EXPECT_EQ((co_await world.describe("t")).transaction_state, "Ongoing");
  const auto active = co_await world.producers();
  EXPECT_EQ(active.size(), 1U);
  EXPECT_EQ(active.front().current_txn_start_offset, 0);
  EXPECT_EQ(active.front().last_sequence, 1);

  const auto ended = co_await world.end(producer, true, 5);
  EXPECT_EQ(ended.error_code, ErrorCode::none);
  EXPECT_EQ(ended.producer_epoch, producer.epoch + 1);
  EXPECT_EQ(co_await world.read_until_stable(read_committed), "ab");
  co_await world.wait_for_state("t", "CompleteCommit");
  const auto again = co_await world.end(producer, true, 5);
  EXPECT_EQ(again.error_code, ErrorCode::none);
  EXPECT_EQ(again.producer_epoch, ended.producer_epoch);

  // What belongs to the first transaction cannot leak into the second.
  EXPECT_EQ(co_await world.produce(producer, 2, "late", produce_v2),
            ErrorCode::invalid_producer_epoch);
  producer.epoch = ended.producer_epoch;
  EXPECT_EQ(co_await world.produce(producer, 0, "c", produce_v2), ErrorCode::none);
  EXPECT_EQ((co_await world.end(producer, false, 5)).error_code, ErrorCode::none);
  EXPECT_EQ(co_await world.read_until_stable(read_committed), "ab");
  EXPECT_EQ(co_await world.read(read_uncommitted), "abc");
  const auto last = co_await world.fetch(read_committed, 3);
  EXPECT_EQ(last.aborted_transactions->size(), 1U);
  EXPECT_EQ(last.aborted_transactions->front().first_offset, 3);
  EXPECT_FALSE((co_await world.fetch(read_uncommitted)).aborted_transactions.has_value());
  co_await world.stop();
}
TEST(Transactions, Protocol2CommitsAndAborts) { on_machine(protocol_2); }
TEST(Transactions, Protocol2CommitsAndAbortsAcrossLoops) { on_machine(protocol_2, 3); }

Task<void> protocol_1(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  const Producer producer = co_await world.init("t");
  // Nobody has said that the partition belongs to the transaction.
  EXPECT_EQ(co_await world.produce(producer, 0, "x", 10), ErrorCode::invalid_txn_state);
  EXPECT_EQ(co_await world.produce(producer, 0, "x", produce_v1), ErrorCode::transaction_abortable);
  EXPECT_EQ(co_await world.add_partition(producer), ErrorCode::none);
  EXPECT_EQ(co_await world.produce(producer, 0, "a", produce_v1), ErrorCode::none);
  EXPECT_EQ((co_await world.end(producer, true, 4)).error_code, ErrorCode::none);
  EXPECT_EQ(co_await world.read_until_stable(read_committed), "a");
  co_await world.wait_for_state("t", "CompleteCommit");
  // The epoch stays; the partition has to be added again.
  EXPECT_EQ(co_await world.produce(producer, 1, "x", produce_v1), ErrorCode::transaction_abortable);
  EXPECT_EQ(co_await world.add_partition(producer), ErrorCode::none);
  EXPECT_EQ(co_await world.produce(producer, 1, "b", produce_v1), ErrorCode::none);
  EXPECT_EQ((co_await world.end(producer, false, 4)).error_code, ErrorCode::none);
  EXPECT_EQ(co_await world.read_until_stable(read_committed), "a");
  co_await world.stop();
}
TEST(Transactions, Protocol1VerifiesPartitionsBeforeTheFirstWrite) { on_machine(protocol_1); }

Task<void> restart(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  const Producer producer = co_await world.init("t");
  EXPECT_EQ(co_await world.produce(producer, 0, "a", produce_v2), ErrorCode::none);
  co_await world.stop();
  co_await world.start(false);
  co_await world.find_coordinator("t");
  co_await world.wait_for_state("t", "Ongoing");
  EXPECT_EQ(co_await world.produce(producer, 1, "b", produce_v2), ErrorCode::none);
  EXPECT_EQ((co_await world.fetch(read_committed)).last_stable_offset, 0);
  // The next producer of this id ends what the one before has left open.
  const Producer next = co_await world.init("t");
  EXPECT_EQ(next.producer_id, producer.producer_id);
  EXPECT_EQ(next.epoch, producer.epoch + 2);
  EXPECT_EQ(co_await world.read_until_stable(read_committed), "");
  EXPECT_EQ(co_await world.produce(producer, 2, "c", produce_v2),
            ErrorCode::invalid_producer_epoch);
  EXPECT_EQ((co_await world.end(producer, true, 5)).error_code, ErrorCode::producer_fenced);
  EXPECT_EQ((co_await world.end(producer, true, 1)).error_code, ErrorCode::invalid_producer_epoch);
  EXPECT_EQ(co_await world.produce(next, 0, "d", produce_v2), ErrorCode::none);
  EXPECT_EQ((co_await world.end(next, true, 5)).error_code, ErrorCode::none);
  EXPECT_EQ(co_await world.read_until_stable(read_committed), "d");
  co_await world.stop();
}
TEST(Transactions, AnOpenTransactionOutlivesARestart) { on_machine(restart); }

Task<void> hanging(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  const Producer producer = co_await world.init("t");
  EXPECT_EQ(co_await world.produce(producer, 0, "a", produce_v2), ErrorCode::none);
  protocol::ListTransactionsRequest list;
  list.state_filters = {"Ongoing", "Sleeping"};
  list.transactional_id_pattern = "t.*";
  const auto listed = co_await world.client->ask(list, 2);
  EXPECT_EQ(listed->transaction_states.size(), 1U);
  EXPECT_EQ(listed->unknown_state_filters, std::vector<std::string>{"Sleeping"});
  list.transactional_id_pattern = "(";
  EXPECT_EQ((co_await world.client->ask(list, 2))->error_code,
            ErrorCode::invalid_regular_expression);
  const auto described = co_await world.describe("t");
  EXPECT_EQ(described.topics.size(), 1U);
  EXPECT_EQ(described.producer_id, producer.producer_id);
  EXPECT_EQ((co_await world.describe("unknown")).error_code, ErrorCode::transactional_id_not_found);

  protocol::WriteTxnMarkersRequest request;
  auto& marker = request.markers.emplace_back();
  marker.producer_id = producer.producer_id;
  marker.producer_epoch = producer.epoch;
  marker.coordinator_epoch = -1;
  marker.topics.push_back({.name = "events", .partition_indexes = {0}});
  marker.topics.push_back({.name = "unknown", .partition_indexes = {0}});
  const auto ended = co_await world.client->ask(std::move(request), 1);
  const auto& topics = ended->markers.front().topics;
  EXPECT_EQ(topics[1].partitions.front().error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(topics[0].partitions.front().error_code, ErrorCode::none);
  EXPECT_EQ(co_await world.read_until_stable(read_committed), "");
  co_await world.stop();
}
TEST(Transactions, OneThatHangsIsShownAndCanBeEnded) { on_machine(hanging); }

}  // namespace
}  // namespace arus::broker
