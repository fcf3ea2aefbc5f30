// A producer without a client's own costs: requests are made beforehand, a thread sends, another
// reads the answers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace arus::benchmark {

// Topics "NAME-0", "NAME-1", … of `partitions` each; NAME itself where `topics` is 0.
struct TopicSet {
  std::string name;
  int topics = 1;
  int partitions = 1;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] int all_partitions() const { return std::max(topics, 1) * partitions; }
};

struct RawOutcome {
  double took_s = 0;                // from the first request to the last answer
  std::vector<double> latencies_s;  // of each request, from the time it was due
  int failed = 0;                   // partitions that were answered with an error
};

// One record in each request, to one partition after the other, at `requests_per_s`; all
// acknowledged (acks=all). One connection.
RawOutcome produce_paced(int port, const TopicSet& topics, std::size_t record_bytes,
                         double requests_per_s, double seconds);
// The same to partition 0 of the first topic, from `connections` connections in turn.
RawOutcome produce_from_many(int port, const TopicSet& topics, std::size_t record_bytes,
                             int connections, double requests_per_s, double seconds);
// One record to every partition, `at_once` partitions in each request, all requests sent at once.
RawOutcome produce_to_each(int port, const TopicSet& topics, std::size_t record_bytes, int at_once);
// `requests` of one record to one partition, each sent when the one before it is acknowledged.
RawOutcome produce_in_turn(int port, const std::string& topic, std::size_t record_bytes,
                           int requests);

}  // namespace arus::benchmark
