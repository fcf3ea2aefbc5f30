#include <fmt/core.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <span>

#include "cli/own.h"
#include "cli/progress.h"
#include "cli/record_printer.h"
#include "cli/record_source.h"
#include "client/admin.h"

namespace arus::cli {
namespace {

constexpr auto glance = env::milliseconds(200);  // how soon an interrupt is noticed

// "2026-11-24T10:00:00Z", the day alone, or milliseconds since 1970.
std::optional<std::int64_t> parse_time(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int used = 0;
  const int fields = std::sscanf(text.c_str(), "%4d-%2u-%2u%n%*1[T ]%2d:%2d:%2d%n", &year, &month,
                                 &day, &used, &hour, &minute, &second, &used);
  if (fields != 3 && fields != 6) return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(static_cast<std::size_t>(used));
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if ((!rest.empty() && rest != "Z") || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  return (std::chrono::duration_cast<std::chrono::seconds>(days).count() + hour * 3600 +
          minute * 60 + second) *
         1000;
}

Result<client::StartPosition> start_of(const ConsumeOptions& options) {
  if (!options.from_time.empty()) {
    const auto time = parse_time(options.from_time);
    if (time) return client::StartPosition::at_time(*time);
    return fail(ErrorCode::invalid_request,
                fmt::format("{} is no time: write milliseconds since 1970, or "
                            "2026-11-24T10:00:00Z",
                            options.from_time));
  }
  if (options.from == "earliest") return client::StartPosition::earliest();
  if (options.from == "latest") return client::StartPosition::latest();
  std::int64_t offset = -1;
  const char* last = options.from.data() + options.from.size();
  const auto [end, error] = std::from_chars(options.from.data(), last, offset);
  if (error != std::errc{} || end != last || offset < 0) {
    return fail(ErrorCode::invalid_request,
                fmt::format("--from takes earliest, latest or an offset, not {}", options.from));
  }
  return client::StartPosition::at(Offset{offset});
}

struct ConsumeProgram {
  const ConsumeOptions& options;
  client::GroupConsumerOptions group;  // without --group its `consumer` alone
  client::StartPosition start;
  RecordFormat format;
};

// Where the records go: standard output, or a file.
class RecordOutput {
 public:
  explicit RecordOutput(Console& console) : console_(console) {}
  ~RecordOutput() {
    if (file_ != nullptr) std::fclose(file_);
  }
  RecordOutput(const RecordOutput&) = delete;
  RecordOutput& operator=(const RecordOutput&) = delete;

  Result<> open(const std::string& path) {
    file_ = std::fopen(path.c_str(), "wb");
    if (file_ != nullptr) return {};
    return fail({ErrorCode::invalid_request,
                 fmt::format("{} cannot be written: {}", path, std::strerror(errno)), errno});
  }
  void write(std::string_view text) {
    if (file_ == nullptr) {
      console_.out(text);
    } else if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) {
      failed_ = true;
    }
  }
  // False when what was written did not arrive.
  bool flush() {
    if (file_ == nullptr) {
      console_.flush();
      return !console_.broken();
    }
    return std::fflush(file_) == 0 && !failed_;
  }

 private:
  Console& console_;
  std::FILE* file_ = nullptr;
  bool failed_ = false;
};

RecordSource source_of(Session& session, const ConsumeProgram& program) {
  if (program.options.group.empty()) return {session.cluster, program.group.consumer};
  return {session.cluster, program.group};
}

class ConsumeRun {
 public:
  ConsumeRun(Session& session, Console& console, const ConsumeProgram& program)
      : session_(session),
        console_(console),
        program_(program),
        source_(source_of(session, program)),
        output_(console),
        progress_(console, program.options.quiet || program.options.output.empty(), now()) {}

  env::Task<int> run() {
    Result<> done = co_await prepare();
    if (done) done = co_await read();
    if (done && program_.options.commit == "end" && source_.member() != nullptr) {
      done = co_await source_.member()->commit(session_.cluster.call_deadline());
    }
    co_await source_.close();
    if (!output_.flush() && done && !console_.broken()) {
      done = fail(ErrorCode::unknown_server_error, "The output could not be written");
    }
    progress_.finish(now(), "read");
    co_return done ? 0 : report(console_, done.error());
  }

 private:
  [[nodiscard]] env::TimePoint now() const { return session_.cluster.now(); }

  env::Task<Result<>> prepare() {
    const auto& options = program_.options;
    if (!options.output.empty()) ARUS_CO_TRY(output_.open(options.output));
    if (source_.member() != nullptr) {
      ARUS_CO_TRY(source_.member()->subscribe(options.topics));
      if (!options.until_end) co_return Result<>{};
    }
    std::vector<client::Assignment> assignments;
    std::map<TopicPartition, std::int64_t> ends;
    for (const auto& name : options.topics) {
      auto topic = co_await session_.cluster.topic(name, session_.cluster.call_deadline());
      if (!topic) co_return fail(std::move(topic).error());
      for (const std::int32_t index : options.partitions) {
        if ((*topic)->partition(index) != nullptr) continue;
        co_return fail(ErrorCode::unknown_topic_or_partition,
                       fmt::format("Topic {} has no partition {}", name, index));
      }
      for (const auto& partition : (*topic)->partitions) {
        if (!options.partitions.empty() &&
            std::ranges::find(options.partitions, partition.index) == options.partitions.end()) {
          continue;
        }
        const TopicPartition key{name, partition.index};
        assignments.push_back({key, program_.start});
        ends[key] = client::latest_timestamp;
      }
    }
    if (options.until_end) {
      client::Admin admin{session_.cluster};
      auto listed = co_await admin.list_offsets(std::move(ends), program_.group.consumer.isolation,
                                                session_.cluster.call_deadline());
      if (!listed) co_return fail(std::move(listed).error());
      for (const auto& [key, offset] : *listed) {
        if (!offset) co_return fail(offset.error());
        ends_[key] = offset->offset;
      }
    }
    if (source_.assigned() == nullptr) co_return Result<>{};
    co_return source_.assigned()->assign(std::move(assignments));
  }

