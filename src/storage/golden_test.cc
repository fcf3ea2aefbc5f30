#include <gtest/gtest.h>

#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown_file.h"
#include "storage/golden_testing.h"
#include "storage/log_testing.h"
#include "storage/meta_properties.h"
#include "storage/offset_index.h"
#include "storage/partition_metadata.h"
#include "storage/producer_snapshot.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace arus::storage {
namespace {

namespace fs = std::filesystem;
using env::Task;

std::vector<std::string> golden_files(std::string_view ending) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(golden_path(""))) {
    if (entry.path().string().ends_with(ending)) found.push_back(entry.path());
  }
  return found;
}

TEST(GoldenFormats, OffsetIndexesDecodeAndEncodeToTheSameBytes) {
  const auto files = golden_files(".index.json");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const Bytes bytes = join_hex(file);
    const auto entries = parse_offset_index(bytes, Offset{0});
    ASSERT_TRUE(entries) << file;
    Bytes again;
    for (const auto& entry : *entries) encode(entry, Offset{0}, again);
    EXPECT_EQ(again, bytes);
  }
  const auto dense = parse_offset_index(
      join_hex(golden_path("dense-0/00000000000000000000.index.json")), Offset{0});
  EXPECT_EQ(dense->front(), (OffsetIndexEntry{Offset{4}, 508}));
  EXPECT_EQ(dense->back(), (OffsetIndexEntry{Offset{35}, 3760}));
}

TEST(GoldenFormats, TimeIndexesDecodeAndEncodeToTheSameBytes) {
  const auto files = golden_files(".timeindex.json");
  ASSERT_GT(files.size(), 5U);
  for (const auto& file : files) {
    const Bytes bytes = join_hex(file);
    const auto entries = parse_time_index(bytes, Offset{0});
    ASSERT_TRUE(entries) << file;
    Bytes again;
    for (const auto& entry : *entries) encode(entry, Offset{0}, again);
    EXPECT_EQ(again, bytes);
  }
}

TEST(GoldenFormats, TransactionIndexDecodesAndEncodesToTheSameBytes) {
  const Bytes bytes = join_hex(golden_path("events-0/00000000000000000000.txnindex.json"));
  const auto entries = parse_transaction_index(bytes);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 1U);
  EXPECT_EQ(entries->front(),
            (TransactionIndexEntry{ProducerId{2}, Offset{7}, Offset{9}, Offset{10}}));
  Bytes again;
  encode(entries->front(), again);
  EXPECT_EQ(again, bytes);
}

TEST(GoldenFormats, ProducerSnapshotsDecodeAndEncodeToTheSameBytes) {
  const auto files = golden_files(".snapshot.json");
  ASSERT_GT(files.size(), 5U);
  for (const auto& file : files) {
    const Bytes bytes = join_hex(file);
    const auto entries = parse_producer_snapshot(bytes);
    ASSERT_TRUE(entries) << file;
    EXPECT_EQ(encode_producer_snapshot(*entries), bytes) << file;
  }
  const auto events =
      parse_producer_snapshot(join_hex(golden_path("events-0/00000000000000000010.snapshot.json")));
  ASSERT_EQ(events->size(), 3U);
  EXPECT_EQ(events->front().last_batch()->last_sequence, 4);
  EXPECT_EQ((*events)[2].coordinator_epoch, 0);
  EXPECT_EQ((*events)[2].last_batch(), nullptr);
}

TEST(GoldenFormats, CheckpointsDecodeAndEncodeToTheSameText) {
  for (const std::string name :
       {"replication-offset-checkpoint", "recovery-point-offset-checkpoint",
        "log-start-offset-checkpoint", "cleaner-offset-checkpoint"}) {
    const Bytes text = read_test_file(golden_path(name));
    const auto entries = parse_offset_checkpoint(as_text(text));
    ASSERT_TRUE(entries) << name;
    EXPECT_EQ(encode_offset_checkpoint(*entries), as_text(text));
  }
  for (const auto& file : golden_files("/leader-epoch-checkpoint")) {
    const Bytes text = read_test_file(file);
    const auto entries = parse_leader_epoch_checkpoint(as_text(text));
    ASSERT_TRUE(entries) << file;
    EXPECT_EQ(encode_leader_epoch_checkpoint(*entries), as_text(text));
  }
}

