#include "benchmarks/storage_rows.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "benchmarks/client.h"
#include "benchmarks/floor.h"
#include "benchmarks/memory_limit.h"
#include "benchmarks/process.h"
#include "benchmarks/raw_producer.h"

namespace arus::benchmark {
namespace {

constexpr std::size_t record_bytes = 1000;

// Of all processors since the machine was started, in s: all but idle and waiting for a disk.
double machine_busy_s() {
  std::ifstream file("/proc/stat");
  std::string word;
  double user = 0;
  double nice = 0;
  double system = 0;
  double idle = 0;
  double wait = 0;
  double interrupts = 0;
  double soft = 0;
  file >> word >> user >> nice >> system >> idle >> wait >> interrupts >> soft;
  return (user + nice + system + interrupts + soft) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string failures(int failed) { return failed == 0 ? "" : ", FAILED " + std::to_string(failed); }

struct Spread {
  std::string name;
  TopicSet topics;
};

const TopicSet ten_thousand{.name = "spread", .topics = 10, .partitions = 1000};

}  // namespace

void spread_rows(const Plan& plan) {
  constexpr int seconds = 30;  // several laps of the commit log
  const Spread spreads[] = {{"1 partition", {.name = "spread", .topics = 1, .partitions = 1}},
                            {"1,000", {.name = "spread", .topics = 1, .partitions = 1000}},
                            {"10,000", ten_thousand}};
  for (const double rate : {1000.0, 10'000.0}) {
    double first_p99 = NAN;
    double first_rate = NAN;
    for (const Spread& spread : spreads) {
      ServerProcess server(plan.server, plan.directory + "/data", {});
      server.start();
      create_topics(server.address(), spread.topics.names(), spread.topics.partitions);
      produce_to_each(server.port(), spread.topics, record_bytes, 100);
      const double before = server.cpu_s();
      auto outcome = produce_paced(server.port(), spread.topics, record_bytes, rate, seconds);
      const double reached = static_cast<double>(outcome.latencies_s.size()) / outcome.took_s;
      const double p99 = percentile(outcome.latencies_s, 99);
      if (std::isnan(first_p99)) {
        first_p99 = p99;
        first_rate = reached;
      }
      row(number(rate, "records/s, synced, over ", 0) + spread.name,
          percentiles(outcome.latencies_s),
          number(p99 / first_p99, "x the p99, ") + number(reached / first_rate, "x the rate, ") +
              number(server.cpu_s() - before, "CPU s") + failures(outcome.failed));
    }
  }
}

namespace {

struct BusyLoad {
  std::string name;
  int partitions;
  std::int64_t records;
  std::size_t bytes;
  Settings settings;
};

double busy_s(const Plan& plan, const BusyLoad& load, const std::vector<std::string>& options) {
  recycle_memory(plan.directory, 2 * plan.gigabyte);
  ::sync();
  ServerProcess server(plan.server, plan.directory + "/data", options);
  server.start();
  create_topics(server.address(), {"busy"}, load.partitions);
  const double before = machine_busy_s();
  const auto outcome = produce(server.address(), {.topic = "busy",
                                                  .partitions = load.partitions,
                                                  .records = load.records,
                                                  .record_bytes = load.bytes,
                                                  .settings = load.settings});
  if (outcome.failed != 0) return NAN;
  ::sync();
  return machine_busy_s() - before;
}

}  // namespace

void busy_rows(const Plan& plan) {
  constexpr int rounds = 3;
  const BusyLoad loads[] = {{"1 GB, 1 MB batches",
                             1,
                             plan.gigabyte / 1000,
                             1000,
                             {{"acks", "1"},
                              {"linger.ms", "20"},
                              {"batch.size", "1000000"},
                              {"batch.num.messages", "1000"},
                              {"queue.buffering.max.messages", "1000000"},
                              {"message.max.bytes", "2000000"}}},
                            {"1 million 100-byte records, 4 KB batches",
                             64,
                             1'000'000,
                             100,
                             {{"acks", "1"},
                              {"linger.ms", "20"},
                              {"batch.size", "4096"},
                              {"batch.num.messages", "36"},
                              {"queue.buffering.max.messages", "1000000"}}}};
  for (const BusyLoad& load : loads) {
    double cached = INFINITY;
    double synced = INFINITY;
    for (int i = 0; i < rounds; ++i) {
      cached = std::min(cached, busy_s(plan, load, page_cache()));
      synced = std::min(synced, busy_s(plan, load, {}));
    }
    row("machine busy until on disk, synced, " + load.name,
        number(synced, "s  ") + number(synced / cached, "x page-cache"),
        "page-cache " + number(cached, "s"));
  }
}

void acknowledgement_rows(const Plan& plan) {
  ServerProcess server(plan.server, plan.directory + "/data", {});
  server.start();
  create_topics(server.address(), {"one-0"}, 1);
  produce_in_turn(server.port(), "one-0", 100, 500);
  double flush = INFINITY;
  double echo = INFINITY;
  double near_echo = INFINITY;
  double own = INFINITY;
  for (int i = 0; i < 5; ++i) {
    auto flushes = overwrite_sync_times_s(plan.directory, 4096, 1000);
    auto echoes = echo_times_s(3000, true);
    auto near_echoes = echo_times_s(3000);
    auto outcome = produce_in_turn(server.port(), "one-0", 100, 2000);
    flush = std::min(flush, percentile(flushes, 50));
    echo = std::min(echo, percentile(echoes, 50));
    near_echo = std::min(near_echo, percentile(near_echoes, 50));
    own = std::min(own, percentile(outcome.latencies_s, 50));
  }
  row("acknowledgement, one record at a time, synced, p50", number(own * 1e6, "us", 0),
      number((own - flush - echo) * 1e6, "us above ", 0) + "fdatasync " +
          number(flush * 1e6, "us", 0) + " + echo between two processors " +
          number(echo * 1e6, "us", 0) + "; " +
          number((own - flush - near_echo) * 1e6, "us above ", 0) +
          "with an echo that may stay on one, " + number(near_echo * 1e6, "us", 0));
}

// Until the server has made so many partitions' folders by itself.
double wait_for_folders_s(const std::string& directory, std::ptrdiff_t count) {
  constexpr double longest_s = 120;
  const double began = now_s();
  while (now_s() - began < longest_s) {
    const std::filesystem::directory_iterator entries(directory);
    if (std::distance(begin(entries), end(entries)) >= count) break;
    sleep_s(0.1);
  }
  return now_s() - began;
}

void just_made_row(const Plan& plan) {
  ServerProcess server(plan.server, plan.directory + "/made", {});
  server.start();
  create_topics(server.address(), ten_thousand.names(), ten_thousand.partitions);
  const auto first = produce_to_each(server.port(), ten_thousand, 100, 100);
  row("one record to each of 10,000, synced, made just now", number(first.took_s * 1e3, "ms", 0),
      failures(first.failed));
}

void data_rows(const Plan& plan) {
  just_made_row(plan);
  ServerProcess server(plan.server, plan.directory + "/data", {});
  server.start();
  create_topics(server.address(), ten_thousand.names(), ten_thousand.partitions);
  row("10,000 partitions: files made ahead in",
      number(wait_for_folders_s(plan.directory + "/data", 10'000), "s"));
  sleep_s(2);  // until they are flushed, too
  for (const int in_request : {1000, 1}) {
    const auto outcome = produce_to_each(server.port(), ten_thousand, 100, in_request);
    row("one record to each of 10,000, synced, requests of " + std::to_string(in_request),
        number(outcome.took_s * 1e3, "ms", 0), failures(outcome.failed));
  }
  for (int round = 0; round < 3; ++round) {
    produce_to_each(server.port(), ten_thousand, record_bytes, 100);
    double began = now_s();
    server.stop();
    row("10,000 partitions with data: clean stop", number((now_s() - began) * 1e3, "ms", 0));
    row("  start after it", number(server.start() * 1e3, "ms", 0));
    const pid_t load = ::fork();
    if (load == 0) {
      for (;;) produce_to_each(server.port(), ten_thousand, record_bytes, 100);
    }
    sleep_s(1);
    server.kill();
    ::waitpid(load, nullptr, 0);
    row("  start after SIGKILL", number(server.start() * 1e3, "ms", 0));
    began = now_s();
    const auto again = produce_to_each(server.port(), ten_thousand, record_bytes, 100);
    row("  then a record to each", number(again.took_s * 1e3, "ms", 0), failures(again.failed));
  }
}

void idle_partition_rows(const Plan& plan) {
  const TopicSet all{.name = "idle", .topics = 10, .partitions = 10'000};
  constexpr double count = 100'000;
  ServerProcess server(plan.server, plan.directory + "/data", {});
  server.start();
  sleep_s(0.5);
  const auto each = [&](std::int64_t before) {
    return number(static_cast<double>(server.anonymous_bytes() - before) / count / 1024, "KiB");
  };
  const std::int64_t before = server.anonymous_bytes();
  for (const std::string& name : all.names()) create_topics(server.address(), {name}, 10'000);
  sleep_s(2);
  row("each of 100,000 empty partitions", each(before));
  const auto outcome = produce_to_each(server.port(), all, 100, 100);
  sleep_s(2);
  row("each of 100,000 partitions after one record", each(before),
      number(outcome.took_s, "s for all") + failures(outcome.failed));
  double began = now_s();
  server.stop();
  row("clean stop of 100,000 partitions with data", number((now_s() - began) * 1e3, "ms", 0));
  row("start after it", number(server.start() * 1e3, "ms", 0));
  sleep_s(2);
  row("each of 100,000 idle partitions with data", each(before));
}

void tail_rows(const Plan& plan) {
  constexpr std::int64_t memory = std::int64_t{256} << 20;
  const auto limit = MemoryLimit::make(memory);
  if (!limit) {
    row("tail reader beside a reader of old data", "not measured", "no memory cgroup to be had");
    return;
  }
  ServerProcess server(plan.server, plan.directory + "/data", {});
  server.start();
  limit->add(server.pid());
  create_topics(server.address(), {"old", "tail"}, 1);
  const std::int64_t records = 4 * memory / 1000;
  produce(server.address(),
          {.topic = "old",
           .records = records,
           .record_bytes = 1000,
           .settings = {{"acks", "1"}, {"linger.ms", "20"}, {"batch.size", "200000"}}});
  ::sync();
  follow_s(server.address(), "tail", 500, 2);
  auto quiet = follow_s(server.address(), "tail", 500, 10);
  std::atomic<bool> done = false;
  double took = 0;
  int rounds = 0;
  std::thread reader([&] {
    while (!done) {
      took += consume(server.address(), "old", 1, records);
      ++rounds;
    }
  });
  auto beside = follow_s(server.address(), "tail", 500, 10);
  done = true;
  reader.join();
  const double ratio = percentile(beside, 99) / percentile(quiet, 99);
  row("tail reader, 500 records/s, quiet", percentiles(quiet));
  row("tail reader while another reads 4 x memory", percentiles(beside),
      number(ratio, "x the p99; old data at ") +
          number(static_cast<double>(4 * memory) * rounds / took / 1e6, "MB/s", 0));
}

}  // namespace arus::benchmark
