#include "cli/transaction_view.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/time_text.h"

namespace arus::cli {
namespace {

constexpr std::size_t partitions_per_question = 500;

using Ending = TransactionVerdict::Ending;

bool is_decided(const std::string& state) {
  return state == "PrepareCommit" || state == "PrepareAbort" || state == "PrepareEpochFence";
}

}  // namespace

bool is_open(const client::TransactionDescription& transaction) {
  return transaction.state == "Ongoing" || is_decided(transaction.state);
}

namespace {

bool lists(const client::TransactionDescription& transaction, const TopicPartition& name) {
  return std::ranges::binary_search(transaction.partitions, name);
}

// When the producer was last seen: its newest write, or the beginning of the transaction.
std::optional<std::int64_t> last_seen(const client::TransactionDescription& transaction,
                                      const std::vector<OpenTransaction>& open) {
  std::optional<std::int64_t> seen = transaction.start_time_ms;
  for (const auto& one : open) {
    if (one.producer.last_timestamp_ms < 0) continue;
    seen = std::max(seen.value_or(0), one.producer.last_timestamp_ms);
  }
  return seen;
}

void say_begin(TransactionVerdict& verdict, const client::TransactionDescription& transaction,
               std::int64_t now_ms) {
  const auto begun = transaction.start_time_ms;
  if (is_open(transaction) && begun) {
    verdict.sentences.push_back(fmt::format("State {}, begun {} ago ({}); the timeout is {}.",
                                            transaction.state, duration_text(now_ms - *begun),
                                            moment_text(*begun),
                                            duration_text(transaction.timeout_ms)));
  } else if (begun) {
    verdict.sentences.push_back(
        fmt::format("State {}: its coordinator has ended its last transaction, begun {} ago.",
                    transaction.state, duration_text(now_ms - *begun)));
  } else {
    verdict.sentences.push_back(
        fmt::format("State {}: its coordinator knows of no open transaction.", transaction.state));
  }
}

void say_partitions(TransactionVerdict& verdict, const client::TransactionDescription& transaction,
                    const std::vector<OpenTransaction>& open, std::int64_t now_ms) {
  for (const auto& name : transaction.partitions) {
    const auto found = std::ranges::find(open, name, &OpenTransaction::partition);
    if (found == open.end()) {
      verdict.sentences.push_back(fmt::format(
          "Partition {}: in the transaction, nothing open in the log.", name.to_string()));
      continue;
    }
    verdict.sentences.push_back(fmt::format(
        "Partition {}: open from offset {}, last written {} ago; read_committed consumers stop "
        "there.",
        name.to_string(), found->producer.transaction_start->value(),
        duration_text(now_ms - found->producer.last_timestamp_ms)));
  }
}

void say_producer(TransactionVerdict& verdict, const client::TransactionDescription& transaction,
                  std::optional<std::int64_t> seen, std::int64_t now_ms) {
  const std::string who = fmt::format("Producer {} with epoch {}", transaction.producer_id.value(),
                                      transaction.producer_epoch);
  if (!seen) {
    verdict.sentences.push_back(who + " has begun nothing: whether it lives cannot be seen.");
  } else if (now_ms - *seen <= quiet_producer_ms) {
    verdict.sentences.push_back(
        fmt::format("{} is alive: it was seen {} ago.", who, duration_text(now_ms - *seen)));
  } else {
    verdict.sentences.push_back(fmt::format("{} was last seen {} ago{}.", who,
                                            duration_text(now_ms - *seen),
                                            is_open(transaction) ? ": it is probably gone" : ""));
  }
}

void judge_ongoing(TransactionVerdict& verdict, const client::TransactionDescription& transaction,
                   std::int64_t now_ms) {
  const std::int64_t due =
      transaction.start_time_ms.value_or(now_ms) + transaction.timeout_ms - now_ms;
  if (due > -overdue_after_ms) {
    verdict.ending = Ending::by_itself;
    verdict.sentences.push_back(
        due > 0 ? fmt::format("Safe way to end it: wait. Its producer ends it, or its coordinator "
                              "aborts it in {}.",
                              duration_text(due))
                : "Safe way to end it: wait. Its timeout is over and its coordinator is about to "
                  "abort it.");
    return;
  }
  verdict.ending = Ending::by_fencing;
  verdict.sentences.push_back(fmt::format(
      "It is past its timeout by {} and its coordinator, broker {}, has not aborted it. Safe way "
      "to end it: `arus txn abort {}`, which fences the producer and aborts.",
      duration_text(-due), transaction.coordinator.value(), transaction.transactional_id));
}

void judge_decided(TransactionVerdict& verdict, const client::TransactionDescription& transaction) {
  verdict.ending = Ending::decided;
  verdict.sentences.push_back(fmt::format(
      "Its outcome is decided ({}) and stored; markers for the {} partitions above are on their "
      "way. Safe way to end it: see that the leaders of these partitions are up; the coordinator "
      "goes on by itself. Never abort it by hand.",
      transaction.state == "PrepareCommit" ? "commit" : "abort", transaction.partitions.size()));
}

// What the log has open and the coordinator does not know of.
void judge_leftovers(TransactionVerdict& verdict, const client::TransactionDescription& transaction,
                     const std::vector<OpenTransaction>& open, std::int64_t now_ms) {
  bool hanging = false;
  for (const auto& one : open) {
    if (lists(transaction, one.partition)) continue;
    const std::int64_t silent = now_ms - one.producer.last_timestamp_ms;
    hanging |= silent > quiet_producer_ms;
    verdict.sentences.push_back(fmt::format(
        "Partition {}: open from offset {}, last written {} ago, and its coordinator does not "
        "know of it{}.",
        one.partition.to_string(), one.producer.transaction_start->value(), duration_text(silent),
        silent > quiet_producer_ms ? ": it hangs" : " (yet)"));
  }
  if (hanging) {
    verdict.ending = Ending::by_marker;
    verdict.sentences.push_back(
        fmt::format("Safe way to end it: `arus txn abort {}`, which writes abort markers into the "
                    "partitions that hang.",
                    transaction.transactional_id));
  }
}

}  // namespace

env::Task<Result<std::set<TopicPartition>>> partitions_to_search(client::Cluster& cluster,
                                                                 std::optional<std::string> topic,
                                                                 std::optional<BrokerId> broker,
                                                                 env::TimePoint deadline) {
  std::vector<client::TopicPointer> topics;
  if (topic) {
    auto one = co_await cluster.topic(*topic, deadline);
    if (!one) co_return fail(std::move(one).error());
    topics.push_back(std::move(*one));
  } else {
    auto all = co_await cluster.all_topics(deadline);
    if (!all) co_return fail(std::move(all).error());
    topics = std::move(*all);
  }
  std::set<TopicPartition> names;
  for (const auto& info : topics) {
    for (const auto& partition : info->partitions) {
      const bool there =
          !broker || std::ranges::find(partition.replicas, *broker) != partition.replicas.end();
      if (there) names.insert({info->name, partition.index});
    }
  }
  co_return names;
}

env::Task<Result<std::vector<OpenTransaction>>> find_open_transactions(
    client::Cluster& cluster, std::set<TopicPartition> partitions, std::optional<BrokerId> broker) {
  std::vector<OpenTransaction> open;
  client::GroupAdmin admin{cluster};
  for (auto next = partitions.begin(); next != partitions.end();) {
    std::set<TopicPartition> portion;
    while (next != partitions.end() && portion.size() < partitions_per_question) {
      portion.insert(*next++);
    }
    auto producers =
        co_await admin.describe_producers(std::move(portion), broker, cluster.call_deadline());
    if (!producers) co_return fail(std::move(producers).error());
    for (const auto& [name, active] : *producers) {
      if (!active) co_return fail(active.error());
      for (const auto& producer : *active) {
        if (producer.transaction_start) open.push_back({name, producer});
      }
    }
  }
  co_return open;
}

env::Task<Result<TransactionsByProducer>> describe_owners(
    client::Cluster& cluster, const std::vector<OpenTransaction>& open) {
  TransactionsByProducer owners;
  client::TransactionFilter filter;
  std::set<ProducerId> ids;
  for (const auto& one : open) ids.insert(one.producer.producer_id);
  if (ids.empty()) co_return owners;
  filter.producer_ids.assign(ids.begin(), ids.end());
  client::GroupAdmin admin{cluster};
  auto listed = co_await admin.list_transactions(std::move(filter), cluster.call_deadline());
  if (!listed) co_return fail(std::move(listed).error());
  std::set<std::string> names;
  for (const auto& transaction : *listed) names.insert(transaction.transactional_id);
  if (names.empty()) co_return owners;
  auto described = co_await admin.describe_transactions(std::move(names), cluster.call_deadline());
  if (!described) co_return fail(std::move(described).error());
  for (auto& [name, description] : *described) {
    if (description) {
      owners.emplace(description->producer_id, std::move(*description));
    } else if (description.error().code != ErrorCode::transactional_id_not_found) {
      co_return fail(description.error());
    }
  }
  co_return owners;
}

bool is_hanging(const OpenTransaction& open, const TransactionsByProducer& owners) {
  const auto found = owners.find(open.producer.producer_id);
  return found == owners.end() || !lists(found->second, open.partition);
}

TransactionVerdict explain_transaction(const client::TransactionDescription& transaction,
                                       const std::vector<OpenTransaction>& open,
                                       std::int64_t now_ms) {
  TransactionVerdict verdict;
  say_begin(verdict, transaction, now_ms);
  say_partitions(verdict, transaction, open, now_ms);
  if (is_decided(transaction.state)) {
    judge_decided(verdict, transaction);
    return verdict;
  }
  say_producer(verdict, transaction, last_seen(transaction, open), now_ms);
  if (transaction.state == "Ongoing") judge_ongoing(verdict, transaction, now_ms);
  judge_leftovers(verdict, transaction, open, now_ms);
  if (verdict.ending == Ending::nothing_open) {
    verdict.sentences.emplace_back("Nothing is open that would have to be ended.");
  }
  return verdict;
}

}  // namespace arus::cli
