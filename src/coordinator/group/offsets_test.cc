#include "coordinator/group/offsets.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "coordinator/group/offset_records.h"
#include "coordinator/group/offsets_testing.h"

namespace arus::coordinator {
namespace {

using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;
using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;
using Fetched = OffsetFetchResponse::OffsetFetchResponsePartitions;

const Uuid events_id = Uuid::of_halves(7, 1);
constexpr ProducerId producer_one{1};
constexpr ProducerId producer_two{2};

OffsetCommitRequest commit_of(std::string group, std::string topic, std::int32_t partition,
                              std::int64_t offset) {
  OffsetCommitRequest request;
  request.group_id = std::move(group);
  auto& entry = request.topics.emplace_back();
  entry.name = std::move(topic);
  auto& one = entry.partitions.emplace_back();
  one.partition_index = partition;
  one.committed_offset = offset;
  return request;
}

class OffsetsTest : public testing::Test {
 protected:
  OffsetMachine machine;
  MachineBench bench{machine};

  std::vector<ErrorCode> commit(OffsetCommitRequest request, std::int16_t version = 9) {
    Answer<OffsetCommitResponse> answer;
    bench.turn([&](Turn& turn) {
      machine.offsets.commit(turn, {.client_id = "c", .client_host = "/h", .api_version = version},
                             std::move(request), answer.reply());
    });
    std::vector<ErrorCode> codes;
    for (const auto& topic : answer.value().topics) {
      for (const auto& partition : topic.partitions) codes.push_back(partition.error_code);
    }
    return codes;
  }
  ErrorCode commit(std::string group, std::string topic, std::int32_t partition,
                   std::int64_t offset) {
    return commit(commit_of(std::move(group), std::move(topic), partition, offset)).at(0);
  }
  ErrorCode commit_in(ProducerId producer, const std::string& group, const std::string& topic,
                      std::int32_t partition, std::int64_t offset, std::int32_t generation = -1) {
    TxnOffsetCommitRequest request;
    request.transactional_id = "t";
    request.producer_id = producer;
    request.producer_epoch = 0;
    request.group_id = group;
    request.generation_id = generation;
    auto& entry = request.topics.emplace_back();
    entry.name = topic;
    auto& one = entry.partitions.emplace_back();
    one.partition_index = partition;
    one.committed_offset = offset;
    Answer<TxnOffsetCommitResponse> answer;
    bench.turn([&](Turn& turn) {
      machine.offsets.commit_transactional(turn, {.client_id = {}, .client_host = {}},
                                           std::move(request), answer.reply());
    });
    return answer.value().topics.at(0).partitions.at(0).error_code;
  }
  void end(ProducerId producer, bool committed) { machine.replay_end(producer, 0, committed); }

