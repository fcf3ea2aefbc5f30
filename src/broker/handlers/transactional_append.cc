#include "broker/handlers/transactional_append.h"

#include <fmt/core.h>

#include <utility>

#include "coordinator/runtime/coordinator.h"
#include "coordinator/transaction/transaction_partitions.h"
#include "record/batch.h"
#include "replication/fan_out.h"

namespace arus::broker {
namespace {

using coordinator::TransactionPartitions;
using replication::AppendItem;
using replication::AppendRequest;
using replication::AppendResult;
using Results = std::vector<AppendResult>;
using Codes = std::vector<ErrorCode>;

constexpr std::int16_t abortable_from_version = 11;
// From here on the first write to a partition adds it to the transaction.
constexpr std::int16_t adding_from_version = 12;

// Who writes, as the first batch says; nothing where two producers write in one request.
struct Writer {
  ProducerId id = no_producer;
  std::int16_t epoch = -1;
  friend bool operator==(const Writer&, const Writer&) = default;
};
std::optional<Writer> writer_of(const std::vector<AppendItem>& items) {
  std::optional<Writer> writer;
  for (const AppendItem& item : items) {
    const auto batch = record::BatchView::parse(item.records.view());
    if (!batch || batch->is_legacy() || !batch->is_transactional()) continue;
    const Writer found{batch->producer_id(), batch->producer_epoch()};
    if (writer && *writer != found) return std::nullopt;
    writer = found;
  }
  return writer ? writer : Writer{};
}

// What a producer is told of a coordinator's answer. Old clients do not ask again for every code
// that would pass; all of them do for NOT_ENOUGH_REPLICAS, without asking for new metadata.
Error as_producers_know_it(ErrorCode code, bool is_adding) {
  const auto again = [code] {
    return Error{ErrorCode::not_enough_replicas,
                 fmt::format("Unable to verify the partition has been added to the transaction. "
                             "Underlying error: {}",
                             error_name(code)),
                 0};
  };
  switch (code) {
    case ErrorCode::invalid_txn_state:
      return {code, "Partition was not added to the transaction", 0};
    case ErrorCode::concurrent_transactions:
      return is_adding ? Error{code, {}, 0} : again();
    case ErrorCode::network_exception:
    case ErrorCode::coordinator_load_in_progress:
    case ErrorCode::coordinator_not_available:
    case ErrorCode::not_coordinator:
      return again();
    default:
      return {code, {}, 0};
  }
}

// May outlive the request: what a coordinator waits for may take longer than a producer does.
env::Task<void> join(coordinator::Coordinator<coordinator::TransactionMachine>& transactions,
                     TransactionPartitions joining, bool abortable, env::Duration backoff,
                     env::OneShot<Codes> answered) {
  answered.set(
      co_await coordinator::join_transaction(transactions, std::move(joining), abortable, backoff));
}

env::Task<Results> append_all(const Context& context, std::vector<AppendItem> items,
                              const std::vector<TopicPartition>& names, AppendRequest request) {
  std::vector<std::size_t> loops;
  loops.reserve(names.size());
  for (const TopicPartition& name : names) {
    loops.push_back(context.partitions().loop_index(name.topic, name.partition));
  }
  co_return co_await replication::fan_out<AppendItem, AppendRequest, AppendResult>(
      context.partitions(), std::move(items), std::move(loops), request, &replication::append);
}

}  // namespace

env::Task<Results> append_in_transaction(const Context& context, std::string transactional_id,
                                         std::vector<AppendItem> items,
                                         std::vector<TopicPartition> names, AppendRequest request) {
  const std::int16_t version = context.version();
  const bool is_adding = version >= adding_from_version;
  const auto writer = writer_of(items);
  if (!writer) {
    AppendResult refused;
    refused.error = {ErrorCode::invalid_producer_id_mapping,
                     "Transactional records contained more than one producer ID", 0};
    co_return Results(items.size(), refused);
  }
  request.transaction_version = is_adding ? coordinator::epoch_bump_version : std::int16_t{0};
  request.verify_transactions =
      is_adding || context.config()->flag("transaction.partition.verification.enable");
  WriteTurns::Turn turn = context.loop().write_turns().take(writer->id);
  Results results = co_await append_all(context, items, names, request);

  TransactionPartitions joining{.transactional_id = std::move(transactional_id),
                                .producer_id = writer->id,
                                .producer_epoch = writer->epoch,
                                .verify_only = !is_adding,
                                .client_version = request.transaction_version};
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].unverified == replication::TransactionGuards::no_guard) continue;
    places.push_back(i);
    joining.partitions.push_back(names[i]);
  }
  if (places.empty()) co_return results;

  const env::OneShot<Codes> answered;
  env::spawn_detached(join(
      context.transactions(), std::move(joining), version >= abortable_from_version,
      env::milliseconds(context.config()->integer("add.partitions.to.txn.retry.backoff.max.ms")),
      answered));
  const auto codes = co_await answered.wait_until(request.deadline);
  std::vector<AppendItem> again;
  std::vector<TopicPartition> again_names;
  std::vector<std::size_t> again_places;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::size_t place = places[i];
    if (!codes || (*codes)[i] != ErrorCode::none) {
      results[place].error =
          codes ? as_producers_know_it((*codes)[i], is_adding)
                : Error{ErrorCode::request_timed_out,
                        "The coordinator did not answer in time; nothing was appended", 0};
      continue;
    }
    items[place].guard = results[place].unverified;
    again.push_back(std::move(items[place]));
    again_names.push_back(std::move(names[place]));
    again_places.push_back(place);
  }
  if (again.empty()) co_return results;
  co_await turn.wait();
  turn.end();  // the next one goes on once the items below are on their way
  Results appended = co_await append_all(context, std::move(again), again_names, request);
  for (std::size_t i = 0; i < again_places.size(); ++i) {
    results[again_places[i]] = std::move(appended[i]);
  }
  co_return results;
}

}  // namespace arus::broker
