#include <fmt/core.h>

#include <algorithm>

#include "base/joined.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/kafka/subcommands.h"
#include "cli/transaction_view.h"

namespace arus::cli::kafka {
namespace {

constexpr std::int64_t default_max_timeout_minutes = 15;
constexpr std::int64_t minute_ms = 60'000;

constexpr OptionSpec globals[] = {
    {"version", Takes::nothing, "", "Print the version.", "v"},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"bootstrap-server", Takes::value, "host:port", "REQUIRED: brokers to ask first."},
};
constexpr OptionSpec topic_spec{"topic", Takes::value, "topic", "A topic."};
constexpr OptionSpec partition_spec{"partition", Takes::value, "partition", "A partition."};
constexpr OptionSpec list_specs[] = {
    {"duration-filter", Takes::value, "ms", "Only those that run for longer; all if negative."},
    {"transactional-id-pattern", Takes::value, "regex", "Only transactional ids that match."},
};
constexpr OptionSpec describe_specs[] = {
    {"transactional-id", Takes::value, "id", "A transactional id."},
};
constexpr OptionSpec producer_specs[] = {
    {"broker-id", Takes::value, "id", "The replica that is asked; the leader without it."},
    topic_spec,
    partition_spec,
};
constexpr OptionSpec abort_specs[] = {
    topic_spec,
    partition_spec,
    {"start-offset", Takes::value, "offset", "Where the transaction begins in the partition."},
    {"producer-id", Takes::value, "id", "For brokers before 3.0, instead of the offset."},
    {"producer-epoch", Takes::value, "epoch", "For brokers before 3.0."},
    {"coordinator-epoch", Takes::value, "epoch", "For brokers before 3.0."},
};
constexpr OptionSpec hanging_specs[] = {
    {"broker-id", Takes::value, "id", "Search partitions with a replica on this broker."},
    {"max-transaction-timeout", Takes::value, "minutes",
     "Only transactions whose last write is older (15)."},
    {"topic", Takes::value, "topic", "Search this topic. Needed with --partition."},
    partition_spec,
};
constexpr OptionSpec terminate_specs[] = {
    {"transactionalId", Takes::value, "id", "A transactional id."},
};
constexpr Subcommand transactions_commands[] = {
    {"list", "Lists transactions", list_specs},
    {"describe", "Shows the state of a transactional id", describe_specs, "transactional-id"},
    {"describe-producers", "Shows the producers that a partition remembers", producer_specs,
     "topic partition"},
    {"abort", "Aborts a hanging transaction of a partition", abort_specs, "topic partition"},
    {"find-hanging", "Finds transactions that no coordinator will end", hanging_specs},
    {"forceTerminateTransaction", "Aborts the transaction of a transactional id and fences it",
     terminate_specs, "transactionalId"},
};
constexpr Program transactions_tool{
    "kafka-transactions.sh",
    "Shows the transactional state of producers, finds and ends transactions that hang.", globals,
    transactions_commands};

using Row = std::vector<std::string>;

// Columns as wide as their widest value, each followed by a tab.
std::string table_of(const Row& headers, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& header : headers) widths.push_back(header.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto add = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += fmt::format("{:<{}}\t", row[i], widths[i]);
    }
    text += '\n';
  };
  add(headers);
  for (const auto& row : rows) add(row);
  return text;
}

std::string number_or_none(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "None";
}

class TransactionProgram {
 public:
  TransactionProgram(Session& session, Console& console, const ParsedOptions& options)
      : cluster_(session.cluster),
        console_(console),
        options_(options),
        admin_(cluster_),
        now_ms_(session.environment.clock().wall_ms()) {}

  env::Task<Result<>> run(std::string_view command) {
    if (command == "list") co_return co_await list();
    if (command == "describe") co_return co_await describe();
    if (command == "describe-producers") co_return co_await describe_producers();
    if (command == "abort") co_return co_await abort();
    if (command == "find-hanging") co_return co_await find_hanging();
    co_return co_await terminate();
  }

