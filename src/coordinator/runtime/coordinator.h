// One coordinator of the node: its topic, and the state machine of each partition.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/runtime/machine.h"
#include "coordinator/runtime/shard.h"
#include "env/event.h"
#include "replication/partition_table.h"

namespace arus::coordinator {

// Java's String.hashCode of the UTF-8 text `key` without its sign, modulo the number of partitions:
// where Kafka looks for a group or a transactional id.
[[nodiscard]] std::int32_t partition_for(std::string_view key, std::int32_t partitions);

// What a coordinator needs to be made; references outlive it.
struct CoordinatorParts {
  env::Environment& environment;
  replication::PartitionTable& partitions;
  metadata::ImagePublisher& images;
  std::string topic;  // __consumer_offsets or __transaction_state
  // Makes the empty state machine of a partition, on the loop where it will live.
  std::function<std::unique_ptr<Machine>(std::int32_t partition, env::TimePoint now)> make_machine;
};

// Follows the image on every loop: partitions of its topic that this node leads are loaded, others
// are dropped. Callable from every loop; made, started and stopped on loop 0.
class CoordinatorBase {
 public:
  explicit CoordinatorBase(CoordinatorParts parts);
  ~CoordinatorBase();

  // Loads what is there, in the background, on every loop. To be called when partitions are served.
  env::Task<void> start();
  // Drops every state machine; who waits gets NOT_COORDINATOR.
  env::Task<void> stop();

  [[nodiscard]] const std::string& topic() const { return parts_.topic; }
  // How many partitions the topic has by the current loop's image; 0 while it does not exist.
  [[nodiscard]] std::int32_t partition_count() const;
  // Which partition `key` belongs to. COORDINATOR_NOT_AVAILABLE while the topic does not exist.
  [[nodiscard]] Result<std::int32_t> partition_of(std::string_view key) const;

  // Appends an end-of-transaction marker to a partition of this topic and replays it; completes
  // when it is durable. For WriteTxnMarkers and for markers from this node.
  env::Task<Result<>> end_transaction(std::int32_t partition, ProducerId producer_id,
                                      std::int16_t producer_epoch, std::int32_t coordinator_epoch,
                                      bool committed, std::int16_t transaction_version);

 protected:
  // Runs a decision in a turn of the state machine of `partition`, on its loop; completes there and
  // comes back. COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR or COORDINATOR_LOAD_IN_PROGRESS where
  // there is none to run it.
  using Decision = std::move_only_function<void(Machine&, Turn&)>;
  [[nodiscard]] env::Loop& loop_of(std::int32_t partition) const;
  // On the loop of `partition`.
  Result<> run(std::int32_t partition, Decision decide);

 private:
  CoordinatorParts parts_;
  std::vector<std::unique_ptr<ShardSet>> loops_;  // by loop index
};

// A coordinator whose state machines are of type M.
template <class M>
class Coordinator final : public CoordinatorBase {
 public:
  using CoordinatorBase::CoordinatorBase;

  // decide(M&, Turn&, Reply<T>) for the machine of `key`; completes with the answer on the loop of
  // the caller. `decide` is moved to the machine's loop: it holds values, no references to what may
  // go away while it waits.
  template <class T, class Decide>
  env::Task<Result<T>> ask(std::string_view key, Decide decide) {
    const auto partition = partition_of(key);
    if (!partition) co_return std::unexpected(partition.error());
    co_return co_await ask_partition<T>(*partition, std::move(decide));
  }

  template <class T, class Decide>
  env::Task<Result<T>> ask_partition(std::int32_t partition, Decide decide) {
    co_return co_await env::call(
        loop_of(partition),
        [this, partition, decide = std::move(decide)]() mutable -> env::Task<Result<T>> {
          return ask_here<T>(partition, std::move(decide));
        });
  }

  // decide(M&, Turn&, Reply<T>) for every partition of the topic, a copy for each; the answers in
  // the order of the partitions. Empty while the topic does not exist.
  template <class T, class Decide>
  env::Task<std::vector<Result<T>>> ask_all(Decide decide) {
    std::vector<Result<T>> answers;
    for (std::int32_t partition = 0; partition < partition_count(); ++partition) {
      answers.push_back(co_await ask_partition<T>(partition, decide));
    }
    co_return answers;
  }

 private:
  template <class T, class Decide>
  env::Task<Result<T>> ask_here(std::int32_t partition, Decide decide) {
    env::OneShot<Result<T>> answer;
    Reply<T> reply([answer](Result<T> value) { answer.set(std::move(value)); });
    auto ran = run(partition, [decide = std::move(decide), reply = std::move(reply)](
                                  Machine& machine, Turn& turn) mutable {
      decide(static_cast<M&>(machine), turn, std::move(reply));
    });
    if (!ran) co_return std::unexpected(std::move(ran).error());
    co_return co_await answer.wait();
  }
};

}  // namespace arus::coordinator
