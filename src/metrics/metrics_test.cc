#include "metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace arus::metrics {
namespace {

TEST(Registry, TheSameNameAndLabelsGiveTheSameSeries) {
  Registry registry;
  registry.counter("requests_total", "Requests.", {{"api", "Fetch"}}).add(2);
  registry.counter("requests_total", "Requests.", {{"api", "Fetch"}}).add(3);
  EXPECT_EQ(registry.counter("requests_total", "Requests.", {{"api", "Fetch"}}).value(), 5U);
  EXPECT_EQ(registry.counter("requests_total", "Requests.", {{"api", "Produce"}}).value(), 0U);
}

TEST(Registry, TextHasOneHeadForAllSeriesOfAName) {
  Registry registry;
  registry.counter("requests_total", "Requests.", {{"api", "A"}}).add(1);
  registry.gauge("connections", "Open connections.").set(-4);
  registry.counter("requests_total", "Requests.", {{"api", "B\""}}).add(2);
  registry.computed("half", "A computed one.", [] { return 0.5; });
  EXPECT_EQ(registry.prometheus_text(),
            "# HELP requests_total Requests.\n# TYPE requests_total counter\n"
            "requests_total{api=\"A\"} 1\nrequests_total{api=\"B\\\"\"} 2\n"
            "# HELP connections Open connections.\n# TYPE connections gauge\nconnections -4\n"
            "# HELP half A computed one.\n# TYPE half gauge\nhalf 0.5\n");
}

TEST(Registry, LabelValuesCannotForgeALine) {
  Registry registry;
  registry.counter("c", "C.", {{"client", "a\"} 1\nforged 2\\"}}).add(1);
  EXPECT_THAT(registry.prometheus_text(),
              testing::EndsWith("\nc{client=\"a\\\"} 1\\nforged 2\\\\\"} 1\n"));
}

TEST(Registry, BucketsOfAHistogramAreCumulative) {
  Registry registry;
  Histogram& histogram = registry.histogram("wait_seconds", "Waiting.", {{"api", "Fetch"}});
  histogram.observe_us(64);
  histogram.observe_us(100);
  histogram.observe_us(60'000'000);
  const std::string text = registry.prometheus_text();
  EXPECT_THAT(text, testing::HasSubstr("# TYPE wait_seconds histogram\n"
                                       "wait_seconds_bucket{api=\"Fetch\",le=\"6.4e-05\"} 1\n"
                                       "wait_seconds_bucket{api=\"Fetch\",le=\"0.000128\"} 2\n"));
  EXPECT_THAT(text, testing::HasSubstr("le=\"+Inf\"} 3\nwait_seconds_sum{api=\"Fetch\"} 60.0001"));
  EXPECT_THAT(text, testing::EndsWith("wait_seconds_count{api=\"Fetch\"} 3\n"));
}

TEST(Histogram, ABoundBelongsToItsBucket) {
  Histogram histogram;
  histogram.observe_us(0);
  histogram.observe_us(64);
  histogram.observe_us(65);
  histogram.observe_us(129);
  histogram.observe_us(INT64_C(1) << 50);
  EXPECT_EQ(histogram.bucket(0), 2U);
  EXPECT_EQ(histogram.bucket(1), 1U);
  EXPECT_EQ(histogram.bucket(2), 1U);
  EXPECT_EQ(histogram.bucket(Histogram::bucket_count - 1), 1U);
  EXPECT_EQ(histogram.count(), 5U);
}

}  // namespace
}  // namespace arus::metrics
