// Committed offsets and DeleteRecords of a whole broker, asked over a socket.
#include <gtest/gtest.h>

#include "broker/broker_testing.h"
#include "protocol/api/delete_records.h"
#include "protocol/api/end_txn.h"
#include "protocol/api/fetch.h"
#include "protocol/api/find_coordinator.h"
#include "protocol/api/init_producer_id.h"
#include "protocol/api/metadata.h"
#include "protocol/api/offset_commit.h"
#include "protocol/api/offset_delete.h"
#include "protocol/api/offset_fetch.h"
#include "protocol/api/produce.h"
#include "protocol/api/txn_offset_commit.h"

namespace arus::broker {
namespace {

using env::Task;
using protocol::DeleteRecordsRequest;
using protocol::OffsetCommitRequest;
using protocol::OffsetDeleteRequest;
using protocol::OffsetFetchRequest;
using protocol::TxnOffsetCommitRequest;
using testing::Client;
using testing::Node;
using testing::on_machine;
using testing::ScratchDirectory;

Task<Node> start_offsets(env::Environment& environment, const std::string& directory) {
  Node node = co_await testing::start(environment, directory);
  co_await testing::find_coordinator(*node.client, 0);
  co_await testing::find_coordinator(*node.client, 1);
  co_return node;
}

OffsetCommitRequest commit_of(const std::string& group, const std::string& topic,
                              std::int32_t partition, std::int64_t offset) {
  OffsetCommitRequest request;
  request.group_id = group;
  auto& entry = request.topics.emplace_back();
  entry.name = topic;
  auto& one = entry.partitions.emplace_back();
  one.partition_index = partition;
  one.committed_offset = offset;
  return request;
}

Task<ErrorCode> commit(Client& client, OffsetCommitRequest request, std::int16_t version) {
  const auto answer = co_await client.ask(std::move(request), version);
  co_return answer->topics.front().partitions.front().error_code;
}

OffsetFetchRequest fetch_of(const std::string& group, const std::string& topic,
                            std::int32_t partition) {
  OffsetFetchRequest request;
  request.group_id = group;
  auto& old = request.topics->emplace_back();
  old.name = topic;
  old.partition_indexes = {partition};
  auto& entry = request.groups.emplace_back();
  entry.group_id = group;
  auto& one = entry.topics->emplace_back();
  one.name = topic;
  one.partition_indexes = {partition};
  return request;
}

struct Seen {
  std::int64_t offset = -2;
  ErrorCode error = ErrorCode::none;
};

Task<Seen> committed(Client& client, std::string topic, std::int16_t version,
                     bool require_stable = false) {
  OffsetFetchRequest request = fetch_of("g", topic, 1);
  request.require_stable = require_stable;
  if (version < 8) {
    request.groups.clear();
    const auto answer = co_await client.ask(std::move(request), version);
    const auto& one = answer->topics.front().partitions.front();
    co_return Seen{one.committed_offset, one.error_code};
  }
  request.group_id.clear();
  request.topics->clear();
  const auto answer = co_await client.ask(std::move(request), version);
  const auto& one = answer->groups.front().topics.front().partitions.front();
  co_return Seen{one.committed_offset, one.error_code};
}

Task<void> offsets_in_all_versions(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start_offsets(environment, directory.path());
  const Uuid events = co_await testing::create_topic(*node.client, "events", 3);
  for (std::int16_t version = 2; version <= 9; ++version) {
    EXPECT_EQ(co_await commit(*node.client, commit_of("g", "events", 1, 100 + version), version),
              ErrorCode::none);
    for (std::int16_t fetch = 1; fetch <= 9; ++fetch) {
      EXPECT_EQ((co_await committed(*node.client, "events", fetch)).offset, 100 + version);
    }
  }
  // By id: the name does not travel.
  OffsetCommitRequest by_id = commit_of("g", "", 1, 200);
  by_id.topics[0].topic_id = events;
  EXPECT_EQ(co_await commit(*node.client, by_id, 10), ErrorCode::none);
  by_id.topics[0].topic_id = Uuid::of_halves(99, 99);
  EXPECT_EQ(co_await commit(*node.client, by_id, 10), ErrorCode::unknown_topic_id);
  EXPECT_EQ(co_await commit(*node.client, commit_of("g", "absent", 1, 1), 9),
            ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(co_await commit(*node.client, commit_of("g", "events", 3, 1), 9),
            ErrorCode::unknown_topic_or_partition);
  OffsetCommitRequest member = commit_of("nobody", "events", 1, 1);
  member.generation_id_or_member_epoch = 4;
  member.member_id = "m";
  EXPECT_EQ(co_await commit(*node.client, member, 8), ErrorCode::illegal_generation);
  EXPECT_EQ(co_await commit(*node.client, member, 9), ErrorCode::group_id_not_found);
  co_await stop(node);

  node = co_await start_offsets(environment, directory.path());
  EXPECT_EQ((co_await committed(*node.client, "events", 8)).offset, 200);
  OffsetFetchRequest all;
  all.topics->clear();
  for (const std::string group : {"g", "nobody"}) {
    auto& entry = all.groups.emplace_back();
    entry.group_id = group;
    entry.topics.reset();
  }
  const auto everything = co_await node.client->ask(all, 10);
  EXPECT_EQ(everything->groups.size(), 2U);
  EXPECT_EQ(everything->groups[0].topics.size(), 1U);
  EXPECT_EQ(everything->groups[0].topics.front().topic_id, events);
  EXPECT_EQ(everything->groups[0].topics.front().partitions.front().committed_offset, 200);
  EXPECT_EQ(everything->groups[1].group_id, "nobody");
  EXPECT_TRUE(everything->groups[1].topics.empty());
  OffsetDeleteRequest remove;
  remove.group_id = "g";
  auto& topic = remove.topics.emplace_back();
  topic.name = "events";
  topic.partitions.emplace_back().partition_index = 1;
  topic.partitions.emplace_back().partition_index = 7;
  const auto removed = co_await node.client->ask(remove, 0);
  EXPECT_EQ(removed->error_code, ErrorCode::none);
  EXPECT_EQ(removed->topics.front().partitions[0].error_code, ErrorCode::none);
  EXPECT_EQ(removed->topics.front().partitions[1].error_code,
            ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ((co_await committed(*node.client, "events", 9)).offset, -1);
  remove.group_id = "nobody";
  EXPECT_EQ((co_await node.client->ask(remove, 0))->error_code, ErrorCode::group_id_not_found);
  co_await stop(node);
}
TEST(CommittedOffsets, AreKeptInAllVersions) { on_machine(offsets_in_all_versions, 1); }
TEST(CommittedOffsets, AreKeptAcrossLoops) { on_machine(offsets_in_all_versions, 3); }

TxnOffsetCommitRequest transactional(const protocol::InitProducerIdResponse& producer,
                                     std::int64_t offset) {
  TxnOffsetCommitRequest request;
  request.transactional_id = "copy";
  request.group_id = "g";
  request.producer_id = producer.producer_id;
  request.producer_epoch = producer.producer_epoch;
  auto& topic = request.topics.emplace_back();
  topic.name = "events";
  auto& one = topic.partitions.emplace_back();
  one.partition_index = 1;
  one.committed_offset = offset;
  return request;
}

Task<void> offsets_of_transactions(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start_offsets(environment, directory.path());
  co_await testing::create_topic(*node.client, "events", 3);
  protocol::InitProducerIdRequest init;
  init.transactional_id = "copy";
  init.transaction_timeout_ms = 60'000;
  auto producer = co_await node.client->ask(init, 5);
  EXPECT_EQ(producer->error_code, ErrorCode::none);
  // A client of version 1 has to say first that the group takes part.
  auto early = co_await node.client->ask(transactional(*producer, 5), 3);
  EXPECT_NE(early->topics.front().partitions.front().error_code, ErrorCode::none);
  const auto answer = co_await node.client->ask(transactional(*producer, 5), 5);
  EXPECT_EQ(answer->topics.front().partitions.front().error_code, ErrorCode::none);
  EXPECT_EQ((co_await committed(*node.client, "events", 8)).offset, -1);
  EXPECT_EQ((co_await committed(*node.client, "events", 8, true)).error,
            ErrorCode::unstable_offset_commit);
  protocol::EndTxnRequest end;
  end.transactional_id = "copy";
  end.producer_id = producer->producer_id;
  end.producer_epoch = producer->producer_epoch;
  end.committed = true;
  const auto ended = co_await node.client->ask(end, 5);
  EXPECT_EQ(ended->error_code, ErrorCode::none);
  Seen seen;
  for (int i = 0; i < 1'000; ++i) {
    seen = co_await committed(*node.client, "events", 8, true);
    if (seen.error == ErrorCode::none) break;
    co_await env::sleep_for(env::milliseconds(10));
  }
  EXPECT_EQ(seen.offset, 5);
  auto fenced = transactional(*producer, 9);
  fenced.producer_epoch = -1;
  const auto refused = co_await node.client->ask(fenced, 5);
  EXPECT_NE(refused->topics.front().partitions.front().error_code, ErrorCode::none);
  co_await stop(node);
  node = co_await start_offsets(environment, directory.path());
  EXPECT_EQ((co_await committed(*node.client, "events", 8, true)).offset, 5);
  co_await stop(node);
}
TEST(CommittedOffsets, OfATransactionCountOnceItIsCommitted) {
  on_machine(offsets_of_transactions, 2);
}

Task<void> produce(Client& client, const std::string& topic, int batches) {
  for (int i = 0; i < batches; ++i) {
    record::BatchBuilder builder{record::BatchOptions{}};
    builder.append(1'700'000'000'000, as_bytes("k"), as_bytes("value"));
    protocol::ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 10'000;
    auto& data = request.topic_data.emplace_back();
    data.name = topic;
    data.partition_data.emplace_back().records = Slice(builder.build());
    const auto produced = co_await client.ask(std::move(request), 9);
    EXPECT_EQ(produced->responses.front().partition_responses.front().error_code, ErrorCode::none);
  }
}

struct Deleted {
  ErrorCode error = ErrorCode::none;
  std::int64_t low_watermark = -2;
};

Task<Deleted> delete_below(Client& client, std::string topic, std::int64_t offset,
                           std::int32_t partition = 0) {
  DeleteRecordsRequest request;
  request.timeout_ms = 10'000;
  auto& entry = request.topics.emplace_back();
  entry.name = std::move(topic);
  auto& one = entry.partitions.emplace_back();
  one.partition_index = partition;
  one.offset = offset;
  const auto answer = co_await client.ask(std::move(request), 2);
  const auto& given = answer->topics.front().partitions.front();
  co_return Deleted{given.error_code, given.low_watermark};
}

Task<ErrorCode> fetch_at(Client& client, std::string topic, std::int64_t offset) {
  protocol::FetchRequest request;
  request.max_wait_ms = 0;
  auto& asked = request.topics.emplace_back();
  asked.topic = std::move(topic);
  auto& partition = asked.partitions.emplace_back();
  partition.fetch_offset = offset;
  partition.partition_max_bytes = 1 << 20;
  const auto answer = co_await client.ask(std::move(request), 11);
  co_return answer->responses.front().partitions.front().error_code;
}

Task<void> deletes_records(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start_offsets(environment, directory.path());
  Client& client = *node.client;
  co_await testing::create_topic(client, "events", 1);
  co_await testing::create_topic(client, "both", 1, {{"cleanup.policy", "compact,delete"}});
  co_await testing::create_topic(client, "compacted", 1, {{"cleanup.policy", "compact"}});
  for (const std::string topic : {"events", "both", "compacted"}) {
    co_await produce(client, topic, 5);
  }
  Deleted done = co_await delete_below(client, "events", 3);
  EXPECT_EQ(done.error, ErrorCode::none);
  EXPECT_EQ(done.low_watermark, 3);
  EXPECT_EQ(co_await fetch_at(client, "events", 2), ErrorCode::offset_out_of_range);
  EXPECT_EQ(co_await fetch_at(client, "events", 3), ErrorCode::none);
  EXPECT_EQ((co_await delete_below(client, "events", 1)).low_watermark, 3);
  EXPECT_EQ((co_await delete_below(client, "both", -1)).low_watermark, 5);
  done = co_await delete_below(client, "events", 6);
  EXPECT_EQ(done.error, ErrorCode::offset_out_of_range);
  EXPECT_EQ(done.low_watermark, -1);
  EXPECT_EQ((co_await delete_below(client, "events", -2)).error, ErrorCode::offset_out_of_range);
  EXPECT_EQ((co_await delete_below(client, "compacted", 2)).error, ErrorCode::policy_violation);
  EXPECT_EQ((co_await delete_below(client, "absent", 0)).error,
            ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ((co_await delete_below(client, "events", 0, 4)).error,
            ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ((co_await delete_below(client, "__consumer_offsets", 0)).error,
            ErrorCode::invalid_topic_exception);
  co_await stop(node);

  node = co_await start_offsets(environment, directory.path());
  EXPECT_EQ(co_await fetch_at(*node.client, "events", 2), ErrorCode::offset_out_of_range);
  EXPECT_EQ(co_await fetch_at(*node.client, "events", 3), ErrorCode::none);
  EXPECT_EQ(co_await fetch_at(*node.client, "both", 4), ErrorCode::offset_out_of_range);
  co_await produce(*node.client, "both", 1);
  EXPECT_EQ(co_await fetch_at(*node.client, "both", 5), ErrorCode::none);
  co_await stop(node);
}
TEST(DeleteRecords, MovesTheStartForGood) { on_machine(deletes_records, 1); }
TEST(DeleteRecords, MovesTheStartAcrossLoops) { on_machine(deletes_records, 3); }

}  // namespace
}  // namespace arus::broker