 private:
  // "Failed to …: why. Enable debug logging for additional detail."
  static std::unexpected<Error> failed(std::string_view what, const Error& error) {
    return fail(error.code, fmt::format("{}: {}. Enable debug logging for additional detail.", what,
                                        plain_text(error)));
  }

  [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t fallback) const {
    return options_.number(name)->value_or(fallback);
  }
  [[nodiscard]] TopicPartition named_partition() const {
    return {options_.value_or("topic", ""), static_cast<std::int32_t>(number("partition", 0))};
  }
  [[nodiscard]] std::optional<BrokerId> named_broker() const {
    if (!options_.has("broker-id")) return std::nullopt;
    return BrokerId{static_cast<std::int32_t>(number("broker-id", 0))};
  }

  env::Task<Result<>> list() {
    client::TransactionFilter filter;
    filter.duration_ms = number("duration-filter", -1);
    filter.transactional_id_pattern = options_.value("transactional-id-pattern");
    auto listed = co_await admin_.list_transactions(std::move(filter), cluster_.call_deadline());
    if (!listed) co_return failed("Failed to list transactions", listed.error());
    std::vector<Row> rows;
    for (const auto& transaction : *listed) {
      rows.push_back({transaction.transactional_id, std::to_string(transaction.coordinator.value()),
                      std::to_string(transaction.producer_id.value()), transaction.state});
    }
    console_.out(
        table_of({"TransactionalId", "Coordinator", "ProducerId", "TransactionState"}, rows));
    co_return Result<>{};
  }

  env::Task<Result<>> describe() {
    const std::string id = *options_.value("transactional-id");
    auto answers = co_await admin_.describe_transactions({id}, cluster_.call_deadline());
    const std::string what =
        fmt::format("Failed to describe transaction state of transactional-id `{}`", id);
    if (!answers) co_return failed(what, answers.error());
    const auto& answer = answers->at(id);
    if (!answer && answer.error().code == ErrorCode::transactional_id_not_found) {
      co_return failed(what, {answer.error().code,
                              fmt::format("DescribeTransactions request for transactionalId `{}` "
                                          "failed because the ID could not be found",
                                          id)});
    }
    if (!answer) co_return failed(what, answer.error());
    std::vector<std::string> partitions;
    for (const auto& name : answer->partitions) partitions.push_back(name.to_string());
    std::optional<std::int64_t> duration;
    if (answer->start_time_ms) duration = now_ms_ - *answer->start_time_ms;
    console_.out(table_of(
        {"CoordinatorId", "TransactionalId", "ProducerId", "ProducerEpoch", "TransactionState",
         "TransactionTimeoutMs", "CurrentTransactionStartTimeMs", "TransactionDurationMs",
         "TopicPartitions"},
        {{std::to_string(answer->coordinator.value()), id,
          std::to_string(answer->producer_id.value()), std::to_string(answer->producer_epoch),
          answer->state, std::to_string(answer->timeout_ms), number_or_none(answer->start_time_ms),
          number_or_none(duration), joined(partitions, ",")}}));
    co_return Result<>{};
  }

  env::Task<Result<std::vector<client::ActiveProducer>>> producers_of(TopicPartition name) {
    auto answers =
        co_await admin_.describe_producers({name}, named_broker(), cluster_.call_deadline());
    if (!answers) co_return fail(std::move(answers).error());
    co_return answers->at(name);
  }

  env::Task<Result<>> describe_producers() {
    const TopicPartition name = named_partition();
    auto producers = co_await producers_of(name);
    if (!producers) {
      const auto broker = named_broker();
      co_return failed(
          fmt::format("Failed to describe producers for partition {} on {}", name.to_string(),
                      broker ? fmt::format("broker {}", broker->value()) : "leader"),
          producers.error());
    }
    std::vector<Row> rows;
    for (const auto& producer : *producers) {
      rows.push_back(
          {std::to_string(producer.producer_id.value()), std::to_string(producer.epoch),
           std::to_string(producer.coordinator_epoch), std::to_string(producer.last_sequence),
           std::to_string(producer.last_timestamp_ms),
           producer.transaction_start ? std::to_string(producer.transaction_start->value())
                                      : "None"});
    }
    console_.out(table_of({"ProducerId", "ProducerEpoch", "LatestCoordinatorEpoch", "LastSequence",
                           "LastTimestamp", "CurrentTransactionStartOffset"},
                          rows));
    co_return Result<>{};
  }

