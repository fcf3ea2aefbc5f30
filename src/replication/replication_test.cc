// Appends, visibility and waiting, on logs whose writer the test moves.
#include <gtest/gtest.h>

#include "env/environment.h"
#include "record/builder.h"
#include "replication/append.h"
#include "replication/fake_log.h"
#include "replication/markers.h"
#include "replication/partition_table.h"
#include "replication/read.h"
#include "replication/read_wait.h"

namespace arus::replication {
namespace {

using env::Task;
using testing::FakeDirectory;
using testing::FakeLog;
using testing::topic_id;

const TopicIdPartition first_partition{topic_id, 0};

Slice batch_of(int count, std::int32_t base_sequence = -1, record::Compression codec = {}) {
  record::BatchOptions options{.compression = codec};
  if (base_sequence >= 0) {
    options.producer_id = ProducerId{5};
    options.producer_epoch = 0;
    options.base_sequence = base_sequence;
  }
  record::BatchBuilder builder(options);
  for (int i = 0; i < count; ++i) builder.append(1'700'000'000'000, {}, as_bytes("value"));
  return Slice(builder.build());
}

// A topic of two partitions led by node 1, on one loop.
class World {
 public:
  explicit World(env::RealEnvironment& environment)
      : environment_(environment), images(environment, environment.loop(0)) {
    auto made = std::make_unique<FakeDirectory>();
    directory = made.get();
    std::vector<std::unique_ptr<storage::LogDirectory>> directories;
    directories.push_back(std::move(made));
    table = std::make_unique<PartitionTable>(environment, PartitionSettings{.node_id = BrokerId{1}},
                                             std::move(directories), images);
  }

  void publish(int leader = 1, int epoch = 3, bool deleted = false, Uuid id = topic_id) {
    auto image = std::make_shared<metadata::MetadataImage>(*images.current());
    image->offset = image->offset + 1;
    const auto topic = testing::events_topic(2, leader, epoch, id);
    auto delta = std::make_shared<metadata::MetadataDelta>();
    if (deleted) {
      image->topics = image->topics.without("events");
      image->topic_names = image->topic_names.without(id);
      delta->deleted_topics.push_back(*topic);
    } else {
      image->topics.set("events", topic);
      image->topic_names.set(id, "events");
      delta->created_or_changed_topics.push_back(id);
    }
    images.publish(image, delta);
  }
  void configure(metadata::ConfigResource resource, const std::string& key,
                 const std::string& value) {
    auto image = std::make_shared<metadata::MetadataImage>(*images.current());
    image->offset = image->offset + 1;
    image->config_map.set(
        resource, std::make_shared<const metadata::ConfigMap>(metadata::ConfigMap{{key, value}}));
    auto delta = std::make_shared<metadata::MetadataDelta>();
    delta->changed_configs.push_back(std::move(resource));
    images.publish(image, delta);
  }
  Task<void> open() {
    publish();
    EXPECT_TRUE(co_await table->start());
    for (std::int32_t i = 0; i < 2; ++i) {
      auto partition = here().find({topic_id, i});
      EXPECT_TRUE(partition && co_await (*partition)->opened());
    }
  }
  LoopPartitions& here() { return table->here(); }
  FakeLog& log(std::int32_t partition = 0) { return *directory->logs.at({"events", partition}); }
  AppendRequest within(int milliseconds) {
    return {.deadline = environment_.loop(0).refresh_now() + env::milliseconds(milliseconds)};
  }

 private:
  env::RealEnvironment& environment_;

