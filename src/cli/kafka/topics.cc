#include <fmt/core.h>

#include <charconv>

#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/pattern.h"
#include "cli/topic_view.h"
#include "client/admin.h"
#include "protocol/api/create_partitions.h"
#include "protocol/api/create_topics.h"
#include "protocol/api/delete_topics.h"

namespace arus::cli::kafka {
namespace {

constexpr std::int32_t default_partitions_per_answer = 2000;

constexpr OptionSpec topics_specs[] = {
    {"alter", Takes::nothing, "", "Change the number of partitions or their assignment."},
    {"at-min-isr-partitions", Takes::nothing, "",
     "With --describe: only partitions with exactly as many in-sync replicas as are required."},
    {"bootstrap-server", Takes::value, "host:port", "REQUIRED: brokers to ask first."},
    {"command-config", Takes::value, "file", "Properties for the client."},
    {"config", Takes::value, "name=value", "With --create: a config of the topic.", {}, true},
    {"create", Takes::nothing, "", "Create a topic."},
    {"delete", Takes::nothing, "", "Delete a topic."},
    {"delete-config", Takes::value, "name", "Not possible here; see kafka-configs.", {}, true},
    {"describe", Takes::nothing, "", "Show topics with their partitions."},
    {"exclude-internal", Takes::nothing, "", "Leave out topics that Kafka keeps for itself."},
    {"help", Takes::nothing, "", "Print this."},
    {"if-exists", Takes::nothing, "", "Do nothing, successfully, where there is no such topic."},
    {"if-not-exists", Takes::nothing, "", "Do nothing, successfully, where there is one already."},
    {"list", Takes::nothing, "", "Print the names of topics."},
    {"partition-size-limit-per-response", Takes::value, "partitions",
     "With --describe: how many partitions one answer may hold."},
    {"partitions", Takes::value, "number", "How many partitions the topic gets."},
    {"replica-assignment", Takes::value, "b1:b2,b3:b4",
     "Brokers of each partition's replicas, the preferred leader first."},
    {"replication-factor", Takes::value, "number", "How many replicas each partition gets."},
    {"topic", Takes::value, "topic",
     "The topic; a regular expression except with --create. Quote it."},
    {"topic-id", Takes::value, "id", "With --describe: the topic by its id."},
    {"topics-with-overrides", Takes::nothing, "",
     "With --describe: only topics with configs of their own."},
    {"unavailable-partitions", Takes::nothing, "",
     "With --describe: only partitions without a leader."},
    {"under-min-isr-partitions", Takes::nothing, "",
     "With --describe: only partitions with fewer in-sync replicas than are required."},
    {"under-replicated-partitions", Takes::nothing, "",
     "With --describe: only partitions with replicas that lag."},
    {"version", Takes::nothing, "", "Print the version."},
};

// Partition by partition the ids of its replicas.
Result<std::vector<std::vector<std::int32_t>>> parse_assignment(const std::string& text) {
  std::vector<std::vector<std::int32_t>> partitions;
  for (const auto& part : split_list(text)) {
    auto& replicas = partitions.emplace_back();
    for (const auto& id : split_list(part, ':')) {
      std::int32_t number = 0;
      const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
      if (error != std::errc{} || end != id.data() + id.size()) {
        return fail(ErrorCode::invalid_request, fmt::format("For input string: \"{}\"", id));
      }
      if (std::ranges::find(replicas, number) != replicas.end()) {
        return fail(
            ErrorCode::invalid_request,
            fmt::format("Partition replica lists may not contain duplicate entries: {}", number));
      }
      replicas.push_back(number);
    }
    if (replicas.size() != partitions.front().size()) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("Partition {} has different replication factor: {}",
                              partitions.size() - 1, part));
    }
  }
  return partitions;
}

// One run of the program: the options and what they act on.
class TopicProgram {
 public:
  TopicProgram(Console& console, const ParsedOptions& options, client::Cluster& cluster)
      : console_(console), options_(options), cluster_(cluster) {}

