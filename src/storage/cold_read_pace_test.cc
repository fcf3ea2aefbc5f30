#include "storage/cold_read_pace.h"

#include <gtest/gtest.h>

namespace arus::storage {
namespace {

using env::Duration;
using env::microseconds;
using env::milliseconds;
using env::seconds;
using env::TimePoint;

constexpr std::size_t piece = 1'000'000;

class ColdReadPaceTest : public testing::Test {
 protected:
  void flush(Duration took) { pace_.flushed(took, now_); }
  void flush_quietly(Duration took) {
    for (int i = 0; i < 200; ++i, now_ += milliseconds{2}) flush(took);
  }
  // Reads a piece after the other at `rate` bytes a second, where the pace allows, and flushes.
  void read_for(Duration length, double rate, Duration flushes_take) {
    for (const TimePoint end = now_ + length; now_ < end;) {
      now_ += Duration(static_cast<std::int64_t>(piece / rate * 1e9));
      bytes_ += piece;
      flush(flushes_take);
      now_ = std::max(now_, pace_.rest_until(piece, now_));
    }
  }

  // Flushes are slow until the rate is the least.
  void read_to_the_floor() {
    const auto at_floor = [this] {
      return pace_.limited() && pace_.bytes_per_s() <= ColdReadPace::least_bytes_per_s;
    };
    for (int i = 0; i < 100 && !at_floor(); ++i) {
      read_for(milliseconds{50}, 400e6, microseconds{200});
      flush(milliseconds{20});
    }
    ASSERT_TRUE(at_floor());
  }

  ColdReadPace pace_;
  TimePoint now_ = TimePoint{} + seconds{100};
  double bytes_ = 0;
};

TEST_F(ColdReadPaceTest, NothingRestsWhileFlushesAreNotSlow) {
  flush_quietly(microseconds{200});
  read_for(seconds{5}, 500e6, microseconds{900});
  EXPECT_FALSE(pace_.limited());
  EXPECT_NEAR(bytes_ / 5, 500e6, 10e6);
}

TEST_F(ColdReadPaceTest, ASlowFlushHalvesTheRateThatWasReached) {
  flush_quietly(microseconds{200});
  read_for(seconds{1}, 400e6, microseconds{300});
  flush(milliseconds{20});
  ASSERT_TRUE(pace_.limited());
  EXPECT_NEAR(pace_.bytes_per_s(), 200e6, 10e6);
  // Those behind the same stall say nothing new.
  flush(milliseconds{18});
  EXPECT_NEAR(pace_.bytes_per_s(), 200e6, 10e6);
  bytes_ = 0;
  read_for(seconds{1}, 400e6, microseconds{300});
  EXPECT_NEAR(bytes_, 210e6, 20e6);
}

TEST_F(ColdReadPaceTest, TheRateFallsToItsFloorAndGrowsBackToNoLimit) {
  flush_quietly(microseconds{200});
  read_to_the_floor();
  bytes_ = 0;
  read_for(seconds{1}, 400e6, microseconds{200});
  EXPECT_NEAR(bytes_, 1.05 * ColdReadPace::least_bytes_per_s, 3e6);
  read_for(seconds{60}, 400e6, microseconds{200});
  EXPECT_FALSE(pace_.limited());
}

TEST_F(ColdReadPaceTest, ADiskWhoseFlushesAreAlwaysSlowIsReadAsFastAsItCan) {
  flush_quietly(milliseconds{15});
  EXPECT_GT(pace_.usual_flush(), milliseconds{10});
  read_for(seconds{2}, 100e6, milliseconds{30});
  EXPECT_FALSE(pace_.limited());
}

TEST_F(ColdReadPaceTest, WhatHappensWithoutReadsNowAndThenIsNotSlow) {
  for (int i = 0; i < 5'000; ++i, now_ += milliseconds{2}) {
    flush(i % 50 == 0 ? milliseconds{8} : milliseconds{1});
  }
  EXPECT_GT(pace_.usual_flush(), milliseconds{3});
  EXPECT_LT(pace_.usual_flush(), milliseconds{8});
  read_for(seconds{1}, 400e6, milliseconds{6});
  EXPECT_FALSE(pace_.limited());
  read_for(seconds{1}, 400e6, milliseconds{25});
  EXPECT_TRUE(pace_.limited());
}

// Nobody has flushed before the reader came: what flushes take at the floor is usual.
TEST_F(ColdReadPaceTest, TheFloorTellsWhatIsUsual) {
  read_for(seconds{5}, 100e6, milliseconds{15});
  EXPECT_GT(pace_.usual_flush(), milliseconds{10});
  read_for(seconds{60}, 100e6, milliseconds{15});
  EXPECT_FALSE(pace_.limited());
}

TEST_F(ColdReadPaceTest, SlowFlushesWithoutReadsAreNotTheirFault) {
  flush_quietly(microseconds{200});
  read_for(seconds{1}, 400e6, microseconds{300});
  now_ += seconds{1};
  flush(milliseconds{50});
  EXPECT_FALSE(pace_.limited());
}

TEST_F(ColdReadPaceTest, ManyReadersRestTogetherAndNeverForLong) {
  flush_quietly(microseconds{200});
  read_to_the_floor();
  const TimePoint first = pace_.rest_until(piece, now_);
  const TimePoint second = pace_.rest_until(piece, now_);
  EXPECT_NEAR(static_cast<double>((second - first).count()), 1e9 / 32, 2e6);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(pace_.rest_until(piece, now_) - now_, ColdReadPace::longest_rest);
  }
}

}  // namespace
}  // namespace arus::storage
