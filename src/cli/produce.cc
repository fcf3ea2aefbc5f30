#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/base64.h"
#include "cli/json.h"
#include "cli/line_record.h"
#include "cli/own.h"
#include "cli/progress.h"

namespace arus::cli {
namespace {

constexpr std::int64_t max_record_file_bytes = 1LL << 30;

// All that one run of the command needs, checked.
struct ProduceProgram {
  const ProduceOptions& options;
  client::ProducerOptions producer;
  LineFormat format;
  std::vector<client::RecordHeader> headers;  // of every record
};

Bytes bytes_of(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

// Text, null, {"base64":"…"}, or any other JSON as its own text.
Result<std::optional<Bytes>> bytes_of_json(const Json* json) {
  if (json == nullptr || json->as<std::nullptr_t>() != nullptr) return std::nullopt;
  if (const auto* text = json->as<std::string>()) return bytes_of(*text);
  if (const Json* encoded = json->member("base64")) {
    const auto* text = encoded->as<std::string>();
    auto decoded = text == nullptr ? std::nullopt : decode_base64(*text);
    if (!decoded) return fail(ErrorCode::invalid_request, "base64 holds no base64");
    return std::move(*decoded);
  }
  return fail(ErrorCode::invalid_request,
              "keys, values and headers are text, null or {\"base64\": \"…\"}");
}

Result<client::ProducerRecord> record_of_json(std::string_view line) {
  const auto json = parse_json(line);
  if (!json) return fail(json.error());
  if (json->as<Json::Object>() == nullptr) {
    return fail(ErrorCode::invalid_request, "a line of --json is an object");
  }
  client::ProducerRecord record;
  auto key = bytes_of_json(json->member("key"));
  if (!key) return fail(std::move(key).error());
  auto value = bytes_of_json(json->member("value"));
  if (!value) return fail(std::move(value).error());
  record.key = std::move(*key);
  record.value = std::move(*value);
  if (const Json* partition = json->member("partition")) {
    const auto* number = partition->as<std::int64_t>();
    if (number == nullptr || *number < 0 || *number > INT32_MAX) {
      return fail(ErrorCode::invalid_request, "partition is no partition's number");
    }
    record.partition = static_cast<std::int32_t>(*number);
  }
  if (const Json* timestamp = json->member("timestamp")) {
    const auto* number = timestamp->as<std::int64_t>();
    if (number == nullptr) return fail(ErrorCode::invalid_request, "timestamp is no number");
    record.timestamp_ms = *number;
  }
  const Json* headers = json->member("headers");
  const auto* list = headers == nullptr ? nullptr : headers->as<Json::Array>();
  if (headers != nullptr && list == nullptr) {
    return fail(ErrorCode::invalid_request, "headers are an array of {\"key\", \"value\"}");
  }
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const Json* name = (*list)[i].member("key");
    const auto* text = name == nullptr ? nullptr : name->as<std::string>();
    if (text == nullptr) return fail(ErrorCode::invalid_request, "a header has no key");
    auto header_value = bytes_of_json((*list)[i].member("value"));
    if (!header_value) return fail(std::move(header_value).error());
    record.headers.push_back({*text, std::move(*header_value)});
  }
  return record;
}

// Sends one run's records and counts what comes of them.
class ProduceRun {
 public:
  ProduceRun(Session& session, Console& console, const ProduceProgram& program)
      : session_(session),
        console_(console),
        program_(program),
        producer_(session.cluster, program.producer),
        progress_(console, program.options.quiet, session.cluster.now()) {}

  env::Task<int> run() {
    Result<> sent = co_await begin();
    if (sent && program_.options.files.empty()) {
      sent = co_await send_descriptor(STDIN_FILENO, "standard input");
    }
    for (const auto& path : program_.options.files) {
      if (!sent) break;
      sent = co_await (program_.options.whole_files ? send_whole(path) : send_file(path));
    }
    if (sent) sent = co_await finish();
    co_await producer_.close(session_.cluster.now() + program_.producer.delivery_timeout);
    progress_.finish(session_.cluster.now(), "sent");
    if (!sent) co_return report(console_, sent.error());
    if (failed_ == 0) co_return 0;
    console_.print_error("arus: {} records were not delivered: {}\n", failed_, first_failure_);
    co_return 1;
  }

 private:
  env::Task<Result<>> begin() {
    if (!program_.producer.transactional_id) co_return Result<>{};
    ARUS_CO_TRY(co_await producer_.init_transactions(session_.cluster.call_deadline()));
    co_return producer_.begin_transaction();
  }

