#include "benchmarks/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace arus::benchmark {

void row(const std::string& what, const std::string& figure, const std::string& beside) {
  std::printf("%-52s %-28s %s\n", what.c_str(), figure.c_str(), beside.c_str());
  std::fflush(stdout);
}

std::string number(double value, const char* unit, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f %s", digits, value, unit);
  return text;
}

double percentile(std::vector<double>& values, double p) {
  if (values.empty()) return NAN;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(p / 100.0 * static_cast<double>(values.size() - 1));
  return values[at];
}

std::string percentiles(std::vector<double> values) {
  char text[120];
  std::snprintf(text, sizeof text, "p50 %.3f  p99 %.3f  p99.9 %.3f ms",
                percentile(values, 50) * 1e3, percentile(values, 99) * 1e3,
                percentile(values, 99.9) * 1e3);
  return text;
}

std::vector<std::string> page_cache() { return {"--override", "arus.durability=page-cache"}; }

}  // namespace arus::benchmark
