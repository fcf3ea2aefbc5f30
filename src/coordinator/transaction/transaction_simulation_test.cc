// Transactions in random order: producers that are replaced while they still write, answers that
// are lost, requests that come late, timeouts, crashes that lose what was not durable.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "coordinator/transaction/transaction_records.h"
#include "coordinator/transaction/transaction_testing.h"
#include "storage/producer_state.h"

namespace arus::coordinator {
namespace {

constexpr std::int32_t partition_count = 3;
constexpr int steps = 1'500;
constexpr std::uint32_t seeds = 600;

// A transaction of protocol 2 is known by the epoch that its records carry.
struct TransactionKey {
  ProducerId producer_id = no_producer;
  std::int16_t epoch = -1;
  friend auto operator<=>(const TransactionKey&, const TransactionKey&) = default;
};

enum class Outcome : std::uint8_t { open, committed, aborted };

// One partition: producer state as the log keeps it, and what became of each transaction's records.
class DataPartition {
 public:
  ErrorCode write(const TransactionKey& key, std::int32_t sequence) {
    const storage::ProducerAppend append{.producer_id = key.producer_id,
                                         .epoch = key.epoch,
                                         .base_sequence = sequence,
                                         .last_sequence = sequence,
                                         .base_offset = end_,
                                         .last_offset = end_,
                                         .timestamp_ms = 1,
                                         .transactional = true};
    const auto checked = state_.check(append, storage::ProducerState::Origin::client, 2);
    if (!checked) return checked.error().code;
    if (*checked) return ErrorCode::none;  // a duplicate
    state_.apply(append);
    end_ += 1;
    open_[key.producer_id] = key;
    ++records_[key];
    return ErrorCode::none;
  }
  ErrorCode mark(const MarkerOrder& order) {
    const storage::ProducerAppend append{
        .producer_id = order.producer_id,
        .epoch = order.producer_epoch,
        .base_offset = end_,
        .last_offset = end_,
        .timestamp_ms = 1,
        .transactional = true,
        .end = storage::TransactionEnd{order.committed, order.coordinator_epoch}};
    const auto checked = state_.check(append, storage::ProducerState::Origin::coordinator,
                                      order.transaction_version);
    if (!checked) return checked.error().code;
    const auto completed = state_.apply(append);
    end_ += 1;
    state_.release_below(end_);
    if (!completed) return ErrorCode::none;
    const TransactionKey key = open_.extract(order.producer_id).mapped();
    const bool first =
        outcomes_.try_emplace(key, completed->aborted ? Outcome::aborted : Outcome::committed)
            .second;
    EXPECT_TRUE(first) << "a transaction ended twice";
    return ErrorCode::none;
  }
  [[nodiscard]] bool is_open() const { return state_.first_unstable_offset().has_value(); }
  [[nodiscard]] Outcome outcome(const TransactionKey& key) const {
    const auto found = outcomes_.find(key);
    return found == outcomes_.end() ? Outcome::open : found->second;
  }
  [[nodiscard]] int records(const TransactionKey& key) const {
    const auto found = records_.find(key);
    return found == records_.end() ? 0 : found->second;
  }
  [[nodiscard]] const std::map<TransactionKey, int>& all_records() const { return records_; }

 private:
  storage::ProducerState state_;
  Offset end_{0};
  std::map<ProducerId, TransactionKey> open_;
  std::map<TransactionKey, Outcome> outcomes_;
  std::map<TransactionKey, int> records_;
};

// One process that writes with a transactional id. A replaced one goes on until it is fenced.
struct Client {
  std::string id;
  TransactionKey key;
  std::array<std::int32_t, partition_count> sequences{};
  std::map<std::int32_t, int> acknowledged;  // in the current transaction, by partition
  std::optional<bool> ending;                // asked for, not yet answered
  bool ready = false;
  bool fenced = false;
};

class Simulation {
 public:
  explicit Simulation(std::uint32_t seed) : random_(seed), bench_(2) {}

  void run() {
    for (int i = 0; i < steps; ++i) step();
    settle();
    check();
  }

  // How many transactions with records were committed, so that a test that tests nothing is seen.
  [[nodiscard]] int committed() const {
    int count = 0;
    for (const DataPartition& partition : partitions_) {
      for (const auto& [key, records] : partition.all_records()) {
        count += partition.outcome(key) == Outcome::committed ? 1 : 0;
      }
    }
    return count;
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return random_() % bound; }

