// arus_load: one load on a server that is there, or one bare loop, and what it took as a line of
// JSON. Times are in s, latencies in ms.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <numeric>
#include <thread>

#include "benchmarks/client.h"
#include "benchmarks/coordination.h"
#include "benchmarks/floor.h"
#include "benchmarks/process.h"
#include "benchmarks/raw_producer.h"
#include "benchmarks/report.h"

namespace arus::benchmark {
namespace {

// The members of one JSON object, in the order in which they are put.
class Figures {
 public:
  void put(const char* name, double value) {
    text_ += fmt::format("{}\"{}\":{:.9g}", text_.empty() ? "" : ",", name, value);
  }
  void put_latencies(std::vector<double> seconds) {
    if (seconds.empty()) return;
    for (const auto& [name, p] :
         {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}, {"max", 100.0}}) {
      put(name, percentile(seconds, p) * 1e3);
    }
    put("mean", std::accumulate(seconds.begin(), seconds.end(), 0.0) /
                    static_cast<double>(seconds.size()) * 1e3);
    put("count", static_cast<double>(seconds.size()));
  }
  // Once; nothing when there is nothing new.
  void print() {
    if (!text_.empty()) fmt::print("{{{}}}\n", text_);
    text_.clear();
  }

 private:
  std::string text_;
};

struct Options {
  std::string server = "127.0.0.1:9092";
  std::string topic = "load";
  int topics = 0;
  int partitions = 1;
  int members = 1;
  std::int64_t records = 1000;
  std::size_t record_bytes = 1000;
  double rate = 0;
  double seconds = 10;
  int at_once = 100;
  int count = 1000;
  bool json = false;
  std::vector<std::string> settings;
  std::string directory = ".";
  std::int64_t bytes = 1'000'000'000;