  Fetched fetch(const std::string& group, const std::string& topic, std::int32_t partition,
                bool require_stable = false, const Uuid& topic_id = {}) {
    OffsetFetchRequest::OffsetFetchRequestGroup request;
    request.group_id = group;
    request.topics.emplace();
    auto& entry = request.topics->emplace_back();
    entry.name = topic;
    entry.topic_id = topic_id;
    entry.partition_indexes = {partition};
    const auto answer = machine.offsets.fetch(request, require_stable);
    EXPECT_EQ(answer.error_code, ErrorCode::none);
    return answer.topics.at(0).partitions.at(0);
  }
  std::int64_t offset(const std::string& group, const std::string& topic,
                      std::int32_t partition = 0) {
    return fetch(group, topic, partition).committed_offset;
  }
  OffsetFetchResponse::OffsetFetchResponseGroup fetch_all(const std::string& group) {
    OffsetFetchRequest::OffsetFetchRequestGroup request;
    request.group_id = group;
    request.topics = std::nullopt;
    return machine.offsets.fetch(request, false);
  }
  OffsetDeleteResponse remove(const std::string& group, const std::string& topic,
                              std::int32_t partition) {
    OffsetDeleteRequest request;
    request.group_id = group;
    auto& entry = request.topics.emplace_back();
    entry.name = topic;
    entry.partitions.emplace_back().partition_index = partition;
    Answer<OffsetDeleteResponse> answer;
    bench.turn(
        [&](Turn& turn) { machine.offsets.remove(turn, std::move(request), answer.reply()); });
    return answer.value();
  }
  void start() {
    bench.turn([&](Turn& turn) { machine.loaded(turn, nullptr); });
  }
  void pass_days(int days) { bench.pass(env::milliseconds(std::int64_t{days} * 86'400'000)); }
};

TEST_F(OffsetsTest, StandaloneCommitMakesTheGroupAndIsFetched) {
  auto request = commit_of("g", "events", 3, 42);
  request.topics[0].partitions[0].committed_leader_epoch = 5;
  request.topics[0].partitions[0].committed_metadata = "mark";
  EXPECT_EQ(commit(std::move(request)).at(0), ErrorCode::none);
  EXPECT_NE(machine.groups.find("g"), nullptr);
  const Fetched found = fetch("g", "events", 3);
  EXPECT_EQ(found.committed_offset, 42);
  EXPECT_EQ(found.committed_leader_epoch, 5);
  EXPECT_EQ(found.metadata, "mark");
  EXPECT_EQ(found.error_code, ErrorCode::none);
}

TEST_F(OffsetsTest, UnknownPartitionsAndGroupsHaveNoOffsetAndNoError) {
  EXPECT_EQ(commit("g", "events", 0, 1), ErrorCode::none);
  for (const Fetched& found :
       {fetch("g", "events", 1), fetch("g", "other", 0), fetch("nobody", "events", 0)}) {
    EXPECT_EQ(found.committed_offset, -1);
    EXPECT_EQ(found.committed_leader_epoch, -1);
    EXPECT_EQ(found.metadata, "");
    EXPECT_EQ(found.error_code, ErrorCode::none);
  }
  EXPECT_TRUE(fetch_all("nobody").topics.empty());
}

TEST_F(OffsetsTest, NullMetadataIsKeptAsEmptyText) {
  auto request = commit_of("g", "events", 0, 1);
  request.topics[0].partitions[0].committed_metadata = std::nullopt;
  EXPECT_EQ(commit(std::move(request)).at(0), ErrorCode::none);
  EXPECT_EQ(fetch("g", "events", 0).metadata, "");
}

TEST_F(OffsetsTest, LongMetadataIsRefusedAloneAndCountedAsJavaDoes) {
  machine.surroundings.settings.offset_metadata_max_bytes = 4;
  auto request = commit_of("g", "events", 0, 1);
  request.topics[0].partitions[0].committed_metadata = "12345";
  auto& fits = request.topics[0].partitions.emplace_back();
  fits.partition_index = 1;
  fits.committed_offset = 2;
  fits.committed_metadata = "\u00e4\u00e4\u00e4\u00e4";
  auto& pairs = request.topics[0].partitions.emplace_back();
  pairs.partition_index = 2;
  pairs.committed_metadata = "\U0001F600\U0001F600\U0001F600";
  const auto codes = commit(std::move(request));
  EXPECT_EQ(codes, (std::vector{ErrorCode::offset_metadata_too_large, ErrorCode::none,
                                ErrorCode::offset_metadata_too_large}));
  EXPECT_EQ(offset("g", "events", 0), -1);
  EXPECT_EQ(offset("g", "events", 1), 2);
}

TEST_F(OffsetsTest, GenerationWithoutAGroupIsAnErrorOfItsVersion) {
  auto request = commit_of("g", "events", 0, 1);
  request.generation_id_or_member_epoch = 3;
  request.member_id = "m";
  EXPECT_EQ(commit(request, 8).at(0), ErrorCode::illegal_generation);
  EXPECT_EQ(commit(request, 9).at(0), ErrorCode::group_id_not_found);
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 1, 3), ErrorCode::illegal_generation);
  EXPECT_EQ(machine.groups.find("g"), nullptr);
}

TEST_F(OffsetsTest, WhatTheGroupSaysAgainstACommitGoesToEveryPartition) {
  FakeGroup& group = machine.group("g");
  group.members = true;
  group.commit_error = ErrorCode::stale_member_epoch;
  auto request = commit_of("g", "events", 0, 1);
  request.generation_id_or_member_epoch = 3;
  request.topics[0].partitions.emplace_back().partition_index = 1;
  EXPECT_EQ(commit(std::move(request)),
            (std::vector{ErrorCode::stale_member_epoch, ErrorCode::stale_member_epoch}));
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 1, 3), ErrorCode::illegal_generation);
  group.commit_error = ErrorCode::rebalance_in_progress;
  EXPECT_EQ(commit("g", "events", 0, 1), ErrorCode::rebalance_in_progress);
  EXPECT_TRUE(bench.log().empty());
}

