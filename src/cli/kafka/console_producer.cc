#include <fmt/core.h>
#include <unistd.h>

#include "cli/client_config.h"
#include "cli/kafka/command.h"
#include "cli/kafka/programs.h"
#include "cli/line_record.h"

namespace arus::cli::kafka {
namespace {

constexpr OptionSpec console_producer_specs[] = {
    {"batch-size", Takes::value, "bytes", "How large a batch of one partition may grow."},
    {"bootstrap-server", Takes::value, "host:port", "REQUIRED: brokers to ask first."},
    {"command-config", Takes::value, "file", "Properties for the producer."},
    {"command-property", Takes::value, "key=value", "A property for the producer.", {}, true},
    {"compression-codec", Takes::optional_value, "codec",
     "none, gzip, snappy, lz4 or zstd; gzip when no codec is named."},
    {"help", Takes::nothing, "", "Print this."},
    {"line-reader", Takes::value, "class", "Only Kafka's own reader of lines is built in."},
    {"max-block-ms", Takes::value, "ms", "How long sending waits for metadata and room."},
    {"max-memory-bytes", Takes::value, "bytes", "Records that are held while they wait."},
    {"max-partition-memory-bytes", Takes::value, "bytes", "The same as --batch-size."},
    {"message-send-max-retries", Takes::value, "number", "Tries beyond the first."},
    {"metadata-expiry-ms", Takes::value, "ms", "When metadata is asked for again."},
    {"producer-property", Takes::value, "key=value", "The same as --command-property.", {}, true},
    {"producer.config", Takes::value, "file", "The same as --command-config."},
    {"property", Takes::value, "key=value", "The same as --reader-property.", {}, true},
    {"reader-config", Takes::value, "file", "Properties for the reader."},
    {"reader-property",
     Takes::value,
     "key=value",
     "How lines are read: parse.key, parse.headers, ignore.error (true or false), key.separator, "
     "headers.delimiter, headers.separator, headers.key.separator, null.marker.",
     {},
     true},
    {"request-required-acks", Takes::value, "acks", "all, -1, 0 or 1."},
    {"request-timeout-ms", Takes::value, "ms", "How long a broker may take to answer."},
    {"retry-backoff-ms", Takes::value, "ms", "The pause before another try."},
    {"socket-buffer-size", Takes::value, "bytes", "Accepted; the system decides."},
    {"sync", Takes::nothing, "", "Wait for each record before the next is read."},
    {"timeout", Takes::value, "ms", "How long a batch waits for more records."},
    {"topic", Takes::value, "topic", "REQUIRED: where the records go."},
    {"version", Takes::nothing, "", "Print the version."},
};

struct ProducerProgram {
  client::ClientOptions client;
  client::ProducerOptions producer;
  LineFormat format;
  std::string topic;
  bool sync = false;
};

// What options say under names of their own; properties win over them, as in Kafka.
struct OptionProperty {
  std::string_view option;
  const char* property;
};
constexpr OptionProperty option_properties[] = {
    {"request-required-acks", "acks"},
    {"max-partition-memory-bytes", "batch.size"},
    {"batch-size", "batch.size"},
    {"max-block-ms", "max.block.ms"},
    {"max-memory-bytes", "buffer.memory"},
    {"message-send-max-retries", "retries"},
    {"metadata-expiry-ms", "metadata.max.age.ms"},
    {"request-timeout-ms", "request.timeout.ms"},
    {"retry-backoff-ms", "retry.backoff.ms"},
    {"timeout", "linger.ms"},
};

Result<config::ConfigMap> producer_properties(const ParsedOptions& options) {
  config::ConfigMap properties;
  ARUS_TRY(merge_properties_file(properties, options.value("producer.config")));
  ARUS_TRY(merge_properties_file(properties, options.value("command-config")));
  ARUS_TRY(add_properties(properties, options.values("producer-property")));
  ARUS_TRY(add_properties(properties, options.values("command-property")));
  for (const auto& known : option_properties) {
    if (const auto value = options.value(known.option)) {
      properties.insert_or_assign(known.property, *value);
    }
  }
  if (options.has("compression-codec")) {
    properties["compression.type"] = options.value_or("compression-codec", "gzip");
  }
  properties.try_emplace("linger.ms", "1000");
  properties.try_emplace("retries", "3");
  return properties;
}

Result<ProducerProgram> console_producer_program(const ParsedOptions& options) {
  ProducerProgram program;
  program.topic = *options.value("topic");
  program.sync = options.has("sync");
  auto properties = producer_properties(options);
  if (!properties) return fail(std::move(properties).error());
  auto client =
      client_options(*properties, options.value_or("bootstrap-server", ""), "console-producer");
  if (!client) return fail(std::move(client).error());
  program.client = std::move(*client);
  auto producer = producer_options(*properties);
  if (!producer) return fail(std::move(producer).error());
  program.producer = *producer;
  config::ConfigMap reader;
  ARUS_TRY(merge_properties_file(reader, options.value("reader-config")));
  ARUS_TRY(add_properties(reader, options.values("property")));
  ARUS_TRY(add_properties(reader, options.values("reader-property")));
  auto format = line_format(reader);
  if (!format) return fail(std::move(format).error());
  program.format = std::move(*format);
  return program;
}

void report_failure(Console& console, const std::string& topic, std::size_t key_bytes, bool has_key,
                    std::size_t value_bytes, bool has_value, const Error& error) {
  const auto size = [](bool there, std::size_t bytes) {
    return there ? fmt::format("{} bytes", bytes) : std::string("null");
  };
  console.print_error(
      "ERROR Error when sending message to topic {} with key: {}, value: {} with error:\n{}: {}\n",
      topic, size(has_key, key_bytes), size(has_value, value_bytes), exception_name(error.code),
      error.message);
}

// Reads lines and sends them until the input ends; the exit status.
env::Task<int> send_lines(Session& session, Console& console, const ProducerProgram& program,
                          client::Producer& producer) {
  const bool prompt = console.in_is_terminal();
  LineInput input{session.environment, STDIN_FILENO, session.stopping};
  std::size_t line_number = 0;
  for (;;) {
    if (prompt) {
      console.out(">");
      console.flush();
    }
    auto lines = co_await input.next();
    if (!lines) {
      console.print_error("{}\n", lines.error().message);
      co_return 1;
    }
    if (lines->empty()) co_return 0;
    for (const auto& line : *lines) {
      auto record = parse_line(program.format, line, ++line_number);
      if (!record) {
        console.print_error("org.apache.kafka.common.KafkaException: {}\n", record.error().message);
        co_return 1;
      }
      record->topic = program.topic;
      const bool has_key = record->key.has_value();
      const bool has_value = record->value.has_value();
      const std::size_t key_bytes = has_key ? record->key->size() : 0;
      const std::size_t value_bytes = has_value ? record->value->size() : 0;
      if (program.sync) {
        const auto delivered = co_await producer.send_and_wait(std::move(*record));
        if (delivered) continue;
        console.print_error("{}: {}\n", exception_name(delivered.error().code),
                            delivered.error().message);
        co_return 1;
      }
      const auto sent = co_await producer.send(
          std::move(*record), [&console, &program, has_key, has_value, key_bytes,
                               value_bytes](Result<client::Delivered> delivered) {
            if (delivered) return;
            report_failure(console, program.topic, key_bytes, has_key, value_bytes, has_value,
                           delivered.error());
          });
      if (!sent) {
        report_failure(console, program.topic, key_bytes, has_key, value_bytes, has_value,
                       sent.error());
      }
    }
  }
}

env::Task<int> run_producer(Session session, Console& console, const ProducerProgram& program) {
  client::Producer producer{session.cluster, program.producer};
  const int status = co_await send_lines(session, console, program, producer);
  co_await producer.close(session.cluster.now() + program.producer.delivery_timeout);
  co_return status;
}

}  // namespace

int console_producer(Console& console, const Arguments& arguments) {
  ParsedOptions options;
  if (const auto status = begin(console, arguments, console_producer_specs,
                                "This tool reads lines from standard input and sends each as a "
                                "record.",
                                options)) {
    return *status;
  }
  if (const auto status = check_required(console, console_producer_specs, options, {"topic"}))
    return *status;
  if (!options.has("bootstrap-server")) {
    return usage_error(console, "Missing required argument \"[bootstrap-server]\"",
                       console_producer_specs);
  }
  if (const auto reader = options.value("line-reader");
      reader && *reader != "org.apache.kafka.tools.LineMessageReader") {
    return usage_error(console, fmt::format("{} is no reader that is built in", *reader),
                       console_producer_specs);
  }
  if (options.has("property")) {
    console.out(
        "Warning: --property is deprecated and will be removed in a future version. Use "
        "--reader-property instead.\n");
  }
  const auto program = console_producer_program(options);
  if (!program) {
    console.print_error("org.apache.kafka.common.config.ConfigException: {}\n",
                        program.error().message);
    return 1;
  }
  return run_session(program->client, run_producer, console, *program);
}

}  // namespace arus::cli::kafka