  [[nodiscard]] int port() const { return std::stoi(server.substr(server.rfind(':') + 1)); }
  [[nodiscard]] TopicSet topic_set() const {
    return {.name = topic, .topics = topics, .partitions = partitions};
  }
  [[nodiscard]] Settings client_settings() const {
    Settings given;
    for (const std::string& setting : settings) {
      const auto equals = setting.find('=');
      if (equals == std::string::npos) continue;
      given[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
    return given;
  }
};

void put_raw(Figures& figures, const RawOutcome& outcome) {
  figures.put("took", outcome.took_s);
  figures.put("failed", outcome.failed);
  figures.put_latencies(outcome.latencies_s);
}

void run_create(const Options& options, Figures& figures) {
  const auto names = options.topic_set().names();
  figures.put("took", create_topics(options.server, names, options.partitions));
  wait_for_leaders(options.server, names, options.partitions);
}

void run_ready(const Options& options, Figures& figures) {
  const double began = now_s();
  wait_for_leaders(options.server, options.topic_set().names(), options.partitions);
  figures.put("took", now_s() - began);
}

void run_produce(const Options& options, Figures& figures) {
  const auto outcome =
      produce(options.server, {.topic = options.topic,
                               .partitions = options.partitions,
                               .records = options.records,
                               .record_bytes = options.record_bytes,
                               .records_per_s = options.rate,
                               .payload = options.json ? Payload::json : Payload::pattern,
                               .settings = options.client_settings()});
  figures.put("took", outcome.took_s);
  figures.put("failed", static_cast<double>(outcome.failed));
  figures.put_latencies(outcome.latencies_s);
}

void run_consume(const Options& options, Figures& figures) {
  const double began = now_s();
  std::vector<std::thread> readers;
  for (int i = 0; i < options.members; ++i) {
    readers.emplace_back(
        [&] { consume(options.server, options.topic, options.partitions, options.records); });
  }
  for (std::thread& reader : readers) reader.join();
  figures.put("took", now_s() - began);
}

void run_follow(const Options& options, Figures& figures) {
  figures.put_latencies(follow_s(options.server, options.topic, options.rate, options.seconds));
}

void run_paced(const Options& options, Figures& figures) {
  put_raw(figures, produce_paced(options.port(), options.topic_set(), options.record_bytes,
                                 options.rate, options.seconds));
}

void run_many(const Options& options, Figures& figures) {
  put_raw(figures, produce_from_many(options.port(), options.topic_set(), options.record_bytes,
                                     options.count, options.rate, options.seconds));
}

void run_each(const Options& options, Figures& figures) {
  put_raw(figures, produce_to_each(options.port(), options.topic_set(), options.record_bytes,
                                   options.at_once));
}

void run_turns(const Options& options, Figures& figures) {
  put_raw(figures, produce_in_turn(options.port(), options.topic, options.record_bytes,
                                   static_cast<int>(options.records)));
}

void run_commits(const Options& options, Figures& figures) {
  figures.put("per_s", offset_commits_per_s(options.server, options.members, options.seconds));
}

void run_transactions(const Options& options, Figures& figures) {
  figures.put("per_s", transactions_per_s(options.server, static_cast<int>(options.records),
                                          options.seconds));
}

// Holds them until its input ends.
void run_connections(const Options& options, Figures& figures) {
  std::vector<int> open;
  for (int i = 0; i < options.count; ++i) {
    const int descriptor = greeted_connection(options.port());
    if (descriptor >= 0) open.push_back(descriptor);
  }
  figures.put("open", static_cast<double>(open.size()));
  figures.print();
  std::fflush(stdout);
  char byte = 0;
  while (::read(0, &byte, 1) > 0) {
  }
  for (const int descriptor : open) ::close(descriptor);
}

void run_floor_receive(const Options& options, Figures& figures) {
  figures.put("cpu", receive_crc_write_cpu_s(options.directory, options.bytes, 1 << 20));
}

void run_floor_send(const Options& options, Figures& figures) {
  const double pace = options.rate > 0 ? options.rate : 1e12;
  const SendFloor floor = send_file_cpu_s(options.directory, options.bytes, pace);
  figures.put("streamed", floor.streamed_s);
  figures.put("asked", floor.asked_s);
  figures.put("at_pace", floor.at_pace_s);
}

void run_floor_sync(const Options& options, Figures& figures) {
  figures.put_latencies(overwrite_sync_times_s(options.directory, 4096, options.count));
}

void run_floor_echo(const Options& options, Figures& figures) {
  figures.put_latencies(echo_times_s(options.count));
}

void run_recycle(const Options& options, Figures& figures) {
  recycle_memory(options.directory, options.bytes);
  figures.put("bytes", static_cast<double>(options.bytes));
}

struct Command {
  const char* name;
  const char* what;
  void (*run)(const Options&, Figures&);
};

constexpr Command commands[] = {
    {"create", "create topics, and wait until all their partitions answer", run_create},
    {"ready", "wait until all partitions of the topics answer", run_ready},
    {"produce", "records through librdkafka, paced by --rate or as fast as it goes", run_produce},
    {"consume", "read --records records through librdkafka, --members readers each all of them",
     run_consume},
    {"follow", "write and read at the end: latencies end to end", run_follow},
    {"paced", "requests of one record to one partition after the other", run_paced},
    {"many", "requests of one record from --count connections in turn", run_many},
    {"each", "one record to each partition", run_each},
    {"turns", "one record after the other, each when the last is acknowledged", run_turns},
    {"commits", "offset commits of --members groups", run_commits},
    {"transactions", "transactions of --records records", run_transactions},
    {"connections", "hold --count connections until the input ends", run_connections},
    {"floor-receive", "receive, checksum, write: a bare loop", run_floor_receive},
    {"floor-send", "send a cached file: a bare loop", run_floor_send},
    {"floor-sync", "write 4 KB and fdatasync", run_floor_sync},
    {"floor-echo", "a bare echo of 14 bytes", run_floor_echo},
    {"recycle", "touch and give back --bytes of page cache", run_recycle}};

int main(int argc, char** argv) {
  CLI::App app("One load on a server that is there, or one bare loop; prints a line of JSON.");
  app.require_subcommand(1);
  Options options;
  Figures figures;
  for (const Command& command : commands) {
    CLI::App* sub = app.add_subcommand(command.name, command.what);
    sub->add_option("--server", options.server, "HOST:PORT");
    sub->add_option("--topic", options.topic, "a topic, or the beginning of the names of several");
    sub->add_option("--topics", options.topics, "TOPIC-0, TOPIC-1 and so on; 0: TOPIC itself");
    sub->add_option("--partitions", options.partitions, "of each topic");
    sub->add_option("--members", options.members);
    sub->add_option("--records", options.records);
    sub->add_option("--record-bytes", options.record_bytes);
    sub->add_option("--rate", options.rate, "records, requests or bytes per second");
    sub->add_option("--seconds", options.seconds);
    sub->add_option("--at-once", options.at_once, "partitions in each request");
    sub->add_option("--count", options.count);
    sub->add_flag("--json", options.json, "documents as values, not one block of bytes");
    sub->add_option("--set", options.settings, "a setting of librdkafka: KEY=VALUE");
    sub->add_option("--directory", options.directory);
    sub->add_option("--bytes", options.bytes);
    sub->callback([&command, &options, &figures] { command.run(options, figures); });
  }
  CLI11_PARSE(app, argc, argv);
  figures.print();
  return 0;
}

}  // namespace
}  // namespace arus::benchmark

int main(int argc, char** argv) { return arus::benchmark::main(argc, argv); }