TEST_F(OffsetsTest, OnePartitionThatIsNotTheMembersRefusesTheRequest) {
  FakeGroup& group = machine.group("g");
  group.refused_partition = 1;
  auto request = commit_of("g", "events", 0, 1);
  request.topics[0].partitions.emplace_back().partition_index = 1;
  EXPECT_EQ(commit(std::move(request)),
            (std::vector{ErrorCode::stale_member_epoch, ErrorCode::stale_member_epoch}));
  EXPECT_EQ(offset("g", "events", 0), -1);
}

TEST_F(OffsetsTest, CommitKeepsItsMemberAlive) {
  FakeGroup& group = machine.group("g");
  auto request = commit_of("g", "events", 0, 1);
  request.member_id = "m";
  EXPECT_EQ(commit(std::move(request)).at(0), ErrorCode::none);
  EXPECT_EQ(group.last_committer, "m");
}

TEST_F(OffsetsTest, RecordsAreThoseOfKafka) {
  auto request = commit_of("g", "events", 0, 10);
  request.topics[0].topic_id = events_id;
  request.topics[0].partitions[0].committed_leader_epoch = 0;
  EXPECT_EQ(commit(request).at(0), ErrorCode::none);
  request.retention_time_ms = 1'000;
  EXPECT_EQ(commit(request, 4).at(0), ErrorCode::none);
  const OffsetValue plain{.offset = 10,
                          .leader_epoch = 0,
                          .metadata = {},
                          .commit_timestamp_ms = bench.wall_ms(),
                          .expire_timestamp_ms = -1,
                          .topic_id = events_id};
  ASSERT_EQ(bench.log().size(), 2U);
  const Record& first = bench.log()[0].record;
  EXPECT_EQ(first, offset_record({"g", "events", 0}, plain));
  EXPECT_EQ(first.value->at(1), 4);
  // The version that can say when it expires cannot say the epoch and the topic's id.
  const Record& second = bench.log()[1].record;
  EXPECT_EQ(second.value->at(1), 1);
  EXPECT_EQ(decode_offset_value(*second.value)->expire_timestamp_ms, bench.wall_ms() + 1'000);
}

TEST_F(OffsetsTest, LegacyKeysAreRead) {
  Record record = offset_record({"g", "events", 2}, {.offset = 9, .commit_timestamp_ms = 5});
  record.key[1] = 0;
  ASSERT_TRUE(machine.replay({.offset = Offset{0}, .key = record.key, .value = *record.value}));
  EXPECT_EQ(offset("g", "events", 2), 9);
  ASSERT_TRUE(machine.replay({.offset = Offset{1}, .key = record.key, .value = std::nullopt}));
  EXPECT_EQ(offset("g", "events", 2), -1);
}

TEST_F(OffsetsTest, DamagedRecordsAreErrors) {
  Record record = offset_record({"g", "events", 2}, {.offset = 9});
  record.value->resize(record.value->size() - 3);
  EXPECT_FALSE(machine.replay({.offset = Offset{0}, .key = record.key, .value = *record.value}));
  record.value = Bytes{0, 9, 1};
  EXPECT_FALSE(machine.replay({.offset = Offset{0}, .key = record.key, .value = *record.value}));
  record.key.resize(6);
  EXPECT_FALSE(machine.replay({.offset = Offset{0}, .key = record.key, .value = std::nullopt}));
  EXPECT_EQ(machine.offsets.stored().size(), 0U);
}

TEST_F(OffsetsTest, OffsetOfAnEarlierTopicOfThatNameIsNotShown) {
  auto request = commit_of("g", "events", 0, 10);
  request.topics[0].topic_id = events_id;
  EXPECT_EQ(commit(std::move(request)).at(0), ErrorCode::none);
  EXPECT_EQ(fetch("g", "events", 0, false, events_id).committed_offset, 10);
  EXPECT_EQ(fetch("g", "events", 0).committed_offset, 10);
  EXPECT_EQ(fetch("g", "events", 0, false, Uuid::of_halves(7, 2)).committed_offset, -1);
}

TEST_F(OffsetsTest, AllTopicsAreFetchedInOrder) {
  for (const std::string topic : {"b", "a", "c"}) {
    for (const std::int32_t partition : {300, 2, 1}) {
      EXPECT_EQ(commit("g", topic, partition, partition), ErrorCode::none);
    }
  }
  const auto all = fetch_all("g");
  ASSERT_EQ(all.topics.size(), 3U);
  EXPECT_EQ(all.topics[0].name, "a");
  EXPECT_EQ(all.topics[2].name, "c");
  ASSERT_EQ(all.topics[1].partitions.size(), 3U);
  EXPECT_EQ(all.topics[1].partitions[0].partition_index, 1);
  EXPECT_EQ(all.topics[1].partitions[2].partition_index, 300);
}

TEST_F(OffsetsTest, FetchOfAStrangeMemberFailsAsAGroup) {
  machine.group("g").fetch_error = ErrorCode::unknown_member_id;
  OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = "g";
  request.member_id = "m";
  request.member_epoch = 1;
  const auto answer = machine.offsets.fetch(request, false);
  EXPECT_EQ(answer.error_code, ErrorCode::unknown_member_id);
  EXPECT_TRUE(answer.topics.empty());
}

TEST_F(OffsetsTest, TransactionalOffsetIsPendingUntilItsMarker) {
  EXPECT_EQ(commit("g", "events", 0, 5), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 8), ErrorCode::none);
  EXPECT_EQ(offset("g", "events"), 5);
  const Fetched unstable = fetch("g", "events", 0, true);
  EXPECT_EQ(unstable.error_code, ErrorCode::unstable_offset_commit);
  EXPECT_EQ(unstable.committed_offset, -1);
  EXPECT_EQ(fetch("g", "events", 1, true).error_code, ErrorCode::none);
  end(producer_one, true);
  EXPECT_EQ(fetch("g", "events", 0, true).committed_offset, 8);
  EXPECT_TRUE(machine.offsets.pending().empty());
}

