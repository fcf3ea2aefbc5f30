// A whole broker in this process, asked over a socket.
#include "broker/broker.h"

#include <gtest/gtest.h>

#include "broker/broker_testing.h"
#include "protocol/api/api_versions.h"
#include "protocol/api/create_topics.h"
#include "protocol/api/delete_topics.h"
#include "protocol/api/fetch.h"
#include "protocol/api/init_producer_id.h"
#include "protocol/api/list_offsets.h"
#include "protocol/api/offset_for_leader_epoch.h"
#include "protocol/api/produce.h"
#include "record/batch.h"

namespace arus::broker {
namespace {

using env::Task;
using testing::Client;
using testing::metadata_of;
using testing::Node;
using testing::on_machine;
using testing::ScratchDirectory;
using testing::start;

Slice batch_of(std::vector<std::string> values, record::BatchOptions options = {}) {
  record::BatchBuilder builder(options);
  for (const auto& value : values) builder.append(1'700'000'000'000, {}, as_bytes(value));
  return Slice(builder.build());
}

protocol::ProduceRequest produce_to(const std::string& topic, Slice records,
                                    std::int16_t acks = -1) {
  protocol::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 10'000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  data.partition_data.emplace_back().records = std::move(records);
  return request;
}

protocol::FetchRequest fetch_from(const std::string& topic, std::int64_t offset,
                                  std::int32_t max_wait_ms = 0) {
  protocol::FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = 1;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic;
  auto& partition = asked.partitions.emplace_back();
  partition.fetch_offset = offset;
  partition.partition_max_bytes = 1 << 20;
  return request;
}

protocol::ListOffsetsRequest list_offsets_of(const std::string& topic, std::int64_t timestamp) {
  protocol::ListOffsetsRequest request;
  request.replica_id = no_broker;
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  asked.partitions.emplace_back().timestamp = timestamp;
  return request;
}

protocol::InitProducerIdRequest init_producer_id() {
  protocol::InitProducerIdRequest request;
  request.transactional_id.reset();
  request.transaction_timeout_ms = 60'000;
  return request;
}

std::int32_t count_records(const std::optional<Slice>& records) {
  std::int32_t count = 0;
  record::BatchReader reader(records->view());
  while (const auto batch = reader.next()) count += batch->count();
  EXPECT_TRUE(reader.status());
  return count;
}

Task<void> records_go_in_and_come_out(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start(environment, directory.path());
  const auto metadata = co_await node.client->ask(metadata_of("events"), 12);
  EXPECT_EQ(metadata->topics.front().error_code, ErrorCode::none);
  EXPECT_EQ(metadata->topics.front().partitions.front().leader_id, BrokerId{1});
  EXPECT_EQ(metadata->brokers.front().host, "127.0.0.1");
  EXPECT_EQ(metadata->brokers.front().port, node.address().port);
  const auto produced =
      co_await node.client->ask(produce_to("events", batch_of({"a", "b", "c"})), 9);
  const auto& outcome = produced->responses.front().partition_responses.front();
  EXPECT_EQ(outcome.error_code, ErrorCode::none) << outcome.error_message.value_or("");
  EXPECT_EQ(outcome.base_offset, 0);
  const auto fetched = co_await node.client->ask(fetch_from("events", 1), 11);
  const auto& data = fetched->responses.front().partitions.front();
  EXPECT_EQ(data.error_code, ErrorCode::none);
  EXPECT_EQ(data.high_watermark, 3);
  EXPECT_EQ(count_records(data.records), 3);
  co_await stop(node);

  node = co_await start(environment, directory.path());
  const auto again = co_await node.client->ask(fetch_from("events", 0), 11);
  EXPECT_EQ(count_records(again->responses.front().partitions.front().records), 3);
  const auto more = co_await node.client->ask(produce_to("events", batch_of({"d"})), 9);
  EXPECT_EQ(more->responses.front().partition_responses.front().base_offset, 3);
  co_await stop(node);
}
TEST(Broker, RecordsComeBackAlsoAfterARestart) { on_machine(records_go_in_and_come_out); }
TEST(Broker, RecordsComeBackWithThreeLoops) { on_machine(records_go_in_and_come_out, 3); }

Task<void> parked_fetch_wakes(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start(environment, directory.path());
  static_cast<void>(co_await node.client->ask(metadata_of("events"), 12));
  auto reader = co_await Client::connect(environment, node.address());
  const auto began = environment.clock().now();
  co_await reader->send(fetch_from("events", 0, 20'000), 11);
  co_await env::sleep_for(env::milliseconds(50));
  static_cast<void>(co_await node.client->ask(produce_to("events", batch_of({"x"})), 9));
  const auto fetched = co_await reader->receive<protocol::FetchRequest>(11);
  EXPECT_EQ(count_records(fetched->responses.front().partitions.front().records), 1);
  EXPECT_LT(environment.clock().now() - began, env::seconds(5));
  // With nothing new it answers at its deadline, not before.
  const auto empty_began = environment.clock().now();
  const auto empty = co_await reader->ask(fetch_from("events", 1, 150), 11);
  EXPECT_TRUE(empty->responses.front().partitions.front().records->empty());
  EXPECT_GE(environment.clock().now() - empty_began, env::milliseconds(140));
  co_await stop(node);
}
TEST(Broker, AParkedFetchWakesWhenRecordsBecomeVisible) { on_machine(parked_fetch_wakes); }
TEST(Broker, AParkedFetchWakesAcrossLoops) { on_machine(parked_fetch_wakes, 3); }

Task<void> duplicates_are_answered(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start(environment, directory.path());
  static_cast<void>(co_await node.client->ask(metadata_of("events"), 12));
  const auto id = co_await node.client->ask(init_producer_id(), 4);
  EXPECT_EQ(id->error_code, ErrorCode::none);
  const record::BatchOptions options{
      .producer_id = id->producer_id, .producer_epoch = 0, .base_sequence = 0};
  for (int i = 0; i < 3; ++i) {
    const auto produced =
        co_await node.client->ask(produce_to("events", batch_of({"a", "b"}, options)), 9);
    EXPECT_EQ(produced->responses.front().partition_responses.front().error_code, ErrorCode::none);
    EXPECT_EQ(produced->responses.front().partition_responses.front().base_offset, 0);
  }
  record::BatchOptions gap = options;
  gap.base_sequence = 5;
  const auto refused = co_await node.client->ask(produce_to("events", batch_of({"c"}, gap)), 9);
  EXPECT_EQ(refused->responses.front().partition_responses.front().error_code,
            ErrorCode::out_of_order_sequence_number);
  const auto last = co_await node.client->ask(list_offsets_of("events", -1), 5);
  EXPECT_EQ(last->topics.front().partitions.front().offset, 2);
  co_await stop(node);
}
TEST(Broker, ARetriedBatchIsAnsweredWithItsFirstOffset) { on_machine(duplicates_are_answered); }

Task<void> sessions_tell_what_is_new(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start(environment, directory.path());
  static_cast<void>(co_await node.client->ask(metadata_of("events"), 12));
  auto first = fetch_from("events", 0);
  first.session_epoch = 0;
  const auto opened = co_await node.client->ask(first, 11);
  EXPECT_NE(opened->session_id, 0);
  EXPECT_EQ(opened->responses.size(), 1U);
  protocol::FetchRequest next;
  next.session_id = opened->session_id;
  next.session_epoch = 1;
  next.min_bytes = 1;
  EXPECT_TRUE((co_await node.client->ask(next, 11))->responses.empty());
  static_cast<void>(co_await node.client->ask(produce_to("events", batch_of({"x"})), 9));
  next.session_epoch = 2;
  const auto news = co_await node.client->ask(next, 11);
  EXPECT_EQ(count_records(news->responses.front().partitions.front().records), 1);
  EXPECT_EQ((co_await node.client->ask(next, 11))->error_code,
            ErrorCode::invalid_fetch_session_epoch);
  next.session_id = next.session_id == 1 ? 2 : 1;
  EXPECT_EQ((co_await node.client->ask(next, 11))->error_code,
            ErrorCode::fetch_session_id_not_found);
  co_await stop(node);
}
TEST(Broker, AFetchSessionTellsOnlyWhatIsNew) { on_machine(sessions_tell_what_is_new); }

Task<void> offsets_are_listed(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start(environment, directory.path());
  static_cast<void>(co_await node.client->ask(metadata_of("events"), 12));
  static_cast<void>(co_await node.client->ask(produce_to("events", batch_of({"a", "b"})), 9));
  const auto offset_of = [&] [[clang::coro_wrapper]] (std::int64_t timestamp) {
    return node.client->ask(list_offsets_of("events", timestamp), 11);
  };
  struct Expected {
    std::int64_t timestamp;
    std::int64_t offset;
    ErrorCode error = ErrorCode::none;
  };
  for (const Expected& expected :
       {Expected{-1, 2}, Expected{-2, 0}, Expected{-3, 0}, Expected{-4, 0}, Expected{-5, -1},
        Expected{-6, -1}, Expected{-7, -1, ErrorCode::unsupported_version},
        Expected{1'700'000'000'000, 0}, Expected{1'700'000'000'001, -1}}) {
    const auto answer = co_await offset_of(expected.timestamp);
    const auto& partition = answer->topics.front().partitions.front();
    EXPECT_EQ(partition.offset, expected.offset) << expected.timestamp;
    EXPECT_EQ(partition.error_code, expected.error) << expected.timestamp;
  }
  co_await stop(node);
}
TEST(Broker, EveryKindOfOffsetIsListed) { on_machine(offsets_are_listed); }

Task<void> versions_from_the_future(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start(environment, directory.path());
  Writer out;
  out.i16(18);
  out.i16(99);
  out.i32(7);
  co_await node.client->send_bytes(flatten(protocol::make_frame(std::move(out))));
  const auto answer = co_await node.client->receive_frame();
  const std::uint8_t expected[] = {0, 0, 0, 7, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4};
  EXPECT_TRUE(answer && equal(answer->view(), expected));
  protocol::ApiVersionsRequest request;
  request.client_software_name = "test";
  request.client_software_version = "1.0";
  const auto versions = co_await node.client->ask(request, 3);
  EXPECT_EQ(versions->api_keys.front().api_key, 0);
  EXPECT_EQ(versions->api_keys.front().min_version, 0);
  EXPECT_EQ(versions->supported_features.size(), 1U);
  EXPECT_EQ((co_await node.client->ask(request, 4))->supported_features.size(), 7U);
  for (const auto& [key, version] :
       {std::pair{0, 2}, std::pair{1, 3}, std::pair{3, 99}, std::pair{200, 0}}) {
    auto client = co_await Client::connect(environment, node.address());
    Writer bad;
    bad.i16(static_cast<std::int16_t>(key));
    bad.i16(static_cast<std::int16_t>(version));
    bad.i32(1);
    bad.i16(-1);
    co_await client->send_bytes(flatten(protocol::make_frame(std::move(bad))));
    EXPECT_FALSE(co_await client->receive_frame()) << key;
  }
  co_await stop(node);
}
TEST(Broker, OnlyApiVersionsAnswersAnUnknownVersion) { on_machine(versions_from_the_future); }

// Bad input 2: a count that cannot be, for every API and version.
Task<void> impossible_counts(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start(environment, directory.path());
  for (const auto& api : protocol::all_apis()) {
    for (std::int16_t version = api.advertised.min; version <= api.advertised.max; ++version) {
      auto client = co_await Client::connect(environment, node.address());
      Writer out;
      out.i16(static_cast<std::int16_t>(api.key));
      out.i16(version);
      out.i32(1);
      out.i16(-1);
      for (int i = 0; i < 12; ++i) out.u8(i % 6 == 0 ? 0x7f : 0xff);
      co_await client->send_bytes(flatten(protocol::make_frame(std::move(out))));
      co_await client->send_bytes({0xff, 0xff, 0xff, 0xff});
      while (co_await client->receive_frame()) {
      }
    }
  }
  const auto alive = co_await node.client->ask(metadata_of("events"), 12);
  EXPECT_EQ(alive->topics.front().error_code, ErrorCode::none);
  co_await stop(node);
}
TEST(Broker, ImpossibleCountsEndOnlyTheirConnection) { on_machine(impossible_counts); }

Task<void> refusals_hide_what_exists(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  {
    Node open = co_await start(environment, directory.path());
    static_cast<void>(co_await open.client->ask(metadata_of("events"), 12));
    co_await stop(open);
  }
  Node node =
      co_await start(environment, directory.path(),
                     {{"authorizer.class.name", std::string(config::standard_authorizer_class)}});
  for (const char* const topic : {"events", "absent"}) {
    const auto metadata = co_await node.client->ask(metadata_of(topic), 12);
    EXPECT_EQ(metadata->topics.front().error_code, ErrorCode::topic_authorization_failed);
    EXPECT_TRUE(metadata->topics.front().topic_id.is_zero());
    const auto produced = co_await node.client->ask(produce_to(topic, batch_of({"x"})), 9);
    EXPECT_EQ(produced->responses.front().partition_responses.front().error_code,
              ErrorCode::topic_authorization_failed);
    const auto fetched = co_await node.client->ask(fetch_from(topic, 0), 11);
    EXPECT_EQ(fetched->responses.front().partitions.front().error_code,
              ErrorCode::topic_authorization_failed);
    const auto listed = co_await node.client->ask(list_offsets_of(topic, -1), 5);
    EXPECT_EQ(listed->topics.front().partitions.front().error_code,
              ErrorCode::topic_authorization_failed);
  }
  protocol::MetadataRequest all;
  all.topics.reset();
  EXPECT_TRUE((co_await node.client->ask(all, 12))->topics.empty());
  const auto id = co_await node.client->ask(init_producer_id(), 4);
  EXPECT_EQ(id->error_code, ErrorCode::cluster_authorization_failed);
  co_await stop(node);
}
TEST(Broker, WhoMayDoNothingLearnsNothing) { on_machine(refusals_hide_what_exists); }

Task<void> bad_starts(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start(environment, directory.path());
  const auto locked =
      co_await Broker::start(environment, {.config = testing::config_for(directory.path())});
  EXPECT_FALSE(locked);
  const ScratchDirectory other;
  const auto port = co_await Broker::start(
      environment,
      {.config = testing::config_for(
           other.path(), {{"listeners", "PLAINTEXT://" + node.address().to_string()}})});
  EXPECT_FALSE(port);
  if (!port) EXPECT_NE(port.error().message.find("Cannot listen"), std::string::npos);
  co_await stop(node);
  const auto cluster = co_await Broker::start(
      environment, {.config = testing::config_for(directory.path()), .cluster_id = "another"});
  EXPECT_FALSE(cluster);
  if (!cluster) EXPECT_EQ(cluster.error().code, ErrorCode::inconsistent_cluster_id);
}
TEST(Broker, WhatCannotStartSaysWhyAndLeavesNothing) { on_machine(bad_starts); }

}  // namespace
}  // namespace arus::broker
