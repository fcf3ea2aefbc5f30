// ./dev bench: prints each figure beside its floor. It prints; it never fails for being slow.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/bytes.h"
#include "benchmarks/client.h"
#include "benchmarks/coordination.h"
#include "benchmarks/floor.h"
#include "benchmarks/process.h"
#include "benchmarks/report.h"
#include "benchmarks/storage_rows.h"

namespace arus::benchmark {
namespace {

constexpr double mib = 1024.0 * 1024.0;

const Settings fast_client = {{"acks", "1"},
                              {"linger.ms", "20"},
                              {"queue.buffering.max.messages", "1000000"},
                              {"queue.buffering.max.kbytes", "200000"}};

Settings with(Settings settings, const Settings& more) {
  for (const auto& [key, value] : more) settings[key] = value;
  return settings;
}

void binary_size(const Plan& plan) {
  const std::string stripped = plan.directory + "/stripped";
  const std::string command = "llvm-strip-19 -o '" + stripped + "' '" + plan.server + "'";
  if (std::system(command.c_str()) != 0) return;
  row("binary, stripped",
      number(static_cast<double>(std::filesystem::file_size(stripped)) / mib, "MiB"));
  std::filesystem::remove(stripped);
}

void start_and_idle(const Plan& plan) {
  std::vector<double> starts;
  for (int i = 0; i < 7; ++i) {
    ServerProcess server(plan.server, plan.directory + "/data", {});
    starts.push_back(server.start());
    server.stop();
  }
  row("fresh directory to first ApiVersions answer", percentiles(starts));
  ServerProcess server(plan.server, plan.directory + "/data", {});
  server.start();
  sleep_s(1);
  row("resident anonymous memory, idle",
      number(static_cast<double>(server.anonymous_bytes()) / mib, "MiB"));
  const double before = server.cpu_s();
  sleep_s(10);
  row("CPU while idle", number((server.cpu_s() - before) / 10 * 100, "% of a core"));
}

void connections(const Plan& plan) {
  constexpr int count = 2000;
  ServerProcess server(plan.server, plan.directory + "/data", {});
  server.start();
  sleep_s(0.5);
  const std::int64_t before = server.anonymous_bytes();
  std::vector<int> open;
  for (int i = 0; i < count; ++i) open.push_back(greeted_connection(server.port()));
  sleep_s(0.5);
  row("idle connection",
      number(static_cast<double>(server.anonymous_bytes() - before) / count / 1024, "KiB"));
  for (const int descriptor : open) ::close(descriptor);
}

void partitions(const Plan& plan) {
  ServerProcess server(plan.server, plan.directory + "/data", {});
  server.start();
  sleep_s(0.5);
  const std::int64_t before = server.anonymous_bytes();
  std::vector<std::string> topics;
  for (int i = 0; i < 10; ++i) topics.push_back("many-" + std::to_string(i));
  const double took = create_topics(server.address(), topics, 1000);
  row("CreateTopics, 10,000 partitions in ten topics", number(took * 1e3, "ms", 0));
  sleep_s(1);
  row("empty partition",
      number(static_cast<double>(server.anonymous_bytes() - before) / 10'000 / 1024, "KiB"));
  double began = now_s();
  server.stop();
  row("clean stop with 10,000 empty partitions", number((now_s() - began) * 1e3, "ms", 0));
  row("start after it", number(server.start() * 1e3, "ms", 0));
  server.kill();
  row("start after SIGKILL", number(server.start() * 1e3, "ms", 0));
}

// Figures and their floors are taken in turns, and the least of each counts: what else the machine
// does at the moment only ever adds.
struct LeastCpu {
  double floor_s = INFINITY;
  double server_s = INFINITY;
  double took_s = INFINITY;
  void add(double floor, double server, double took) {
    floor_s = std::min(floor_s, floor);
    server_s = std::min(server_s, server);
    took_s = std::min(took_s, took);
  }
};

void large_row(const Plan& plan, const std::string& what, const LeastCpu& least,
               const std::string& floor) {
  row(what,
      number(least.server_s, "CPU s/GB", 3) + "  " +
          number(least.server_s / least.floor_s, "x the loop"),
      floor + " " + number(least.floor_s, "s/GB", 3) + ", " +
          number(static_cast<double>(plan.gigabyte) / least.took_s / 1e6, "MB/s", 0));
}

void consume_large(const Plan& plan, const ServerProcess& server, const std::string& name) {
  constexpr int rounds = 5;
  LeastCpu least;
  double asked_s = INFINITY;
  double at_pace_s = INFINITY;
  for (int round = 0; round < rounds; ++round) {
    const double before = server.cpu_s();
    const double took = consume(server.address(), "large", 1, plan.gigabyte / 1000);
    const double used = server.cpu_s() - before;
    const SendFloor floor =
        send_file_cpu_s(plan.directory, plan.gigabyte, static_cast<double>(plan.gigabyte) / took);
    asked_s = std::min(asked_s, floor.asked_s);
    at_pace_s = std::min(at_pace_s, floor.at_pace_s);
    least.add(floor.streamed_s, used, took);
  }
  large_row(plan, "consume 1 GB, " + name, least, "better of sendfile and read + send");
  row("  the same against a loop that is asked for each MB",
      number(least.server_s / asked_s, "x the loop"),
      "sendfile for each request " + number(asked_s, "s/GB", 3));
  row("  and whose reader asks for 4 MB and is as slow as this client",
      number(least.server_s / at_pace_s, "x the loop"),
      "sendfile for each request " + number(at_pace_s, "s/GB", 3));
}

void large_batches(const Plan& plan, const std::string& name,
                   const std::vector<std::string>& options) {
  constexpr int rounds = 3;
  ProduceLoad load{.topic = "large", .records = plan.gigabyte / 1000, .record_bytes = 1000};
  load.settings = with(fast_client, {{"batch.size", "1000000"},
                                     {"batch.num.messages", "1000"},
                                     {"message.max.bytes", "2000000"}});
  LeastCpu least;
  for (int round = 0; round < rounds; ++round) {
    recycle_memory(plan.directory, 2 * plan.gigabyte);
    const double floor = receive_crc_write_cpu_s(plan.directory, plan.gigabyte, 1 << 20);
    ServerProcess server(plan.server, plan.directory + "/data", options);
    server.start();
    create_topics(server.address(), {"large"}, 1);
    const double before = server.cpu_s();
    const auto outcome = produce(server.address(), load);
    least.add(floor, server.cpu_s() - before, outcome.took_s);
    if (outcome.failed != 0) row("FAILED records", std::to_string(outcome.failed));
    if (round + 1 < rounds) continue;
    large_row(plan, "produce 1 GB, 1 KB records in 1 MB batches, " + name, least,
              "receive + CRC + write loop");
    consume_large(plan, server, name);
    row("anonymous memory after load",
        number(static_cast<double>(server.anonymous_bytes()) / mib, "MiB"));
  }
}

void small_batches(const Plan& plan, const std::string& name,
                   const std::vector<std::string>& options) {
  recycle_memory(plan.directory, plan.gigabyte / 2);
  ServerProcess server(plan.server, plan.directory + "/data", options);
  server.start();
  create_topics(server.address(), {"small"}, 64);
  ProduceLoad load{.topic = "small", .partitions = 64, .records = 1'000'000, .record_bytes = 100};
  load.settings = with(fast_client, {{"batch.size", "4096"}, {"batch.num.messages", "36"}});
  const double before = server.cpu_s();
  const auto outcome = produce(server.address(), load);
  row(("1 million 100-byte records, 4 KB batches, 64 partitions, " + name),
      number(server.cpu_s() - before, "CPU s"),
      number(1e6 / outcome.took_s / 1e3, "thousand records/s", 0) +
          (outcome.failed != 0 ? ", FAILED " + std::to_string(outcome.failed) : ""));
}

void latency(const Plan& plan, const std::string& name, const std::vector<std::string>& options) {
  ServerProcess server(plan.server, plan.directory + "/data", options);
  server.start();
  create_topics(server.address(), {"paced"}, 1);
  for (const int rate : {1000, 10'000}) {
    ProduceLoad load{.topic = "paced",
                     .records = rate * 8,
                     .record_bytes = 1000,
                     .records_per_s = static_cast<double>(rate)};
    load.settings = {{"acks", "all"}, {"linger.ms", "0"}};
    const auto outcome = produce(server.address(), load);
    row(("acknowledgement at " + std::to_string(rate) + " records/s, " + name),
        percentiles(outcome.latencies_s));
  }
}

void killed(const Plan& plan) {
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    ServerProcess server(plan.server, plan.directory + "/data", {});
    server.start();
    create_topics(server.address(), {"again"}, 1);
    ProduceLoad load{.topic = "again", .records = 100'000, .record_bytes = 1000};
    load.settings = fast_client;
    produce(server.address(), load);
    server.kill();
    const double began = now_s();
    server.start();
    if (!produce_one(server.address(), "again", 30)) row("FAILED", "no record after SIGKILL");
    times.push_back(now_s() - began);
  }
  row("after SIGKILL, until a record can be written again", percentiles(times));
}

// The same load on Arus, which flushes before it answers, and on Apache Kafka where there is one:
// as it comes, and flushing each message.
void coordination(const Plan& plan) {
  constexpr int groups = 100;
  constexpr int records = 10;
  constexpr double seconds = 10;
  struct Figures {
    double commits = NAN;
    double transactions = NAN;
  };
  const auto measure = [](ServerProcess& server) {
    server.start();
    create_topics(server.address(), {"commits", "transactions"}, 1);
    offset_commits_per_s(server.address(), groups, 2);
    transactions_per_s(server.address(), records, 2);
    return Figures{.commits = offset_commits_per_s(server.address(), groups, seconds),
                   .transactions = transactions_per_s(server.address(), records, seconds)};
  };
  const auto measure_kafka = [&](std::vector<std::string> settings) {
    if (plan.kafka.empty()) return Figures{};
    for (const char* one :
         {"offsets.topic.replication.factor=1", "transaction.state.log.replication.factor=1",
          "transaction.state.log.min.isr=1"}) {
      settings.emplace_back(one);
    }
    KafkaProcess server(plan.kafka, plan.directory + "/kafka", settings);
    return measure(server);
  };
  const Figures unflushed = measure_kafka({});
  const Figures flushed = measure_kafka({"log.flush.interval.messages=1"});
  ServerProcess server(plan.server, plan.directory + "/data", {});
  const Figures arus = measure(server);
  const auto beside = [](double own, double plain, double flushing) {
    if (std::isnan(plain)) return std::string();
    return "Kafka " + number(plain, "/s, ", 0) + number(own / plain, "x; flushing ") +
           number(flushing, "/s, ", 0) + number(own / flushing, "x");
  };
  row("offset commits, 100 groups side by side, synced", number(arus.commits, "/s", 0),
      beside(arus.commits, unflushed.commits, flushed.commits));
  row("transactions of 10 records, one producer, synced", number(arus.transactions, "/s", 0),
      beside(arus.transactions, unflushed.transactions, flushed.transactions));
}

void takeover(const Plan& plan) {
  ServerProcess server(plan.server, plan.directory + "/data", {});
  server.start();
  create_topics(server.address(), {"takeover"}, 200);
  row("a dead member of 100: its partitions have owners",
      number(takeover_s(server.address(), 100, 200, 45), "s after its session"));
}

bool wanted(const Plan& plan, const std::string& part) {
  return plan.only.empty() ||
         std::find(plan.only.begin(), plan.only.end(), part) != plan.only.end();
}

void run(const Plan& plan) {
  std::filesystem::create_directories(plan.directory);
  if (wanted(plan, "binary")) binary_size(plan);
  if (wanted(plan, "start")) start_and_idle(plan);
  if (wanted(plan, "large")) {
    large_batches(plan, "page-cache", page_cache());
    large_batches(plan, "synced", {});
  }
  if (wanted(plan, "small")) {
    small_batches(plan, "page-cache", page_cache());
    small_batches(plan, "synced", {});
  }
  if (wanted(plan, "partitions")) partitions(plan);
  if (wanted(plan, "connections")) connections(plan);
  if (wanted(plan, "kill")) killed(plan);
  if (wanted(plan, "coordination")) coordination(plan);
  if (wanted(plan, "takeover")) takeover(plan);
  if (wanted(plan, "spread")) spread_rows(plan);
  if (wanted(plan, "busy")) busy_rows(plan);
  if (wanted(plan, "acknowledgement")) acknowledgement_rows(plan);
  if (wanted(plan, "data")) data_rows(plan);
  if (wanted(plan, "idle")) idle_partition_rows(plan);
  if (wanted(plan, "tail")) tail_rows(plan);
  if (wanted(plan, "latency")) {
    row("floor: write of 4 KB and fdatasync", percentiles(sync_times_s(plan.directory, 4096, 500)));
    row("floor: bare echo of 14 bytes", percentiles(echo_times_s(5000)));
    latency(plan, "page-cache", page_cache());
    latency(plan, "synced", {});
  }
}

}  // namespace
}  // namespace arus::benchmark

int main(int argc, char** argv) {
  arus::benchmark::Plan plan;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--server" && i + 1 < argc) {
      plan.server = argv[++i];
    } else if (word == "--directory" && i + 1 < argc) {
      plan.directory = argv[++i];
    } else if (word == "--kafka" && i + 1 < argc) {
      plan.kafka = argv[++i];
    } else if (word.starts_with("-")) {
      std::printf(
          "arus_benchmark [--server BINARY] [--directory DIR] [--kafka DIR] [PART...]\n\n"
          "Parts: binary start large small partitions connections kill coordination takeover "
          "spread busy acknowledgement data idle tail latency (all if none).\n"
          "With the folder of an Apache Kafka, coordination measures that as well.\n");
      return word == "--help" ? 0 : 1;
    } else {
      plan.only.push_back(word);
    }
  }
  arus::benchmark::run(plan);
  return 0;
}