TEST_F(OffsetsTest, AbortedOffsetIsForgotten) {
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 8), ErrorCode::none);
  EXPECT_NE(machine.groups.find("g"), nullptr);
  EXPECT_TRUE(machine.offsets.has_offsets("g"));
  end(producer_one, false);
  EXPECT_EQ(fetch("g", "events", 0, true).committed_offset, -1);
  EXPECT_FALSE(machine.offsets.has_offsets("g"));
}

TEST_F(OffsetsTest, TheLaterCommitInTheLogCountsWhicheverMarkerComesFirst) {
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 10), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_two, "g", "events", 0, 20), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "g", "events", 1, 11), ErrorCode::none);
  EXPECT_EQ(commit("g", "events", 1, 21), ErrorCode::none);
  end(producer_two, true);
  end(producer_one, true);
  EXPECT_EQ(offset("g", "events", 0), 20);
  EXPECT_EQ(offset("g", "events", 1), 21);
}

TEST_F(OffsetsTest, ATransactionThatCommitsAgainCountsFromThere) {
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 10), ErrorCode::none);
  EXPECT_EQ(commit("g", "events", 0, 15), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 20), ErrorCode::none);
  end(producer_one, true);
  EXPECT_EQ(offset("g", "events", 0), 20);
}

TEST_F(OffsetsTest, DeletedOffsetTakesPendingOnesWithIt) {
  EXPECT_EQ(commit("g", "events", 0, 5), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 8), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "g", "events", 1, 8), ErrorCode::none);
  const auto answer = remove("g", "events", 0);
  EXPECT_EQ(answer.error_code, ErrorCode::none);
  EXPECT_EQ(answer.topics.at(0).partitions.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(fetch("g", "events", 0, true).error_code, ErrorCode::none);
  end(producer_one, true);
  EXPECT_EQ(offset("g", "events", 0), -1);
  EXPECT_EQ(offset("g", "events", 1), 8);
}