TEST(GoldenFormats, MetaPropertiesAreTheSameTextOnTheSameDate) {
  const Bytes text = read_test_file(golden_path("meta.properties"));
  const auto identity = parse_meta_properties(as_text(text));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->node_id, 1);
  EXPECT_EQ(identity->cluster_id, "QXJ1c1BlZXJLYWZrYTAwMQ");
  EXPECT_EQ(identity->directory_id.to_string(), "Ym_sIPBA5PHAI9_pxKKg9g");
  // Mon Nov 23 14:40:22 UTC 2026
  EXPECT_EQ(encode_meta_properties(*identity, 1'795'444'822'000), as_text(text));
}

TEST(GoldenFormats, MarkerAndPartitionMetadataAreTheSameText) {
  const Bytes marker = read_test_file(golden_path(".kafka_cleanshutdown"));
  EXPECT_EQ(parse_clean_shutdown(as_text(marker)), 11);
  EXPECT_EQ(encode_clean_shutdown(11), as_text(marker));
  for (const auto& file : golden_files("/partition.metadata")) {
    const Bytes text = read_test_file(file);
    const auto id = parse_partition_metadata(as_text(text));
    ASSERT_TRUE(id) << file;
    EXPECT_EQ(encode_partition_metadata(*id), as_text(text));
  }
}

// Kafka's directory in a folder of its own, and the logs in it.
// Kafka writes one at every stop; ours only where there have been producers.
bool is_empty_snapshot(const std::string& path, const Bytes& bytes) {
  if (!path.ends_with(".snapshot")) return false;
  const auto entries = parse_producer_snapshot(bytes);
  return entries && entries->empty();
}

class GoldenDirectoryTest : public testing::Test {
 protected:
  GoldenDirectoryTest() { restore_golden_directory(folder_.path()); }

  std::shared_ptr<config::TopicConfig> config_of(const TopicPartition& name) {
    auto config = test_config();
    if (name.topic == "dense") config->index_interval_bytes = 400;
    return config;
  }
  // Opens every log, hands it to `body`, and stops in order.
  template <class Body>
  void with_logs(Body body) {
    const auto environment = env::make_real_environment({});
    auto opened = LogDirectory::open(*environment, folder_.path(), {});
    ASSERT_TRUE(opened) << opened.error().message;
    directory_ = std::move(*opened);
    env::run_until_done(*environment, run_logs(body));
    directory_ = nullptr;
  }
  template <class Body>
  Task<void> run_logs(Body& body) {
    EXPECT_EQ(directory_->found().size(), 22U);
    for (const FoundLog& found : directory_->found()) {
      EXPECT_TRUE(found.topic_id) << found.name.to_string();
      auto log = co_await directory_->open_log(found.name, *found.topic_id, config_of(found.name));
      EXPECT_TRUE(log) << log.error().message;
      co_await body(**log);
    }
    EXPECT_TRUE(co_await directory_->sync_recovered());
    EXPECT_TRUE(co_await directory_->close(12));
  }
  // Every file of a partition, by path below the directory.
  std::map<std::string, Bytes> partition_files() {
    std::map<std::string, Bytes> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (!entry.is_regular_file() || entry.path().parent_path() == folder_.path()) continue;
      files[fs::relative(entry.path(), folder_.path())] = read_test_file(entry.path());
    }
    return files;
  }

  TemporaryFolder folder_;
  std::unique_ptr<LogDirectory> directory_;
};

TEST_F(GoldenDirectoryTest, ADirectoryOfKafkaOpensAndStaysAsItIs) {
  const auto before = partition_files();
  std::map<TopicPartition, Offset> ends;
  const Bytes checkpoint = read_test_file(golden_path("replication-offset-checkpoint"));
  for (const auto& [partition, offset] : *parse_offset_checkpoint(as_text(checkpoint))) {
    ends[partition] = offset;
  }
  with_logs([&](Log& log) -> Task<void> {
    EXPECT_EQ(log.log_end(), ends[log.name()]) << log.name().to_string();
    EXPECT_EQ(log.checkpointed_high_watermark(), log.log_end());
    EXPECT_EQ(log.latest_epoch(), log.log_end() > Offset{0} ? LeaderEpoch{0} : no_leader_epoch);
    EXPECT_EQ(log.log_start(), Offset{log.name().topic == "dense" ? 5 : 0});
    const auto fetched =
        co_await log.read(log.log_start(), {.end = log.log_end(), .max_bytes = 1 << 20});
    EXPECT_TRUE(fetched) << fetched.error().message;
    if (log.name().topic != "dense") {
      EXPECT_EQ(static_cast<std::int64_t>(fetched->size_bytes), log.size_bytes());
    }
  });
  // Epochs of partitions without records are dropped; they are the only thing that may differ.
  for (const auto& [path, bytes] : partition_files()) {
    const auto was = before.find(path);
    ASSERT_NE(was, before.end()) << path;
    if (path.ends_with("leader-epoch-checkpoint")) continue;
    EXPECT_EQ(bytes, was->second) << path;
  }
  const auto text = read_test_file(folder_ / "recovery-point-offset-checkpoint");
  for (const auto& [partition, offset] : *parse_offset_checkpoint(as_text(text))) {
    EXPECT_EQ(offset, ends[partition]);
  }
  EXPECT_EQ(as_text(read_test_file(folder_ / "log-start-offset-checkpoint")), "0\n1\ndense 0 5\n");
  EXPECT_EQ(as_text(read_test_file(folder_ / ".kafka_cleanshutdown")),
            "{\"version\":0,\"brokerEpoch\":12}");
}

