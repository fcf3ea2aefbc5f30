// librdkafka against a broker: produces numbered records and reads them back, checking each.
//
//   librdkafka_round_trip BOOTSTRAP TOPIC PARTITIONS RECORDS RECORD_BYTES [KEY=VALUE...]
//
// Settings after the counts go to the producer. Prints "ok" and ends with 0, or says what differs
// and ends with 1.
#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr std::int64_t first_timestamp_ms = 1'700'000'000'000;

[[noreturn]] void differ(const std::string& what) {
  std::printf("failed: %s\n", what.c_str());
  std::exit(1);
}

void set(rd_kafka_conf_t* conf, const std::string& key, const std::string& value) {
  char why[256];
  if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK) {
    differ(why);
  }
}

rd_kafka_t* start(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  char why[256];
  rd_kafka_t* client = rd_kafka_new(type, conf, why, sizeof why);
  if (client == nullptr) differ(why);
  return client;
}

struct Plan {
  std::string bootstrap;
  std::string topic;
  int partitions = 1;
  std::int64_t records = 0;
  std::size_t record_bytes = 0;
  std::vector<std::string> settings;
};

std::string value_of(const Plan& plan, std::int64_t i) {
  std::string value = "value " + std::to_string(i) + " ";
  while (value.size() < plan.record_bytes)
    value += static_cast<char>('a' + (i + std::ssize(value)) % 26);
  return value;
}

std::int64_t delivered = 0;

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) differ(rd_kafka_err2str(message->err));
  ++delivered;
}

void produce(const Plan& plan) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", plan.bootstrap);
  set(conf, "message.max.bytes", "20000000");
  for (const auto& setting : plan.settings) {
    const std::size_t split = setting.find('=');
    if (split == std::string::npos) differ("not KEY=VALUE: " + setting);
    set(conf, setting.substr(0, split), setting.substr(split + 1));
  }
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t* client = start(RD_KAFKA_PRODUCER, conf);
  for (std::int64_t i = 0; i < plan.records; ++i) {
    const std::string key = "k" + std::to_string(i);
    const std::string value = value_of(plan, i);
    for (;;) {
      const rd_kafka_resp_err_t error = rd_kafka_producev(
          client, RD_KAFKA_V_TOPIC(plan.topic.c_str()),
          RD_KAFKA_V_PARTITION(static_cast<std::int32_t>(i % plan.partitions)),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
          RD_KAFKA_V_TIMESTAMP(first_timestamp_ms + i),
          RD_KAFKA_V_HEADER("n", key.data(), static_cast<ssize_t>(key.size())), RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) differ(rd_kafka_err2str(error));
      rd_kafka_poll(client, 10);
    }
    rd_kafka_poll(client, 0);
  }
  if (rd_kafka_flush(client, 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR) differ("flush did not end");
  if (delivered != plan.records) differ("delivered " + std::to_string(delivered));
  rd_kafka_destroy(client);
}

void check(const Plan& plan, const rd_kafka_message_t* message, std::int64_t offset) {
  if (message->offset != offset) {
    differ("offset " + std::to_string(message->offset) + ", expected " + std::to_string(offset));
  }
  const std::int64_t i = offset * plan.partitions + message->partition;
  const std::string key = "k" + std::to_string(i);
  const std::string value = value_of(plan, i);
  if (std::string(static_cast<const char*>(message->key), message->key_len) != key) {
    differ("key of record " + std::to_string(i));
  }
  if (std::string(static_cast<const char*>(message->payload), message->len) != value) {
    differ("value of record " + std::to_string(i));
  }
  rd_kafka_timestamp_type_t type{};
  if (rd_kafka_message_timestamp(message, &type) != first_timestamp_ms + i) {
    differ("timestamp of record " + std::to_string(i));
  }
  rd_kafka_headers_t* headers = nullptr;
  const void* header = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_header_get_last(headers, "n", &header, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      std::string(static_cast<const char*>(header), size) != key) {
    differ("header of record " + std::to_string(i));
  }
}

void consume(const Plan& plan) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", plan.bootstrap);
  set(conf, "group.id", "unused");
  set(conf, "enable.auto.commit", "false");
  set(conf, "check.crcs", "true");
  set(conf, "fetch.message.max.bytes", "20000000");
  set(conf, "receive.message.max.bytes", "200000000");
  rd_kafka_t* client = start(RD_KAFKA_CONSUMER, conf);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, plan.topic.c_str(), nullptr);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  for (int p = 0; p < plan.partitions; ++p) {
    if (rd_kafka_consume_start_queue(topic, p, RD_KAFKA_OFFSET_BEGINNING, queue) != 0) {
      differ("consuming did not start");
    }
  }
  std::vector<std::int64_t> next(static_cast<std::size_t>(plan.partitions));
  for (std::int64_t read = 0; read < plan.records;) {
    rd_kafka_message_t* message = rd_kafka_consume_queue(queue, 20'000);
    if (message == nullptr) differ("only " + std::to_string(read) + " records came");
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      check(plan, message, next[static_cast<std::size_t>(message->partition)]++);
      ++read;
    } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      differ(rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
  }
  for (int p = 0; p < plan.partitions; ++p) rd_kafka_consume_stop(topic, p);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(client);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: %s BOOTSTRAP TOPIC PARTITIONS RECORDS BYTES [KEY=VALUE...]\n",
                 argv[0]);
    return 2;
  }
  Plan plan{.bootstrap = argv[1],
            .topic = argv[2],
            .partitions = std::atoi(argv[3]),
            .records = std::atoll(argv[4]),
            .record_bytes = static_cast<std::size_t>(std::atoll(argv[5])),
            .settings = {argv + 6, argv + argc}};
  produce(plan);
  consume(plan);
  std::printf("ok\n");
  return 0;
}
