// A broker whose topic of committed offsets is compacted while it is used, and read again.
#include <gtest/gtest.h>

#include "broker/broker_testing.h"
#include "protocol/api/end_txn.h"
#include "protocol/api/find_coordinator.h"
#include "protocol/api/init_producer_id.h"
#include "protocol/api/offset_commit.h"
#include "protocol/api/offset_fetch.h"
#include "protocol/api/txn_offset_commit.h"

namespace arus::broker {
namespace {

using env::Task;
using testing::Client;
using testing::Node;
using testing::ScratchDirectory;

Task<Node> start_compacting(env::Environment& environment, const std::string& directory) {
  Node node = co_await testing::start(environment, directory,
                                      {{"offsets.topic.num.partitions", "1"},
                                       {"offsets.topic.segment.bytes", "1048576"},
                                       {"log.initial.task.delay.ms", "0"},
                                       {"log.cleaner.backoff.ms", "20"}});
  co_await testing::find_coordinator(*node.client, 0);
  co_await testing::find_coordinator(*node.client, 1);
  co_return node;
}

Task<void> commit(Client& client, std::int32_t partition, std::int64_t offset) {
  protocol::OffsetCommitRequest request;
  request.group_id = "g";
  auto& topic = request.topics.emplace_back();
  topic.name = "events";
  auto& one = topic.partitions.emplace_back();
  one.partition_index = partition;
  one.committed_offset = offset;
  one.committed_metadata = std::string(4'000, 'm');
  const auto answer = co_await client.ask(request, 8);
  EXPECT_EQ(answer->topics.front().partitions.front().error_code, ErrorCode::none);
}

// Partition 7 gets its offset from a transaction.
Task<void> commit_in_transaction(Client& client, std::int64_t offset, bool committed) {
  protocol::InitProducerIdRequest init;
  init.transactional_id = "copy";
  init.transaction_timeout_ms = 60'000;
  auto producer = co_await client.ask(init, 5);
  // The markers of the transaction before may still be on their way.
  for (int i = 0; i < 500 && producer->error_code == ErrorCode::concurrent_transactions; ++i) {
    co_await env::sleep_for(env::milliseconds{10});
    producer = co_await client.ask(init, 5);
  }
  EXPECT_EQ(producer->error_code, ErrorCode::none);
  protocol::TxnOffsetCommitRequest request;
  request.transactional_id = "copy";
  request.group_id = "g";
  request.producer_id = producer->producer_id;
  request.producer_epoch = producer->producer_epoch;
  auto& topic = request.topics.emplace_back();
  topic.name = "events";
  auto& one = topic.partitions.emplace_back();
  one.partition_index = 7;
  one.committed_offset = offset;
  const auto answer = co_await client.ask(request, 5);
  EXPECT_EQ(answer->topics.front().partitions.front().error_code, ErrorCode::none);
  protocol::EndTxnRequest end;
  end.transactional_id = "copy";
  end.producer_id = producer->producer_id;
  end.producer_epoch = producer->producer_epoch;
  end.committed = committed;
  const auto ended = co_await client.ask(end, 5);
  EXPECT_EQ(ended->error_code, ErrorCode::none);
}

Task<void> check(Client& client, std::int64_t last, std::int64_t from_transaction) {
  protocol::OffsetFetchRequest request;
  auto& group = request.groups.emplace_back();
  group.group_id = "g";
  auto& topic = group.topics->emplace_back();
  topic.name = "events";
  topic.partition_indexes = {0, 1, 2, 7};
  const auto answer = co_await client.ask(request, 8);
  for (const auto& one : answer->groups.front().topics.front().partitions) {
    const std::int64_t expected =
        one.partition_index == 7 ? from_transaction : last - (last - one.partition_index) % 3;
    EXPECT_EQ(one.committed_offset, expected) << one.partition_index;
  }
}

Task<void> offsets_survive_compaction(env::RealEnvironment& environment) {
  const ScratchDirectory directory;
  Node node = co_await start_compacting(environment, directory.path());
  co_await testing::create_topic(*node.client, "events", 8);
  co_await commit_in_transaction(*node.client, 70, true);
  co_await commit_in_transaction(*node.client, 71, false);
  for (int i = 0; i <= 700; ++i) co_await commit(*node.client, i % 3, i);
  const auto compacted = [&node] {
    const std::string text = node.broker->metrics().prometheus_text();
    return text.find("\narus_log_compactions_total 0") == std::string::npos;
  };
  for (int i = 0; i < 500 && !compacted(); ++i) co_await env::sleep_for(env::milliseconds{20});
  EXPECT_TRUE(compacted());
  std::uintmax_t size_bytes = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(directory.path() + "/__consumer_offsets-0")) {
    if (file.path().extension() == ".log") size_bytes += file.file_size();
  }
  EXPECT_LT(size_bytes, 2'000'000U);
  co_await check(*node.client, 700, 70);
  co_await stop(node);

  node = co_await start_compacting(environment, directory.path());
  co_await check(*node.client, 700, 70);
  co_await commit_in_transaction(*node.client, 72, true);
  for (int i = 701; i <= 1'100; ++i) co_await commit(*node.client, i % 3, i);
  co_await stop(node);

  node = co_await start_compacting(environment, directory.path());
  co_await check(*node.client, 1'100, 72);
  co_await stop(node);
}
TEST(CompactedOffsets, AreLoadedAgain) {
  const auto environment = env::make_real_environment({.loops = 2, .pool_threads = 2});
  env::run_until_done(*environment, offsets_survive_compaction(*environment));
}

}  // namespace
}  // namespace arus::broker