  env::Task<Result<>> abort() {
    client::HangingTransaction transaction;
    transaction.partition = named_partition();
    if (options_.has("start-offset")) {
      const std::int64_t start = number("start-offset", 0);
      auto producers = co_await producers_of(transaction.partition);
      if (!producers) {
        co_return failed(fmt::format("Failed to validate producer state for partition {}",
                                     transaction.partition.to_string()),
                         producers.error());
      }
      const auto found = std::ranges::find(*producers, std::optional(Offset{start}),
                                           &client::ActiveProducer::transaction_start);
      if (found == producers->end()) {
        co_return fail(ErrorCode::invalid_request,
                       fmt::format("Could not find any open transactions starting at offset {} on "
                                   "partition {}",
                                   start, transaction.partition.to_string()));
      }
      transaction.producer_id = found->producer_id;
      transaction.producer_epoch = static_cast<std::int16_t>(found->epoch);
      transaction.coordinator_epoch = found->coordinator_epoch < 0 ? 0 : found->coordinator_epoch;
    } else {
      transaction.producer_id = ProducerId{number("producer-id", -1)};
      transaction.producer_epoch = static_cast<std::int16_t>(number("producer-epoch", -1));
      // Nothing was ended before it: 0 is at most any epoch that a coordinator had.
      transaction.coordinator_epoch =
          static_cast<std::int32_t>(std::max<std::int64_t>(number("coordinator-epoch", 0), 0));
    }
    const auto done = co_await admin_.abort_transaction(transaction, cluster_.call_deadline());
    if (!done) {
      co_return failed(
          fmt::format("Failed to abort transaction AbortTransactionSpec(topicPartition={}, "
                      "producerId={}, producerEpoch={}, coordinatorEpoch={})",
                      transaction.partition.to_string(), transaction.producer_id.value(),
                      transaction.producer_epoch, transaction.coordinator_epoch),
          done.error());
    }
    co_return Result<>{};
  }

  env::Task<Result<std::set<TopicPartition>>> partitions_asked_for() {
    if (options_.has("partition")) co_return std::set<TopicPartition>{named_partition()};
    co_return co_await partitions_to_search(cluster_, options_.value("topic"), named_broker(),
                                            cluster_.call_deadline());
  }

  env::Task<Result<>> find_hanging() {
    auto partitions = co_await partitions_asked_for();
    if (!partitions) co_return failed("Failed to describe 1 topics", partitions.error());
    const std::size_t count = partitions->size();
    auto open = co_await find_open_transactions(cluster_, std::move(*partitions), named_broker());
    if (!open) {
      co_return failed(fmt::format("Failed to describe producers for {} partitions", count),
                       open.error());
    }
    const std::int64_t limit_ms =
        number("max-transaction-timeout", default_max_timeout_minutes) * minute_ms;
    std::erase_if(*open, [&](const OpenTransaction& one) {
      return now_ms_ - one.producer.last_timestamp_ms <= limit_ms;
    });
    auto owners = co_await describe_owners(cluster_, *open);
    if (!owners) co_return failed("Failed to list transactions", owners.error());
    std::vector<Row> rows;
    for (const auto& one : *open) {
      if (!is_hanging(one, *owners)) continue;
      const auto& producer = one.producer;
      rows.push_back({one.partition.topic, std::to_string(one.partition.partition),
                      std::to_string(producer.producer_id.value()), std::to_string(producer.epoch),
                      std::to_string(producer.coordinator_epoch),
                      std::to_string(producer.transaction_start->value()),
                      std::to_string(producer.last_timestamp_ms),
                      std::to_string((now_ms_ - producer.last_timestamp_ms) / minute_ms)});
    }
    console_.out(table_of({"Topic", "Partition", "ProducerId", "ProducerEpoch", "CoordinatorEpoch",
                           "StartOffset", "LastTimestamp", "Duration(min)"},
                          rows));
    co_return Result<>{};
  }

