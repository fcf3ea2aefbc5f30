#include <fmt/core.h>

#include <algorithm>

#include "base/joined.h"
#include "base/json.h"
#include "cli/own.h"
#include "cli/table.h"
#include "cli/time_text.h"
#include "cli/transaction_view.h"

namespace arus::cli {
namespace {

std::string partition_names(const std::vector<TopicPartition>& names) {
  std::vector<std::string> texts;
  for (const auto& name : names) texts.push_back(name.to_string());
  return texts.empty() ? "-" : arus::joined(texts, ",");
}

void add_transaction(JsonWriter& json, const client::TransactionDescription& transaction,
                     std::int64_t now_ms) {
  json.begin_object();
  json.key("transactional_id").text(transaction.transactional_id);
  json.key("state").text(transaction.state);
  json.key("producer_id").number(transaction.producer_id.value());
  json.key("producer_epoch").number(transaction.producer_epoch);
  json.key("coordinator").number(transaction.coordinator.value());
  json.key("timeout_ms").number(transaction.timeout_ms);
  json.key("open_ms");
  if (transaction.start_time_ms && is_open(transaction)) {
    json.number(now_ms - *transaction.start_time_ms);
  } else {
    json.null();
  }
  json.key("partitions").begin_array();
  for (const auto& name : transaction.partitions) json.text(name.to_string());
  json.end_array().end_object();
}

env::Task<int> list_hanging(Session& session, Console& console, const TransactionOptions& options) {
  client::Cluster& cluster = session.cluster;
  const std::int64_t now_ms = session.environment.clock().wall_ms();
  auto names = co_await partitions_to_search(
      cluster, options.topic.empty() ? std::nullopt : std::optional(options.topic), std::nullopt,
      cluster.call_deadline());
  if (!names) co_return report(console, names.error());
  auto open = co_await find_open_transactions(cluster, std::move(*names), std::nullopt);
  if (!open) co_return report(console, open.error());
  std::erase_if(*open, [&](const OpenTransaction& one) {
    return now_ms - one.producer.last_timestamp_ms <= quiet_producer_ms;
  });
  auto owners = co_await describe_owners(cluster, *open);
  if (!owners) co_return report(console, owners.error());
  JsonWriter json;
  json.begin_array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : *open) {
    if (!is_hanging(one, *owners)) continue;
    const auto owner = owners->find(one.producer.producer_id);
    const std::string id = owner == owners->end() ? "" : owner->second.transactional_id;
    rows.push_back({one.partition.topic, std::to_string(one.partition.partition),
                    std::to_string(one.producer.transaction_start->value()),
                    duration_text(now_ms - one.producer.last_timestamp_ms),
                    std::to_string(one.producer.producer_id.value()),
                    std::to_string(one.producer.epoch), id.empty() ? "-" : id});
    json.begin_object();
    json.key("topic").text(one.partition.topic);
    json.key("partition").number(one.partition.partition);
    json.key("start_offset").number(one.producer.transaction_start->value());
    json.key("silent_ms").number(now_ms - one.producer.last_timestamp_ms);
    json.key("producer_id").number(one.producer.producer_id.value());
    json.key("producer_epoch").number(one.producer.epoch);
    json.key("transactional_id").text(id);
    json.end_object();
  }
  json.end_array();
  console.out(options.json ? json.take() + "\n"
                           : aligned_table({"TOPIC", "PARTITION", "START-OFFSET", "SILENT-FOR",
                                            "PRODUCER", "EPOCH", "TRANSACTIONAL-ID"},
                                           rows));
  co_return 0;
}

env::Task<int> run_list(Session session, Console& console, const TransactionOptions& options) {
  if (options.hanging) co_return co_await list_hanging(session, console, options);
  client::Cluster& cluster = session.cluster;
  client::TransactionFilter filter;
  filter.states = options.states;
  if (!options.older_than.empty()) {
    const auto age = parse_duration(options.older_than);
    if (!age) {
      co_return report(console,
                       {ErrorCode::invalid_request,
                        fmt::format("{} is no duration: write PT10M or P1D", options.older_than)});
    }
    filter.duration_ms = *age;
  }
  client::GroupAdmin admin{cluster};
  auto listed = co_await admin.list_transactions(std::move(filter), cluster.call_deadline());
  if (!listed) co_return report(console, listed.error());
  std::set<std::string> ids;
  for (const auto& transaction : *listed) ids.insert(transaction.transactional_id);
  client::GroupAdmin::Outcomes<std::string, client::TransactionDescription> described;
  if (!ids.empty()) {
    auto answers = co_await admin.describe_transactions(std::move(ids), cluster.call_deadline());
    if (!answers) co_return report(console, answers.error());
    described = std::move(*answers);
  }
  const std::int64_t now_ms = session.environment.clock().wall_ms();
  JsonWriter json;
  json.begin_array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [id, transaction] : described) {
    // Gone since it was listed, or not ours to see.
    if (!transaction) continue;
    if (options.json) add_transaction(json, *transaction, now_ms);
    rows.push_back({id, transaction->state,
                    transaction->start_time_ms && is_open(*transaction)
                        ? duration_text(now_ms - *transaction->start_time_ms)
                        : "-",
                    std::to_string(transaction->producer_id.value()),
                    std::to_string(transaction->producer_epoch),
                    std::to_string(transaction->partitions.size()),
                    std::to_string(transaction->coordinator.value())});
  }
  json.end_array();
  console.out(options.json ? json.take() + "\n"
                           : aligned_table({"TRANSACTIONAL-ID", "STATE", "OPEN-FOR", "PRODUCER",
                                            "EPOCH", "PARTITIONS", "COORDINATOR"},
                                           rows));
  co_return 0;
}