  // Who interrupts the command wants no half of its records; close() aborts what is open.
  env::Task<Result<>> finish() {
    if (!program_.producer.transactional_id || session_.stopping) co_return Result<>{};
    co_return co_await producer_.commit_transaction(session_.cluster.call_deadline());
  }

  env::Task<Result<>> send_file(std::string path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      co_return fail({ErrorCode::invalid_request,
                      fmt::format("{} cannot be read: {}", path, std::strerror(errno)), errno});
    }
    auto sent = co_await send_descriptor(descriptor, path);
    ::close(descriptor);
    co_return sent;
  }

  env::Task<Result<>> send_whole(std::string path) {
    auto bytes = co_await env::run_on(session_.environment.pool(), [&] {
      return session_.environment.files().read_file(path, max_record_file_bytes);
    });
    if (!bytes) co_return fail(std::move(bytes).error());
    client::ProducerRecord record;
    record.value = std::move(*bytes);
    co_return co_await send(std::move(record));
  }

  env::Task<Result<>> send_descriptor(int descriptor, std::string name) {
    LineInput input{session_.environment, descriptor, session_.stopping};
    std::size_t line_number = 0;
    for (;;) {
      auto lines = co_await input.next();
      if (!lines) co_return fail(std::move(lines).error());
      if (lines->empty()) co_return Result<>{};
      for (const auto& line : *lines) {
        ++line_number;
        auto record = program_.options.json ? record_of_json(line)
                                            : parse_line(program_.format, line, line_number);
        if (!record) {
          co_return fail(record.error().code,
                         fmt::format("{}, line {}: {}", name, line_number, record.error().message));
        }
        ARUS_CO_TRY(co_await send(std::move(*record)));
      }
    }
  }

  // Options that name a key, a partition, a time or headers hold where the record says nothing.
  env::Task<Result<>> send(client::ProducerRecord record) {
    const auto& options = program_.options;
    record.topic = options.topic;
    if (!record.key && options.key) record.key = bytes_of(*options.key);
    if (!record.partition) record.partition = options.partition;
    if (!record.timestamp_ms) record.timestamp_ms = options.timestamp_ms;
    record.headers.insert(record.headers.end(), program_.headers.begin(), program_.headers.end());
    const std::size_t bytes = record.value ? record.value->size() : 0;
    co_return co_await producer_.send(std::move(record),
                                      [this, bytes](Result<client::Delivered> delivered) {
                                        if (delivered) {
                                          progress_.add(1, bytes, session_.cluster.now());
                                          return;
                                        }
                                        if (failed_++ == 0)
                                          first_failure_ = delivered.error().message;
                                      });
  }

  Session& session_;
  Console& console_;
  const ProduceProgram& program_;
  client::Producer producer_;
  Progress progress_;
  std::int64_t failed_ = 0;
  std::string first_failure_;
};

env::Task<int> run_produce(Session session, Console& console, const ProduceProgram& program) {
  ProduceRun run{session, console, program};
  co_return co_await run.run();
}

Result<ProduceProgram> program_of(const ClusterOptions& cluster, const ProduceOptions& options) {
  auto properties = cluster.merged();
  if (!properties) return fail(std::move(properties).error());
  if (!options.compression.empty()) (*properties)["compression.type"] = options.compression;
  if (!options.acks.empty()) (*properties)["acks"] = options.acks;
  if (!options.transactional_id.empty()) {
    (*properties)["transactional.id"] = options.transactional_id;
  }
  auto producer = producer_options(*properties);
  if (!producer) return fail(std::move(producer).error());
  ProduceProgram program{options, *producer, {}, {}};
  program.format.parse_key = !options.key_separator.empty();
  if (program.format.parse_key) program.format.key_separator = options.key_separator;
  program.format.null_marker = options.null_marker;
  for (const auto& pair : options.headers) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::invalid_request,
                  fmt::format("{} is no header: write name=value", pair));
    }
    program.headers.push_back({pair.substr(0, equals), bytes_of(pair.substr(equals + 1))});
  }
  return program;
}

}  // namespace

int produce(Console& console, const ClusterOptions& cluster, const ProduceOptions& options) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  const auto program = program_of(cluster, options);
  if (!program) return report(console, program.error());
  return run_session(*client, run_produce, console, *program);
}

}  // namespace arus::cli
