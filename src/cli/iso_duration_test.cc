#include "cli/iso_duration.h"

#include <gtest/gtest.h>

namespace arus::cli {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TEST(IsoDuration, AddsItsParts) {
  EXPECT_EQ(parse_iso_duration("P3D"), env::Duration(hours(72)));
  EXPECT_EQ(parse_iso_duration("PT1H30M"), env::Duration(minutes(90)));
  EXPECT_EQ(parse_iso_duration("P1DT0.5S"), env::Duration(hours(24)) + env::milliseconds(500));
}

TEST(IsoDuration, RefusesOtherText) {
  for (const char* text : {"", "P", "PT", "P1DT", "3D", "P1H", "PT1D", "PT1M1H", "P1.5D", "P-1D",
                           "PT1", "P1W", "P99999999999D"}) {
    EXPECT_FALSE(parse_iso_duration(text)) << text;
  }
}

}  // namespace
}  // namespace arus::cli