  env::Task<Result<>> terminate() {
    const std::string id = *options_.value("transactionalId");
    const auto done = co_await admin_.fence_producer(id, cluster_.call_deadline());
    if (done) co_return Result<>{};
    co_return failed(fmt::format("Failed to force terminate transactionalId `{}`", id),
                     done.error());
  }

  client::Cluster& cluster_;
  Console& console_;
  const ParsedOptions& options_;
  client::GroupAdmin admin_;
  std::int64_t now_ms_;
};

struct Order {
  std::string_view command;
  const ParsedOptions& options;
};

env::Task<int> run_transactions(Session session, Console& console, const Order& order) {
  TransactionProgram transactions{session, console, order.options};
  const auto done = co_await transactions.run(order.command);
  if (done) co_return 0;
  console.print_error("{}\n", done.error().message);
  co_return 1;
}

// What does not fit together or is no number, in Kafka's words.
std::optional<std::string> misplaced(std::string_view command, const ParsedOptions& options) {
  if (command == "abort" && !options.has("start-offset")) {
    if (!options.has("producer-id")) {
      return "The transaction to abort must be identified either with --start-offset (for brokers "
             "on 3.0 or above) or with --producer-id, --producer-epoch, and --coordinator-epoch "
             "(for older brokers)";
    }
    for (const std::string_view name : {"producer-epoch", "coordinator-epoch"}) {
      if (!options.has(name)) return fmt::format("Missing required argument --{}", name);
    }
  }
  if (command == "find-hanging") {
    if (!options.has("topic") && !options.has("broker-id")) {
      return "The `find-hanging` command requires either --topic or --broker-id to limit the scope "
             "of the search";
    }
    if (options.has("partition") && !options.has("topic")) {
      return "The --partition argument requires --topic to be provided";
    }
  }
  return std::nullopt;
}

std::optional<std::string> not_a_number(const ParsedOptions& options) {
  struct Number {
    std::string_view name;
    std::int64_t min;
    std::int64_t max;
    std::string_view type;
  };
  constexpr Number numbers[] = {
      {"partition", INT32_MIN, INT32_MAX, "int"},
      {"broker-id", INT32_MIN, INT32_MAX, "int"},
      {"max-transaction-timeout", INT32_MIN, INT32_MAX, "int"},
      {"coordinator-epoch", INT32_MIN, INT32_MAX, "int"},
      {"producer-epoch", INT16_MIN, INT16_MAX, "short"},
      {"start-offset", INT64_MIN, INT64_MAX, "long"},
      {"producer-id", INT64_MIN, INT64_MAX, "long"},
      {"duration-filter", INT64_MIN, INT64_MAX, "long"},
  };
  for (const auto& [name, min, max, type] : numbers) {
    if (options.number(name, min, max)) continue;
    return fmt::format("argument --{}: could not convert '{}' to {}", name,
                       options.value_or(name, ""), type);
  }
  return std::nullopt;
}

}  // namespace

int transactions(Console& console, const Arguments& arguments) {
  for (const auto& word : arguments) {
    if (word != "-v" && word != "--version") continue;
    console.print("{}\n", kafka_version);
    return 0;
  }
  const Asked asked = parse_subcommand(console, transactions_tool, arguments);
  if (asked.command == nullptr) return asked.status;
  const auto& options = asked.options;
  if (!options.has("bootstrap-server")) {
    return subcommand_error(console, transactions_tool, nullptr,
                            "argument --bootstrap-server is required");
  }
  if (const auto message = not_a_number(options)) {
    return subcommand_error(console, transactions_tool, asked.command, *message);
  }
  const auto message = misplaced(asked.command->name, options);
  const auto client = cluster_of(options);
  if (message || !client) {
    console.print_error("{}\n", message ? *message : client.error().message);
    return 1;
  }
  const Order order{asked.command->name, options};
  return run_session(*client, run_transactions, console, order);
}

}  // namespace arus::cli::kafka