TEST_F(OffsetsTest, DeletingWhatIsNotThereWritesNothing) {
  EXPECT_EQ(remove("g", "events", 0).error_code, ErrorCode::group_id_not_found);
  machine.group("g");
  EXPECT_EQ(remove("g", "events", 0).topics.at(0).partitions.at(0).error_code, ErrorCode::none);
  EXPECT_TRUE(bench.log().empty());
}

TEST_F(OffsetsTest, SubscribedTopicsKeepTheirOffsets) {
  EXPECT_EQ(commit("g", "events", 0, 5), ErrorCode::none);
  machine.group("g").topics.insert("events");
  EXPECT_EQ(remove("g", "events", 0).topics.at(0).partitions.at(0).error_code,
            ErrorCode::group_subscribed_to_topic);
  machine.group("g").delete_error = ErrorCode::non_empty_group;
  EXPECT_EQ(remove("g", "events", 0).error_code, ErrorCode::non_empty_group);
  EXPECT_EQ(offset("g", "events"), 5);
}

TEST_F(OffsetsTest, DeletedGroupLeavesNothingBehind) {
  EXPECT_EQ(commit("g", "events", 0, 5), ErrorCode::none);
  EXPECT_EQ(commit("h", "events", 0, 6), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 8), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "g", "events", 1, 8), ErrorCode::none);
  const std::size_t before = bench.log().size();
  bench.turn([&](Turn& turn) { machine.offsets.append_tombstones(turn, "g"); });
  EXPECT_EQ(bench.log().size(), before + 2);
  EXPECT_FALSE(machine.offsets.has_offsets("g"));
  end(producer_one, true);
  EXPECT_FALSE(machine.offsets.has_offsets("g"));
  EXPECT_EQ(offset("h", "events"), 6);
}

TEST_F(OffsetsTest, OldOffsetsOfStandaloneConsumersExpireWithTheirGroup) {
  start();
  EXPECT_EQ(commit("old", "events", 0, 5), ErrorCode::none);
  pass_days(4);
  EXPECT_EQ(commit("new", "events", 0, 6), ErrorCode::none);
  EXPECT_EQ(offset("old", "events"), 5);
  pass_days(4);
  EXPECT_EQ(offset("old", "events"), -1);
  EXPECT_EQ(machine.groups.find("old"), nullptr);
  EXPECT_EQ(offset("new", "events"), 6);
  EXPECT_FALSE(machine.offsets.stored().has_group("old"));
}

TEST_F(OffsetsTest, OffsetsOfAGroupWithMembersStay) {
  start();
  EXPECT_EQ(commit("g", "events", 0, 5), ErrorCode::none);
  machine.group("g").expiry_of_group = std::nullopt;
  machine.group("g").members = true;
  pass_days(20);
  EXPECT_EQ(offset("g", "events"), 5);
  // From when the last member left on it is counted, not from the commit.
  machine.group("g").members = false;
  machine.group("g").expiry_of_group = Group::Expiry{.since_ms = bench.wall_ms()};
  pass_days(6);
  EXPECT_EQ(offset("g", "events"), 5);
  pass_days(2);
  EXPECT_EQ(machine.groups.find("g"), nullptr);
}

TEST_F(OffsetsTest, OnlyTopicsNobodySubscribesToExpireUnderMembers) {
  start();
  EXPECT_EQ(commit("g", "events", 0, 5), ErrorCode::none);
  EXPECT_EQ(commit("g", "left", 0, 5), ErrorCode::none);
  machine.group("g").members = true;
  machine.group("g").topics.insert("events");
  pass_days(8);
  EXPECT_EQ(offset("g", "events"), 5);
  EXPECT_EQ(offset("g", "left"), -1);
  EXPECT_NE(machine.groups.find("g"), nullptr);
}

