#include "base/log.h"

#include <thread>

namespace arus {
namespace {

const LogComponent parent{"log_test"};
const LogComponent child{"log_test.child"};
const LogComponent sibling{"log_tester"};

// What the code under test writes to standard error.
template <class Action>
std::string written(Action&& action) {
  testing::internal::CaptureStderr();
  action();
  flush_log();
  return testing::internal::GetCapturedStderr();
}

class LogTest : public testing::Test {
 protected:
  ~LogTest() override {
    for (const char* name : {"", "log_test", "log_test.child"}) clear_log_level(name);
    set_log_format(LogFormat::text);
  }
};

TEST_F(LogTest, TextLineHoldsTimeLevelComponentAndMessage) {
  const std::string line = written([] { child.warning("disk {} is slow", "sda"); });
  EXPECT_THAT(line, testing::MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]+Z WARN  log_test.child: "
                                          "disk sda is slow\n"));
}

TEST_F(LogTest, LevelsFollowTheLongestNameGiven) {
  set_log_level("log_test", LogLevel::debug);
  EXPECT_TRUE(parent.enabled(LogLevel::debug));
  EXPECT_TRUE(child.enabled(LogLevel::debug));
  EXPECT_FALSE(sibling.enabled(LogLevel::debug));  // begins with the name, but without a dot
  set_log_level("log_test.child", LogLevel::error);
  EXPECT_FALSE(child.enabled(LogLevel::warning));
  set_log_level("", LogLevel::off);
  EXPECT_TRUE(parent.enabled(LogLevel::debug));
  EXPECT_FALSE(sibling.enabled(LogLevel::error));
  clear_log_level("log_test.child");
  EXPECT_EQ(log_level("log_test.child"), LogLevel::debug);
}

TEST_F(LogTest, ALevelGivenBeforeTheComponentExistsCounts) {
  set_log_level("log_test", LogLevel::trace);
  const LogComponent late{"log_test.late"};
  EXPECT_TRUE(late.enabled(LogLevel::trace));
}

TEST_F(LogTest, NothingBelowTheLevelIsWritten) {
  EXPECT_EQ(written([] { parent.debug("not shown"); }), "");
}

TEST_F(LogTest, AMessageCannotForgeASecondLine) {
  const std::string line = written([] { parent.info("a\nb\x1b[31m"); });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(line, testing::HasSubstr("a\\nb\\x1b[31m"));
}

TEST_F(LogTest, JsonLinesEscapeQuotesControlsAndBrokenText) {
  set_log_format(LogFormat::json);
  const std::string line = written([] { parent.error("say \"{}\" \\ \xff \u00e9\x01", "hi"); });
  EXPECT_THAT(line, testing::HasSubstr("\"level\":\"ERROR\",\"component\":\"log_test\",\"message\":"
                                       "\"say \\\"hi\\\" \\\\ \\ufffd \u00e9\\u0001\"}\n"));
}

TEST_F(LogTest, ComponentsAreListedByName) {
  EXPECT_THAT(log_components(), testing::IsSupersetOf({"log_test", "log_test.child"}));
}

TEST_F(LogTest, LinesOfSeveralThreadsStayWhole) {
  const std::string text = written([] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int n = 0; n < 100; ++n) parent.info("{}", std::string(100, 'x'));
      });
    }
    for (auto& thread : threads) thread.join();
  });
  std::size_t lines = 0;
  for (std::size_t from = 0; from < text.size(); ++lines) {
    const std::size_t end = text.find('\n', from);
    ASSERT_NE(end, std::string::npos);
    ASSERT_EQ(text.substr(end - 102, 102), ": " + std::string(100, 'x'));
    from = end + 1;
  }
  EXPECT_EQ(lines, 400U);
}

}  // namespace
}  // namespace arus
