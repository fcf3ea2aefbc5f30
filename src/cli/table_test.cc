#include "cli/table.h"

#include <gtest/gtest.h>

namespace arus::cli {
namespace {

TEST(AlignedTable, NumbersStandToTheRightAndLinesEndWithoutBlanks) {
  EXPECT_EQ(aligned_table({"NAME", "LAG", "NOTE"},
                          {{"a", "5", "x"}, {"long-name", "1200", "-"}, {"b", "-", ""}}),
            "NAME        LAG  NOTE\n"
            "a             5  x\n"
            "long-name  1200  -\n"
            "b             -\n");
}

TEST(AlignedTable, ColumnsOfDashesStandToTheLeft) {
  EXPECT_EQ(aligned_table({"MEMBER"}, {{"-"}}), "MEMBER\n-\n");
}

}  // namespace
}  // namespace arus::cli
