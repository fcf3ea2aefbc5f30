#include <gtest/gtest.h>

#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown_file.h"
#include "storage/file_names.h"
#include "storage/leader_epochs.h"
#include "storage/meta_properties.h"
#include "storage/offset_index.h"
#include "storage/partition_metadata.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace arus::storage {
namespace {

TEST(FileNames, OffsetsHaveTwentyDigits) {
  EXPECT_EQ(segment_file_name(Offset{42}, suffix::log), "00000000000000000042.log");
  EXPECT_EQ(parse_segment_file_name("00000000000000000042.log", suffix::log), Offset{42});
  EXPECT_EQ(parse_segment_file_name("9223372036854775807.log", suffix::log), std::nullopt);
  EXPECT_EQ(parse_segment_file_name("09223372036854775807.log", suffix::log),
            Offset{std::numeric_limits<std::int64_t>::max()});
  EXPECT_EQ(parse_segment_file_name("09223372036854775808.log", suffix::log), std::nullopt);
  EXPECT_EQ(parse_segment_file_name("0000000000000000004x.log", suffix::log), std::nullopt);
  EXPECT_EQ(parse_segment_file_name("00000000000000000042.index", suffix::log), std::nullopt);
}

TEST(FileNames, PartitionDirectoriesAreTold) {
  const auto live = parse_partition_directory("my-topic.x_1-12");
  ASSERT_TRUE(live);
  EXPECT_EQ(live->partition, (TopicPartition{"my-topic.x_1", 12}));
  EXPECT_EQ(live->kind, PartitionDirectoryKind::live);
  const Uuid unique = Uuid::of_halves(0x050fd7fca51840ffULL, 0x8378cbb890dfcdacULL);
  const std::string gone = set_aside_directory_name({"gone", 0}, unique, "-delete");
  EXPECT_EQ(gone, "gone-0.050fd7fca51840ff8378cbb890dfcdac-delete");
  EXPECT_EQ(parse_partition_directory(gone)->kind, PartitionDirectoryKind::deleted);
  EXPECT_EQ(parse_partition_directory(gone)->partition, (TopicPartition{"gone", 0}));
  for (const char* const name : {"topic", "topic-", "-1", "topic--x", "a/b-1", "..-1x",
                                 "t-1.x-delete", "topic-99999999999", "..", "config", "x\xff-1"}) {
    EXPECT_FALSE(parse_partition_directory(name)) << name;
  }
  EXPECT_EQ(set_aside_directory_name({std::string(249, 'a'), 0}, unique, "-delete").size(), 255U);
}

TEST(OffsetIndex, EntriesMustAscend) {
  Bytes bytes;
  encode(OffsetIndexEntry{Offset{110}, 10}, Offset{100}, bytes);
  encode(OffsetIndexEntry{Offset{120}, 20}, Offset{100}, bytes);
  EXPECT_EQ(parse_offset_index(bytes, Offset{100})->size(), 2U);
  EXPECT_FALSE(parse_offset_index(ByteView(bytes).first(12), Offset{100}));
  Bytes same = bytes;
  encode(OffsetIndexEntry{Offset{120}, 30}, Offset{100}, same);
  EXPECT_FALSE(parse_offset_index(same, Offset{100}));
  Bytes back = bytes;
  encode(OffsetIndexEntry{Offset{130}, 15}, Offset{100}, back);
  EXPECT_FALSE(parse_offset_index(back, Offset{100}));
}

TEST(OffsetIndex, ZerosThatKafkaLeavesWhileItRunsAreTheEnd) {
  Bytes bytes;
  encode(OffsetIndexEntry{Offset{110}, 10}, Offset{100}, bytes);
  bytes.resize(8 * 100);
  EXPECT_EQ(parse_offset_index(bytes, Offset{100})->size(), 1U);
  Bytes times;
  encode(TimeIndexEntry{1'000, Offset{110}}, Offset{100}, times);
  times.resize(12 * 100);
  EXPECT_EQ(parse_time_index(times, Offset{100})->size(), 1U);
}

TEST(OffsetIndex, FloorIsTheLastEntryAtOrBefore) {
  const std::vector<OffsetIndexEntry> entries{{Offset{5}, 50}, {Offset{9}, 90}};
  EXPECT_EQ(floor_entry(entries, Offset{4}), std::nullopt);
  EXPECT_EQ(floor_entry(entries, Offset{5})->position, 50);
  EXPECT_EQ(floor_entry(entries, Offset{8})->position, 50);
  EXPECT_EQ(floor_entry(entries, Offset{900})->position, 90);
}

TEST(LeaderEpochs, TellWhichEpochWroteAnOffset) {
  LeaderEpochs epochs;
  EXPECT_TRUE(epochs.append(LeaderEpoch{1}, Offset{0}));
  EXPECT_TRUE(epochs.append(LeaderEpoch{4}, Offset{10}));
  EXPECT_FALSE(epochs.append(LeaderEpoch{4}, Offset{15}));
  EXPECT_TRUE(epochs.append(LeaderEpoch{6}, Offset{20}));
  EXPECT_EQ(epochs.epoch_of(Offset{9}), LeaderEpoch{1});
  EXPECT_EQ(epochs.epoch_of(Offset{10}), LeaderEpoch{4});
  EXPECT_EQ(epochs.epoch_of(Offset{99}), LeaderEpoch{6});
  const Offset end{30};
  EXPECT_EQ(epochs.end_of(LeaderEpoch{6}, end), (EpochStart{LeaderEpoch{6}, Offset{30}}));
  EXPECT_EQ(epochs.end_of(LeaderEpoch{5}, end), (EpochStart{LeaderEpoch{4}, Offset{20}}));
  EXPECT_EQ(epochs.end_of(LeaderEpoch{1}, end), (EpochStart{LeaderEpoch{1}, Offset{10}}));
  EXPECT_EQ(epochs.end_of(LeaderEpoch{0}, end), (EpochStart{LeaderEpoch{0}, Offset{0}}));
  EXPECT_EQ(epochs.end_of(LeaderEpoch{7}, end), (EpochStart{no_leader_epoch, no_offset}));
}

TEST(LeaderEpochs, AnEpochWithoutRecordsGivesItsPlaceToTheNext) {
  LeaderEpochs epochs;
  epochs.append(LeaderEpoch{1}, Offset{0});
  epochs.append(LeaderEpoch{2}, Offset{10});
  epochs.append(LeaderEpoch{3}, Offset{10});
  ASSERT_EQ(epochs.entries().size(), 2U);
  EXPECT_EQ(epochs.entries()[1], (EpochStart{LeaderEpoch{3}, Offset{10}}));
}

TEST(LeaderEpochs, AreCutWithTheLogAtBothEnds) {
  LeaderEpochs epochs(
      {{LeaderEpoch{1}, Offset{0}}, {LeaderEpoch{2}, Offset{10}}, {LeaderEpoch{3}, Offset{20}}});
  EXPECT_TRUE(epochs.truncate_to(Offset{20}));
  EXPECT_EQ(epochs.latest(), LeaderEpoch{2});
  EXPECT_FALSE(epochs.truncate_to(Offset{20}));
  EXPECT_TRUE(epochs.advance_start(Offset{15}));
  EXPECT_EQ(epochs.entries().front(), (EpochStart{LeaderEpoch{2}, Offset{15}}));
}

TEST(Checkpoints, ContradictionsAreRefused) {
  EXPECT_TRUE(parse_offset_checkpoint("0\n1\nt 0 5\n"));
  EXPECT_TRUE(parse_offset_checkpoint("0\n1\nt 0 5"));
  for (const char* const text :
       {"", "1\n0\n", "0\n", "0\n2\nt 0 5\n", "0\n0\nt 0 5\n", "0\n-1\n", "0\n1\nt 0\n",
        "0\n1\nt 0 x\n", "0\n1\nt -1 5\n", "0\n1\nt 0 5 6\n", "0\n1\nt 0 99999999999999999999\n"}) {
    EXPECT_FALSE(parse_offset_checkpoint(text)) << text;
  }
  EXPECT_TRUE(parse_leader_epoch_checkpoint("0\n2\n0 0\n3 9\n"));
  EXPECT_FALSE(parse_leader_epoch_checkpoint("0\n2\n3 0\n3 9\n"));
  EXPECT_FALSE(parse_leader_epoch_checkpoint("0\n2\n3 5\n4 4\n"));
}

TEST(MetaProperties, OtherWritersAreNamed) {
  EXPECT_TRUE(parse_meta_properties("version=1\ncluster.id=x\nnode.id=3\n"));
  EXPECT_TRUE(parse_meta_properties("# c\r\nversion = 1\r\ncluster.id: x\\:y\r\nnode.id 3"));
  const auto old = parse_meta_properties("version=0\nbroker.id=3\n");
  ASSERT_FALSE(old);
  EXPECT_NE(old.error().message.find("ZooKeeper"), std::string::npos);
  for (const char* const text :
       {"", "version=2\ncluster.id=x\nnode.id=3", "version=1\nnode.id=3",
        "version=1\ncluster.id=x\nnode.id=-3", "version=1\ncluster.id=x\nnode.id=3x",
        "version=1\ncluster.id=x\nnode.id=3\ndirectory.id=!!"}) {
    EXPECT_FALSE(parse_meta_properties(text)) << text;
  }
}

TEST(CleanShutdown, OnlyAWholeMarkerCounts) {
  EXPECT_EQ(parse_clean_shutdown("{\"version\":0,\"brokerEpoch\":7}"), 7);
  EXPECT_EQ(parse_clean_shutdown("{ \"version\" : 0, \"brokerEpoch\": -1 }\n"), -1);
  EXPECT_EQ(parse_clean_shutdown(""), -1);
  EXPECT_EQ(parse_clean_shutdown("{\"version\":0,\"brokerEpoch\":"), std::nullopt);
  EXPECT_EQ(parse_clean_shutdown("{\"version\":0,\"brokerEpoch\":x}"), std::nullopt);
}

TEST(PartitionMetadata, NamesATopicId) {
  const Uuid id = Uuid::of_halves(1, 2);
  EXPECT_EQ(parse_partition_metadata(encode_partition_metadata(id)), id);
  EXPECT_FALSE(parse_partition_metadata(""));
  EXPECT_FALSE(parse_partition_metadata("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA"));
  EXPECT_FALSE(parse_partition_metadata("version: 1\ntopic_id: " + id.to_string()));
}

TEST(TransactionIndex, ContradictionsAreRefused) {
  const TransactionIndexEntry entry{ProducerId{2}, Offset{7}, Offset{9}, Offset{10}};
  Bytes bytes;
  encode(entry, bytes);
  EXPECT_FALSE(parse_transaction_index(ByteView(bytes).first(33)));
  Bytes twice = bytes;
  encode(entry, twice);
  EXPECT_FALSE(parse_transaction_index(twice));
  bytes[1] = 1;
  EXPECT_FALSE(parse_transaction_index(bytes));
}

}  // namespace
}  // namespace arus::storage