env::Task<Result<client::TransactionDescription>> describe(client::Cluster& cluster,
                                                           std::string id) {
  client::GroupAdmin admin{cluster};
  auto answers = co_await admin.describe_transactions({id}, cluster.call_deadline());
  if (!answers) co_return fail(std::move(answers).error());
  auto& answer = answers->at(id);
  if (!answer && answer.error().code == ErrorCode::transactional_id_not_found) {
    co_return fail(ErrorCode::transactional_id_not_found,
                   fmt::format("No coordinator knows the transactional id {}; what it left open "
                               "is shown by `arus txn list --hanging`",
                               id));
  }
  co_return std::move(answer);
}

env::Task<int> run_describe(Session session, Console& console, const TransactionOptions& options) {
  auto transaction = co_await describe(session.cluster, options.id);
  if (!transaction) co_return report(console, transaction.error());
  const std::int64_t now_ms = session.environment.clock().wall_ms();
  if (options.json) {
    JsonWriter json;
    add_transaction(json, *transaction, now_ms);
    console.print("{}\n", json.take());
    co_return 0;
  }
  console.print("Transactional id {}\n", transaction->transactional_id);
  console.print("State            {}\n", transaction->state);
  if (transaction->start_time_ms) {
    console.print("{:<16} {} ({} ago)\n", is_open(*transaction) ? "Begun" : "Last begun",
                  moment_text(*transaction->start_time_ms),
                  duration_text(now_ms - *transaction->start_time_ms));
  }
  console.print("Timeout          {}\n", duration_text(transaction->timeout_ms));
  console.print("Producer         {} with epoch {}\n", transaction->producer_id.value(),
                transaction->producer_epoch);
  console.print("Coordinator      broker {}\n", transaction->coordinator.value());
  console.print("Partitions       {}\n", partition_names(transaction->partitions));
  co_return 0;
}

// A transactional id with everything that its producer has open anywhere.
struct Examined {
  client::TransactionDescription transaction;
  std::vector<OpenTransaction> open;
  TransactionVerdict verdict;
};

env::Task<Result<Examined>> examine(Session& session, std::string id) {
  client::Cluster& cluster = session.cluster;
  // The coordinator is asked first: what it says is ended was ended before partitions are asked.
  auto transaction = co_await describe(cluster, id);
  if (!transaction) co_return fail(std::move(transaction).error());
  auto names =
      co_await partitions_to_search(cluster, std::nullopt, std::nullopt, cluster.call_deadline());
  if (!names) co_return fail(std::move(names).error());
  auto open = co_await find_open_transactions(cluster, std::move(*names), std::nullopt);
  if (!open) co_return fail(std::move(open).error());
  std::erase_if(*open, [&](const OpenTransaction& one) {
    return one.producer.producer_id != transaction->producer_id;
  });
  auto verdict = explain_transaction(*transaction, *open, session.environment.clock().wall_ms());
  co_return Examined{std::move(*transaction), std::move(*open), std::move(verdict)};
}

void print_verdict(Console& console, const TransactionVerdict& verdict) {
  for (const auto& sentence : verdict.sentences) console.print("{}\n", sentence);
}

env::Task<int> run_why(Session session, Console& console, const TransactionOptions& options) {
  const auto examined = co_await examine(session, options.id);
  if (!examined) co_return report(console, examined.error());
  console.print("Transactional id {}\n", options.id);
  print_verdict(console, examined->verdict);
  co_return 0;
}

env::Task<Result<>> abort_in_partition(client::Cluster& cluster, Console& console,
                                       OpenTransaction one) {
  client::HangingTransaction hanging;
  hanging.partition = one.partition;
  hanging.producer_id = one.producer.producer_id;
  hanging.producer_epoch = static_cast<std::int16_t>(one.producer.epoch);
  hanging.coordinator_epoch = std::max(one.producer.coordinator_epoch, 0);
  client::GroupAdmin admin{cluster};
  const auto done = co_await admin.abort_transaction(hanging, cluster.call_deadline());
  if (!done) {
    co_return fail(done.error().code,
                   fmt::format("{}: {}", one.partition.to_string(), done.error().message));
  }
  console.print("Aborted the transaction of producer {} in {} from offset {}\n",
                one.producer.producer_id.value(), one.partition.to_string(),
                one.producer.transaction_start->value());
  co_return Result<>{};
}

