// What all parts of the benchmark share: what is asked for, and how a figure is printed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace arus::benchmark {

struct Plan {
  std::string server = "build/release/arus";
  std::string directory = "build/bench";
  std::string kafka;  // the folder of an Apache Kafka, to compare with
  std::vector<std::string> only;
  std::int64_t gigabyte = 1'000'000'000;
};

// One line: what was measured, the figure, what it is compared with.
void row(const std::string& what, const std::string& figure, const std::string& beside = "");
std::string number(double value, const char* unit, int digits = 2);
// Sorts `values`; NAN without any.
double percentile(std::vector<double>& values, double p);
std::string percentiles(std::vector<double> values);

// Options of `arus serve`.
std::vector<std::string> page_cache();

}  // namespace arus::benchmark
