#include "cli/offset_csv.h"

#include <gtest/gtest.h>

namespace arus::cli {
namespace {

TEST(OffsetCsv, WritesLinesWithAndWithoutGroups) {
  const GroupOffsets offsets{{"g", {{{"orders", 0}, Offset{5}}, {{"orders", 1}, Offset{7}}}}};
  EXPECT_EQ(offsets_as_csv(offsets, false), "orders,0,5\norders,1,7\n");
  EXPECT_EQ(offsets_as_csv(offsets, true), "g,orders,0,5\ng,orders,1,7\n");
}

TEST(OffsetCsv, QuotesLongNamesAndNamesWithSeparators) {
  const GroupOffsets offsets{{"a b", {{{"abcdefghijklmnopqrstuvwx", 0}, Offset{1}}}},
                             {"say \"x\",y", {{{"abcdefghijklmnopqrstuvwxy", 0}, Offset{2}}}}};
  EXPECT_EQ(offsets_as_csv(offsets, true),
            "\"a b\",abcdefghijklmnopqrstuvwx,0,1\n"
            "\"say \"\"x\"\",y\",\"abcdefghijklmnopqrstuvwxy\",0,2\n");
}

TEST(OffsetCsv, ReadsWhatItWrites) {
  const GroupOffsets offsets{{"a,\"b", {{{"orders", 0}, Offset{5}}}},
                             {"g", {{{"x", 3}, Offset{INT64_MAX}}}}};
  const auto read = parse_offsets_csv(offsets_as_csv(offsets, true), std::nullopt);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, offsets);
}

TEST(OffsetCsv, LinesWithoutGroupsBelongToTheOnlyGroup) {
  const auto read = parse_offsets_csv("orders,0,5\r\norders,1, 7\n\n", "g");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (GroupOffsets{{"g", {{{"orders", 0}, Offset{5}}, {{"orders", 1}, Offset{7}}}}}));
}

TEST(OffsetCsv, LinesMayNameGroupsForOneGroupToo) {
  const auto read = parse_offsets_csv("other,orders,0,5\n", "g");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->contains("other"));
  EXPECT_FALSE(read->contains("g"));
}

TEST(OffsetCsv, BadLinesAreNamed) {
  for (const std::string_view text :
       {"orders,0", "orders,x,5", "orders,0,-5", "\"orders,0,5", "orders,0,5\norders,0,5,6",
        "orders,0,99999999999999999999"}) {
    const auto read = parse_offsets_csv(text, "g");
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().message.starts_with("Line ")) << read.error().message;
  }
  EXPECT_FALSE(parse_offsets_csv("orders,0,5\n", std::nullopt));
}

}  // namespace
}  // namespace arus::cli
