#include "benchmarks/client.h"

#include <fmt/core.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stop_token>
#include <thread>

#include "base/bytes.h"
#include "benchmarks/process.h"

namespace arus::benchmark {
namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "benchmark: %s\n", why.c_str());
  std::exit(1);
}

rd_kafka_conf_t* make_settings(const std::string& address, const Settings& settings) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char why[256];
  const auto set = [&](const std::string& key, const std::string& value) {
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK) {
      give_up(why);
    }
  };
  set("bootstrap.servers", address);
  set("log.connection.close", "false");
  for (const auto& [key, value] : settings) set(key, value);
  return conf;
}

rd_kafka_t* make_client(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  char why[256];
  rd_kafka_t* client = rd_kafka_new(type, conf, why, sizeof why);
  if (client == nullptr) give_up(why);
  return client;
}

struct Deliveries {
  std::atomic<std::int64_t> done = 0;
  std::int64_t failed = 0;
  std::vector<double>* latencies_s = nullptr;
};

// The due time of a record travels as its opaque pointer: microseconds.
void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto& deliveries = *static_cast<Deliveries*>(opaque);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++deliveries.failed;
  const auto due_us = reinterpret_cast<std::uintptr_t>(message->_private);
  if (deliveries.latencies_s != nullptr && due_us != 0) {
    deliveries.latencies_s->push_back(now_s() - static_cast<double>(due_us) / 1e6);
  }
  ++deliveries.done;
}

constexpr std::size_t distinct_values = 997;

// The same on every machine and in every run.
std::vector<Bytes> make_values(const ProduceLoad& load) {
  if (load.payload == Payload::pattern) {
    Bytes value(load.record_bytes);
    for (std::size_t i = 0; i < value.size(); ++i) {
      value[i] = static_cast<std::uint8_t>(i * 131 + 7);
    }
    return {std::move(value)};
  }
  std::mt19937 random(1);
  std::vector<Bytes> values;
  for (std::size_t i = 0; i < distinct_values; ++i) {
    std::string text = fmt::format(R"({{"order":{},"customer":"{:08x}","items":[)", i, random());
    while (text.size() < load.record_bytes) {
      text += fmt::format(R"({{"sku":"{:06}","name":"article {}","price":{}.{:02},"count":{}}},)",
                          random() % 1'000'000, random() % 5000, random() % 500, random() % 100,
                          random() % 9 + 1);
    }
    text.resize(load.record_bytes);
    values.emplace_back(text.begin(), text.end());
  }
  return values;
}

// Gives the time from the request until the answer, in s.
double create_topic(rd_kafka_t* client, rd_kafka_queue_t* queue, const std::string& name,
                    int partitions) {
  char why[256];
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, why, sizeof why);
  if (topic == nullptr) give_up(why);
  const double began = now_s();
  rd_kafka_CreateTopics(client, &topic, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 60'000);
  const double took = now_s() - began;
  rd_kafka_NewTopic_destroy(topic);
  if (event == nullptr) give_up("no answer to CreateTopics");
  if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    give_up(rd_kafka_event_error_string(event));
  }
  std::size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (rd_kafka_topic_result_error(results[i]) == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    give_up(rd_kafka_err2str(rd_kafka_topic_result_error(results[i])));
  }
  rd_kafka_event_destroy(event);
  return took;
}

}  // namespace

double create_topics(const std::string& address, const std::vector<std::string>& topics,
                     int partitions) {
  rd_kafka_t* client = make_client(RD_KAFKA_PRODUCER, make_settings(address, {}));
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  double took = 0;
  for (const auto& topic : topics) took += create_topic(client, queue, topic, partitions);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(client);
  return took;
}

void wait_for_leaders(const std::string& address, const std::vector<std::string>& topics,
                      int partitions) {
  constexpr double longest_s = 120;
  rd_kafka_t* client = make_client(RD_KAFKA_PRODUCER, make_settings(address, {}));
  const double began = now_s();
  for (const std::string& topic : topics) {
    for (int partition = 0; partition < partitions; ++partition) {
      std::int64_t low = 0;
      std::int64_t high = 0;
      while (rd_kafka_query_watermark_offsets(client, topic.c_str(), partition, &low, &high,
                                              5000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (now_s() - began > longest_s) give_up("partitions have no leader");
        sleep_s(0.05);
      }
    }
  }
  rd_kafka_destroy(client);
}

ProduceOutcome produce(const std::string& address, const ProduceLoad& load) {
  ProduceOutcome outcome;
  Deliveries deliveries;
  deliveries.latencies_s = &outcome.latencies_s;
  rd_kafka_conf_t* conf = make_settings(address, load.settings);
  rd_kafka_conf_set_opaque(conf, &deliveries);
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t* client = make_client(RD_KAFKA_PRODUCER, conf);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, load.topic.c_str(), nullptr);
  std::vector<Bytes> values = make_values(load);
  // Answers have a thread of their own: one that comes while the next record is not due yet is
  // timed when it comes.
  std::jthread answers([client](const std::stop_token& stop) {
    while (!stop.stop_requested()) rd_kafka_poll(client, 20);
  });
  const double began = now_s();
  for (std::int64_t i = 0; i < load.records; ++i) {
    Bytes& value = values[static_cast<std::size_t>(i) % values.size()];
    std::uintptr_t due_us = 0;
    if (load.records_per_s > 0) {
      const double due = began + static_cast<double>(i) / load.records_per_s;
      if (now_s() < due) sleep_until(due);
      due_us = static_cast<std::uintptr_t>(due * 1e6);
    }
    const auto partition = static_cast<std::int32_t>(i % load.partitions);
    while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, value.data(), value.size(),
                            nullptr, 0, reinterpret_cast<void*>(due_us)) != 0) {
      sleep_s(0.001);
    }
  }
  while (deliveries.done < load.records && now_s() - began < 600) sleep_s(0.0005);
  outcome.took_s = now_s() - began;
  answers.request_stop();
  answers.join();
  outcome.failed = deliveries.failed + (load.records - deliveries.done);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(client);
  return outcome;
}