  env::Task<Result<>> run() {
    if (options_.has("create")) co_return co_await create();
    if (options_.has("alter")) co_return co_await alter();
    if (options_.has("list")) co_return co_await list();
    if (options_.has("describe")) co_return co_await describe();
    co_return co_await remove();
  }

 private:
  static std::unexpected<Error> refuse(std::string message) {
    return fail(ErrorCode::invalid_request, std::move(message));
  }

  env::Task<Result<std::vector<std::string>>> matching_names(bool exclude_internal) {
    auto all = co_await cluster_.all_topics(cluster_.call_deadline());
    if (!all) co_return fail(std::move(all).error());
    const auto pattern = Pattern::of_list(options_.value_or("topic", ".*"));
    if (!pattern) co_return fail(pattern.error());
    std::vector<std::string> names;
    for (const auto& topic : *all) {
      if (exclude_internal && topic->internal) continue;
      if (!options_.has("topic") || pattern->matches(topic->name)) names.push_back(topic->name);
    }
    std::ranges::sort(names);
    co_return names;
  }

  env::Task<Result<std::vector<std::string>>> existing_names() {
    auto names = co_await matching_names(options_.has("exclude-internal"));
    if (names && names->empty() && options_.has("topic") && !options_.has("if-exists")) {
      co_return refuse(
          fmt::format("Topic '{}' does not exist as expected", *options_.value("topic")));
    }
    co_return names;
  }

  env::Task<Result<>> create() {
    const std::string name = *options_.value("topic");
    if (name.find('.') != std::string::npos || name.find('_') != std::string::npos) {
      console_.out(
          "WARNING: Due to limitations in metric names, topics with a period ('.') or "
          "underscore ('_') could collide. To avoid issues it is best to use either, but "
          "not both.\n");
    }
    const auto partitions = options_.number("partitions", INT32_MIN, INT32_MAX);
    if (!partitions) co_return fail(partitions.error());
    const auto factor = options_.number("replication-factor", INT32_MIN, INT32_MAX);
    if (!factor) co_return fail(factor.error());
    if (*factor && (**factor > INT16_MAX || **factor < 1)) {
      co_return refuse(
          fmt::format("The replication factor must be between 1 and {} inclusive", INT16_MAX));
    }
    if (*partitions && **partitions < 1) {
      co_return refuse("The partitions must be greater than 0");
    }
    protocol::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = static_cast<std::int32_t>((*partitions).value_or(-1));
    topic.replication_factor = static_cast<std::int16_t>((*factor).value_or(-1));
    if (const auto text = options_.value("replica-assignment")) {
      auto assignment = parse_assignment(*text);
      if (!assignment) co_return fail(std::move(assignment).error());
      topic.num_partitions = -1;
      topic.replication_factor = -1;
      for (std::size_t i = 0; i < assignment->size(); ++i) {
        auto& entry = topic.assignments.emplace_back();
        entry.partition_index = static_cast<std::int32_t>(i);
        for (const std::int32_t id : (*assignment)[i]) entry.broker_ids.push_back(BrokerId{id});
      }
    }
    for (const auto& pair : options_.values("config")) {
      const auto equals = pair.find('=');
      if (equals == std::string::npos) {
        co_return refuse(
            "requirement failed: Invalid topic config: all configs to be added must "
            "be in the format \"key=val\".");
      }
      auto& config = topic.configs.emplace_back();
      config.name = pair.substr(0, equals);
      config.value = pair.substr(equals + 1);
    }
    request.timeout_ms = 30'000;
    auto answer =
        co_await cluster_.ask(std::move(request), client::Route::any(), cluster_.call_deadline());
    if (!answer) co_return fail(std::move(answer).error());
    for (const auto& result : answer->topics) {
      if (result.error_code == ErrorCode::none) continue;
      if (result.error_code == ErrorCode::topic_already_exists && options_.has("if-not-exists")) {
        co_return Result<>{};
      }
      co_return fail(result.error_code, message_of(result.error_code, result.error_message));
    }
    console_.print("Created topic {}.\n", name);
    co_return Result<>{};
  }

