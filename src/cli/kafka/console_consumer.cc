#include <fmt/core.h>

#include <charconv>

#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/pattern.h"
#include "cli/record_printer.h"

namespace arus::cli::kafka {
namespace {

constexpr auto glance = env::milliseconds(200);  // how soon an interrupt is noticed
constexpr auto look_around = env::seconds(10);   // how often new partitions are looked for

constexpr OptionSpec specs[] = {
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
    {"group", Takes::value, "group", "Not possible yet: consumer groups come later."},
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

struct ConsumerProgram {
  client::ClientOptions client;
  client::ConsumerOptions consumer;
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

Result<> merge_file(config::ConfigMap& into, const std::optional<std::string>& path) {
  if (!path) return {};
  auto read = read_properties_file(*path);
  if (!read) return fail(std::move(read).error());
  for (auto& [key, value] : *read) into[key] = value;
  return {};
}

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
std::optional<std::string> contradiction(const ParsedOptions& options) {
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
  ARUS_TRY(merge_file(properties, options.value("formatter-config")));
  ARUS_TRY(add_properties(properties, options.values("property")));
  ARUS_TRY(add_properties(properties, options.values("formatter-property")));
  if (const auto name = options.value("key-deserializer")) properties["key.deserializer"] = *name;
  if (const auto name = options.value("value-deserializer")) {
    properties["value.deserializer"] = *name;
  }
  return properties;
}

Result<config::ConfigMap> consumer_properties(const ParsedOptions& options) {
  config::ConfigMap properties;
  ARUS_TRY(merge_file(properties, options.value("consumer.config")));
  ARUS_TRY(merge_file(properties, options.value("command-config")));
  ARUS_TRY(add_properties(properties, options.values("consumer-property")));
  ARUS_TRY(add_properties(properties, options.values("command-property")));
  if (const auto level = options.value("isolation-level")) {
    properties.insert_or_assign("isolation.level", *level);
  }
  properties["auto.offset.reset"] = options.has("from-beginning") ? "earliest" : "latest";
  properties.try_emplace("max.poll.records", "10000");
  return properties;
}

Result<ConsumerProgram> program_of(const ParsedOptions& options) {
  ConsumerProgram program;
  auto properties = consumer_properties(options);
  if (!properties) return fail(std::move(properties).error());
  if (options.has("group") || properties->contains("group.id")) {
    return fail(ErrorCode::unsupported_version,
                "Consumer groups are not built yet: leave the group out to read all partitions, or "
                "name one with --partition");
  }
  auto client =
      client_options(*properties, options.value_or("bootstrap-server", ""), "console-consumer");
  if (!client) return fail(std::move(client).error());
  program.client = std::move(*client);
  auto consumer = consumer_options(*properties);
  if (!consumer) return fail(std::move(consumer).error());
  program.consumer = std::move(*consumer);
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

// Reads and prints until something ends it.
class ConsoleReader {
 public:
  ConsoleReader(Session& session, Console& console, const ConsumerProgram& program)
      : session_(session),
        console_(console),
        program_(program),
        consumer_(session.cluster, program.consumer) {}

  env::Task<int> run() {
    env::TimePoint last_record = now();
    env::TimePoint next_look = now();
    while (!session_.stopping && !console_.broken() && count_ != program_.max_messages) {
      if (now() >= next_look) {
        if (auto looked = co_await look(); !looked) {
          report(looked.error());
          break;
        }
        next_look = now() + (partitions_.empty() ? env::Duration(glance) : look_around);
      }
      env::TimePoint wake = now() + glance;
      if (program_.timeout) wake = std::min(wake, last_record + *program_.timeout);
      auto records = co_await poll(wake);
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
    co_await consumer_.close();
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

  env::Task<Result<std::vector<client::ConsumerRecord>>> poll(env::TimePoint wake) {
    if (partitions_.empty()) {
      co_await session_.stop.wait_until(wake);
      co_return std::vector<client::ConsumerRecord>{};
    }
    co_return co_await consumer_.poll(wake);
  }

  // Assigns partitions that were not there before; those that are keep their place.
  env::Task<Result<>> look() {
    std::set<TopicPartition> found;
    if (program_.partition) {
      found.insert({*program_.topic, *program_.partition});
    } else {
      std::vector<client::TopicPointer> topics;
      if (program_.topic) {
        session_.cluster.forget(*program_.topic);
        auto topic = co_await session_.cluster.topic(*program_.topic,
                                                     session_.cluster.call_deadline(), true);
        if (topic) {
          topics.push_back(*topic);
        } else if (topic.error().code != ErrorCode::unknown_topic_or_partition) {
          co_return fail(std::move(topic).error());
        } else if (!warned_) {
          warned_ = true;
          console_.print_error("WARN {}, waiting for it\n", topic.error().message);
        }
      } else {
        auto all = co_await session_.cluster.all_topics(session_.cluster.call_deadline());
        if (!all) co_return fail(std::move(all).error());
        for (const auto& topic : *all) {
          if (!topic->internal && program_.include->matches(topic->name)) topics.push_back(topic);
        }
      }
      for (const auto& topic : topics) {
        for (const auto& partition : topic->partitions)
          found.insert({topic->name, partition.index});
      }
    }
    if (found == partitions_) co_return Result<>{};
    std::vector<client::Assignment> assignments;
    for (const auto& name : found) {
      client::StartPosition start = program_.start;
      if (partitions_.contains(name)) {
        if (const auto position = consumer_.position(name)) {
          start = client::StartPosition::at(*position);
        }
      } else if (!partitions_.empty()) {
        start = client::StartPosition::earliest();  // it is new, so all of it is
      }
      assignments.push_back({name, start});
    }
    partitions_ = std::move(found);
    co_return consumer_.assign(std::move(assignments));
  }

  bool print(const std::vector<client::ConsumerRecord>& records) {
    for (const auto& record : records) {
      if (count_ == program_.max_messages) return true;
      ++count_;
      if (program_.silent) continue;
      auto line = print_record(program_.format, record);
      if (line) {
        console_.out(*line);
      } else if (!program_.skip_errors) {
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
  client::Consumer consumer_;
  std::set<TopicPartition> partitions_;
  std::int64_t count_ = 0;
  int status_ = 0;
  bool warned_ = false;
};

env::Task<int> run_consumer(Session session, Console& console, const ConsumerProgram& program) {
  ConsoleReader reader{session, console, program};
  co_return co_await reader.run();
}

}  // namespace

int console_consumer(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  if (const auto status =
          begin(console, arguments, specs,
                "This tool helps to read data from Kafka topics and outputs it to standard output.",
                options)) {
    return *status;
  }
  if (const auto status = check_required(console, specs, options, {"bootstrap-server"})) {
    return *status;
  }
  if (const auto message = contradiction(options)) return usage_error(console, *message, specs);
  const std::string formatter = options.value_or("formatter", "DefaultMessageFormatter");
  const std::string_view simple =
      std::string_view(formatter).substr(formatter.rfind('.') + 1);  // npos + 1 is 0
  if (simple != "DefaultMessageFormatter" && simple != "LoggingMessageFormatter" &&
      simple != "NoOpMessageFormatter") {
    return usage_error(console, formatter, specs);
  }
  if (options.has("property")) {
    console.out(
        "Option --property is deprecated and will be removed in a future version. Use "
        "--formatter-property instead.\n");
  }
  const auto program = program_of(options);
  if (!program) {
    console.print_error("ERROR Unknown error when running consumer: {}\n", program.error().message);
    return 1;
  }
  return run_session(program->client, run_consumer, console, *program);
}

}  // namespace arus::cli::kafka