TEST_F(OffsetsTest, ATimeOfExpiryInTheRecordCounts) {
  start();
  auto request = commit_of("g", "events", 0, 5);
  request.retention_time_ms = 3'600'000;
  EXPECT_EQ(commit(std::move(request), 4).at(0), ErrorCode::none);
  bench.pass(env::seconds(1'800));
  EXPECT_EQ(offset("g", "events"), 5);
  bench.pass(env::seconds(2'500));
  EXPECT_EQ(offset("g", "events"), -1);
}

TEST_F(OffsetsTest, WhatATransactionHasTouchedDoesNotExpire) {
  start();
  EXPECT_EQ(commit("g", "events", 0, 5), ErrorCode::none);
  EXPECT_EQ(commit("g", "events", 1, 5), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "g", "events", 0, 8), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "pending", "events", 0, 8), ErrorCode::none);
  pass_days(9);
  EXPECT_EQ(offset("g", "events", 0), 5);
  EXPECT_EQ(offset("g", "events", 1), -1);
  EXPECT_NE(machine.groups.find("pending"), nullptr);
  end(producer_one, false);
  pass_days(1);
  EXPECT_EQ(machine.groups.size(), 0U);
}

TEST_F(OffsetsTest, GroupsOfOtherProtocolsKeepTheirOffsets) {
  start();
  EXPECT_EQ(commit("g", "events", 0, 5), ErrorCode::none);
  machine.group("g").kind_of_group = GroupKind::streams;
  pass_days(30);
  EXPECT_EQ(offset("g", "events"), 5);
}

TEST_F(OffsetsTest, ExpiryWorksInPieces) {
  start();
  constexpr std::int32_t many = 8 * OffsetCleaning::records_per_turn;
  for (std::int32_t i = 0; i < many; ++i) {
    ASSERT_EQ(commit("g" + std::to_string(i % 3), "events", i, i), ErrorCode::none);
  }
  env::TimePoint now = bench.now();
  std::int64_t wall_ms = bench.wall_ms();
  std::size_t tombstones = 0;
  std::size_t turns = 0;
  while (machine.groups.size() > 0) {
    const env::TimePoint next = std::max(now, machine.timers().next());
    wall_ms += std::chrono::ceil<env::milliseconds>(next - now).count();
    now = next;
    Turn turn(machine, now, wall_ms);
    machine.timers().fire_due(turn, 1);
    // A group goes with its last offset.
    ASSERT_LE(turn.records().size(), OffsetCleaning::records_per_turn + 1);
    tombstones += turn.records().size();
    turns += turn.records().empty() ? 0 : 1;
  }
  EXPECT_EQ(machine.offsets.stored().size(), 0U);
  EXPECT_EQ(tombstones, static_cast<std::size_t>(many) + 3);
  EXPECT_GE(turns, 8U);
}

TEST_F(OffsetsTest, OffsetsOfDeletedTopicsGo) {
  auto named = commit_of("g", "events", 0, 1);
  named.topics[0].topic_id = events_id;
  EXPECT_EQ(commit(std::move(named)).at(0), ErrorCode::none);
  EXPECT_EQ(commit("g", "events", 1, 1), ErrorCode::none);
  auto newer = commit_of("g", "events", 2, 1);
  newer.topics[0].topic_id = Uuid::of_halves(7, 2);
  EXPECT_EQ(commit(std::move(newer)).at(0), ErrorCode::none);
  EXPECT_EQ(commit("g", "other", 0, 1), ErrorCode::none);
  EXPECT_EQ(commit_in(producer_one, "h", "events", 0, 8), ErrorCode::none);
  metadata::MetadataDelta delta;
  delta.deleted_topics.push_back({.name = "events", .id = events_id, .partitions = {}});
  bench.turn([&](Turn& turn) { machine.on_image(turn, nullptr, delta); });
  bench.pass(env::seconds(1));
  EXPECT_EQ(offset("g", "events", 0), -1);
  EXPECT_EQ(offset("g", "events", 1), -1);
  EXPECT_EQ(offset("g", "events", 2), 1);
  EXPECT_EQ(offset("g", "other", 0), 1);
  EXPECT_TRUE(machine.offsets.pending().empty());
}

// The stored state as a test compares it.
std::map<std::string, OffsetValue> contents(const OffsetMachine& machine) {
  std::map<std::string, OffsetValue> all;
  machine.groups.for_each([&](const Group& group) {
    machine.offsets.stored().for_each(
        group.id(), [&](std::string_view topic, const OffsetStore::View& offset) {
          all[group.id() + "/" + std::string(topic) + "/" + std::to_string(offset.partition())] =
              offset.value();
          return true;
        });
  });
  return all;
}

// Ends of transactions are markers in the log, between records.
struct End {
  std::size_t at;
  ProducerId producer;
  bool committed;
};

class RandomOffsetsTest : public OffsetsTest, public testing::WithParamInterface<unsigned> {
 protected:
  std::vector<End> ends;
  std::mt19937 random{GetParam()};

  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); }
  void step() {
    const std::string group = "g" + std::to_string(below(4));
    const std::string topic = "t" + std::to_string(below(3));
    const auto partition = static_cast<std::int32_t>(below(5));
    const ProducerId producer{below(3)};
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        commit(group, topic, partition, below(1000));
        break;
      case 3:
      case 4:
      case 5:
        commit_in(producer, group, topic, partition, below(1000));
        break;
      case 6:
        ends.push_back({bench.log().size(), producer, below(2) == 0});
        end(producer, ends.back().committed);
        break;
      case 7:
        remove(group, topic, partition);
        break;
      case 8:
        bench.turn([&](Turn& turn) { machine.offsets.append_tombstones(turn, group); });
        break;
      default:
        bench.pass(env::milliseconds(below(100'000'000)));
    }
  }
  void replay_prefix(OffsetMachine& copy, std::size_t count) {
    std::size_t next_end = 0;
    for (std::size_t i = 0; i <= count; ++i) {
      while (next_end < ends.size() && ends[next_end].at == i) {
        copy.replay_end(ends[next_end].producer, 0, ends[next_end].committed);
        ++next_end;
      }
      if (i == count) break;
      const auto& logged = bench.log()[i];
      ASSERT_TRUE(
          copy.replay({.offset = Offset{static_cast<std::int64_t>(i)},
                       .producer_id = logged.producer_id,
                       .key = logged.record.key,
                       .value = logged.record.value ? std::optional<ByteView>(*logged.record.value)
                                                    : std::nullopt}));
    }
  }
};