  void step() {
    switch (below(12)) {
      case 0:
        if (clients_.size() < 2 || below(10) == 0) {
          clients_.push_back({.id = below(2) == 0 ? "a" : "b"});
        }
        break;
      case 1:
        bench_.bench().pass(env::seconds(below(20) == 0 ? 75 : 1));
        break;
      case 2:
        deliver_late_write();
        break;
      case 3:
      case 4:
      case 5:
        write_some_markers();
        break;
      case 6:
        if (!bench_.bench().durable || below(5) == 0) change_durability();
        break;
      default:
        if (!clients_.empty()) act(clients_[below(static_cast<std::uint32_t>(clients_.size()))]);
        break;
    }
  }

  void act(Client& client) {
    if (client.fenced) return;
    if (!client.ready) {
      begin(client);
    } else if (client.ending || below(4) == 0) {
      end(client);
    } else {
      write(client);
    }
  }

  void begin(Client& client) {
    const auto answer = bench_.init(client.id);
    if (!answer.given() || below(4) == 0) return;  // lost
    if (!answer.result() || answer.value().error_code != ErrorCode::none) return;
    start(client, {answer.value().producer_id, answer.value().producer_epoch});
  }

  void start(Client& client, TransactionKey key) {
    client.key = key;
    client.sequences = {};
    client.acknowledged.clear();
    client.ending.reset();
    client.ready = true;
  }

  void write(Client& client) {
    const auto partition = static_cast<std::int32_t>(below(partition_count));
    const auto added =
        bench_.add(client.id, client.key.producer_id, client.key.epoch, {{"events", partition}});
    if (!added.given() || !added.result()) return;
    const ErrorCode code = added.value().front();
    if (code == ErrorCode::producer_fenced || code == ErrorCode::invalid_producer_id_mapping) {
      client.fenced = true;
    }
    if (code != ErrorCode::none) return;
    auto& sequence = client.sequences[static_cast<std::size_t>(partition)];
    if (below(6) == 0) {
      late_.push_back({client.key, partition, sequence});
      return;
    }
    const ErrorCode written =
        partitions_[static_cast<std::size_t>(partition)].write(client.key, sequence);
    if (written == ErrorCode::invalid_producer_epoch) client.fenced = true;
    if (written != ErrorCode::none || below(5) == 0) return;  // or the answer is lost
    ++sequence;
    ++client.acknowledged[partition];
  }

  void end(Client& client) {
    if (!client.ending) client.ending = below(2) == 0;
    const bool commit = *client.ending;
    const auto answer = bench_.end(client.id, client.key.producer_id, client.key.epoch, commit);
    if (!answer.given() || !answer.result() || below(4) == 0) return;  // lost
    switch (answer.value().error_code) {
      case ErrorCode::none:
        promise(client, commit ? Outcome::committed : Outcome::aborted);
        start(client, {answer.value().producer_id, answer.value().producer_epoch});
        break;
      case ErrorCode::concurrent_transactions:
      case ErrorCode::coordinator_load_in_progress:
        break;
      case ErrorCode::invalid_txn_state:
        // A commit without anything written; or it was aborted for lack of time.
        client.fenced = true;
        break;
      default:
        client.fenced = true;
        break;
    }
  }

  void promise(const Client& client, Outcome outcome) {
    const auto [found, first] = promised_.try_emplace(client.key, outcome);
    EXPECT_EQ(found->second, outcome) << "two outcomes were answered";
    if (outcome == Outcome::committed) acknowledged_[client.key] = client.acknowledged;
  }

  void deliver_late_write() {
    if (late_.empty()) return;
    const std::size_t which = below(static_cast<std::uint32_t>(late_.size()));
    const Late late = late_[which];
    late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(which));
    partitions_[static_cast<std::size_t>(late.partition)].write(late.key, late.sequence);
  }