  // Everything below the ends as they were at the start has been given.
  [[nodiscard]] bool at_end() {
    if (!program_.options.until_end) return false;
    const auto read_up = [&](const TopicPartition& name) {
      const auto end = ends_.find(name);
      const auto position = source_.position(name);
      return end == ends_.end() || (position && *position >= end->second);
    };
    if (auto* member = source_.member()) {
      // The others have theirs; what comes to this one later has been read by them.
      const auto share = member->assignment();
      return !share.empty() && std::ranges::all_of(share, read_up);
    }
    return std::ranges::all_of(ends_, [&](const auto& entry) { return read_up(entry.first); });
  }

  env::Task<Result<>> read() {
    const auto& options = program_.options;
    env::TimePoint last_record = now();
    while (!session_.stopping && !console_.broken() && progress_.records() != options.max_records &&
           !at_end()) {
      auto records = co_await source_.poll(now() + glance);
      if (!records) co_return fail(std::move(records).error());
      for (std::size_t i = 0; i < records->size(); ++i) {
        const auto& record = (*records)[i];
        if (progress_.records() == options.max_records) {
          source_.give_back(std::span(*records).subspan(i));
          break;
        }
        const auto end = ends_.find({*record.topic, record.partition});
        if (end != ends_.end() && record.offset >= end->second) continue;
        ARUS_CO_TRY(write(record));
      }
      if (!records->empty()) {
        last_record = now();
        if (!output_.flush()) break;
      } else if (options.timeout_ms &&
                 now() - last_record >= env::milliseconds(*options.timeout_ms)) {
        break;
      }
    }
    co_return Result<>{};
  }

  Result<> write(const client::ConsumerRecord& record) {
    const std::size_t bytes = record.value ? record.value->size() : 0;
    if (program_.options.json) {
      output_.write(record_as_json(record) + "\n");
    } else {
      const auto line = print_record(program_.format, record);
      if (!line) return fail(line.error());
      output_.write(*line);
    }
    progress_.add(1, bytes, now());
    return {};
  }

  Session& session_;
  Console& console_;
  const ConsumeProgram& program_;
  RecordSource source_;
  RecordOutput output_;
  Progress progress_;
  std::map<TopicPartition, Offset> ends_;
};

env::Task<int> run_consume(Session session, Console& console, const ConsumeProgram& program) {
  ConsumeRun run{session, console, program};
  co_return co_await run.run();
}

Result<ConsumeProgram> program_of(const ClusterOptions& cluster, const ConsumeOptions& options) {
  auto properties = cluster.merged();
  if (!properties) return fail(std::move(properties).error());
  if (options.read_committed) (*properties)["isolation.level"] = "read_committed";
  const bool member = !options.group.empty();
  if (member) {
    if (!options.partitions.empty() || !options.from_time.empty() ||
        (options.from != "earliest" && options.from != "latest")) {
      return fail(ErrorCode::invalid_request,
                  "With --group the group says which partitions to read and where: --partition and "
                  "--from-time do not go along, and --from only as earliest or latest");
    }
    if (options.commit != "auto" && options.commit != "end" && options.commit != "none") {
      return fail(ErrorCode::invalid_request,
                  fmt::format("--commit takes auto, end or none, not {}", options.commit));
    }
    (*properties)["group.id"] = options.group;
    if (!options.protocol.empty()) (*properties)["group.protocol"] = options.protocol;
    if (!options.instance_id.empty()) (*properties)["group.instance.id"] = options.instance_id;
    (*properties)["enable.auto.commit"] = options.commit == "auto" ? "true" : "false";
    (*properties)["auto.offset.reset"] = options.from;
  }
  properties->try_emplace("auto.offset.reset", "earliest");
  properties->try_emplace("max.poll.records", "10000");
  ConsumeProgram program{options, {}, {}, {}};
  if (member) {
    auto group = group_consumer_options(*properties);
    if (!group) return fail(std::move(group).error());
    program.group = std::move(*group);
  } else {
    auto consumer = consumer_options(*properties);
    if (!consumer) return fail(std::move(consumer).error());
    program.group.consumer = std::move(*consumer);
  }
  auto start = start_of(options);
  if (!start) return fail(std::move(start).error());
  program.start = *start;
  program.format.print_key = options.keys;
  program.format.print_headers = options.headers;
  program.format.print_offset = options.offsets;
  program.format.print_partition = options.offsets;
  program.format.print_timestamp = options.timestamps;
  program.format.key_separator = options.separator;
  return program;
}

}  // namespace

int consume(Console& console, const ClusterOptions& cluster, const ConsumeOptions& options) {
  const auto client = cluster.client();
  if (!client) return report(console, client.error());
  const auto program = program_of(cluster, options);
  if (!program) return report(console, program.error());
  return run_session(*client, run_consume, console, *program);
}

}  // namespace arus::cli
