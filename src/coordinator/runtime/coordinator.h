// One coordinator of the node: its topic, and the state machine of each partition.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/runtime/coordinator_parts.h"
#include "coordinator/runtime/shard_set.h"
#include "env/event.h"

namespace arus::coordinator {

// The amount of Java's String.hashCode of the UTF-8 text `key`, modulo the number of partitions:
// where Kafka looks for a group or a transactional id.
[[nodiscard]] std::int32_t partition_for(std::string_view key, std::int32_t partitions);

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

  // Completes when `partition` is not being loaded any more, at the latest at the deadline: for
  // whoever would otherwise be answered COORDINATOR_LOAD_IN_PROGRESS by a log that is still empty.
  env::Task<void> settled(std::int32_t partition, env::TimePoint deadline);

  // Before the coordinator of a producer's transaction is asked whether `partition` is in it: the
  // guard that what follows is appended with, so that the end of the transaction cannot come
  // between the two unseen. TransactionGuards::no_guard where nobody needs to be asked: it is open
  // here.
  env::Task<Result<std::uint64_t>> guard_transaction(std::int32_t partition, ProducerId producer_id,
                                                     std::int16_t producer_epoch);

  // Appends an end-of-transaction marker to a partition of this topic and replays it; completes
  // when it is durable. For WriteTxnMarkers and for markers from this node.
  env::Task<Result<>> end_transaction(std::int32_t partition, ProducerId producer_id,
                                      std::int16_t producer_epoch, std::int32_t coordinator_epoch,
                                      bool committed, std::int16_t transaction_version);

 protected:
  [[nodiscard]] std::size_t loop_count() const { return loops_.size(); }
  [[nodiscard]] env::Loop& loop_of(std::int32_t partition) const;
  [[nodiscard]] env::Loop& loop(std::size_t index) const { return parts_.environment.loop(index); }
  [[nodiscard]] ShardSet& shards_here() const;

 private:
  env::Task<Result<>> end_here(std::int32_t partition, TransactionMarker marker);

  CoordinatorParts parts_;
  std::vector<std::unique_ptr<ShardSet>> loops_;  // by loop index
};

// A coordinator whose state machines are of type M.
template <class M>
class Coordinator final : public CoordinatorBase {
 public:
  using CoordinatorBase::CoordinatorBase;

  // decide(M&, Turn&, Reply<T>) for the machine of `key`, in a turn of its own on the machine's
  // loop; completes with the answer on the loop of the caller. COORDINATOR_NOT_AVAILABLE,
  // NOT_COORDINATOR or COORDINATOR_LOAD_IN_PROGRESS where there is no machine to ask. `decide` is
  // moved to the machine's loop: it holds values, no references to what may go away while it waits.
  template <class T, class Decide>
  [[nodiscard]] [[clang::coro_wrapper]] env::Task<Result<T>> ask(std::string_view key,
                                                                 Decide decide) {
    const auto partition = partition_of(key);
    if (!partition) return refused<T>(partition.error());
    return ask_partition<T>(*partition, std::move(decide));
  }

  template <class T, class Decide>
  [[nodiscard]] env::Task<Result<T>> ask_partition(std::int32_t partition, Decide decide) {
    co_return co_await env::call(loop_of(partition),
                                 [this, partition, &decide] [[clang::coro_wrapper]] {
                                   return ask_here<T>(partition, std::move(decide));
                                 });
  }

  // decide(M&, Turn&, Reply<T>) for every partition of the topic, a copy for each, the loops side
  // by side; the answers in the order of the partitions. Empty while the topic does not exist.
  template <class T, class Decide>
  [[nodiscard]] env::Task<std::vector<Result<T>>> ask_all(Decide decide) {
    std::vector<std::vector<std::int32_t>> by_loop(loop_count());
    const std::int32_t count = partition_count();
    for (std::int32_t partition = 0; partition < count; ++partition) {
      by_loop[loop_of(partition).index()].push_back(partition);
    }
    std::vector<std::optional<Result<T>>> found(static_cast<std::size_t>(count));
    env::Gate gate;
    for (std::size_t i = 0; i < by_loop.size(); ++i) {
      if (by_loop[i].empty()) continue;
      env::spawn(gate, ask_loop<T>(&loop(i), std::move(by_loop[i]), decide, &found));
    }
    co_await gate.close();
    std::vector<Result<T>> answers;
    answers.reserve(found.size());
    for (auto& answer : found) answers.push_back(std::move(*answer));
    co_return answers;
  }

  // function(M&) for every machine of the current loop that has been loaded.
  template <class Function>
  void for_each_here(Function function) const {
    shards_here().for_each([&function](Shard& shard) {
      if (Machine* const machine = shard.machine()) function(static_cast<M&>(*machine));
    });
  }

 private:
  template <class T>
  static env::Task<Result<T>> refused(Error error) {
    co_return std::unexpected(std::move(error));
  }

  // Runs the decision now; the answer comes when it comes.
  template <class T, class Decide>
  env::OneShot<Result<T>> begin(std::int32_t partition, Decide decide) {
    env::OneShot<Result<T>> answer;
    const auto shard = shards_here().ready(partition);
    if (!shard) {
      answer.set(std::unexpected(shard.error()));
      return answer;
    }
    Reply<T> reply([answer](Result<T> value) { answer.set(std::move(value)); });
    (*shard)->run([decide = std::move(decide), reply = std::move(reply)](Machine& machine,
                                                                         Turn& turn) mutable {
      decide(static_cast<M&>(machine), turn, std::move(reply));
    });
    return answer;
  }

  template <class T, class Decide>
  env::Task<Result<T>> ask_here(std::int32_t partition, Decide decide) {
    const auto answer = begin<T>(partition, std::move(decide));
    co_return co_await answer.wait();
  }

  template <class T, class Decide>
  env::Task<std::vector<Result<T>>> ask_each_here(const std::vector<std::int32_t>* partitions,
                                                  const Decide* decide) {
    std::vector<env::OneShot<Result<T>>> begun;
    begun.reserve(partitions->size());
    for (const std::int32_t partition : *partitions) begun.push_back(begin<T>(partition, *decide));
    std::vector<Result<T>> answers;
    answers.reserve(begun.size());
    for (const auto& answer : begun) answers.push_back(co_await answer.wait());
    co_return answers;
  }

  template <class T, class Decide>
  env::Task<void> ask_loop(env::Loop* loop, std::vector<std::int32_t> partitions, Decide decide,
                           std::vector<std::optional<Result<T>>>* found) {
    auto answers = co_await env::call(*loop, [this, &partitions, &decide] [[clang::coro_wrapper]] {
      return ask_each_here<T>(&partitions, &decide);
    });
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      (*found)[static_cast<std::size_t>(partitions[i])].emplace(std::move(answers[i]));
    }
  }
};

}  // namespace arus::coordinator