  env::Task<Result<>> alter() {
    const auto partitions = options_.number("partitions", INT32_MIN, INT32_MAX);
    if (!partitions) co_return fail(partitions.error());
    auto names = co_await existing_names();
    if (!names) co_return fail(std::move(names).error());
    std::vector<std::vector<std::int32_t>> assignment;
    if (const auto text = options_.value("replica-assignment")) {
      auto parsed = parse_assignment(*text);
      if (!parsed) co_return fail(std::move(parsed).error());
      assignment = std::move(*parsed);
    }
    protocol::CreatePartitionsRequest request;
    for (const auto& name : *names) {
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      topic.count = static_cast<std::int32_t>((*partitions).value_or(0));
      topic.assignments.reset();
      if (assignment.empty()) continue;
      auto known = co_await cluster_.topic(name, cluster_.call_deadline());
      if (!known) co_return fail(std::move(known).error());
      topic.assignments.emplace();
      // Those that are there already keep their replicas; only the further ones are told.
      for (std::size_t i = (*known)->partitions.size(); i < assignment.size(); ++i) {
        auto& entry = topic.assignments->emplace_back();
        for (const std::int32_t id : assignment[i]) entry.broker_ids.push_back(BrokerId{id});
      }
    }
    if (request.topics.empty()) co_return Result<>{};
    request.timeout_ms = 30'000;
    auto answer =
        co_await cluster_.ask(std::move(request), client::Route::any(), cluster_.call_deadline());
    if (!answer) co_return fail(std::move(answer).error());
    for (const auto& result : answer->results) {
      if (result.error_code == ErrorCode::none) continue;
      co_return fail(result.error_code, message_of(result.error_code, result.error_message));
    }
    co_return Result<>{};
  }

  env::Task<Result<>> list() {
    auto names = co_await matching_names(options_.has("exclude-internal"));
    if (!names) co_return fail(std::move(names).error());
    for (const auto& name : *names) console_.print("{}\n", name);
    co_return Result<>{};
  }

  env::Task<Result<>> describe() {
    const auto limit = options_.number("partition-size-limit-per-response", 1, INT32_MAX);
    if (!limit) co_return fail(limit.error());
    std::vector<std::string> names;
    const auto id = Uuid::parse(options_.value_or("topic-id", "").c_str());
    if (options_.has("topic-id") && id && !id->is_zero()) {
      auto all = co_await cluster_.all_topics(cluster_.call_deadline());
      if (!all) co_return fail(std::move(all).error());
      for (const auto& topic : *all) {
        if (topic->id == *id) names.push_back(topic->name);
      }
      if (names.empty() && !options_.has("if-exists")) {
        co_return refuse(
            fmt::format("TopicId '{}' does not exist as expected", *options_.value("topic-id")));
      }
    } else {
      auto matching = co_await existing_names();
      if (!matching) co_return fail(std::move(matching).error());
      names = std::move(*matching);
    }
    auto views = co_await describe_topics(
        cluster_, std::move(names),
        static_cast<std::int32_t>((*limit).value_or(default_partitions_per_answer)));
    if (!views) co_return fail(std::move(views).error());
    TopicFilter filter = TopicFilter::all;
    if (options_.has("topics-with-overrides")) filter = TopicFilter::overridden;
    if (options_.has("under-replicated-partitions")) filter = TopicFilter::under_replicated;
    if (options_.has("unavailable-partitions")) filter = TopicFilter::unavailable;
    if (options_.has("under-min-isr-partitions")) filter = TopicFilter::under_min_isr;
    if (options_.has("at-min-isr-partitions")) filter = TopicFilter::at_min_isr;
    for (const auto& view : *views) console_.out(format_topic(view, filter));
    co_return Result<>{};
  }