  // Some markers of some order; now and then one is written twice, or its report is lost.
  void write_some_markers() {
    auto& orders = bench_.book().orders;
    if (orders.empty()) return;
    MarkerOrder order = orders.front();
    orders.pop_front();
    MarkerOrder done = order;
    done.partitions.clear();
    std::vector<TopicPartition> left;
    for (const TopicPartition& partition : order.partitions) {
      auto& data = partitions_[static_cast<std::size_t>(partition.partition)];
      const bool now = below(3) != 0;
      if (now || below(3) == 0) {
        EXPECT_EQ(data.mark(order), ErrorCode::none);
      }
      if (now) {
        done.partitions.push_back(partition);
      } else {
        left.push_back(partition);
      }
    }
    order.partitions = std::move(left);
    if (!order.partitions.empty()) orders.push_back(order);
    if (!done.partitions.empty()) bench_.report(done);
  }

  void change_durability() {
    MachineBench& bench = bench_.bench();
    if (bench.durable) {
      durable_records_ = bench.log().size();
      bench.durable = false;
      return;
    }
    if (below(2) == 0) {
      bench.durable = true;
      bench.release();
      return;
    }
    const auto lost = static_cast<std::uint32_t>(bench.log().size() - durable_records_);
    bench_.restart(durable_records_ + below(lost + 1));
  }

  // Everything that is under way comes to its end; nobody writes any more.
  void settle() {
    bench_.bench().durable = true;
    bench_.bench().release();
    while (!late_.empty()) deliver_late_write();
    for (int i = 0; i < 200; ++i) write_some_markers();
    // The wall clock went back at every restart.
    bench_.bench().pass(env::seconds(5'000));
    while (!bench_.book().orders.empty()) write_some_markers();
  }

  void check() const {
    for (const DataPartition& partition : partitions_) EXPECT_FALSE(partition.is_open());
    std::set<TransactionKey> all;
    for (const DataPartition& partition : partitions_) {
      for (const auto& [key, count] : partition.all_records()) all.insert(key);
    }
    for (const TransactionKey& key : all) {
      std::set<Outcome> outcomes;
      for (const DataPartition& partition : partitions_) {
        if (partition.records(key) > 0) outcomes.insert(partition.outcome(key));
      }
      EXPECT_EQ(outcomes.size(), 1U) << "half of a transaction was committed";
      EXPECT_FALSE(outcomes.contains(Outcome::open));
      const auto promised = promised_.find(key);
      if (promised != promised_.end()) {
        EXPECT_EQ(*outcomes.begin(), promised->second);
      }
    }
    for (const auto& [key, by_partition] : acknowledged_) {
      for (const auto& [partition, count] : by_partition) {
        EXPECT_GE(partitions_[static_cast<std::size_t>(partition)].records(key), count)
            << "an acknowledged record is missing";
      }
    }
  }

  struct Late {
    TransactionKey key;
    std::int32_t partition = 0;
    std::int32_t sequence = 0;
  };

  std::mt19937 random_;
  TransactionBench bench_;
  std::array<DataPartition, partition_count> partitions_;
  std::vector<Client> clients_;
  std::vector<Late> late_;
  std::map<TransactionKey, Outcome> promised_;
  std::map<TransactionKey, std::map<std::int32_t, int>> acknowledged_;
  std::size_t durable_records_ = 0;
};

TEST(TransactionSimulation, EveryTransactionHasOneOutcomeWhateverHappens) {
  int committed = 0;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Simulation simulation(seed);
    simulation.run();
    committed += simulation.committed();
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(committed, 5 * static_cast<int>(seeds));
}

TEST(TransactionSimulation, AnyPrefixOfTheRecordsGivesTheStateThatMadeTheRest) {
  TransactionBench bench;
  bench.init("t");
  bench.add("t", ProducerId{1000}, 0, {{"events", 0}});
  bench.end("t", ProducerId{1000}, 0, true);
  bench.write_markers();
  bench.init("t");
  bench.add("t", ProducerId{1000}, 2, {{"events", 1}});
  bench.end("t", ProducerId{1000}, 2, false);
  bench.write_markers();
  const auto& log = bench.bench().log();
  const auto machine = bench.make();
  for (const auto& logged : log) {
    ASSERT_TRUE(machine->replay({.key = logged.record.key, .value = *logged.record.value}));
    const Transaction& now = *machine->find("t");
    EXPECT_EQ(transaction_record("t", now, 2), logged.record);
  }
}

}  // namespace
}  // namespace arus::coordinator
