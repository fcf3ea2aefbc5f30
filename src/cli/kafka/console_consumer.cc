#include <fmt/core.h>

#include <charconv>
#include <set>
#include <span>

#include "cli/client_config.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/pattern.h"
#include "cli/record_printer.h"
#include "cli/record_source.h"

namespace arus::cli::kafka {
namespace {

constexpr auto glance = env::milliseconds(200);    // how soon an interrupt is noticed
constexpr std::uint64_t made_up_groups = 100'000;  // names for groups that nobody named

constexpr OptionSpec console_consumer_specs[] = {
    {"bootstrap-server", Takes::value, "host:port", "REQUIRED: brokers to ask first."},
    {"command-config", Takes::value, "file", "Properties for the consumer."},
    {"command-property", Takes::value, "key=value", "A property for the consumer.", {}, true},
    {"consumer-property", Takes::value, "key=value", "The same as --command-property.", {}, true},
    {"consumer.config", Takes::value, "file", "The same as --command-config."},
    {"enable-systest-events", Takes::nothing, "", "Accepted; there are no such events here."},
    {"formatter", Takes::value, "class",
     "DefaultMessageFormatter, LoggingMessageFormatter or NoOpMessageFormatter."},
    {"formatter-config", Takes::value, "file", "Properties for the formatter."},
    {"formatter-property",
     Takes::value,
     "key=value",
     "What is printed: print.timestamp, print.partition, print.offset, print.epoch, "
     "print.headers, print.key, print.value (true or false), key.separator, line.separator, "
     "headers.separator, null.literal, key.deserializer, value.deserializer, "
     "headers.deserializer.",
     {},
     true},
    {"from-beginning", Takes::nothing, "", "Begin with the first record that is there."},
    {"group", Takes::value, "group", "The consumer group to read as a member of."},
    {"help", Takes::nothing, "", "Print this."},
    {"include", Takes::value, "regex", "Topics to read, as a regular expression."},
    {"isolation-level", Takes::value, "level", "read_committed or read_uncommitted."},
    {"key-deserializer", Takes::value, "class", "What keys are."},
    {"max-messages", Takes::value, "number", "End after so many records."},
    {"offset", Takes::value, "offset", "Where to begin: a number, earliest or latest."},
    {"partition", Takes::value, "partition", "The only partition to read."},
    {"property", Takes::value, "key=value", "The same as --formatter-property.", {}, true},
    {"skip-message-on-error", Takes::nothing, "", "Leave out records that cannot be printed."},
    {"timeout-ms", Takes::value, "ms", "End when no record comes for so long."},
    {"topic", Takes::value, "topic", "The topic to read."},
    {"value-deserializer", Takes::value, "class", "What values are."},
    {"version", Takes::nothing, "", "Print the version."},
};

constexpr std::string_view made_up_prefix = "console-consumer-";

struct ConsumerProgram {
  client::ClientOptions client;
  // With a partition its `consumer` alone; without a group's name in it one is made up.
  client::GroupConsumerOptions group;
  RecordFormat format;
  bool silent = false;  // NoOpMessageFormatter
  bool skip_errors = false;
  std::optional<std::string> topic;
  std::optional<Pattern> include;
  std::optional<std::int32_t> partition;
  client::StartPosition start;
  std::int64_t max_messages = -1;
  std::optional<env::Duration> timeout;
};

Result<client::StartPosition> start_of(const ParsedOptions& options) {
  if (options.has("from-beginning")) return client::StartPosition::earliest();
  const auto text = options.value("offset");
  if (!text || *text == "latest") return client::StartPosition::latest();
  if (*text == "earliest") return client::StartPosition::earliest();
  std::int64_t offset = -1;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), offset);
  if (error != std::errc{} || end != text->data() + text->size() || offset < 0) {
    return fail(ErrorCode::invalid_request,
                fmt::format("The provided offset value '{}' is incorrect. Valid values are "
                            "'earliest', 'latest', or a non-negative long.",
                            *text));
  }
  return client::StartPosition::at(Offset{offset});
}

// What contradicts itself, with the help behind it.
std::optional<std::string> contradiction_of_consumer(const ParsedOptions& options) {
  if (options.has("topic") == options.has("include")) {
    return "Exactly one of the following arguments is required: [topic], [include]";
  }
  if (options.has("partition")) {
    if (!options.has("topic")) return "The topic is required when partition is specified.";
    if (options.has("from-beginning") && options.has("offset")) {
      return "Options from-beginning and offset cannot be specified together.";
    }
  } else if (options.has("offset")) {
    return "The partition is required when offset is specified.";
  }
  if (const auto start = start_of(options); !start) return start.error().message;
  return std::nullopt;
}