  env::Task<Result<>> remove() {
    auto names = co_await existing_names();
    if (!names) co_return fail(std::move(names).error());
    if (names->empty()) co_return Result<>{};
    protocol::DeleteTopicsRequest request;
    for (const auto& name : *names) {
      request.topics.emplace_back().name = name;
      request.topic_names.push_back(name);
    }
    request.timeout_ms = 30'000;
    auto answer =
        co_await cluster_.ask(std::move(request), client::Route::any(), cluster_.call_deadline());
    if (!answer) co_return fail(std::move(answer).error());
    for (const auto& result : answer->responses) {
      if (result.error_code == ErrorCode::none) continue;
      co_return fail(result.error_code, message_of(result.error_code, result.error_message));
    }
    co_return Result<>{};
  }

  Console& console_;
  const ParsedOptions& options_;
  client::Cluster& cluster_;
};

// Which options go with which action; the first that does not is named.
std::optional<std::string> misplaced_in_topics(const ParsedOptions& options) {
  constexpr std::string_view actions[] = {"list", "create", "alter", "delete", "describe"};
  struct Place {
    std::string_view option;
    std::string_view allowed;  // actions, separated by blanks
  };
  constexpr Place places[] = {
      {"partitions", "create alter"},
      {"replication-factor", "create"},
      {"replica-assignment", "create alter"},
      {"config", "create"},
      {"delete-config", ""},
      {"if-not-exists", "create"},
      {"if-exists", "alter delete describe"},
      {"under-replicated-partitions", "describe"},
      {"unavailable-partitions", "describe"},
      {"under-min-isr-partitions", "describe"},
      {"at-min-isr-partitions", "describe"},
      {"topics-with-overrides", "describe"},
      {"exclude-internal", "list describe"},
      {"topic-id", "describe"},
  };
  for (const std::string_view action : actions) {
    if (!options.has(action)) continue;
    for (const auto& place : places) {
      if (!options.has(place.option)) continue;
      if (place.allowed.find(action) != std::string_view::npos && !place.allowed.empty()) continue;
      return fmt::format("Option \"[{}]\" can't be used with option \"[{}]\"", action,
                         place.option);
    }
  }
  if (options.has("replica-assignment") &&
      (options.has("replication-factor") || (options.has("create") && options.has("partitions")))) {
    return fmt::format("Option \"[replica-assignment]\" can't be used with option \"[{}]\"",
                       options.has("replication-factor") ? "replication-factor" : "partitions");
  }
  return std::nullopt;
}

env::Task<int> run_topics(Session session, Console& console, const ParsedOptions& options) {
  TopicProgram program{console, options, session.cluster};
  const auto done = co_await program.run();
  if (done) co_return 0;
  console.print("Error while executing topic command : {}\n", done.error().message);
  console.print_error("ERROR {}: {}\n", exception_name(done.error().code), done.error().message);
  co_return 1;
}

}  // namespace

int topics(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  if (const auto status =
          begin(console, arguments, topics_specs,
                "This tool creates, deletes, describes and changes topics.", options)) {
    return *status;
  }
  int actions = 0;
  for (const std::string_view action : {"create", "list", "alter", "describe", "delete"}) {
    actions += options.has(action) ? 1 : 0;
  }
  if (actions != 1) {
    return usage_error(console,
                       "Command must include exactly one action: --list, --describe, --create, "
                       "--alter or --delete",
                       topics_specs);
  }
  if (!options.has("bootstrap-server")) {
    console.err("--bootstrap-server must be specified\n");
    return 1;
  }
  if (options.has("create") || options.has("delete") || options.has("alter")) {
    if (const auto status = check_required(console, topics_specs, options, {"topic"}))
      return *status;
  }
  if (options.has("alter") && !options.has("partitions")) {
    return usage_error(console, "Missing required argument \"[partitions]\"", topics_specs);
  }
  if (const auto message = misplaced_in_topics(options))
    return usage_error(console, *message, topics_specs);

  auto client = cluster_of(options);
  if (!client) {
    console.print("Error while executing topic command : {}\n", client.error().message);
    return 1;
  }
  return run_session(*client, run_topics, console, options);
}

}  // namespace arus::cli::kafka