env::Task<int> abort_by_id(Session& session, Console& console, const TransactionOptions& options) {
  client::Cluster& cluster = session.cluster;
  const auto examined = co_await examine(session, options.id);
  if (!examined) co_return report(console, examined.error());
  const TransactionVerdict::Ending ending = examined->verdict.ending;
  if (ending == TransactionVerdict::Ending::nothing_open) {
    console.print("Nothing of {} is open.\n", options.id);
    co_return 0;
  }
  if (ending == TransactionVerdict::Ending::decided ||
      (ending == TransactionVerdict::Ending::by_itself && !options.force)) {
    print_verdict(console, examined->verdict);
    co_return report(console, {ErrorCode::invalid_request,
                               ending == TransactionVerdict::Ending::decided
                                   ? "Its outcome is decided: it is not aborted"
                                   : "It does not hang: --force fences its producer and aborts "
                                     "it nevertheless"});
  }
  if (ending == TransactionVerdict::Ending::by_itself ||
      ending == TransactionVerdict::Ending::by_fencing) {
    client::GroupAdmin admin{cluster};
    const auto done = co_await admin.fence_producer(options.id, cluster.call_deadline());
    if (!done) co_return report(console, done.error());
    console.print("Fenced the producer of {}; its coordinator aborts the transaction.\n",
                  options.id);
  }
  const std::int64_t now_ms = session.environment.clock().wall_ms();
  for (const auto& one : examined->open) {
    const bool known = std::ranges::binary_search(examined->transaction.partitions, one.partition);
    if (known || now_ms - one.producer.last_timestamp_ms <= quiet_producer_ms) continue;
    const auto done = co_await abort_in_partition(cluster, console, one);
    if (!done) co_return report(console, done.error());
  }
  co_return 0;
}

env::Task<int> abort_by_place(Session& session, Console& console,
                              const TransactionOptions& options) {
  client::Cluster& cluster = session.cluster;
  const TopicPartition name{options.topic, options.partition};
  auto open = co_await find_open_transactions(cluster, {name}, std::nullopt);
  if (!open) co_return report(console, open.error());
  const auto found = std::ranges::find_if(*open, [&](const OpenTransaction& one) {
    return one.producer.transaction_start == Offset{options.start_offset};
  });
  if (found == open->end()) {
    co_return report(console, {ErrorCode::invalid_request,
                               fmt::format("No open transaction begins at offset {} of {}",
                                           options.start_offset, name.to_string())});
  }
  auto owners = co_await describe_owners(cluster, {*found});
  if (!owners) co_return report(console, owners.error());
  if (!is_hanging(*found, *owners)) {
    // Its coordinator would go on with a transaction of which a part is gone.
    const auto& owner = owners->at(found->producer.producer_id);
    co_return report(console,
                     {ErrorCode::invalid_request,
                      fmt::format("It belongs to the transaction of {} ({}): see `arus "
                                  "txn why {}`",
                                  owner.transactional_id, owner.state, owner.transactional_id)});
  }
  const std::int64_t silent_ms =
      session.environment.clock().wall_ms() - found->producer.last_timestamp_ms;
  if (silent_ms <= quiet_producer_ms && !options.force) {
    co_return report(console, {ErrorCode::invalid_request,
                               fmt::format("Its producer wrote {} ago and may be alive: wait, or "
                                           "use --force",
                                           duration_text(silent_ms))});
  }
  const auto done = co_await abort_in_partition(cluster, console, *found);
  co_return done ? 0 : report(console, done.error());
}

env::Task<int> run_abort(Session session, Console& console, const TransactionOptions& options) {
  if (!options.id.empty()) co_return co_await abort_by_id(session, console, options);
  co_return co_await abort_by_place(session, console, options);
}

int run(Console& console, const ClusterOptions& cluster, const TransactionOptions& options,
        env::Task<int> (*body)(Session, Console&, const TransactionOptions&)) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  return run_session(*client, body, console, options);
}

}  // namespace

int list_transactions(Console& console, const ClusterOptions& cluster,
                      const TransactionOptions& options) {
  return run(console, cluster, options, run_list);
}
int describe_transaction(Console& console, const ClusterOptions& cluster,
                         const TransactionOptions& options) {
  return run(console, cluster, options, run_describe);
}
int why_transaction(Console& console, const ClusterOptions& cluster,
                    const TransactionOptions& options) {
  return run(console, cluster, options, run_why);
}
int abort_transaction(Console& console, const ClusterOptions& cluster,
                      const TransactionOptions& options) {
  const bool place = !options.topic.empty() && options.partition >= 0 && options.start_offset >= 0;
  if (options.id.empty() == !place) {
    return report(console, {ErrorCode::invalid_request,
                            "Name a transactional id, or --topic, --partition and --start-offset"});
  }
  return run(console, cluster, options, run_abort);
}

}  // namespace arus::cli