double consume(const std::string& address, const std::string& topic, int partitions,
               std::int64_t records) {
  rd_kafka_conf_t* conf = make_settings(address, {{"group.id", "benchmark"},
                                                  {"fetch.message.max.bytes", "4194304"},
                                                  {"queued.min.messages", "1000000"},
                                                  {"enable.auto.commit", "false"},
                                                  {"check.crcs", "false"},
                                                  {"fetch.wait.max.ms", "100"}});
  rd_kafka_t* client = make_client(RD_KAFKA_CONSUMER, conf);
  rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  const double began = now_s();
  for (int p = 0; p < partitions; ++p) {
    rd_kafka_consume_start_queue(handle, p, RD_KAFKA_OFFSET_BEGINNING, queue);
  }
  std::vector<rd_kafka_message_t*> batch(10'000);
  std::int64_t read = 0;
  while (read < records && now_s() - began < 600) {
    const ssize_t got = rd_kafka_consume_batch_queue(queue, 1000, batch.data(), batch.size());
    for (ssize_t i = 0; i < got; ++i) {
      if (batch[static_cast<std::size_t>(i)]->err == RD_KAFKA_RESP_ERR_NO_ERROR) ++read;
      rd_kafka_message_destroy(batch[static_cast<std::size_t>(i)]);
    }
  }
  const double took = now_s() - began;
  if (read < records) give_up("consumed too little");
  for (int p = 0; p < partitions; ++p) rd_kafka_consume_stop(handle, p);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_destroy(handle);
  rd_kafka_destroy(client);
  return took;
}

std::vector<double> follow_s(const std::string& address, const std::string& topic,
                             double records_per_s, double seconds) {
  rd_kafka_conf_t* conf = make_settings(
      address, {{"group.id", "benchmark"}, {"fetch.wait.max.ms", "500"}, {"fetch.min.bytes", "1"}});
  rd_kafka_t* reader = make_client(RD_KAFKA_CONSUMER, conf);
  rd_kafka_topic_t* read_topic = rd_kafka_topic_new(reader, topic.c_str(), nullptr);
  rd_kafka_consume_start(read_topic, 0, RD_KAFKA_OFFSET_END);
  rd_kafka_t* writer =
      make_client(RD_KAFKA_PRODUCER, make_settings(address, {{"acks", "all"}, {"linger.ms", "0"}}));
  rd_kafka_topic_t* write_topic = rd_kafka_topic_new(writer, topic.c_str(), nullptr);
  // The reader has found the end once it gets something.
  const auto write = [&](double due) {
    Bytes value(1000, 0x5a);
    std::memcpy(value.data(), &due, sizeof due);
    rd_kafka_produce(write_topic, 0, RD_KAFKA_MSG_F_COPY, value.data(), value.size(), nullptr, 0,
                     nullptr);
    rd_kafka_poll(writer, 0);
  };
  std::vector<double> latencies;
  const auto read = [&](int timeout_ms) {
    rd_kafka_message_t* message = rd_kafka_consume(read_topic, 0, timeout_ms);
    if (message == nullptr) return false;
    const bool good = message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->len == 1000;
    if (good) {
      double due = 0;
      std::memcpy(&due, message->payload, sizeof due);
      latencies.push_back(now_s() - due);
    }
    rd_kafka_message_destroy(message);
    return good;
  };
  const double asked = now_s();
  while (latencies.empty()) {
    if (now_s() - asked > 60) give_up("the reader does not find the end");
    write(now_s());
    read(200);
  }
  while (read(500)) {
  }
  latencies.clear();
  const auto records = static_cast<std::size_t>(records_per_s * seconds);
  const double began = now_s();
  std::thread writing([&] {
    for (std::size_t i = 0; i < records; ++i) {
      const double due = began + static_cast<double>(i) / records_per_s;
      sleep_until(due);
      write(due);
    }
    rd_kafka_flush(writer, 30'000);
  });
  while (latencies.size() < records && now_s() - began < seconds + 60) read(100);
  writing.join();
  rd_kafka_consume_stop(read_topic, 0);
  rd_kafka_topic_destroy(read_topic);
  rd_kafka_topic_destroy(write_topic);
  rd_kafka_destroy(reader);
  rd_kafka_destroy(writer);
  if (latencies.size() < records) give_up("records did not come back");
  return latencies;
}

bool produce_one(const std::string& address, const std::string& topic, double timeout_s) {
  ProduceLoad load;
  load.topic = topic;
  load.records = 1;
  load.record_bytes = 100;
  load.settings = {{"acks", "all"},
                   {"linger.ms", "0"},
                   {"reconnect.backoff.ms", "1"},
                   {"reconnect.backoff.max.ms", "5"},
                   {"retry.backoff.ms", "1"},
                   {"message.timeout.ms", std::to_string(static_cast<int>(timeout_s * 1000))}};
  return produce(address, load).failed == 0;
}

}  // namespace arus::benchmark
