// The load: librdkafka, the same client for whatever is measured.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace arus::benchmark {

using Settings = std::map<std::string, std::string>;

// What is in the records' values.
enum class Payload {
  pattern,  // one block of bytes
  json      // documents of the usual kind, which compress to about a third
};

struct ProduceLoad {
  std::string topic;
  int partitions = 1;
  std::int64_t records = 0;
  std::size_t record_bytes = 0;
  double records_per_s = 0;  // 0: as fast as it goes
  Payload payload = Payload::pattern;
  Settings settings;  // librdkafka's own
};

struct ProduceOutcome {
  double took_s = 0;
  std::int64_t failed = 0;
  std::vector<double>
      latencies_s;  // from each record's due time to its acknowledgement, when paced
};

// Creates topics of `partitions` each, one after the other (Kafka's controller takes no more than
// 10,000 records from one request); gives the time until the last answer, in s.
double create_topics(const std::string& address, const std::vector<std::string>& topics,
                     int partitions);
// Waits until every partition of the topics has a leader that answers.
void wait_for_leaders(const std::string& address, const std::vector<std::string>& topics,
                      int partitions);
ProduceOutcome produce(const std::string& address, const ProduceLoad& load);
// Reads `records` records of all partitions from the beginning; gives the time, in s.
double consume(const std::string& address, const std::string& topic, int partitions,
               std::int64_t records);
// Produces `records_per_s` records of 1,000 bytes to partition 0 and reads them at its end: the
// times from when each was due until it was read, in s.
std::vector<double> follow_s(const std::string& address, const std::string& topic,
                             double records_per_s, double seconds);
// Produces one record with acks=all; true when it was acknowledged within `timeout_s`.
bool produce_one(const std::string& address, const std::string& topic, double timeout_s);

}  // namespace arus::benchmark