TEST_F(GoldenDirectoryTest, WhatRecoveryRebuildsIsWhatKafkaWrote) {
  auto before = partition_files();
  fs::remove(folder_ / ".kafka_cleanshutdown");
  fs::remove(folder_ / "recovery-point-offset-checkpoint");
  for (const auto& [path, bytes] : before) {
    if (path.ends_with("index") || path.ends_with(".snapshot") ||
        path.ends_with("leader-epoch-checkpoint")) {
      fs::remove(folder_ / path);
    }
  }
  with_logs([](Log&) -> Task<void> { co_return; });
  for (const auto& [path, bytes] : partition_files()) {
    if (path.starts_with("__cluster_metadata")) continue;
    EXPECT_EQ(bytes, before[path]) << path;
    before.erase(path);
  }
  for (const auto& [path, bytes] : before) {
    if (path.starts_with("__cluster_metadata")) continue;
    // Nothing is made for partitions that never had a record.
    EXPECT_TRUE(bytes.empty() || path.ends_with("leader-epoch-checkpoint") ||
                is_empty_snapshot(path, bytes))
        << path << " is gone";
  }
}

TEST_F(GoldenDirectoryTest, BatchesAppendedAgainMakeTheFilesOfKafka) {
  TemporaryFolder ours;
  const auto environment = env::make_real_environment({});
  auto opened = LogDirectory::open(*environment, ours.path());
  ASSERT_TRUE(opened);
  env::run_until_done(*environment, [&]() -> Task<void> {
    for (const TopicPartition& name : {TopicPartition{"dense", 0},
                                       {"events", 0},
                                       {"events", 1},
                                       {"out", 1},
                                       {"__consumer_offsets", 2},
                                       {"__transaction_state", 3}}) {
      const std::string folder = name.to_string() + "/";
      const auto id = parse_partition_metadata(
          as_text(read_test_file(golden_path(folder + "partition.metadata"))));
      auto log = co_await (*opened)->open_log(name, *id, config_of(name));
      EXPECT_TRUE(log);
      std::vector<Bytes> batches;
      join_hex(golden_path(folder + "00000000000000000000.log.jsonl"), &batches);
      for (const Bytes& batch : batches) {
        const auto appended = (*log)->append_replicated(Slice(batch));
        EXPECT_TRUE(appended) << appended.error().message;
      }
      if (name.topic == "dense") EXPECT_TRUE(co_await (*log)->advance_log_start(Offset{5}));
      // What is decided is durable with the flush; one transaction was left open.
      EXPECT_TRUE(co_await (*log)->flush());
      const bool open = name == TopicPartition{"events", 1};
      EXPECT_EQ((*log)->first_unstable_offset(), open ? std::optional(Offset{7}) : std::nullopt);
    }
    EXPECT_TRUE(co_await (*opened)->close(1));
  }());
  for (const std::string folder : {"dense-0", "events-0", "events-1", "out-1",
                                   "__consumer_offsets-2", "__transaction_state-3"}) {
    for (const auto& entry : fs::directory_iterator(folder_ / folder)) {
      const std::string name = folder + "/" + entry.path().filename().string();
      if (!fs::exists(ours / name)) {
        EXPECT_TRUE(is_empty_snapshot(name, read_test_file(entry.path()))) << name << " is missing";
        continue;
      }
      EXPECT_EQ(read_test_file(ours / name), read_test_file(entry.path())) << name;
    }
  }
}

}  // namespace
}  // namespace arus::storage