TEST_P(RandomOffsetsTest, ReplayOfTheLogGivesTheSameState) {
  start();
  for (int i = 0; i < 400; ++i) {
    step();
    if (i % 20 != 19) continue;
    OffsetMachine copy;
    replay_prefix(copy, bench.log().size());
    ASSERT_EQ(contents(copy), contents(machine)) << "seed " << GetParam() << " step " << i;
    ASSERT_EQ(copy.offsets.pending(), machine.offsets.pending());
  }
}

// A plain model of Kafka's rule: each stored offset knows where its record stands in the log.
TEST_P(RandomOffsetsTest, TheCommitThatStandsLaterInTheLogCounts) {
  for (int i = 0; i < 300; ++i) step();
  struct Placed {
    std::size_t at;
    std::int64_t offset;
  };
  std::map<OffsetKey, Placed> stored;
  std::map<ProducerId, std::map<OffsetKey, Placed>> open;
  std::size_t next_end = 0;
  for (std::size_t i = 0; i <= bench.log().size(); ++i) {
    for (; next_end < ends.size() && ends[next_end].at == i; ++next_end) {
      for (const auto& [key, placed] : open[ends[next_end].producer]) {
        const auto found = stored.find(key);
        if (!ends[next_end].committed || (found != stored.end() && found->second.at > placed.at)) {
          continue;
        }
        stored.insert_or_assign(key, placed);
      }
      open.erase(ends[next_end].producer);
    }
    if (i == bench.log().size()) break;
    const auto& logged = bench.log()[i];
    const auto key = decode_offset_key(logged.record.key);
    ASSERT_TRUE(key);
    if (!logged.record.value) {
      stored.erase(*key);
      for (auto& [producer, pending] : open) pending.erase(*key);
      continue;
    }
    const Placed placed{i, decode_offset_value(*logged.record.value)->offset};
    if (logged.producer_id == no_producer) {
      stored.insert_or_assign(*key, placed);
    } else {
      open[logged.producer_id].insert_or_assign(*key, placed);
    }
  }
  EXPECT_EQ(machine.offsets.stored().size(), stored.size()) << "seed " << GetParam();
  for (const auto& [key, placed] : stored) {
    EXPECT_EQ(offset(key.group, key.topic, key.partition), placed.offset) << "seed " << GetParam();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomOffsetsTest, testing::Range(1U, 33U));

}  // namespace
}  // namespace arus::coordinator
