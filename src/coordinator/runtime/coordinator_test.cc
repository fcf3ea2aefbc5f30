// The runtime on logs whose writer the test moves, with a state machine of keys and values.
#include "coordinator/runtime/coordinator.h"

#include <gtest/gtest.h>

#include <map>

#include "base/endian.h"
#include "coordinator/runtime/batches.h"
#include "env/environment.h"
#include "replication/fake_log.h"

namespace arus::coordinator {
namespace {

using env::Task;
using replication::testing::FakeDirectory;
using replication::testing::FakeLog;

const Uuid topic_id = Uuid::of_halves(7, 7);
constexpr const char* topic_name = "__consumer_offsets";

Bytes bytes_of(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

// What all machines of a test have seen.
struct Seen {
  int made = 0;
  int loaded = 0;
  int images = 0;
};

class KeyValueMachine final : public Machine {
 public:
  KeyValueMachine(Seen& seen, env::TimePoint now) : seen_(seen), timers_(now) { ++seen_.made; }

  void put(Turn& turn, const std::string& key, const std::string& value, Reply<std::string> reply) {
    turn.append({bytes_of(key), bytes_of(value)});
    turn.answer<std::string>(std::move(reply), value);
  }
  void put_in_transaction(Turn& turn, std::int64_t producer, std::int16_t epoch,
                          const std::string& key, std::optional<std::uint64_t> guard,
                          Reply<std::string> reply) {
    turn.append_transactional(ProducerId{producer}, epoch, 0, guard,
                              {{bytes_of(key), bytes_of("open")}});
    turn.answer<std::string>(std::move(reply), key);
  }
  void get(Turn& turn, const std::string& key, Reply<std::string> reply) {
    const auto found = values_.find(key);
    turn.answer<std::string>(std::move(reply), found == values_.end() ? "" : found->second);
  }
  // Answered when nobody asks any more.
  void keep(Reply<std::string> reply) { kept_ = std::move(reply); }
  void put_later(Turn& turn, env::Duration after) { timers_.arm(alarm_, turn.now() + after); }

  Result<> replay(const ReplayedRecord& record) override {
    const std::string key(as_text(record.key));
    if (key == "unreadable") return fail(ErrorCode::invalid_record, "It says so");
    if (record.producer_id != no_producer) {
      open_[record.producer_id][key] = "committed";
    } else if (record.value) {
      values_[key] = as_text(*record.value);
    } else {
      values_.erase(key);
    }
    return {};
  }
  void replay_end(ProducerId producer_id, std::int16_t, bool committed) override {
    const auto open = open_.extract(producer_id);
    if (!open || !committed) return;
    for (const auto& [key, value] : open.mapped()) values_[key] = value;
  }
  void loaded(Turn&, metadata::ImagePointer image) override {
    ++seen_.loaded;
    EXPECT_NE(image, nullptr);
  }
  void on_image(Turn&, const metadata::ImagePointer&, const metadata::MetadataDelta&) override {
    ++seen_.images;
  }
  Timers& timers() override { return timers_; }

 private:
  class Alarm final : public Timer {
   public:
    void fire(Turn& turn) override { turn.append({bytes_of("alarm"), bytes_of("rang")}); }
  };

  Seen& seen_;
  Timers timers_;
  Alarm alarm_;
  std::map<std::string, std::string> values_;
  std::map<ProducerId, std::map<std::string, std::string>> open_;
  Reply<std::string> kept_;
};

using KeyValues = Coordinator<KeyValueMachine>;

// A topic of two partitions led by node 1, and its coordinator.
class World {
 public:
  explicit World(env::RealEnvironment& environment)
      : environment_(environment), images(environment, environment.loop(0)) {
    auto made = std::make_unique<FakeDirectory>();
    directory = made.get();
    std::vector<std::unique_ptr<storage::LogDirectory>> directories;
    directories.push_back(std::move(made));
    table = std::make_unique<replication::PartitionTable>(
        environment, replication::PartitionSettings{.node_id = BrokerId{1}, .static_config = {}},
        std::move(directories), images);
    values = std::make_unique<KeyValues>(
        CoordinatorParts{.environment = environment,
                         .partitions = *table,
                         .images = images,
                         .topic = topic_name,
                         .make_machine = [this](std::int32_t, env::TimePoint now) {
                           return std::make_unique<KeyValueMachine>(seen, now);
                         }});
  }

  void publish(int leader = 1, int epoch = 3, bool deleted = false) {
    auto image = std::make_shared<metadata::MetadataImage>(*images.current());
    image->offset = image->offset + 1;
    auto topic = std::make_shared<metadata::TopicImage>();
    topic->name = topic_name;
    topic->id = topic_id;
    for (int i = 0; i < 2; ++i) {
      auto partition = std::make_shared<metadata::PartitionImage>();
      partition->replicas = partition->isr = {BrokerId{1}};
      partition->leader = BrokerId{leader};
      partition->leader_epoch = LeaderEpoch{epoch};
      topic->partitions.push_back(std::move(partition));
    }
    auto delta = std::make_shared<metadata::MetadataDelta>();
    if (deleted) {
      image->topics = image->topics.without(topic_name);
      image->topic_names = image->topic_names.without(topic_id);
      delta->deleted_topics.push_back(*topic);
    } else {
      image->topics.set(topic_name, topic);
      image->topic_names.set(topic_id, topic_name);
      delta->created_or_changed_topics.push_back(topic_id);
    }
    images.publish(image, delta);
  }
  void publish_something_else() {
    auto image = std::make_shared<metadata::MetadataImage>(*images.current());
    image->offset = image->offset + 1;
    auto delta = std::make_shared<metadata::MetadataDelta>();
    delta->brokers_changed = true;
    images.publish(image, delta);
  }
  Task<void> start() {
    publish();
    EXPECT_TRUE(co_await table->start());
    co_await values->start();
    co_await settled();
  }
  Task<void> settled() {
    const auto deadline = environment_.clock().now() + env::seconds(10);
    for (std::int32_t i = 0; i < 2; ++i) co_await values->settled(i, deadline);
  }
  Task<void> stop() {
    co_await values->stop();
    co_await table->stop();
  }
  FakeLog& log(std::int32_t partition = 0) { return *directory->logs.at({topic_name, partition}); }

  Task<Result<std::string>> put(std::string key, std::string value, std::int32_t partition = 0) {
    co_return co_await values->ask_partition<std::string>(
        partition, [key, value](KeyValueMachine& machine, Turn& turn, Reply<std::string> reply) {
          machine.put(turn, key, value, std::move(reply));
        });
  }
  Task<Result<std::string>> get(std::string key, std::int32_t partition = 0) {
    co_return co_await values->ask_partition<std::string>(
        partition, [key](KeyValueMachine& machine, Turn& turn, Reply<std::string> reply) {
          machine.get(turn, key, std::move(reply));
        });
  }
  Task<Result<std::string>> put_in_transaction(std::int64_t producer, std::string key,
                                               std::optional<std::uint64_t> guard = {}) {
    co_return co_await values->ask_partition<std::string>(
        0, [producer, key, guard](KeyValueMachine& machine, Turn& turn, Reply<std::string> reply) {
          machine.put_in_transaction(turn, producer, 0, key, guard, std::move(reply));
        });
  }
  // Until `done`: whatever is appended is durable a turn later.
  static Task<void> keep_syncing(World* world, const bool* done) {
    while (!*done) {
      world->log().sync_all();
      co_await env::yield();
    }
  }

 private:
  env::RealEnvironment& environment_;

 public:
  metadata::ImagePublisher images;
  Seen seen;
  FakeDirectory* directory = nullptr;
  std::unique_ptr<replication::PartitionTable> table;
  std::unique_ptr<KeyValues> values;
};

// A request that runs beside the test.
template <class T>
struct Running {
  std::optional<T> result;
  static Task<void> run(Task<T> task, Running* running) {
    running->result.emplace(co_await std::move(task));
  }
};
using Asked = Running<Result<std::string>>;

template <class Test>
void on_loop(Test test) {
  const auto environment = env::make_real_environment({.loops = 1, .pool_threads = 1});
  env::run_until_done(*environment, test(*environment));
}

Task<void> some_turns() {
  for (int i = 0; i < 10; ++i) co_await env::yield();
}

TEST(PartitionFor, IsJavasHashOfUtf16) {
  EXPECT_EQ(partition_for("", 50), 0);
  EXPECT_EQ(partition_for("a", 50), 97 % 50);
  EXPECT_EQ(partition_for("ab", 50), (97 * 31 + 98) % 50);
  // "polygenelubricants".hashCode() is the smallest int, which has no amount.
  EXPECT_EQ(partition_for("polygenelubricants", 50), 0);
  EXPECT_EQ(partition_for("some-group", 50), 22);
  EXPECT_EQ(partition_for("my-transactional-id", 50), 46);  // -959806496
  EXPECT_EQ(partition_for("\xc3\xa4", 50), 0xe4 % 50);      // ä is one unit
  // An emoji is two units, 0xd83d and 0xde00.
  EXPECT_EQ(partition_for("\xf0\x9f\x98\x80", 1'000'000), (0xd83d * 31 + 0xde00) % 1'000'000);
}

Task<void> waits_for_durability(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  EXPECT_EQ(world.seen.loaded, 2);
  env::Gate gate;
  Asked put;
  Asked get;
  Asked elsewhere;
  env::spawn(gate, Asked::run(world.put("a", "1"), &put));
  env::spawn(gate, Asked::run(world.get("a"), &get));
  env::spawn(gate, Asked::run(world.get("a", 1), &elsewhere));
  world.log().write_all();
  co_await some_turns();
  EXPECT_EQ(world.log().log_end(), Offset{1});
  EXPECT_FALSE(put.result);
  EXPECT_FALSE(get.result);  // what it read could be taken back
  EXPECT_TRUE(elsewhere.result && **elsewhere.result == "");
  world.log().sync_all();
  co_await gate.close();
  EXPECT_EQ(**put.result, "1");
  EXPECT_EQ(**get.result, "1");
  EXPECT_EQ(*co_await world.get("a"), "1");  // at once
  co_await world.stop();
}
TEST(Shard, AnswersWhenEverythingBeforeIsDurable) { on_loop(waits_for_durability); }

Task<void> reloads_with_a_new_epoch(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  env::Gate gate;
  Asked put;
  Asked kept;
  env::spawn(gate, Asked::run(world.put("a", "1"), &put));
  world.log().sync_all();
  co_await gate.close();
  env::Gate second;
  env::spawn(second,
             Asked::run(world.values->ask_partition<std::string>(
                            0, [](KeyValueMachine& machine, Turn&,
                                  Reply<std::string> reply) { machine.keep(std::move(reply)); }),
                        &kept));
  co_await some_turns();
  EXPECT_FALSE(kept.result);
  world.publish(1, 4);
  const auto early = co_await world.get("a");
  EXPECT_EQ(early.error().code, ErrorCode::coordinator_load_in_progress);
  co_await second.close();
  EXPECT_EQ(kept.result->error().code, ErrorCode::not_coordinator);
  co_await world.settled();
  EXPECT_EQ(*co_await world.get("a"), "1");
  EXPECT_EQ(world.seen.made, 4);
  world.publish(2, 5);
  EXPECT_EQ((co_await world.get("a")).error().code, ErrorCode::not_coordinator);
  world.publish(2, 5, true);
  EXPECT_EQ((co_await world.get("a")).error().code, ErrorCode::coordinator_not_available);
  EXPECT_EQ(world.values->partition_of("a").error().code, ErrorCode::coordinator_not_available);
  co_await world.stop();
}
TEST(Shard, IsLoadedAgainInANewEpochAndDroppedWithTheLeadership) {
  on_loop(reloads_with_a_new_epoch);
}

Task<void> loads_only_durable_records(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  env::Gate gate;
  Asked put;
  env::spawn(gate, Asked::run(world.put("a", "1"), &put));
  world.log().write_all();
  world.publish(1, 4);  // the record is in the log, and not durable
  co_await gate.close();
  EXPECT_EQ(put.result->error().code, ErrorCode::not_coordinator);
  co_await some_turns();
  EXPECT_EQ((co_await world.get("a")).error().code, ErrorCode::coordinator_load_in_progress);
  world.log().sync_all();
  co_await world.settled();
  EXPECT_EQ(*co_await world.get("a"), "1");
  co_await world.stop();
}
TEST(Shard, LoadsOnlyWhatIsDurable) { on_loop(loads_only_durable_records); }

Task<void> transactions_are_pending(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  bool done = false;
  env::Gate gate;
  env::spawn(gate, World::keep_syncing(&world, &done));
  EXPECT_TRUE(co_await world.put_in_transaction(5, "a"));
  EXPECT_TRUE(co_await world.put_in_transaction(6, "b"));
  EXPECT_EQ(*co_await world.get("a"), "");
  EXPECT_TRUE(co_await world.values->end_transaction(0, ProducerId{5}, 0, 1, true, 0));
  EXPECT_TRUE(co_await world.values->end_transaction(0, ProducerId{6}, 0, 1, false, 0));
  EXPECT_TRUE(co_await world.put_in_transaction(7, "c"));
  EXPECT_EQ(*co_await world.get("a"), "committed");
  EXPECT_EQ(*co_await world.get("b"), "");
  // The same from the log, where the last one is still open.
  world.publish(1, 4);
  co_await world.settled();
  EXPECT_EQ(*co_await world.get("a"), "committed");
  EXPECT_EQ(*co_await world.get("b"), "");
  EXPECT_EQ(*co_await world.get("c"), "");
  EXPECT_TRUE(co_await world.values->end_transaction(0, ProducerId{7}, 0, 1, true, 0));
  EXPECT_EQ(*co_await world.get("c"), "committed");
  done = true;
  co_await gate.close();
  co_await world.stop();
}
TEST(Shard, KeepsWhatIsInATransactionPendingUntilItsMarker) { on_loop(transactions_are_pending); }

// The end of a transaction may come between the question whether it is open and the append.
Task<void> markers_void_guards(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  bool done = false;
  env::Gate gate;
  env::spawn(gate, World::keep_syncing(&world, &done));
  const auto guard = co_await world.values->guard_transaction(0, ProducerId{5}, 0);
  EXPECT_NE(guard.value_or(0), replication::TransactionGuards::no_guard);
  EXPECT_TRUE(co_await world.values->end_transaction(0, ProducerId{5}, 0, 1, false, 0));
  EXPECT_EQ((co_await world.put_in_transaction(5, "a", *guard)).error().code,
            ErrorCode::invalid_txn_state);
  const auto fresh = co_await world.values->guard_transaction(0, ProducerId{5}, 0);
  EXPECT_TRUE(co_await world.put_in_transaction(5, "a", *fresh));
  // It is open now: nobody has to be asked, until it has ended.
  world.log().open_transaction = ProducerId{5};
  const auto open = co_await world.values->guard_transaction(0, ProducerId{5}, 0);
  EXPECT_EQ(open.value_or(1), replication::TransactionGuards::no_guard);
  EXPECT_TRUE(co_await world.put_in_transaction(5, "b", *open));
  world.log().open_transaction = no_producer;
  EXPECT_EQ((co_await world.put_in_transaction(5, "b", *open)).error().code,
            ErrorCode::invalid_txn_state);
  done = true;
  co_await gate.close();
  co_await world.stop();
}
TEST(Shard, RefusesWhatComesAfterTheEndOfItsTransaction) { on_loop(markers_void_guards); }

Task<void> stalled_logs_refuse(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  world.log().stalled = true;
  EXPECT_EQ((co_await world.put("a", "1")).error().code, ErrorCode::coordinator_not_available);
  EXPECT_EQ(world.log().batches(), 0U);
  world.publish_something_else();
  EXPECT_EQ(world.seen.images, 1);  // that of the other partition
  world.log().stalled = false;
  EXPECT_EQ(*co_await world.get("a"), "");
  EXPECT_EQ(world.seen.images, 2);
  EXPECT_EQ(world.seen.made, 2);  // nothing had to be loaded again
  co_await world.stop();
}
TEST(Shard, RefusesDecisionsWhileTheLogDoesNotKeepUp) { on_loop(stalled_logs_refuse); }

Task<void> refused_records_reload(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  env::Gate gate;
  Asked before;
  Asked large;
  env::spawn(gate, Asked::run(world.put("a", "1"), &before));
  env::spawn(gate, Asked::run(world.put("b", std::string(2 << 20, 'x')), &large));
  co_await gate.close();
  EXPECT_EQ(large.result->error().code, ErrorCode::unknown_server_error);
  EXPECT_EQ(before.result->error().code, ErrorCode::not_coordinator);
  world.log().sync_all();
  co_await world.settled();
  EXPECT_EQ(*co_await world.get("a"), "1");
  EXPECT_EQ(*co_await world.get("b"), "");
  co_await world.stop();
}
TEST(Shard, IsLoadedAgainWhereTheLogRefusesRecords) { on_loop(refused_records_reload); }

Task<void> directory_fails(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  env::Gate gate;
  Asked put;
  env::spawn(gate, Asked::run(world.put("a", "1"), &put));
  world.log().fail_directory();
  co_await gate.close();
  EXPECT_EQ(put.result->error().code, ErrorCode::not_coordinator);
  EXPECT_EQ((co_await world.get("a")).error().code, ErrorCode::not_coordinator);
  EXPECT_EQ((co_await world.get("a", 1)).value_or("?"), "");
  co_await world.stop();
}
TEST(Shard, OfAFailedDirectoryIsNoCoordinator) { on_loop(directory_fails); }

Task<void> timers_fire(env::RealEnvironment& environment) {
  World world(environment);
  co_await world.start();
  const auto asked = co_await world.values->ask_partition<std::string>(
      0, [](KeyValueMachine& machine, Turn& turn, Reply<std::string> reply) {
        machine.put_later(turn, env::milliseconds(5));
        turn.answer<std::string>(std::move(reply), "armed");
      });
  EXPECT_TRUE(asked);
  while (world.log().batches() == 0) co_await env::sleep_for(env::milliseconds(1));
  world.log().sync_all();
  EXPECT_EQ(*co_await world.get("alarm"), "rang");
  co_await world.stop();
}
TEST(Shard, FiresTheTimersOfItsMachine) { on_loop(timers_fire); }

Task<void> asks_everyone(env::RealEnvironment& environment) {
  World world(environment);
  world.publish();
  EXPECT_TRUE(co_await world.table->start());
  co_await world.values->start();
  co_await world.settled();
  env::Gate gate;
  Asked put;
  env::spawn(gate, Asked::run(world.put("a", "1", 1), &put));
  world.log(1).sync_all();
  co_await gate.close();
  const auto all = co_await world.values->ask_all<std::string>(
      [](KeyValueMachine& machine, Turn& turn, Reply<std::string> reply) {
        machine.get(turn, "a", std::move(reply));
      });
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(*all[0], "");
  EXPECT_EQ(*all[1], "1");
  co_await world.stop();
  EXPECT_EQ((co_await world.get("a")).error().code, ErrorCode::not_coordinator);
}
TEST(Coordinator, AsksEveryPartition) { on_loop(asks_everyone); }

TEST(Batches, AreSplitWhereTheyWouldBeTooLarge) {
  record::CodecScratch scratch;
  std::vector<Record> records;
  for (int i = 0; i < 10; ++i) {
    records.push_back({bytes_of(std::to_string(i)), Bytes(300, std::uint8_t(i))});
  }
  const auto batches = build_batches(records, {}, 1, 1'000, scratch);
  ASSERT_TRUE(batches);
  EXPECT_EQ(batches->size(), 5U);
  std::size_t next = 0;
  for (const auto& batch : *batches) {
    EXPECT_LE(batch.bytes.size(), 1'000U);
    EXPECT_EQ(batch.first, next);
    next += batch.count;
  }
  EXPECT_EQ(next, records.size());
  EXPECT_EQ(build_batches(records, {}, 1, 200, scratch).error().code,
            ErrorCode::record_list_too_large);
}

TEST(Batches, ThatCannotBeReadAreSkippedRecordByRecord) {
  Seen seen;
  KeyValueMachine machine(seen, env::TimePoint{});
  record::BatchBuilder builder(record::BatchOptions{.compression = record::Compression::gzip});
  builder.append(1, as_bytes("a"), as_bytes("1"));
  builder.append(1, as_bytes("unreadable"), as_bytes("2"));
  builder.append(1, std::nullopt, as_bytes("3"));
  builder.append(1, as_bytes("b"), as_bytes("4"));
  const Bytes batch = builder.build();
  record::CodecScratch scratch;
  const auto replayed = replay_batches(batch, Offset{0}, machine, scratch, "test-0");
  ASSERT_TRUE(replayed);
  EXPECT_EQ(replayed->next, Offset{4});
  EXPECT_EQ(replayed->records, 4U);
  EXPECT_EQ(replayed->skipped, 2U);
}

}  // namespace
}  // namespace arus::coordinator
