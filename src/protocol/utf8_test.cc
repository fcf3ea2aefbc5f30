#include "protocol/utf8.h"

#include <string>

namespace arus::protocol {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, WellFormedTextPasses) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("events"));
  EXPECT_TRUE(is_utf8("a name longer than sixteen bytes"));
  EXPECT_TRUE(is_utf8("nul \0 is text"sv));
  EXPECT_TRUE(is_utf8("\u00e9t\u00e9 \u65e5\u672c\u8a9e \U0001f600"));
  EXPECT_TRUE(is_utf8("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
  EXPECT_TRUE(is_utf8("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
}

TEST(Utf8, MalformedTextIsRefusedWhereverItStands) {
  for (const auto bad : {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc2"sv, "\xc2\x41"sv,
                         "\xe0\x80\x80"sv, "\xe0\x9f\xbf"sv, "\xe1\x80"sv, "\xed\xa0\x80"sv,
                         "\xed\xbf\xbf"sv, "\xf0\x80\x80\x80"sv, "\xf0\x8f\xbf\xbf"sv,
                         "\xf1\x80\x80"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv}) {
    for (std::size_t before = 0; before < 17; ++before) {
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + std::string(bad))) << before;
    }
  }
}

TEST(Utf8, EveryPairOfBytesIsJudgedAsTheDefinitionSays) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char pair[] = {static_cast<char>(first), static_cast<char>(second)};
      const bool ascii = first < 0x80 && second < 0x80;
      const bool character = first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf;
      EXPECT_EQ(is_utf8({pair, 2}), ascii || character) << first << ' ' << second;
    }
  }
}

}  // namespace
}  // namespace arus::protocol