Result<config::ConfigMap> formatter_properties(const ParsedOptions& options) {
  config::ConfigMap properties;
  ARUS_TRY(merge_properties_file(properties, options.value("formatter-config")));
  ARUS_TRY(add_properties(properties, options.values("property")));
  ARUS_TRY(add_properties(properties, options.values("formatter-property")));
  if (const auto name = options.value("key-deserializer")) properties["key.deserializer"] = *name;
  if (const auto name = options.value("value-deserializer")) {
    properties["value.deserializer"] = *name;
  }
  return properties;
}

// The group may be named in three places, which have to agree.
Result<> choose_group(const ParsedOptions& options, const config::ConfigMap& from_files,
                      const config::ConfigMap& from_options, config::ConfigMap& properties) {
  std::set<std::string> groups;
  if (const auto group = options.value("group")) groups.insert(*group);
  for (const auto* source : {&from_files, &from_options}) {
    const auto found = source->find("group.id");
    if (found != source->end()) groups.insert(found->second);
  }
  if (groups.size() > 1) {
    std::string all;
    for (const auto& group : groups) all += fmt::format("{}'{}'", all.empty() ? "" : ", ", group);
    return fail(ErrorCode::invalid_request,
                fmt::format("The group ids provided in different places (directly using '--group', "
                            "via '--consumer-property', or via '--consumer.config') do not match. "
                            "Detected group ids: {}",
                            all));
  }
  if (groups.empty()) {
    // Nobody will ask for the offsets of a group that nobody knows.
    properties.try_emplace("enable.auto.commit", "false");
    return {};
  }
  if (options.has("partition")) {
    return fail(ErrorCode::invalid_request,
                "Options group and partition cannot be specified together.");
  }
  properties.insert_or_assign("group.id", *groups.begin());
  return {};
}

Result<config::ConfigMap> consumer_properties(const ParsedOptions& options) {
  config::ConfigMap properties;
  ARUS_TRY(merge_properties_file(properties, options.value("consumer.config")));
  ARUS_TRY(merge_properties_file(properties, options.value("command-config")));
  config::ConfigMap from_options;
  ARUS_TRY(add_properties(from_options, options.values("consumer-property")));
  ARUS_TRY(add_properties(from_options, options.values("command-property")));
  const config::ConfigMap from_files = properties;
  for (const auto& [key, value] : from_options) properties.insert_or_assign(key, value);
  ARUS_TRY(choose_group(options, from_files, from_options, properties));
  if (const auto level = options.value("isolation-level")) {
    properties.insert_or_assign("isolation.level", *level);
  }
  const bool from_beginning = options.has("from-beginning");
  const auto [reset, fresh] =
      properties.try_emplace("auto.offset.reset", from_beginning ? "earliest" : "latest");
  if (!fresh && from_beginning && reset->second != "earliest") {
    return fail(ErrorCode::invalid_config,
                fmt::format("Can't simultaneously specify --from-beginning and "
                            "'auto.offset.reset={}', please remove one option",
                            reset->second));
  }
  properties.try_emplace("max.poll.records", "10000");
  return properties;
}

Result<ConsumerProgram> console_consumer_program(const ParsedOptions& options) {
  ConsumerProgram program;
  auto properties = consumer_properties(options);
  if (!properties) return fail(std::move(properties).error());
  // The name is made up later, where chance is at hand.
  properties->try_emplace("group.id", std::string(made_up_prefix));
  auto client =
      client_options(*properties, options.value_or("bootstrap-server", ""), "console-consumer");
  if (!client) return fail(std::move(client).error());
  program.client = std::move(*client);
  auto group = group_consumer_options(*properties);
  if (!group) return fail(std::move(group).error());
  program.group = std::move(*group);
  auto formatter = formatter_properties(options);
  if (!formatter) return fail(std::move(formatter).error());
  auto format = record_format(*formatter);
  if (!format) return fail(std::move(format).error());
  program.format = std::move(*format);
  program.silent = options.value_or("formatter", "").ends_with("NoOpMessageFormatter");
  program.skip_errors = options.has("skip-message-on-error");
  program.topic = options.value("topic");
  if (const auto text = options.value("include")) {
    auto pattern = Pattern::of_list(*text);
    if (!pattern) return fail(std::move(pattern).error());
    program.include.emplace(std::move(*pattern));
  }
  const auto partition = options.number("partition", 0, INT32_MAX);
  if (!partition) return fail(partition.error());
  if (*partition) program.partition = static_cast<std::int32_t>(**partition);
  program.start = *start_of(options);
  const auto count = options.number("max-messages");
  if (!count) return fail(count.error());
  program.max_messages = (*count).value_or(-1);
  const auto timeout = options.number("timeout-ms", INT32_MIN, INT32_MAX);
  if (!timeout) return fail(timeout.error());
  if (*timeout && **timeout >= 0) program.timeout = env::milliseconds(**timeout);
  return program;
}

