#include "config/properties.h"

namespace arus::config {
namespace {

ConfigMap parsed(std::string_view text) {
  auto properties = parse_properties(text);
  EXPECT_TRUE(properties) << (properties ? "" : properties.error().message);
  return properties.value_or(ConfigMap{});
}

std::string error_of(std::string_view text) {
  const auto properties = parse_properties(text);
  return properties ? "no error" : properties.error().message;
}

TEST(Properties, LinesAreSplitAsJavaSplitsThem) {
  const std::vector<std::pair<std::string_view, ConfigMap>> cases{
      {"a=1\nb=2\n", {{"a", "1"}, {"b", "2"}}},
      {"a=1\r\nb=2\rc=3", {{"a", "1"}, {"b", "2"}, {"c", "3"}}},
      {"# c=1\n  ! d=2\n\n \t\na=1", {{"a", "1"}}},
      {"a = 1\nb:2\nc 3\nd\t:\t4\ne", {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", ""}}},
      {"a==1\nb= =2\nc :=3", {{"a", "=1"}, {"b", "=2"}, {"c", "=3"}}},
      {"a=1 2  ", {{"a", "1 2  "}}},
      {"a=1\na=2", {{"a", "2"}}},
      {"listeners=PLAINTEXT://:9092,\\\n    OTHER://:9093",
       {{"listeners", "PLAINTEXT://:9092,OTHER://:9093"}}},
      {"a=1\\\n#2\nb=3", {{"a", "1#2"}, {"b", "3"}}},
      {"a=1\\\\\nb=2", {{"a", "1\\"}, {"b", "2"}}},
      {"a=1\\", {{"a", "1"}}},
      {"", {}},
      {"\xef\xbb\xbf"
       "a=1",
       {{"a", "1"}}},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(parsed(text), expected) << text;
}

TEST(Properties, EscapesAreRead) {
  EXPECT_EQ(parsed(R"(a\ b\=c\:d=\t\n\r\f\\x\q)"), (ConfigMap{{"a b=c:d", "\t\n\r\f\\xq"}}));
  EXPECT_EQ(parsed(R"(a=\u0041\u00e9\u20AC\ud83d\ude00)"),
            (ConfigMap{{"a", "A\u00e9\u20ac\U0001f600"}}));
}

TEST(Properties, ErrorsNameTheLine) {
  EXPECT_THAT(error_of("a=1\n#\nb=\\u12g4"), testing::StartsWith("Line 3: "));
  EXPECT_THAT(error_of("a=\\\n  x\\u1"), testing::StartsWith("Line 1: "));
  EXPECT_THAT(error_of("\n=1"), testing::StartsWith("Line 2: "));
  EXPECT_THAT(error_of("a=\\ud800"), testing::StartsWith("Line 1: "));
}

TEST(Properties, WhatIsWrittenReadsBackTheSame) {
  const ConfigMap properties{{"a b:c=d#!", " leading, trailing "},
                             {"\\tab\t", "\n\r\f\t\\"},
                             {"plain.key", "PLAINTEXT://[::1]:9092"},
                             {"unicode", "\u00e9\U0001f600"},
                             {"empty", ""}};
  EXPECT_EQ(parsed(write_properties(properties)), properties);
  // A key that begins as a file may.
  const ConfigMap marked{{"\ufeffkey", "value"}};
  EXPECT_EQ(parsed(write_properties(marked)), marked);
}

TEST(Properties, AnOverrideReplacesAndMayHoldEqualSigns) {
  ConfigMap properties{{"a", "1"}};
  EXPECT_TRUE(apply_override(properties, "a=x=y"));
  EXPECT_TRUE(apply_override(properties, "b="));
  EXPECT_EQ(properties, (ConfigMap{{"a", "x=y"}, {"b", ""}}));
  EXPECT_FALSE(apply_override(properties, "a"));
  EXPECT_FALSE(apply_override(properties, "=1"));
}

}  // namespace
}  // namespace arus::config