 public:
  metadata::ImagePublisher images;
  FakeDirectory* directory = nullptr;
  std::unique_ptr<PartitionTable> table;
};

std::vector<AppendItem> one_item(Slice records, std::int32_t partition = 0) {
  std::vector<AppendItem> items;
  items.push_back({.id = {topic_id, partition}, .records = std::move(records)});
  return items;
}

// An append that runs beside the test.
struct Running {
  std::optional<AppendResult> result;
};
Task<void> run(LoopPartitions* partitions, std::vector<AppendItem> items, AppendRequest request,
               Running* running) {
  auto results = co_await append(*partitions, std::move(items), request);
  running->result = std::move(results.front());
}

template <class Test>
void on_loop(Test test) {
  const auto environment = env::make_real_environment({.loops = 1, .pool_threads = 1});
  env::run_until_done(*environment, test(*environment));
}

Task<void> waits_for_durability(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  env::Gate gate;
  Running first;
  Running second;
  env::spawn(gate, run(&world.here(), one_item(batch_of(2)), world.within(5000), &first));
  env::spawn(gate, run(&world.here(), one_item(batch_of(3)), world.within(5000), &second));
  EXPECT_EQ(world.log().log_end(), Offset{5});
  world.log().write_all();
  co_await env::yield();
  EXPECT_FALSE(first.result);
  world.log().sync_to(Offset{2});
  while (!first.result) co_await env::yield();
  EXPECT_EQ(first.result->error.code, ErrorCode::none);
  EXPECT_FALSE(second.result);
  const auto partition = world.here().find(first_partition);
  EXPECT_EQ((*partition)->high_watermark(), Offset{2});
  world.log().sync_all();
  co_await gate.close();
  EXPECT_EQ(second.result->base_offset, Offset{2});
  co_await world.table->stop();
}
TEST(Append, IsAnsweredWhenDurableAndNotBefore) { on_loop(waits_for_durability); }

Task<void> page_cache_is_enough(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  world.configure({metadata::ConfigResourceType::broker, ""}, "arus.durability", "page-cache");
  env::Gate gate;
  Running running;
  env::spawn(gate, run(&world.here(), one_item(batch_of(2)), world.within(5000), &running));
  world.log().write_all();
  co_await gate.close();
  EXPECT_EQ(running.result->error.code, ErrorCode::none);
  co_await world.table->stop();
}
TEST(Append, InPageCacheModeIsAnsweredWhenWritten) { on_loop(page_cache_is_enough); }

Task<void> times_out_and_stays(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  env::Gate gate;
  Running first;
  env::spawn(gate, run(&world.here(), one_item(batch_of(2, 0)), world.within(20), &first));
  while (!first.result) co_await env::sleep_for(env::milliseconds(1));
  EXPECT_EQ(first.result->error.code, ErrorCode::request_timed_out);
  EXPECT_EQ(world.log().log_end(), Offset{2});
  Running retry;
  env::spawn(gate, run(&world.here(), one_item(batch_of(2, 0)), world.within(5000), &retry));
  co_await env::yield();
  EXPECT_FALSE(retry.result);  // the original is not durable yet
  EXPECT_EQ(world.log().log_end(), Offset{2});
  world.log().sync_all();
  co_await gate.close();
  EXPECT_EQ(retry.result->error.code, ErrorCode::none);
  EXPECT_EQ(retry.result->base_offset, Offset{0});
  co_await world.table->stop();
}
TEST(Append, ThatTimesOutStaysAndItsRetryIsADuplicate) { on_loop(times_out_and_stays); }

Task<void> failure_reaches_everyone(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  env::Gate gate;
  Running first;
  env::spawn(gate, run(&world.here(), one_item(batch_of(2)), world.within(5000), &first));
  world.log().fail_directory();
  co_await gate.close();
  EXPECT_EQ(first.result->error.code, ErrorCode::kafka_storage_error);
  const auto later = co_await append(world.here(), one_item(batch_of(1)), world.within(5000));
  EXPECT_EQ(later.front().error.code, ErrorCode::kafka_storage_error);
  co_await world.table->stop();
}
TEST(Append, OfAFailedDirectoryIsNeverAcknowledged) { on_loop(failure_reaches_everyone); }

Task<void> lost_leadership(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  env::Gate gate;
  Running first;
  env::spawn(gate, run(&world.here(), one_item(batch_of(2)), world.within(5000), &first));
  world.publish(2, 4);
  co_await gate.close();
  EXPECT_EQ(first.result->error.code, ErrorCode::not_leader_or_follower);
  const auto later = co_await append(world.here(), one_item(batch_of(1)), world.within(5000));
  EXPECT_EQ(later.front().error.code, ErrorCode::not_leader_or_follower);
  EXPECT_EQ(later.front().leadership.leader, BrokerId{2});
  co_await world.table->stop();
}
TEST(Append, FailsWhenTheLeadershipIsLost) { on_loop(lost_leadership); }

Slice transactional_batch(std::int32_t sequence) {
  record::BatchBuilder builder({.producer_id = ProducerId{5},
                                .producer_epoch = 0,
                                .base_sequence = sequence,
                                .transactional = true});
  builder.append(1'700'000'000'000, {}, as_bytes("value"));
  return Slice(builder.build());
}

Task<AppendResult> append_guarded(World* world, std::int32_t sequence, std::uint64_t guard) {
  AppendRequest request = world->within(5000);
  request.wait_until_visible = false;
  request.verify_transactions = true;
  std::vector<AppendItem> items = one_item(transactional_batch(sequence));
  items.front().guard = guard;
  auto results = co_await append(world->here(), std::move(items), request);
  co_return std::move(results.front());
}

MarkerItem abort_marker() {
  return {.id = first_partition,
          .producer_id = ProducerId{5},
          .producer_epoch = 0,
          .coordinator_epoch = 0};
}

Task<void> first_batch_needs_a_guard(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  const auto first = co_await append_guarded(&world, 0, TransactionGuards::no_guard);
  EXPECT_EQ(first.error.code, ErrorCode::none);
  EXPECT_NE(first.unverified, TransactionGuards::no_guard);
  EXPECT_EQ(world.log().batches(), 0U);
  // A later batch of the same producer must not overtake it.
  const auto second = co_await append_guarded(&world, 1, TransactionGuards::no_guard);
  EXPECT_EQ(second.unverified, first.unverified);
  EXPECT_EQ((co_await append_guarded(&world, 1, second.unverified)).error.code,
            ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ((co_await append_guarded(&world, 0, first.unverified + 1)).error.code,
            ErrorCode::invalid_txn_state);
  const auto again = co_await append_guarded(&world, 0, first.unverified);
  EXPECT_EQ(again.error.code, ErrorCode::none);
  EXPECT_EQ(again.unverified, TransactionGuards::no_guard);
  EXPECT_EQ(world.log().batches(), 1U);
  // The transaction is open here now, but a third batch must not overtake the second.
  world.log().open_transaction = ProducerId{5};
  const auto third = co_await append_guarded(&world, 2, TransactionGuards::no_guard);
  EXPECT_EQ(third.unverified, second.unverified);
  EXPECT_EQ(world.log().batches(), 1U);
  EXPECT_EQ((co_await append_guarded(&world, 1, second.unverified)).error.code, ErrorCode::none);
  EXPECT_NE((co_await append_guarded(&world, 3, TransactionGuards::no_guard)).unverified,
            TransactionGuards::no_guard);
  EXPECT_EQ((co_await append_guarded(&world, 2, third.unverified)).error.code, ErrorCode::none);
  EXPECT_EQ((co_await append_guarded(&world, 3, third.unverified)).error.code, ErrorCode::none);
  EXPECT_EQ(world.log().batches(), 4U);
  // Nobody asks any more.
  EXPECT_EQ((co_await append_guarded(&world, 4, TransactionGuards::no_guard)).unverified,
            TransactionGuards::no_guard);
  EXPECT_EQ(world.log().batches(), 5U);
  co_await world.table->stop();
}
TEST(Append, TheFirstBatchOfATransactionNeedsAGuard) { on_loop(first_batch_needs_a_guard); }

Task<void> marker_voids_guards(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  const auto first = co_await append_guarded(&world, 0, TransactionGuards::no_guard);
  std::vector<MarkerItem> items;
  items.push_back(abort_marker());
  items.push_back({.id = {Uuid::of_halves(9, 9), 0}, .producer_id = ProducerId{5}});
  std::vector<MarkerResult> results;
  env::Gate gate;
  env::spawn(gate,
             [](World* world, std::vector<MarkerItem> items,
                std::vector<MarkerResult>* results) -> Task<void> {
               *results = co_await append_markers(world->here(), std::move(items), {});
             }(&world, std::move(items), &results));
  co_await env::yield();
  EXPECT_TRUE(results.empty());  // it is not durable yet
  EXPECT_EQ(world.log().batches(), 1U);
  world.log().sync_all();
  co_await gate.close();
  EXPECT_EQ(results[0].error, ErrorCode::none);
  EXPECT_EQ(results[1].error, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ((co_await append_guarded(&world, 0, first.unverified)).error.code,
            ErrorCode::invalid_txn_state);
  EXPECT_EQ(world.log().batches(), 1U);
  co_await world.table->stop();
}
TEST(Markers, MakeGuardsVoidAndAreAnsweredWhenDurable) { on_loop(marker_voids_guards); }

Task<void> marker_times_out(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  std::vector<MarkerItem> items;
  items.push_back(abort_marker());
  const auto results = co_await append_markers(world.here(), std::move(items),
                                               {.deadline = world.within(20).deadline});
  EXPECT_EQ(results[0].error, ErrorCode::request_timed_out);
  world.log().sync_all();
  co_await world.table->stop();
}
TEST(Markers, ThatAreNotDurableInTimeSaySo) { on_loop(marker_times_out); }

Task<void> order_while_opening(env::RealEnvironment& environment) {
  World world(environment);
  world.directory->held_back = true;
  world.publish();
  EXPECT_TRUE(co_await world.table->start());
  env::Gate gate;
  std::vector<Running> running(5);
  for (int i = 0; i < 5; ++i) {
    env::spawn(gate, run(&world.here(), one_item(batch_of(i + 1)), world.within(5000),
                         &running[static_cast<std::size_t>(i)]));
  }
  co_await env::yield();
  world.directory->release();
  while (!world.directory->logs.contains({"events", 0}) || world.log().batches() < 5) {
    co_await env::yield();
  }
  world.log().sync_all();
  co_await gate.close();
  std::int64_t expected = 0;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(running[static_cast<std::size_t>(i)].result->base_offset, Offset{expected});
    expected += i + 1;
  }
  co_await world.table->stop();
}
TEST(Append, KeepsItsOrderWhileTheLogOpens) { on_loop(order_while_opening); }

Task<void> order_while_recompressing(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  world.configure({metadata::ConfigResourceType::topic, "events"}, "compression.type", "gzip");
  env::Gate gate;
  Running plain;
  Running gzip;
  env::spawn(gate, run(&world.here(), one_item(batch_of(50)), world.within(5000), &plain));
  env::spawn(gate, run(&world.here(), one_item(batch_of(1, -1, record::Compression::gzip)),
                       world.within(5000), &gzip));
  EXPECT_EQ(world.log().batches(), 0U);  // the second waits for the first, which is on the pool
  while (world.log().batches() < 2) co_await env::sleep_for(env::milliseconds(1));
  world.log().sync_all();
  co_await gate.close();
  EXPECT_EQ(plain.result->base_offset, Offset{0});
  EXPECT_EQ(gzip.result->base_offset, Offset{50});
  const auto fetched = co_await read(world.here(), {{.id = first_partition, .max_bytes = 1 << 20}},
                                     {.max_bytes = 1 << 20});
  const Bytes records = flatten(fetched.front().records);
  const auto first = record::BatchView::parse(records);
  EXPECT_TRUE(first && first->compression() == record::Compression::gzip && first->crc_matches());
  co_await world.table->stop();
}
TEST(Append, KeepsItsOrderWhileABatchIsCompressedAnew) { on_loop(order_while_recompressing); }

Task<void> unopenable(env::RealEnvironment& environment) {
  World world(environment);
  world.directory->broken = true;
  world.publish();
  EXPECT_TRUE(co_await world.table->start());
  const auto results = co_await append(world.here(), one_item(batch_of(1)), world.within(5000));
  EXPECT_EQ(results.front().error.code, ErrorCode::kafka_storage_error);
  const auto absent = co_await append(world.here(), one_item(batch_of(1), 9), world.within(5000));
  EXPECT_EQ(absent.front().error.code, ErrorCode::unknown_topic_or_partition);
  co_await world.table->stop();
}
TEST(Append, SaysWhyAPartitionIsNotThere) { on_loop(unopenable); }

Task<void> reads_are_bounded(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  AppendRequest silent{.wait_until_visible = false};
  static_cast<void>(co_await append(world.here(), one_item(batch_of(2)), silent));
  static_cast<void>(co_await append(world.here(), one_item(batch_of(2)), silent));
  static_cast<void>(co_await append(world.here(), one_item(batch_of(2), 1), silent));
  world.log().sync_to(Offset{2});
  world.log(1).sync_all();
  const std::vector<ReadItem> both = {{.id = first_partition, .max_bytes = 1 << 20},
                                      {.id = {topic_id, 1}, .max_bytes = 1 << 20}};
  auto results = co_await read(world.here(), both, {.max_bytes = 1 << 20});
  EXPECT_EQ(results[0].high_watermark, Offset{2});
  EXPECT_EQ(results[0].records.size(), 1U);  // the second batch is not durable
  EXPECT_EQ(results[1].records.size(), 1U);
  results = co_await read(world.here(), both, {.max_bytes = 1});
  EXPECT_EQ(results[0].records.size(), 1U);  // KIP-74
  EXPECT_TRUE(results[1].records.empty());
  world.log().unstable = Offset{0};
  results = co_await read(world.here(), both, {.max_bytes = 1 << 20, .committed = true});
  EXPECT_EQ(results[0].last_stable_offset, Offset{0});
  EXPECT_TRUE(results[0].records.empty());
  const auto fenced = co_await read(
      world.here(), {{.id = first_partition, .leader_epoch = 2, .max_bytes = 1}}, {.max_bytes = 1});
  EXPECT_EQ(fenced.front().error, ErrorCode::fenced_leader_epoch);
  const auto beyond = co_await read(
      world.here(), {{.id = first_partition, .offset = Offset{9}, .max_bytes = 1}}, {});
  EXPECT_EQ(beyond.front().error, ErrorCode::offset_out_of_range);
  co_await world.table->stop();
}
TEST(Read, SeesOnlyWhatIsVisibleAndAtLeastOneBatch) { on_loop(reads_are_bounded); }

Task<void> large_reads_take_turns(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  constexpr int many = 30'000;  // more bytes than are read in a row
  const AppendRequest silent{.wait_until_visible = false};
  static_cast<void>(co_await append(world.here(), one_item(batch_of(many)), silent));
  static_cast<void>(co_await append(world.here(), one_item(batch_of(many), 1), silent));
  world.log().sync_all();
  world.log(1).sync_all();
  bool others_ran = false;
  environment.loop(0).post([&others_ran] { others_ran = true; });
  const std::vector<ReadItem> both = {{.id = first_partition, .max_bytes = 1 << 20},
                                      {.id = {topic_id, 1}, .max_bytes = 1 << 20}};
  const auto results = co_await read(world.here(), both, {.max_bytes = 2 << 20});
  EXPECT_GT(results[0].size_bytes, std::size_t{256} << 10);
  EXPECT_GT(results[1].size_bytes, std::size_t{256} << 10);
  EXPECT_TRUE(others_ran);
  co_await world.table->stop();
}
TEST(Read, LetsOthersGoOnBetweenLargePartitions) { on_loop(large_reads_take_turns); }

Task<void> parked_until(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  net::CloseWatchList client;
  const std::vector<Awaited> awaited = {
      {.loop = 0, .seen = {.id = first_partition, .high_watermark = Offset{0}}}};
  const auto wait = [&] [[clang::coro_wrapper]] (std::int64_t missing, int milliseconds) {
    return wait_for_more(*world.table, awaited, missing,
                         environment.loop(0).refresh_now() + env::milliseconds(milliseconds),
                         client);
  };
  const auto began = environment.clock().now();
  co_await wait(1, 30);
  EXPECT_GE(environment.clock().now() - began, env::milliseconds(29));
  AppendRequest silent{.wait_until_visible = false};
  env::Gate gate;
  bool woken = false;
  struct Parked {
    static Task<void> run(Task<void> waiting, bool* done) {
      co_await std::move(waiting);
      *done = true;
    }
  };
  env::spawn(gate, Parked::run(wait(1, 5000), &woken));
  static_cast<void>(co_await append(world.here(), one_item(batch_of(2)), silent));
  co_await env::yield();
  EXPECT_FALSE(woken);  // appended, but not visible yet
  world.log().sync_all();
  co_await gate.close();
  EXPECT_TRUE(woken);
  // What was seen before is news at once.
  co_await wait(1, 60'000);
  // A client that goes away waits for nothing.
  env::Gate other;
  env::spawn(other, Parked::run(wait(1 << 30, 60'000), &woken));
  client.close();
  co_await other.close();
  co_await world.table->stop();
}
TEST(ReadWait, WakesOnVisibilityOnNewsAndWhenTheClientIsGone) { on_loop(parked_until); }

Task<void> deleted_topics(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  env::Gate gate;
  Running running;
  env::spawn(gate, run(&world.here(), one_item(batch_of(2)), world.within(5000), &running));
  world.publish(1, 3, true);
  co_await gate.close();
  EXPECT_EQ(running.result->error.code, ErrorCode::unknown_topic_or_partition);
  while (world.directory->removed.size() < 2) co_await env::yield();
  EXPECT_FALSE(world.here().find(first_partition));
  co_await world.table->stop();
}
TEST(Partitions, OfADeletedTopicAreClosedAndRemoved) { on_loop(deleted_topics); }

// On a slow disk: the topic is made again while the first one is being removed, written to, and
// deleted, too.
Task<void> deleted_while_it_waits(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  world.directory->held_back = true;
  world.publish(1, 3, true);
  const Uuid second = Uuid::of_halves(7, 8);
  world.publish(1, 3, false, second);
  std::vector<AppendItem> items;
  items.push_back({.id = {second, 0}, .records = batch_of(1)});
  items.push_back({.id = {second, 1}, .records = batch_of(1)});
  env::Gate gate;
  Running running;
  env::spawn(gate, run(&world.here(), std::move(items), world.within(20), &running));
  co_await gate.close();
  EXPECT_EQ(running.result->error.code, ErrorCode::request_timed_out);
  world.publish(1, 3, true, second);
  world.directory->release();
  while (world.directory->removed.size() < 4) co_await env::yield();
  co_await world.table->stop();
}
TEST(Partitions, OfATopicThatIsDeletedBeforeItOpensAreRemoved) { on_loop(deleted_while_it_waits); }

Task<void> prepared_ahead(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  const Uuid second = Uuid::of_halves(7, 8);
  world.publish(1, 4, true);
  while (world.directory->removed.size() < 2) co_await env::yield();
  world.directory->prepared.clear();
  world.publish(1, 5, false, second);
  while (world.directory->prepared.size() < 2) co_await env::yield();
  EXPECT_EQ(world.directory->prepared, (std::vector<TopicPartition>{{"events", 0}, {"events", 1}}));
  // What changes later and was looked at is left alone.
  world.publish(1, 6, false, second);
  for (int i = 0; i < 100; ++i) co_await env::yield();
  EXPECT_EQ(world.directory->prepared.size(), 2U);
  co_await world.table->stop();
}
TEST(Partitions, OfANewTopicArePreparedOnce) { on_loop(prepared_ahead); }

Task<void> strays(env::RealEnvironment& environment) {
  World world(environment);
  world.directory->found_.push_back({.name = {"gone", 0}, .topic_id = Uuid::of_halves(1, 9)});
  world.directory->found_.push_back({.name = {"events", 0}, .topic_id = Uuid::of_halves(1, 9)});
  world.directory->found_.push_back({.name = {"events", 1}, .topic_id = topic_id});
  std::vector<std::unique_ptr<storage::LogDirectory>> directories;
  auto made = std::make_unique<FakeDirectory>();
  FakeDirectory* const directory = made.get();
  directory->found_ = world.directory->found_;
  directories.push_back(std::move(made));
  world.publish();
  PartitionTable table(environment, PartitionSettings{.node_id = BrokerId{1}},
                       std::move(directories), world.images);
  EXPECT_TRUE(co_await table.start());
  EXPECT_EQ(directory->aside, (std::vector<TopicPartition>{{"gone", 0}}));
  // Its topic was deleted and made again: by its id, so that the new one's folder stays.
  EXPECT_EQ(directory->removed, (std::vector<TopicPartition>{{"events", 0}}));
  co_await table.stop();
}
TEST(Partitions, DirectoriesThatBelongToNobodyAreSetAside) { on_loop(strays); }

Task<void> epochs_begin(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.open();
  EXPECT_EQ(world.log().latest_epoch(), LeaderEpoch{3});
  world.publish(1, 8);
  EXPECT_EQ(world.log().latest_epoch(), LeaderEpoch{8});
  co_await world.table->stop();
}
TEST(Partitions, ANewEpochBeginsWithoutAnAppend) { on_loop(epochs_begin); }

}  // namespace
}  // namespace arus::replication