RecordSource source_of(Session& session, const ConsumerProgram& program) {
  if (program.partition) return {session.cluster, program.group.consumer};
  auto group = program.group;
  if (group.group_id == made_up_prefix) {
    group.group_id += std::to_string(session.environment.random().below(made_up_groups));
  }
  return {session.cluster, std::move(group)};
}

// Reads and prints until something ends it.
class ConsoleReader {
 public:
  ConsoleReader(Session& session, Console& console, const ConsumerProgram& program)
      : session_(session),
        console_(console),
        program_(program),
        source_(source_of(session, program)) {}

  env::Task<int> run() {
    Result<> begun = begin();
    if (!begun) report(begun.error());
    env::TimePoint last_record = now();
    while (begun && !session_.stopping && !console_.broken() && count_ != program_.max_messages) {
      env::TimePoint wake = now() + glance;
      if (program_.timeout) wake = std::min(wake, last_record + *program_.timeout);
      auto records = co_await source_.poll(wake);
      if (!records) {
        report(records.error());
        break;
      }
      if (!records->empty()) {
        if (!print(*records)) break;
        last_record = now();
        console_.flush();
      } else if (program_.timeout && now() - last_record >= *program_.timeout) {
        report({ErrorCode::request_timed_out, "null"});
        break;
      }
    }
    co_await source_.close();
    console_.flush();
    console_.print_error("Processed a total of {} messages\n", count_);
    co_return status_;
  }

 private:
  [[nodiscard]] env::TimePoint now() const { return session_.cluster.now(); }

  void report(const Error& error) {
    console_.print_error("ERROR Error processing message, terminating consumer process: \n{}: {}\n",
                         exception_name(error.code), error.message);
  }

  Result<> begin() {
    if (auto* consumer = source_.assigned()) {
      return consumer->assign({{{*program_.topic, *program_.partition}, program_.start}});
    }
    if (program_.topic) return source_.member()->subscribe({*program_.topic});
    return source_.member()->subscribe_matching(
        [this](std::string_view name) { return program_.include->matches(name); });
  }

  bool print(const std::vector<client::ConsumerRecord>& records) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      const auto& record = records[i];
      if (count_ == program_.max_messages) {
        source_.give_back(std::span(records).subspan(i));
        return true;
      }
      ++count_;
      if (program_.silent) continue;
      auto line = print_record(program_.format, record);
      if (line) {
        console_.out(*line);
      } else if (!program_.skip_errors) {
        source_.give_back(std::span(records).subspan(i));
        report(line.error());
        status_ = 1;
        return false;
      } else {
        console_.print_error("ERROR Error processing message, skipping this message: {}\n",
                             line.error().message);
      }
      if (console_.broken()) return false;
    }
    return true;
  }

  Session& session_;
  Console& console_;
  const ConsumerProgram& program_;
  RecordSource source_;
  std::int64_t count_ = 0;
  int status_ = 0;
};

env::Task<int> run_consumer(Session session, Console& console, const ConsumerProgram& program) {
  ConsoleReader reader{session, console, program};
  co_return co_await reader.run();
}

}  // namespace

int console_consumer(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  if (const auto status =
          begin(console, arguments, console_consumer_specs,
                "This tool helps to read data from Kafka topics and outputs it to standard output.",
                options)) {
    return *status;
  }
  if (const auto status =
          check_required(console, console_consumer_specs, options, {"bootstrap-server"})) {
    return *status;
  }
  if (const auto message = contradiction_of_consumer(options))
    return usage_error(console, *message, console_consumer_specs);
  const std::string formatter = options.value_or("formatter", "DefaultMessageFormatter");
  const std::string_view simple =
      std::string_view(formatter).substr(formatter.rfind('.') + 1);  // npos + 1 is 0
  if (simple != "DefaultMessageFormatter" && simple != "LoggingMessageFormatter" &&
      simple != "NoOpMessageFormatter") {
    return usage_error(console, formatter, console_consumer_specs);
  }
  if (options.has("property")) {
    console.out(
        "Option --property is deprecated and will be removed in a future version. Use "
        "--formatter-property instead.\n");
  }
  const auto program = console_consumer_program(options);
  if (!program && program.error().code == ErrorCode::invalid_request) {
    return usage_error(console, program.error().message, console_consumer_specs);
  }
  if (!program) {
    console.print_error("ERROR Unknown error when running consumer: {}\n", program.error().message);
    return 1;
  }
  return run_session(program->client, run_consumer, console, *program);
}

}  // namespace arus::cli::kafka
