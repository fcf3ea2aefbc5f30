#include "cli/time_text.h"

#include <gtest/gtest.h>

namespace arus::cli {
namespace {

TEST(TimeText, ReadsDateTimesAsKafkasProgramsDo) {
  constexpr std::int64_t moment = 1'577'836'800'000;  // 2020-01-01T00:00Z
  EXPECT_EQ(parse_date_time("2020-01-01T00:00:00.000"), moment);
  EXPECT_EQ(parse_date_time("2020-01-01T00:00:00.000Z"), moment);
  EXPECT_EQ(parse_date_time("2020-01-01T01:30:00.000+01:30"), moment);
  EXPECT_EQ(parse_date_time("2020-01-01T01:00:00.000+01"), moment);
  EXPECT_EQ(parse_date_time("2019-12-31T19:00:00.000-0500"), moment);
  EXPECT_EQ(parse_date_time("2020-01-01T00:00:01.250"), moment + 1250);
}

TEST(TimeText, DateTimesNeedTheirFraction) {
  for (const std::string_view text :
       {"2020-01-01T00:00:00", "2020-01-01", "2020-01-01 00:00:00.000", "2020-13-01T00:00:00.000",
        "2020-02-30T00:00:00.000", "2020-01-01T25:00:00.000", "2020-01-01T00:00:00.000+", "", "T",
        "2020-01-01T00:00:00.000x"}) {
    EXPECT_FALSE(parse_date_time(text)) << text;
  }
}

TEST(TimeText, MomentsMayBeShort) {
  constexpr std::int64_t moment = 1'577'836'800'000;
  EXPECT_EQ(parse_moment("1577836800000"), moment);
  EXPECT_EQ(parse_moment("2020-01-01"), moment);
  EXPECT_EQ(parse_moment("2020-01-01T00:00"), moment);
  EXPECT_EQ(parse_moment("2020-01-01T00:00:00Z"), moment);
  EXPECT_EQ(parse_moment("2020-01-01 00:00:00.5Z"), moment + 5);
  EXPECT_FALSE(parse_moment("yesterday"));
}

TEST(TimeText, ReadsDurationsAsJavaDoes) {
  EXPECT_EQ(parse_duration("PT0S"), 0);
  EXPECT_EQ(parse_duration("P1D"), 86'400'000);
  EXPECT_EQ(parse_duration("p2dt3h4m5.678s"), 183'845'678);
  EXPECT_EQ(parse_duration("PT-6H+3M"), -21'420'000);
  EXPECT_EQ(parse_duration("-PT6H"), -21'600'000);
  EXPECT_EQ(parse_duration("PT-0.5S"), -500);
  for (const std::string_view text : {"", "P", "PT", "1D", "P1H", "PT1D", "PT1M1H", "P1D ", "P1DT",
                                      "PT1.5M", "xx", "P99999999999D"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(TimeText, WritesDurationsInTwoUnits) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(850), "850 ms");
  EXPECT_EQ(duration_text(12'999), "12 s");
  EXPECT_EQ(duration_text(200'000), "3 min 20 s");
  EXPECT_EQ(duration_text(7'500'000), "2 h 5 min");
  EXPECT_EQ(duration_text(356'400'000), "4 d 3 h");
  EXPECT_EQ(duration_text(-1'000), "-1 s");
}

TEST(TimeText, WritesMomentsThatItReads) {
  EXPECT_EQ(moment_text(1'577'836'801'250), "2020-01-01T00:00:01.250Z");
  EXPECT_EQ(parse_date_time(moment_text(1'234'567'890'123)), 1'234'567'890'123);
}

}  // namespace
}  // namespace arus::cli
